"""The report of a study: one self-contained page, the figures as files, the table of trials."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from meso import ElectrodeDesign, load
from studies import figures
from studies.evaluation import make_structure, versions
from studies.objectives import best_of
from studies.packings import packing_seed
from studies.storage import ARMS, STRUCTURED, UNIFORM, StudyFolder, write_atomically
from studies.summary import DESIGN_NAMES, best_line, constraint_texts, design_rows, percent, utilization_rows
from studies.trials import table_of
from studies.winners import read_comparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from meso import Mesostructure
    from studies.config import StudyConfig
    from studies.trials import TrialRecord

CAPTIONS = {
    "losses": "Utilization and what stops the rest. Each loss is the drop in utilization when its mechanism is switched "
    "on in the next counterfactual model, in the order drawn, so the shares add up to 100 %.",
    "discharge": "Discharge curves, one line per fresh packing.",
    "profiles": "Through the thickness, from the separator (left) to the current collector: mean over the fresh packings, "
    "band: one standard deviation.",
    "structures": "Slices through the thickness of both electrodes, first packing of the search, at the same scale; "
    "separator on the left, current collector on the right.",
    "history": "Every trial of the search and of its control. Open markers violate a constraint.",
    "parameters": "Utilization over each searched parameter. Open markers violate a constraint.",
}


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
    drawn = {
        name: figures.render(figure)
        for name, figure in _figures(study, config=config, records=records, comparison=comparison).items()
    }
    for name, image in drawn.items():
        write_atomically(study.figures / f"{name}.png", image)
    write_atomically(study.path / "trials.csv", table_of(records))
    page = _page(config, records=records, comparison=comparison, drawn=drawn)
    write_atomically(study.path / "report.html", page)
    return study.path / "report.html"


def _figures(
    study: StudyFolder,
    *,
    config: StudyConfig,
    records: Sequence[TrialRecord],
    comparison: Mapping[str, Any] | None,
) -> dict[str, Figure]:
    """Draw everything that the folder has data for."""
    drawn = {}
    if comparison is not None:
        cell = config.cell.parameters()
        drawn["losses"] = figures.plot_losses(comparison)
        drawn["discharge"] = figures.plot_discharge(comparison, cutoff_voltage=cell.lower_cutoff_voltage)
        drawn["profiles"] = figures.plot_profiles(comparison)
        drawn["structures"] = figures.plot_structures(
            _structures(study, config=config, comparison=comparison)
        )
    if any(record.is_complete for record in records):
        drawn["history"] = figures.plot_history(records)
        drawn["parameters"] = figures.plot_parameters(records)
    return drawn


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


def _page(
    config: StudyConfig,
    *,
    records: Sequence[TrialRecord],
    comparison: Mapping[str, Any] | None,
    drawn: Mapping[str, bytes],
) -> str:
    """Fill the template; every text is escaped."""
    from jinja2 import Environment, StrictUndefined

    template = files("studies").joinpath("templates", "report.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    best = {arm: best_of((r for r in records if r.arm == arm), config.objectives) for arm in ARMS}
    return environment.from_string(template).render(
        config=config,
        comparison=comparison,
        names=DESIGN_NAMES,
        cards=_cards(comparison) if comparison else [],
        best={arm: best_line(record) for arm, record in best.items()},
        design=design_rows(comparison, config) if comparison else [],
        utilization=utilization_rows(comparison) if comparison else [],
        figures={name: base64.b64encode(image).decode("ascii") for name, image in drawn.items()},
        captions=CAPTIONS,
        records=records,
        percent=percent,
        counts=_counts(records),
        constraints=constraint_texts(config),
        seconds=_mean_seconds(records),
        versions={**versions(), "optuna": version("optuna")},
        toml=config.to_toml(),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _cards(comparison: Mapping[str, Any]) -> list[dict[str, str]]:
    """Put the three numbers that matter in large type."""
    cards = [
        {"colour": name, "title": DESIGN_NAMES[name], **_interval(design["statistics"]["utilization"])}
        for name, design in comparison["designs"].items()
        if design
    ]
    if comparison["difference"]:
        difference = _interval(comparison["difference"], signed=True)
        cards.append({"colour": "difference", "title": "structured − control", **difference})
    return cards


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
