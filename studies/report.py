"""The report of a study: one self-contained page, the figures as files, the table of trials."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from meso import ElectrodeDesign, Phase, load
from meso.figures import COLOURS as PHASE_COLOURS
from meso.views import AZIMUTH, ELEVATION, coarse_labels, view_structure
from studies.evaluation import make_structure, versions
from studies.figures import new_figure, render
from studies.galleries import PHASE_NAMES, WIDTH, comparison_galleries, slice_gallery
from studies.objectives import best_of
from studies.packings import packing_seed
from studies.search_galleries import importance_gallery, ladder_gallery, search_galleries
from studies.sections import sections_of
from studies.storage import ARMS, STRUCTURED, UNIFORM, StudyFolder, write_atomically
from studies.summary import (
    DESIGN_NAMES,
    LOSS_NAMES,
    best_line,
    constraint_texts,
    design_rows,
    percent,
    utilization_rows,
)
from studies.trials import table_of
from studies.vector import as_svg
from studies.winners import read_comparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from jinja2 import Template

    from meso import Mesostructure
    from studies.config import StudyConfig
    from studies.galleries import Gallery, Panel
    from studies.sections import Section
    from studies.trials import TrialRecord


NOTES = {"control": "control", "baseline": "no search"}
"""What a card says beside the name of its design."""


@dataclass(frozen=True, kw_only=True)
class _DrawnPanel:
    """A figure as the page shows it and as its file holds it."""

    panel: Panel
    svg: str
    png: bytes


def write_report(folder: str | Path) -> Path:
    """
    Write report, figures and table of a study from what its folder holds.

    Parameters
    ----------
    folder : str or Path
        A study folder, finished or not.

    Returns
    -------
    Path
        ``report.html``: one file without external parts.

    Raises
    ------
    FolderError
        If it is no study folder.
    """
    study = StudyFolder.existing(folder)
    config, records, comparison = study.read_config(), study.read_records(), read_comparison(study)
    galleries, view = search_galleries(records, config.objectives), None
    if ladder := ladder_gallery(records, config):
        galleries["ladder"] = ladder
    if comparison is not None:
        structures = _structures(study, config=config, comparison=comparison)
        cutoff = config.cell.parameters().lower_cutoff_voltage
        galleries |= comparison_galleries(comparison, cutoff_voltage=cutoff)
        galleries["slices"], view = slice_gallery(structures), _view(structures[STRUCTURED])
        if importance := importance_gallery(comparison.get("importance") or {}):
            galleries["importance"] = importance
    sections = sections_of(study, comparison)
    galleries |= {section.anchor: section.gallery for section in sections if section.gallery}
    drawn = {name: [_draw(panel) for panel in gallery.panels] for name, gallery in galleries.items()}
    for each in (each for panels in drawn.values() for each in panels):
        write_atomically(study.figures / f"{each.panel.name}.png", each.png)
    write_atomically(study.path / "trials.csv", table_of(records))
    page = _page(
        config,
        records=records,
        comparison=comparison,
        galleries=galleries,
        drawn=drawn,
        sections=sections,
        view=view,
    )
    write_atomically(study.path / "report.html", page)
    return study.path / "report.html"


def _draw(panel: Panel) -> _DrawnPanel:
    """Draw a figure for the page, where a legend stands once for several, and for its own file with a legend."""
    figure, axes = new_figure(WIDTH, panel.height)
    panel.draw(axes=axes)
    svg = as_svg(figure, key=panel.name, label=panel.label)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside upper left", ncols=3)
    return _DrawnPanel(panel=panel, svg=svg, png=render(figure))


def _structures(
    study: StudyFolder, *, config: StudyConfig, comparison: Mapping[str, Any]
) -> dict[str, Mesostructure]:
    """Read the best structure and make that of the control, which is not stored."""
    structures = {STRUCTURED: load(study.best / "structure.npz")}
    if uniform := comparison["designs"][UNIFORM]:
        design = ElectrodeDesign.from_dict(uniform["design"])
        structures[UNIFORM] = make_structure(
            design, seed=packing_seed(config, 0), **config.structure.model_dump()
        )
    return structures


def _view(structure: Mesostructure) -> dict[str, Any]:
    """Pack a structure for the 3-D view, with a picture for where there is none."""
    from matplotlib.colors import to_rgb
    from PIL import Image

    labels = coarse_labels(structure)
    size = 1e6 * np.array(structure.shape) * structure.voxel_size
    target = io.BytesIO()
    picture = Image.fromarray(view_structure(structure))
    picture.save(target, format="WEBP", quality=85)
    paint = [channel for phase in Phase for channel in to_rgb(PHASE_COLOURS[phase])]
    return {
        "shape": " ".join(map(str, labels.shape)),
        "size": " ".join(f"{edge:.6g}" for edge in size),
        "direction": f"{AZIMUTH} {ELEVATION}",
        "paint": " ".join(f"{channel:.4f}" for channel in paint),
        "labels": _base64(zlib.compress(labels.tobytes(), 9)),
        "picture": _base64(target.getvalue()),
        "width": picture.width,
        "height": picture.height,
        "extent": " × ".join(f"{edge:.1f}" for edge in size) + " µm",
        "phases": [(int(phase), name, PHASE_COLOURS[phase]) for phase, name in PHASE_NAMES.items()],
    }


def _page(
    config: StudyConfig,
    *,
    records: Sequence[TrialRecord],
    comparison: Mapping[str, Any] | None,
    galleries: Mapping[str, Gallery],
    drawn: Mapping[str, Sequence[_DrawnPanel]],
    sections: Sequence[Section],
    view: Mapping[str, Any] | None,
) -> str:
    """Fill the template; every text is escaped but our own drawings, style and script."""
    from markupsafe import Markup

    style, script = (_template(name) for name in ("report.css", "viewer.js"))
    best = {arm: best_of((r for r in records if r.arm == arm), config.objectives) for arm in ARMS}
    return _page_template().render(
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        style_hash=_content_hash(style),
        script_hash=_content_hash(script),
        config=config,
        comparison=comparison,
        names=DESIGN_NAMES,
        cards=_cards(comparison) if comparison else [],
        reasons=((comparison or {}).get("explanation") or {"sentences": []})["sentences"][1:],
        lead=_lead(comparison, config) if comparison else "",
        best={arm: best_line(record) for arm, record in best.items()},
        design=design_rows(comparison, config) if comparison else [],
        utilization=utilization_rows(comparison) if comparison else [],
        galleries=galleries,
        drawn={
            name: [(each.panel, Markup(each.svg)) for each in panels]  # noqa: S704
            for name, panels in drawn.items()
        },
        sections=sections,
        view=view,
        records=records,
        percent=percent,
        counts=_counts(records),
        constraints=constraint_texts(config),
        seconds=_mean_seconds(records),
        versions={**versions(), "optuna": version("optuna")},
        toml=config.to_toml(),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _page_template() -> Template:
    """Read the page; it escapes whatever is put into it."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["tight"] = _tight
    return environment.from_string(_template("report.html"))


