"""What if: how utilization moves when an electrode comes out a little other than designed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from meso import ElectrodeDesign
from studies.compare import interval_of, paired_difference
from studies.errors import FolderError
from studies.figures import COLOURS, new_figure, render
from studies.finding_figures import draw_tornado
from studies.packings import evaluate_packing
from studies.storage import STRUCTURED, StudyFolder, write_atomically, write_json
from studies.summary import ABSENT, DESIGN_NAMES, Row
from studies.variations import AS_DESIGNED, VARIATIONS, robust_of, varied
from studies.winners import read_comparison
from studies.workers import ready_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from distributed import Client
    from matplotlib.figure import Figure

    from studies.config import StudyConfig

FILE = "tolerance.json"


def tolerance(
    folder: str | Path,
    *,
    packings: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """
    Vary raw material and process around the best design of a study and its control.

    Parameters
    ----------
    folder : str or Path
        Folder of a study whose winners were compared.
    packings : int, optional
        Fresh packings for every variation, at least 2; as many as in the comparison if left out.
    workers : int, optional
        Worker processes; one per core if left out.
    scheduler : str, optional
        Address of a running Dask scheduler whose workers are used, instead of processes on this machine or the jobs of the
        table ``[cluster]``.
    on_progress : callable, optional
        Called with the number of packings that are done and that of all.

    Returns
    -------
    dict
        What ``tolerance.json`` holds: for the best structured design and the control, utilization as designed, and with each
        variation of `studies.variations.VARIATIONS` the utilization and its change, in pairs of packings, with 95 %
        intervals; ``mean`` and ``spread`` are mean and standard deviation over all of them, ``robust`` is mean − spread.

    Raises
    ------
    FolderError
        If there is no study in the folder, or its winners were not compared yet.
    """
    study = StudyFolder.existing(folder)
    config, comparison = study.read_config(), read_comparison(study)
    if comparison is None:
        raise FolderError(
            f"{folder}: the winners were not compared yet; finish the study with meso run first"
        )
    designs = {
        name: ElectrodeDesign.from_dict(comparison["designs"][name]["design"])
        for name in (STRUCTURED, comparison["control"])
        if name is not None and comparison["designs"][name]
    }
    count = config.fresh_seeds if packings is None else packings
    with (
        study.locked(),
        ready_workers(config, folder=study, count=workers, scheduler=scheduler) as client,
    ):
        numbers = _evaluate(designs, client=client, config=config, packings=count, on_progress=on_progress)
    document = {
        "study": config.name,
        "chemistry": config.cell.chemistry,
        "c_rate": config.cell.c_rate,
        "packings": count,
        "control": comparison["control"],
        "designs": {name: _summary(each) for name, each in numbers.items()},
    }
    write_json(study.path / FILE, document)
    write_atomically(study.figures / "tolerance.png", render(plot_tolerance(document)))
    return document


def read_tolerance(folder: StudyFolder) -> dict[str, Any] | None:
    """
    Read the last tolerance analysis of a folder.

    Parameters
    ----------
    folder : StudyFolder
        The study folder.

    Returns
    -------
    dict or None
        What `tolerance` returned; None where there is none.
    """
    file = folder.path / FILE
    if not file.is_file():
        return None
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return document


def tolerance_rows(document: Mapping[str, Any]) -> list[Row]:
    """
    Describe a tolerance analysis, one column for every design in it.

    Parameters
    ----------
    document : mapping
        See `tolerance`.

    Returns
    -------
    list of Row
        Utilization as designed, its change with every variation, mean and spread.
    """
    designs = list(document["designs"].values())
    names = tuple(DESIGN_NAMES[name] for name in document["designs"])
    head = [
        Row("design", "", names),
        Row("utilization as designed", "%", tuple(_text(each["as_designed"]) for each in designs)),
    ]
    rows = [
        Row(
            variation.label,
            "points",
            tuple(_text(each["changes"][variation.name], signed=True) for each in designs),
        )
        for variation in VARIATIONS
    ]
    return [
        *head,
        *rows,
        Row("mean over all", "%", tuple(f"{100 * each['mean']:.2f}" for each in designs)),
        Row(
            "standard deviation over all", "points", tuple(f"{100 * each['spread']:.2f}" for each in designs)
        ),
    ]


def plot_tolerance(document: Mapping[str, Any]) -> Figure:
    """
    Draw a tornado: change of utilization with every variation, the largest on top.

    Parameters
    ----------
    document : mapping
        See `tolerance`.

    Returns
    -------
    matplotlib.figure.Figure
        One bar for every design and variation, with 95 % intervals.
    """
    from matplotlib.patches import Patch

    figure, axes = new_figure(8.0, 0.62 * len(VARIATIONS) + 1.2)
    designs = document["designs"]
    labels = {variation.name: variation.label for variation in VARIATIONS}
    draw_tornado({name: each["changes"] for name, each in designs.items()}, labels=labels, axes=axes)
    texts = {
        name: f"{DESIGN_NAMES[name]}, {100 * each['as_designed']['mean']:.2f} % as designed"
        for name, each in designs.items()
    }
    handles = [Patch(color=COLOURS[name], label=text) for name, text in texts.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), fontsize=9)
    return figure


def _evaluate(
    designs: Mapping[str, ElectrodeDesign],
    *,
    client: Client,
    config: StudyConfig,
    packings: int,
    on_progress: Callable[[int, int], None] | None,
) -> dict[str, dict[str, list[float] | None]]:
    """Evaluate all designs in all variations on the same fresh packings; return utilizations."""
    cell = config.cell.parameters()
    fresh = range(config.replicates, config.replicates + packings)
    futures = {
        name: {
            key: None
            if made is None
            else [
                client.submit(evaluate_packing, made, cell, config=config, replicate=replicate, pure=False)
                for replicate in fresh
            ]
            for key, made in varied(design).items()
        }
        for name, design in designs.items()
    }
    total = sum(packings for each in futures.values() for made in each.values() if made)
    done = 0
    numbers: dict[str, dict[str, list[float] | None]] = {name: {} for name in designs}
    for name, each in futures.items():
        for key, made in each.items():
            numbers[name][key] = None if made is None else [packing.result().utilization for packing in made]
            done += packings if made else 0
            if on_progress:
                on_progress(done, total)
    return numbers


def _summary(numbers: Mapping[str, list[float] | None]) -> dict[str, Any]:
    """Describe one design."""
    nominal = numbers[AS_DESIGNED]
    assert nominal is not None
    means = [float(np.mean(each)) for each in numbers.values() if each]
    return {
        "as_designed": interval_of(nominal).to_dict(),
        "utilizations": dict(numbers),
        "changes": {
            variation.name: paired_difference(each, nominal).to_dict()
            if (each := numbers[variation.name])
            else None
            for variation in VARIATIONS
        },
        "mean": float(np.mean(means)),
        "spread": float(np.std(means)),
        "robust": robust_of(means, k=1.0),
    }


def _text(interval: Mapping[str, float] | None, *, signed: bool = False) -> str:
    """Write a mean with half its interval, in per cent or points."""
    if interval is None:
        return ABSENT
    half = 50 * (interval["high"] - interval["low"])
    return f"{100 * interval['mean']:{'+' if signed else ''}.2f} ± {half:.2f}".replace("-", "−")
