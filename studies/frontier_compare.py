"""The proof of a frontier: winners made again on fresh packings, at their own thickness, in pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from studies.ceiling import ceiling_of
from studies.compare import interval_of, paired_difference
from studies.evaluation import LOSSES
from studies.frontier_search import at_depth, attain_packing
from studies.frontier_table import rate_name
from studies.parameters import PLAIN
from studies.storage import STRUCTURED, UNIFORM
from studies.summary import DESIGN_NAMES, UNGRADED
from studies.trials import measured_violations, recipe_violations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from distributed import Client

    from meso import ElectrodeDesign
    from solvers import CellParameters
    from studies.compare import Interval
    from studies.config import StudyConfig
    from studies.parameter import Value
    from studies.space import DesignSpace
    from studies.trials import TrialRecord

SLACK = 0.01
"""How far fresh packings may exceed a measured constraint that the packings of the search fulfil."""
PER_MILLIAMPERE_HOUR_CM2 = 0.1  # [A.h.m-2]


def compare_loadings(
    winners: Mapping[str, TrialRecord | None],
    *,
    client: Client,
    config: StudyConfig,
    spaces: Mapping[str, DesignSpace],
    cell: CellParameters,
    c_rate: float,
) -> dict[str, Any]:
    """
    Evaluate the winners of one rate on fresh packings, in pairs, made at their own thickness.

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
    c_rate : float
        Rate [1/h].

    Returns
    -------
    dict
        ``ceiling``, ``designs`` by name, ``control`` (the better of the designs without structure), ``difference`` and
        ``gain`` (the difference relative to the control's mean) with intervals, ``verdict``.
    """
    parameters, designs = _candidates(winners, spaces=spaces)
    packings = _on_fresh(designs, client=client, config=config, cell=cell, c_rate=c_rate)
    allowed = [
        name for name in designs if _is_feasible(designs[name], packings[name], config=config, cell=cell)
    ]
    loadings = {name: [packing["areal_capacity"] for packing in each] for name, each in packings.items()}
    plain = [name for name in (UNIFORM, UNGRADED) if name in allowed]
    control = max(plain, key=lambda name: float(np.mean(loadings[name])), default=None)
    result: dict[str, Any] = {
        "c_rate": c_rate,
        "rate": rate_name(c_rate),
        "ceiling": ceiling_of(config, cell, c_rate=c_rate, pores="straight").to_dict(),
        "isotropic_ceiling": ceiling_of(config, cell, c_rate=c_rate, pores="isotropic").to_dict(),
        "designs": {
            name: _summary(packings[name], parameters=parameters[name], feasible=name in allowed)
            if name in designs
            else None
            for name in DESIGN_NAMES
        },
        "control": control,
    }
    if control is None or STRUCTURED not in designs:
        return result | {
            "difference": None,
            "gain": None,
            "verdict": _without_difference(designs, config, ceiling=result["ceiling"]["areal_capacity"]),
        }
    difference = paired_difference(loadings[STRUCTURED], loadings[control])
    mean = float(np.mean(loadings[control]))
    gain = {key: value / mean for key, value in difference.to_dict().items()} if mean else None
    return result | {
        "difference": difference.to_dict(),
        "gain": gain,
        "verdict": _verdict(difference, mean=mean, control=DESIGN_NAMES[control]),
    }


def _on_fresh(
    designs: Mapping[str, ElectrodeDesign],
    *,
    client: Client,
    config: StudyConfig,
    cell: CellParameters,
    c_rate: float,
) -> dict[str, list[dict[str, Any]]]:
    """Find the loadings of designs on packings that no trial has seen, all on the same ones."""
    depth = config.frontier.final_depth_diameters
    made = designs if depth is None else {n: at_depth(each, diameters=depth) for n, each in designs.items()}
    fresh = range(config.frontier.replicates, config.frontier.replicates + config.frontier.fresh_seeds)
    futures = {
        name: [
            client.submit(
                attain_packing,
                design,
                cell,
                config=config,
                c_rate=c_rate,
                replicate=replicate,
                own_thickness=depth is None,
                pure=False,
            )
            for replicate in fresh
        ]
        for name, design in made.items()
    }
    return {name: [each.result().to_dict() for each in several] for name, several in futures.items()}


def _candidates(
    winners: Mapping[str, TrialRecord | None], *, spaces: Mapping[str, DesignSpace]
) -> tuple[dict[str, dict[str, Value]], dict[str, ElectrodeDesign]]:
    """Return parameters and designs of both winners, and of the structured one without structure, at the thickness found."""
    parameters: dict[str, dict[str, Value]] = {
        arm: dict(winner.parameters) for arm, winner in winners.items() if winner is not None
    }
    thickness = {arm: winner.mean("thickness") for arm, winner in winners.items() if winner is not None}
    owners = {arm: arm for arm in parameters}
    if STRUCTURED in parameters:
        parameters[UNGRADED] = parameters[STRUCTURED] | PLAIN
        owners[UNGRADED] = STRUCTURED
    designs = {
        name: replace(spaces[owner].design(parameters[name]), thickness=thickness[owner])
        for name, owner in owners.items()
    }
    return parameters, designs


def _is_feasible(
    design: ElectrodeDesign, packings: list[dict[str, Any]], *, config: StudyConfig, cell: CellParameters
) -> bool:
    """Check a design against the constraints on its fresh packings, measured ones with a little slack."""
    recipe = recipe_violations(design, constraints=config.constraints, active_capacity=cell.active_capacity)
    measured = measured_violations(packings, constraints=config.constraints)
    return max(recipe.values()) <= 0 and max(measured.values()) <= SLACK


def _summary(
    packings: list[dict[str, Any]], *, parameters: Mapping[str, Value], feasible: bool
) -> dict[str, Any]:
    """Collect what is known about one design."""
    measured = [name for name, value in packings[0].items() if isinstance(value, float)]
    statistics = {
        name: interval_of([float(each[name]) for each in packings]).to_dict()
        for name in measured
        if all(each[name] is not None for each in packings)
    }
    losses = {name: statistics[name]["mean"] for name in LOSSES}
    return {
        "parameters": dict(parameters),
        "feasible": feasible,
        "statistics": statistics,
        "limiting": max(losses, key=losses.__getitem__),
        "packings": packings,
    }


def _verdict(difference: Interval, *, mean: float, control: str) -> str:
    """Say in one sentence what structure buys."""
    low, middle, high = (
        f"{PER_MILLIAMPERE_HOUR_CM2 * value:+.2f}".replace("-", "−")
        for value in (difference.low, difference.mean, difference.high)
    )
    share = f" ({100 * difference.mean / mean:+.1f} %)".replace("-", "−") if mean else ""
    numbers = f"{middle} mAh cm⁻²{share}, 95 % interval [{low}, {high}]"
    if not difference.excludes_zero:
        return f"No significant gain over the control ({control}): {numbers} includes 0."
    if difference.mean > 0:
        return f"The structured electrode carries more than the control ({control}): {numbers}."
    return f"The control ({control}) carries more than the structured electrode: {numbers}."


def _without_difference(designs: Mapping[str, object], config: StudyConfig, *, ceiling: float) -> str:
    """Say why there is nothing to compare."""
    if not designs:
        target = f"{100 * config.frontier.target:g} %"
        if ceiling:
            return f"No trial attained {target}; closed forms do not rule it out: search longer."
        return (
            f"Not attainable: closed forms allow no design of these ranges to use {target} at any thickness."
        )
    return "Only one of the searches found a design that attains it; search longer."
