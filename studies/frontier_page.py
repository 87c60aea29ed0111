"""The 99 % frontier as rows, table and figure."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from meso.figures import styled
from studies.figures import COLOURS, new_figure
from studies.frontier_table import rate_name
from studies.storage import STRUCTURED
from studies.summary import ABSENT, DESIGN_NAMES, LOSS_NAMES, Row
from studies.vector import INK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from studies.frontiers import FrontierProgress
    from studies.storage import StudyFolder

LOADING = 0.1  # [mAh.cm-2] per [A.h.m-2]
NONE = "not attainable"
CEILINGS = {"straight": "ceiling", "isotropic": "isotropic_ceiling"}


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
        Row(label, "mAh cm⁻²", tuple(_loading(rate["designs"][name]) for rate in rates))
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
        "allows; their salt limit is an estimate. 'Not attainable': even a layer of one particle misses it."
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


@styled
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
        Left the loadings under the analytic ceiling, right the gain over the control.
    """
    rates = document["rates"]
    figure, (left, right) = new_figure(8.0, 3.9, columns=2, width_ratios=(1.5, 1))
    _draw_ceiling(left, rates)
    for shift, name in ((0.97, "control"), (1.03, STRUCTURED)):
        _draw_loadings(left, rates, name, shift=shift)
    left.set(
        xscale="log",
        yscale="log",
        xlabel="discharge rate",
        ylabel=f"areal capacity at {100 * document['target']:g} % utilization [mAh cm⁻²]",
    )
    left.legend(fontsize=8.5)
    _draw_gains(right, rates)
    for axes in (left, right):
        axes.set_xticks([rate["c_rate"] for rate in rates], [rate["rate"] for rate in rates])
        axes.minorticks_off()
    ticks = [
        value for value in (0.5, 1, 2, 5, 10, 20, 50) if left.get_ylim()[0] <= value <= left.get_ylim()[1]
    ]
    left.set_yticks(ticks, [f"{value:g}" for value in ticks])
    figure.suptitle(
        f"{document['chemistry']}: {', '.join(document['counterweights'])}", fontsize=9.5, color=INK
    )
    return figure


def report_frontier(folder: StudyFolder) -> dict[str, Any] | None:
    """
    Return everything that a report shows of a frontier.

    Parameters
    ----------
    folder : StudyFolder
        The study folder.

    Returns
    -------
    dict or None
        ``rows``, ``verdicts`` (rate and sentence), ``note`` and ``figure``; None where the folder has no frontier.
    """
    from studies.frontiers import read_frontier

    document = read_frontier(folder)
    if document is None or not document["rates"]:
        return None
    return {
        "rows": frontier_rows(document),
        "verdicts": [(rate["rate"], rate["verdict"]) for rate in document["rates"]],
        "note": frontier_note(document),
        "figure": plot_frontier(document),
    }


def _draw_ceiling(axes: Axes, rates: Sequence[Mapping[str, Any]]) -> None:
    """Draw what no structure exceeds."""
    for (pores, key), style in zip(CEILINGS.items(), ("--", ":"), strict=True):
        reached = [rate for rate in rates if rate[key]["areal_capacity"] > 0]
        axes.plot(
            [rate["c_rate"] for rate in reached],
            [LOADING * rate[key]["areal_capacity"] for rate in reached],
            color="#9AA5B1",
            ls=style,
            label=f"analytic ceiling, {pores} pores",
        )


def _draw_loadings(axes: Axes, rates: Sequence[Mapping[str, Any]], which: str, *, shift: float) -> None:
    """Draw one kind of design over the rates."""
    points = [(rate, rate["designs"].get(rate["control"] if which == "control" else which)) for rate in rates]
    found = [(rate["c_rate"], each["statistics"]["areal_capacity"]) for rate, each in points if each]
    colour = COLOURS["uniform" if which == "control" else which]
    label = "best without structure (control)" if which == "control" else "best structured"
    means = [LOADING * interval["mean"] for _, interval in found]
    axes.errorbar(
        [shift * c_rate for c_rate, _ in found],
        means,
        yerr=[LOADING * 0.5 * (interval["high"] - interval["low"]) for _, interval in found],
        color=colour,
        marker="o" if which == STRUCTURED else "s",
        ms=5,
        capsize=3,
        lw=1.4,
        label=label,
    )
    for rate, each in points:
        if not each:
            axes.plot(
                shift * rate["c_rate"], 0.04, marker="x", color=colour, transform=axes.get_xaxis_transform()
            )


def _draw_gains(axes: Axes, rates: Sequence[Mapping[str, Any]]) -> None:
    """Draw the paired difference relative to the control."""
    known = [rate for rate in rates if rate["gain"]]
    means = [100 * rate["gain"]["mean"] for rate in known]
    halves = [50 * (rate["gain"]["high"] - rate["gain"]["low"]) for rate in known]
    axes.axhline(0, color="#9AA5B1", lw=1.0)
    axes.errorbar(
        [rate["c_rate"] for rate in known],
        means,
        yerr=halves,
        color=INK,
        marker="D",
        ms=5,
        capsize=3,
        ls="none",
    )
    axes.set(
        xscale="log", xlabel="discharge rate", ylabel="gain over the control [%]", title="what structure buys"
    )
    axes.margins(x=0.12, y=0.2)


def _label(row: Row) -> str:
    """Write name and unit."""
    return f"{row.name} [{row.unit}]" if row.unit else row.name


def _ceiling(ceiling: Mapping[str, Any]) -> str:
    """Write an analytic ceiling."""
    highest = ceiling["areal_capacity"]
    return f"{LOADING * highest:.2f}" if highest else NONE


def _loading(design: Mapping[str, Any] | None) -> str:
    """Write the loading of a design with half its 95 % interval."""
    if design is None:
        return NONE
    found = design["statistics"]["areal_capacity"]
    text = f"{LOADING * found['mean']:.2f} ± {LOADING * 0.5 * (found['high'] - found['low']):.2f}"
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
