"""The proof: winner and control evaluated again on packings that the search has not seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from meso import save
from studies.compare import interval_of, paired_difference, verdict
from studies.evaluation import LOSSES, make_structure
from studies.finer import finer_config, finer_summary
from studies.ledger import BASELINE, material_ledger
from studies.packings import evaluate_packing, packing_seed
from studies.parameters import PLAIN
from studies.recipe import recipe_text
from studies.storage import STRUCTURED, UNIFORM, write_atomically, write_json
from studies.summary import DESIGN_NAMES, UNGRADED
from studies.trials import measured_violations, recipe_violations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distributed import Client

    from meso import ElectrodeDesign
    from solvers import CellParameters
    from studies.config import StudyConfig
    from studies.evaluation import Evaluation
    from studies.parameter import Value
    from studies.space import DesignSpace
    from studies.storage import StudyFolder
    from studies.trials import TrialRecord

Summary = dict[str, Any]
"""Plain numbers, as stored in ``best/evaluation.json``."""

CURVE_POINTS = 200


def compare_winners(
    winners: Mapping[str, TrialRecord | None],
    *,
    client: Client,
    config: StudyConfig,
    spaces: Mapping[str, DesignSpace],
    cell: CellParameters,
) -> Summary:
    """
    Evaluate the best structured and the best uniform design on fresh packings, in pairs.

    Parameters
    ----------
    winners : mapping of str to TrialRecord or None
        Best feasible trial of each search.
    client : distributed.Client
        The workers.
    config : StudyConfig
        The study.
    spaces : mapping of str to DesignSpace
        What each search varied.
    cell : CellParameters
        Chemistry and cut-offs.

    Returns
    -------
    dict
        ``designs``: what `_summary` says of the best ``structured`` and ``uniform`` design and of the structured one with
        gradient and channels removed (``ungraded``), None where there is none. ``control``: the better of the two without
        gradient. ``difference``: utilization of the structured design minus that of the control, with its 95 % interval.
        ``verdict``: the same in words. ``finer``: the same with finer voxels, see `studies.finer.finer_summary`, None where
        the study has none. ``baseline``: the uniform design in the middle of all ranges. ``ledger``: see
        `studies.ledger.material_ledger`.

    Notes
    -----
    The numbers of the search are not used: the best of many noisy trials is lucky (winner's curse). All designs see the
    same new seeds, and the interval is that of the differences in pairs.

    A search of few trials may leave the uniform design worse than it could be. The winner's own recipe without gradient
    is a uniform design as well; where it is the better one, it is the control, so that the gain is never that of a
    badly searched control.
    """
    parameters: dict[str, dict[str, Value]] = {
        arm: dict(winner.parameters) for arm, winner in winners.items() if winner is not None
    }
    designs = {arm: spaces[arm].design(chosen) for arm, chosen in parameters.items()}
    if STRUCTURED in designs:
        parameters[UNGRADED] = parameters[STRUCTURED] | PLAIN
        designs[UNGRADED] = spaces[STRUCTURED].design(parameters[UNGRADED])
    numbers, evaluations = _evaluate_fresh(designs, client=client, config=config, cell=cell)
    control = _control(designs, numbers, config=config, cell=cell)
    difference = None
    if control and STRUCTURED in designs:
        difference = paired_difference(_utilizations(numbers)[STRUCTURED], _utilizations(numbers)[control])
    comparison = {
        "study": config.name,
        "chemistry": config.cell.chemistry,
        "c_rate": config.cell.c_rate,
        "study_seed": config.seed,
        "fresh_seeds": config.fresh_seeds,
        "designs": {
            name: _summary(evaluations[name], parameters=parameters[name]) | {"trial": _number(winners, name)}
            if name in designs
            else None
            for name in DESIGN_NAMES
        },
        "control": control,
        "difference": difference.to_dict() if difference else None,
        "verdict": verdict(difference, control=DESIGN_NAMES[control])
        if difference and control
        else _without_difference(designs),
        "finer": _finer(designs, numbers, client=client, config=config, cell=cell, control=control),
    }
    baseline = {BASELINE: spaces[UNIFORM].central()}
    made, _ = _evaluate_fresh(baseline, client=client, config=config, cell=cell)
    return comparison | {
        "baseline": _baseline(baseline[BASELINE], made[BASELINE], config=config, cell=cell),
        "ledger": material_ledger(numbers | made, cell=cell, control=control),
    }


def stored_comparison(
    folder: StudyFolder, winners: Mapping[str, TrialRecord | None], *, fresh_seeds: int
) -> Summary | None:
    """
    Read the comparison of the same winners, if there is one.

    Parameters
    ----------
    folder : StudyFolder
        The study folder.
    winners : mapping of str to TrialRecord or None
        Best feasible trial of each search.
    fresh_seeds : int
        Number of fresh packings it must be based on.

    Returns
    -------
    dict or None
        What `compare_winners` returned; None where the winners or the number of packings are others.
    """
    comparison = read_comparison(folder)
    if comparison is None or comparison["fresh_seeds"] != fresh_seeds:
        return None
    for arm, winner in winners.items():
        stored = comparison["designs"][arm]
        if (stored["trial"] if stored else None) != (winner.number if winner else None):
            return None
    return comparison


def read_comparison(folder: StudyFolder) -> Summary | None:
    """
    Read the last comparison.

    Parameters
    ----------
    folder : StudyFolder
        The study folder.

    Returns
    -------
    dict or None
        What `compare_winners` returned; None where there is none.
    """
    file = folder.best / "evaluation.json"
    if not file.is_file():
        return None
    comparison: Summary = json.loads(file.read_text("utf-8"))
    return comparison


def write_best(
    comparison: Summary, *, design: ElectrodeDesign, config: StudyConfig, folder: StudyFolder
) -> None:
    """
    Write the best structured design: recipe, structure of its first packing, evaluation.

    Parameters
    ----------
    comparison : dict
        What `compare_winners` returned.
    design : ElectrodeDesign
        The best structured design.
    config : StudyConfig
        The study.
    folder : StudyFolder
        The study folder.
    """
    structure = make_structure(design, seed=packing_seed(config, 0), **config.structure.model_dump())
    recipe = recipe_text(design, config=config, parameters=comparison["designs"][STRUCTURED]["parameters"])
    write_atomically(folder.best / "design.toml", recipe)
    save(structure, folder.best / "structure.npz")
    save(structure, folder.best / "structure.tif")
    # Last: its presence says that the others are complete.
    write_json(folder.best / "evaluation.json", comparison)


def _evaluate_fresh(
    designs: Mapping[str, ElectrodeDesign], *, client: Client, config: StudyConfig, cell: CellParameters
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[Evaluation]]]:
    """Evaluate designs on packings that no trial has seen, all on the same ones; return numbers and everything."""
    fresh = range(config.replicates, config.replicates + config.fresh_seeds)
    futures = {
        name: [
            client.submit(evaluate_packing, design, cell, config=config, replicate=replicate, pure=False)
            for replicate in fresh
        ]
        for name, design in designs.items()
    }
    results = {name: [packing.result() for packing in packings] for name, packings in futures.items()}
    return {name: [result.to_dict() for result in each] for name, each in results.items()}, results


def _utilizations(numbers: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[float]]:
    """Utilization of every design on every packing."""
    return {name: [packing["utilization"] for packing in each] for name, each in numbers.items()}


def _control(
    designs: Mapping[str, ElectrodeDesign],
    numbers: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    config: StudyConfig,
    cell: CellParameters,
) -> str | None:
    """Choose the better of the feasible designs without structure."""
    values = _utilizations(numbers)
    candidates = [
        name
        for name in (UNIFORM, UNGRADED)
        if name in designs and _is_feasible(designs[name], numbers[name], config=config, cell=cell)
    ]
    return max(candidates, key=lambda name: float(np.mean(values[name])), default=None)


def _finer(
    designs: Mapping[str, ElectrodeDesign],
    numbers: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    client: Client,
    config: StudyConfig,
    cell: CellParameters,
    control: str | None,
) -> Summary | None:
    """Repeat the comparison with finer voxels, where the study has any."""
    finer = finer_config(config)
    if finer is None or not designs:
        return None
    again, _ = _evaluate_fresh(designs, client=client, config=finer, cell=cell)
    return finer_summary(
        _utilizations(numbers),
        _utilizations(again),
        control=control,
        voxels_per_diameter=finer.structure.voxels_per_diameter,
    )


def _baseline(
    design: ElectrodeDesign,
    packings: Sequence[Mapping[str, Any]],
    *,
    config: StudyConfig,
    cell: CellParameters,
) -> Summary:
    """Describe what one would make without a search."""
    return {
        "design": design.to_dict(),
        "feasible": _is_feasible(design, packings, config=config, cell=cell),
        "utilization": interval_of([packing["utilization"] for packing in packings]).to_dict(),
        "packings": list(packings),
    }


def _is_feasible(
    design: ElectrodeDesign,
    numbers: Sequence[Mapping[str, Any]],
    *,
    config: StudyConfig,
    cell: CellParameters,
) -> bool:
    """Check a design against the constraints on its fresh packings."""
    violations = recipe_violations(
        design, constraints=config.constraints, active_capacity=cell.active_capacity
    ) | measured_violations(numbers, constraints=config.constraints)
    return max(violations.values()) <= 0


def _number(winners: Mapping[str, TrialRecord | None], name: str) -> int | None:
    """Return the trial that a design comes from; the one without gradient is no trial."""
    winner = winners.get(name)
    return winner.number if winner else None


def _summary(evaluations: Sequence[Evaluation], *, parameters: Mapping[str, Value]) -> Summary:
    """Collect what is known about one design: statistics, and curves and profiles of every packing."""
    numbers = [evaluation.to_dict() for evaluation in evaluations]
    measured = [name for name, value in numbers[0].items() if isinstance(value, float)]
    statistics = {
        name: interval_of([float(each[name]) for each in numbers]).to_dict()
        for name in measured
        if all(each[name] is not None for each in numbers)
    }
    losses = {name: statistics[name]["mean"] for name in LOSSES}
    return {
        "parameters": dict(parameters),
        "design": evaluations[0].design.to_dict(),
        "statistics": statistics,
        "limiting": max(losses, key=losses.__getitem__),
        "packings": numbers,
        "discharges": [_discharge(evaluation) for evaluation in evaluations],
        "profiles": [_profiles(evaluation) for evaluation in evaluations],
    }


def _discharge(evaluation: Evaluation) -> dict[str, list[float]]:
    """Thin out a discharge curve for drawing; first and last point stay."""
    capacity, voltage = evaluation.discharge.areal_capacity, evaluation.discharge.voltage
    points = np.unique(np.linspace(0, len(voltage) - 1, CURVE_POINTS).round().astype(int))
    return {"areal_capacity": capacity[points].tolist(), "voltage": voltage[points].tolist()}


def _profiles(evaluation: Evaluation) -> dict[str, list[float]]:
    """Return what varies through the thickness, from the separator."""
    electrode, discharge = evaluation.electrode, evaluation.discharge
    relative = electrode.positions / electrode.thickness
    ends = np.linspace(0, 1, len(discharge.stoichiometry) + 1)
    return {
        "depth": relative.tolist(),
        "porosity": electrode.porosity.tolist(),
        "transport_efficiency": electrode.transport_efficiency.tolist(),
        "discharge_depth": (0.5 * (ends[1:] + ends[:-1])).tolist(),
        "stoichiometry": np.nanmean(discharge.stoichiometry, axis=1).tolist(),
    }


def _without_difference(designs: Mapping[str, object]) -> str:
    """Say why there is nothing to compare."""
    if STRUCTURED in designs:
        return "No uniform design fulfils the constraints, so there is no control to compare with; search longer."
    if UNIFORM in designs:
        return "No structured design fulfils the constraints; search longer or widen the ranges."
    return "No design fulfils the constraints; search longer, widen the ranges or relax the constraints."