def _tight(text: str) -> str:
    """Keep numbers and their units on one line."""
    return re.sub(r" (?=%|± |mAh|cm⁻|points)|(?<=±) ", "\u00a0", text)


def _template(name: str) -> str:
    """Read a file beside the template."""
    return files("studies").joinpath("templates", name).read_text("utf-8")


def _base64(content: bytes) -> str:
    """Write bytes in letters."""
    return base64.b64encode(content).decode("ascii")


def _content_hash(text: str) -> str:
    """Name the one style or script that the page's content-security policy lets in."""
    return f"'sha256-{_base64(hashlib.sha256(text.encode()).digest())}'"


def _lead(comparison: Mapping[str, Any], config: StudyConfig) -> str:
    """Say how much works and what stops the rest, the largest loss first."""
    statistics = comparison["designs"][STRUCTURED]["statistics"]
    interval = _interval(statistics["utilization"])
    losses = sorted(((statistics[name]["mean"], label) for name, label in LOSS_NAMES.items()), reverse=True)
    lost = ", ".join(f"{label} {percent(share)} %" for share, label in losses if percent(share) != "0.00")
    return (
        f"At {config.cell.c_rate:g}C and {config.electrode.areal_capacity_mAh_cm2:g} mAh cm⁻², {interval['value']} % of the "
        f"active material of the {DESIGN_NAMES[STRUCTURED]} electrode works (95 % interval {interval['interval']} %). "
        f"What stops the rest: {lost}."
    )


def _cards(comparison: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Put the numbers that matter in large type, each with its interval drawn on a common scale."""
    designs = {
        name: design["statistics"]["utilization"] for name, design in comparison["designs"].items() if design
    }
    if baseline := comparison.get("baseline"):
        designs["baseline"] = baseline["utilization"]
    low, high = (
        function(each[key] for each in designs.values()) for function, key in ((min, "low"), (max, "high"))
    )
    cards = [
        {
            "colour": name,
            "title": DESIGN_NAMES.get(name, name),
            "note": NOTES["control"] if name == comparison["control"] else NOTES.get(name, ""),
            **_interval(each),
            "strip": _strip(each, low=low, high=high),
        }
        for name, each in designs.items()
    ]
    if difference := comparison["difference"]:
        ends = min(0.0, difference["low"]), max(0.0, difference["high"])
        cards.append(
            {
                "colour": "difference",
                "title": "difference",
                "note": "to the control",
                **_interval(difference, signed=True),
                "strip": _strip(difference, low=ends[0], high=ends[1], mark=0.0),
            }
        )
    return cards


def _strip(
    interval: Mapping[str, float], *, low: float, high: float, mark: float | None = None
) -> dict[str, float | None]:
    """Place an interval on a line from 0 to 100."""

    def place(value: float) -> float:
        return round(4 + 92 * (value - low) / (high - low), 2) if high > low else 50.0

    places = {key: place(interval[key]) for key in ("mean", "low", "high")}
    return {**places, "mark": None if mark is None else place(mark)}


def _interval(interval: Mapping[str, float], *, signed: bool = False) -> dict[str, str]:
    """Write a mean and its interval in per cent, or in points where it is a difference."""
    mean, low, high = (
        f"{100 * interval[key]:{'+' if signed else ''}.2f}".replace("-", "−")
        for key in ("mean", "low", "high")
    )
    return {"value": mean, "unit": "points" if signed else "%", "interval": f"{low} … {high}"}


def _counts(records: Sequence[TrialRecord]) -> dict[str, int]:
    """Count trials by what became of them."""
    return {
        "feasible": sum(record.is_feasible for record in records),
        "violate a constraint": sum(record.is_complete and not record.is_feasible for record in records),
        "stopped early": sum(record.state == "pruned" for record in records),
        "failed": sum(record.state == "failed" for record in records),
        "rejected on paper": sum(record.state == "rejected" for record in records),
        "not finished": sum(record.state in {"running", "waiting"} for record in records),
    }


def _mean_seconds(records: Sequence[TrialRecord]) -> dict[str, float]:
    """Average the time of each step over all packings [s]."""
    timings = [evaluation["seconds"] for record in records for evaluation in record.evaluations]
    steps = timings[0] if timings else ()
    return {step: sum(timing[step] for timing in timings) / len(timings) for step in steps}
