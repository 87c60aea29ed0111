"""The 99 % frontier as rows, table and figure."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from studies.figures import new_figure
from studies.finding_figures import CEILINGS, draw_frontier, draw_gain
from studies.frontier_table import half_width, rate_name
from studies.storage import STRUCTURED
from studies.summary import ABSENT, DESIGN_NAMES, LOSS_NAMES, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from studies.frontiers import FrontierProgress

LOADING = 0.1  # [mAh.cm-2] per [A.h.m-2]
NONE, UNFOUND = "not attainable", "none found"


def frontier_rows(document: Mapping[str, Any]) -> list[Row]:
    """
    Describe a frontier, one row per quantity and one column per rate.

    Parameters
    ----------
    document : mapping
        See `studies.frontier`.

    Returns
    -------
    list of Row
        Their values are in the order of ``document["rates"]``.
    """
    rates = document["rates"]
    rows = [Row("rate", "", tuple(rate["rate"] for rate in rates))]
    rows += [
        Row(f"analytic ceiling, {pores} pores", "mAh cm⁻²", tuple(_ceiling(rate[key]) for rate in rates))
        for pores, key in CEILINGS.items()
    ]
    rows += [
        Row(label, "mAh cm⁻²", tuple(_loading(rate, name) for rate in rates))
        for name, label in DESIGN_NAMES.items()
    ]
    rows.append(Row("structured − control", "mAh cm⁻²", tuple(_difference(rate) for rate in rates)))
    rows.append(Row("relative to the control", "%", tuple(_gain(rate) for rate in rates)))
    radii = tuple(f"{1e6 * rate['ceiling']['largest_radius']:.2f}" for rate in rates)
    rows.append(Row("largest radius that diffusion allows", "µm", radii))
    best = [rate["designs"][STRUCTURED] for rate in rates]
    rows += [
        Row(f"structured: {label}", unit, tuple(_statistic(design, name, factor) for design in best))
        for label, name, unit, factor in (
            ("thickness", "thickness", "µm", 1e6),
            ("specific surface", "specific_surface_area", "m² cm⁻³", 1e-6),
        )
    ]
    limits = tuple(LOSS_NAMES[design["limiting"]] if design else ABSENT for design in best)
    return [*rows, Row("structured: limited by", "", limits)]


def frontier_markdown(document: Mapping[str, Any]) -> str:
    """
    Write a frontier as a Markdown table, with what it rests on.

    Parameters
    ----------
    document : mapping
        See `studies.frontier`.

    Returns
    -------
    str
        Markdown.
    """
    head, *rows = frontier_rows(document)
    lines = [
        f"| {head.name} | {' | '.join(head.values)} |",
        f"|---|{'---|' * len(head.values)}",
        *(f"| {_label(row)} | {' | '.join(row.values)} |" for row in rows),
        "",
        *(f"- {rate['rate']}: {rate['verdict']}" for rate in document["rates"]),
        "",
        frontier_note(document),
    ]
    return "\n".join(lines) + "\n"


def frontier_note(document: Mapping[str, Any]) -> str:
    """
    Say what a frontier rests on.

    Parameters
    ----------
    document : mapping
        See `studies.frontier`.

    Returns
    -------
    str
        One paragraph.
    """
    low, high = document["cutoffs_V"]
    depth = document["depth_diameters"]
    made = "made at their own thickness" if depth is None else f"made {depth:g} particles thick"
    return (
        f"{document['chemistry']} against lithium, {low:g} to {high:g} V, utilization of at least "
        f"{100 * document['target']:g} %; {', '.join(document['counterweights'])}. Mean and 95 % interval over "
        f"{document['fresh_seeds']} fresh packings {made}; {document['trials_per_search']} trials for "
        f"each search, {document['seconds'] / 60:.1f} min. The ceilings take equal spheres as small as the surface "
        "allows; their salt limit is an estimate. 'Not attainable': closed forms "
        "rule it out; 'none found': no trial attained it, which a longer search may."
    )


def frontier_line(progress: FrontierProgress) -> str:
    """
    Say in one line how far a frontier is.

    Parameters
    ----------
    progress : FrontierProgress
        How far it is.

    Returns
    -------
    str
        Trials, rate, best loadings so far, time.
    """
    if progress.c_rate is None:
        return f"[{progress.done}/{progress.total}] {progress.stage}"
    best = ", ".join(
        f"{arm} {f'{LOADING * value:.2f} mAh cm⁻²' if value else 'none yet'}"
        for arm, value in progress.best.items()
    )
    return (
        f"[{progress.done}/{progress.total}] {progress.stage} {rate_name(progress.c_rate)}: {best}; "
        f"{progress.seconds:.0f} s"
    )


def frontier_csv(document: Mapping[str, Any]) -> str:
    """
    Write a frontier as CSV, one line per rate and design.

    Parameters
    ----------
    document : mapping
        See `studies.frontier`.

    Returns
    -------
    str
        Loadings in mAh cm⁻², parameters in the units of their names, everything else in SI units.
    """
    designs = [
        (rate, name, design)
        for rate in document["rates"]
        for name, design in rate["designs"].items()
        if design
    ]
    parameters = list(dict.fromkeys(key for _, _, design in designs for key in design["parameters"]))
    numbers = list(dict.fromkeys(key for _, _, design in designs for key in design["statistics"]))
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\n")
    loading = [f"areal_capacity_mAh_cm2{end}" for end in ("", "_low", "_high")]
    head = ["c_rate", "design", "is_control", "feasible", "ceiling_mAh_cm2", *loading, *parameters, *numbers]
    writer.writerow(head)
    for rate, name, design in designs:
        found = design["statistics"]["areal_capacity"]
        writer.writerow(
            [rate["c_rate"], name, name == rate["control"], design["feasible"]]
            + [LOADING * rate["ceiling"]["areal_capacity"]]
            + [LOADING * found[key] for key in ("mean", "low", "high")]
            + [design["parameters"].get(key, "") for key in parameters]
            + [design["statistics"].get(key, {}).get("mean", "") for key in numbers]
        )
    return target.getvalue()


def plot_frontier(document: Mapping[str, Any]) -> Figure:
    """
    Draw the frontier: loading over rate, and what structure buys.

    Parameters
    ----------
    document : mapping
        See `studies.frontier`.

    Returns
    -------
    matplotlib.figure.Figure
        Left the loadings under the analytic ceilings, right the gain over the control.
    """
    figure, (left, right) = new_figure(8.6, 4.0, columns=2, width_ratios=(1.5, 1))
    draw_frontier(document, axes=left)
    left.set_title(f"largest loading at {100 * document['target']:g} % utilization", fontsize=10)
    left.legend(fontsize=8)
    draw_gain(document, axes=right)
    right.set_title("what structure buys", fontsize=10)
    figure.suptitle(f"{document['chemistry']}: {', '.join(document['counterweights'])}", fontsize=9)
    return figure


def _label(row: Row) -> str:
    """Write name and unit."""
    return f"{row.name} [{row.unit}]" if row.unit else row.name


def _ceiling(ceiling: Mapping[str, Any]) -> str:
    """Write an analytic ceiling."""
    highest = ceiling["areal_capacity"]
    return f"{LOADING * highest:.2f}" if highest else NONE


def _loading(rate: Mapping[str, Any], name: str) -> str:
    """Write the loading of a design with half its 95 % interval; where there is none, whether closed forms rule it out."""
    design = rate["designs"][name]
    if design is None:
        return UNFOUND if rate["ceiling"]["areal_capacity"] else NONE
    found = design["statistics"]["areal_capacity"]
    text = f"{LOADING * found['mean']:.2f} ± {half_width(LOADING * (found['high'] - found['low']))}"
    return text if design["feasible"] else f"({text}: violates a constraint)"


def _difference(rate: Mapping[str, Any]) -> str:
    """Write the paired difference with its interval."""
    if rate["difference"] is None:
        return ABSENT
    mean, low, high = (LOADING * rate["difference"][key] for key in ("mean", "low", "high"))
    return f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]".replace("-", "−")


def _gain(rate: Mapping[str, Any]) -> str:
    """Write the relative difference."""
    if rate["gain"] is None:
        return ABSENT
    mean, low, high = (100 * rate["gain"][key] for key in ("mean", "low", "high"))
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]".replace("-", "−")


def _statistic(design: Mapping[str, Any] | None, name: str, factor: float) -> str:
    """Write the mean of a number."""
    return ABSENT if design is None else f"{factor * design['statistics'][name]['mean']:.3g}"
