"""Trials as plain records: what the table, the figures and the terminal show."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.trial import FrozenTrial

    from meso import ElectrodeDesign
    from studies.config import ConstraintTable
    from studies.parameter import Value

EVALUATIONS = "evaluations"
"""Attribute of a trial: one dictionary of numbers per packing."""
FAILURE = "failure"
"""Attribute of a failed trial: why."""
REJECTED = "rejected"
"""Attribute of a trial that was rejected on paper: why nothing was made or evaluated."""
PRUNED = "pruned"
"""Attribute of a trial that was stopped because its first packings are significantly worse than those of the best."""
ESTIMATES = "estimates"
"""Attribute of a trial that has been sent to workers: what cheaper models say of its design."""

SQUARE_METRE_PER_CUBIC_CENTIMETRE = 1e6  # [m-1]
MILLIAMPERE_HOUR_PER_CUBIC_CENTIMETRE = 1e3  # [A.h.m-3]
MICROMETRES_PER_METRE = 1e6


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """
    One trial of one search.

    Parameters
    ----------
    arm : str
        Name of the search.
    number : int
        Number within the search, from 0.
    state : str
        "complete", "pruned" (stopped before its last packing), "failed", "rejected" (on paper: not evaluated), "running" or
        "waiting".
    parameters : mapping of str to float, int or str
        Values of the searched parameters, in the units that their names state.
    constraints : mapping of str to float
        Relative violation of each constraint; 0 or less is fulfilled.
    evaluations : sequence of dict
        Numbers of each packing, see `Evaluation.to_dict`.
    estimates : mapping of str to float
        Objective according to cheaper models, see `studies.rungs`; empty for what was not evaluated.
    failure : str
        Why it failed or was rejected; empty otherwise.
    """

    arm: str
    number: int
    state: str
    parameters: Mapping[str, Value]
    constraints: Mapping[str, float]
    evaluations: Sequence[Mapping[str, Any]]
    estimates: Mapping[str, float]
    failure: str

    @property
    def is_complete(self) -> bool:
        """Whether it has a result from all packings."""
        return self.state == "complete"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will be done about it."""
        return self.state in {"complete", "pruned", "failed", "rejected"}

    @property
    def counts(self) -> bool:
        """Whether it is one of the trials that a study has a number of."""
        return self.state in {"complete", "pruned", "failed"}

    @property
    def is_feasible(self) -> bool:
        """Whether it has a result that fulfils all constraints."""
        return self.is_complete and self.is_possible

    @property
    def is_possible(self) -> bool:
        """Whether nothing that is known of it violates a constraint."""
        return all(value <= 0 for value in self.constraints.values())

    @property
    def utilization(self) -> float:
        """Mean utilization over the packings; NaN without any."""
        return self.mean("utilization")

    @property
    def standard_error(self) -> float:
        """Standard error of `utilization`; NaN with a single packing."""
        values = [evaluation["utilization"] for evaluation in self.evaluations]
        if len(values) < 2:
            return math.nan
        return float(np.std(values, ddof=1) / math.sqrt(len(values)))

    @property
    def seconds(self) -> float:
        """Computing time of all packings [s]; NaN without any."""
        if not self.evaluations:
            return math.nan
        return float(sum(sum(evaluation["seconds"].values()) for evaluation in self.evaluations))

    def mean(self, name: str) -> float:
        """
        Average a number over the packings.

        Parameters
        ----------
        name : str
            Key of `Evaluation.to_dict`.

        Returns
        -------
        float
            The mean; infinite where a packing has no finite number.
        """
        return mean_of(self.evaluations, name)


def mean_of(evaluations: Sequence[Mapping[str, Any]], name: str) -> float:
    """
    Average a number over packings.

    Parameters
    ----------
    evaluations : sequence of mapping
        One per packing, see `Evaluation.to_dict`.
    name : str
        Key of the number.

    Returns
    -------
    float
        The mean; infinite where a packing has no finite number, NaN without packings.
    """
    values = [math.inf if evaluation[name] is None else evaluation[name] for evaluation in evaluations]
    # NumPy's mean takes 20 times as long for a few numbers, and thousands of trials are looked through for each new one.
    return float(sum(values)) / len(values) if values else math.nan


def recipe_violations(
    design: ElectrodeDesign, *, constraints: ConstraintTable, active_capacity: float
) -> dict[str, float]:
    """
    Measure how far a design is from fulfilling the constraints that its recipe decides.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    constraints : ConstraintTable
        What is demanded.
    active_capacity : float
        Capacity of the active material between the cut-offs [A.h.m-3].

    Returns
    -------
    dict of str to float
        Relative violation of each constraint, 0 or less where it is fulfilled, so that constraints of different units
        weigh alike. ``packing``: the densest slice against what particles can be packed to.
    """
    values = {"packing": design.active_fraction.maximum() / constraints.maximum_active_fraction - 1.0}
    least = constraints.minimum_volumetric_capacity_mAh_cm3
    if least is not None:
        capacity = active_capacity * design.mean_fraction("active") / MILLIAMPERE_HOUR_PER_CUBIC_CENTIMETRE
        values["minimum_volumetric_capacity_mAh_cm3"] = 1.0 - capacity / least
    thickest = constraints.maximum_thickness_um
    if thickest is not None:
        values["maximum_thickness_um"] = design.thickness * MICROMETRES_PER_METRE / thickest - 1.0
    return values


def measured_violations(
    evaluations: Sequence[Mapping[str, Any]], *, constraints: ConstraintTable
) -> dict[str, float]:
    """
    Measure how far a design is from fulfilling the constraints that its structures decide.

    Parameters
    ----------
    evaluations : sequence of mapping
        Numbers of each packing.
    constraints : ConstraintTable
        What is demanded.

    Returns
    -------
    dict of str to float
        Relative violation of each constraint, 0 or less where it is fulfilled. ``percolation``: 1 without a path for
        ions or electrons.
    """
    connected = all(evaluation["status"] != "NOT_CONNECTED" for evaluation in evaluations)
    values = {"percolation": -1.0 if connected else 1.0}
    most = constraints.maximum_specific_surface_m2_cm3
    if most is not None:
        surface = mean_of(evaluations, "specific_surface_area") / SQUARE_METRE_PER_CUBIC_CENTIMETRE
        values["maximum_specific_surface_m2_cm3"] = surface / most - 1.0
    least = constraints.minimum_electronic_conductivity_S_m
    if least is not None:
        values["minimum_electronic_conductivity_S_m"] = (
            1.0 - mean_of(evaluations, "electronic_conductivity") / least
        )
    return values


def measured_constraints(constraints: ConstraintTable) -> tuple[str, ...]:
    """
    List the constraints that only structures decide.

    Parameters
    ----------
    constraints : ConstraintTable
        What is demanded.

    Returns
    -------
    tuple of str
        Keys of `measured_violations`.
    """
    optional = ("maximum_specific_surface_m2_cm3", "minimum_electronic_conductivity_S_m")
    return ("percolation", *(name for name in optional if getattr(constraints, name) is not None))


def record_of(arm: str, trial: FrozenTrial) -> TrialRecord:
    """
    Turn a stored trial into a record.

    Parameters
    ----------
    arm : str
        Name of the search.
    trial : optuna.trial.FrozenTrial
        The trial.

    Returns
    -------
    TrialRecord
        The record.
    """
    state = {"FAIL": "failed"}.get(trial.state.name, trial.state.name.lower())
    if state == "complete":
        state = next((flag for flag in (REJECTED, PRUNED) if flag in trial.user_attrs), state)
    return TrialRecord(
        arm=arm,
        number=trial.number,
        state=state,
        parameters=dict(trial.params),
        constraints=dict(trial.constraints),
        evaluations=trial.user_attrs.get(EVALUATIONS, []),
        estimates=trial.user_attrs.get(ESTIMATES, {}),
        failure=trial.user_attrs.get(FAILURE, "") or trial.user_attrs.get(REJECTED, ""),
    )


def table_of(records: Sequence[TrialRecord]) -> str:
    """
    Write trials as CSV.

    Parameters
    ----------
    records : sequence of TrialRecord
        Trials of all searches.

    Returns
    -------
    str
        One line per trial. Parameters carry the units in their names, constraint columns the relative violation
        (0 or less is fulfilled), all others SI units.
    """
    parameters = sorted({name for record in records for name in record.parameters})
    constraints = sorted({name for record in records for name in record.constraints})
    numbers = list(dict.fromkeys(name for r in records for e in r.evaluations for name in _numeric(e)))
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\n")
    header = ["arm", "trial", "state", "feasible", *parameters, "standard_error", *numbers]
    writer.writerow(
        [*header, *(f"violation_{name}" for name in constraints), "limiting", "seconds", "failure"]
    )
    for record in records:
        limiting = record.evaluations[0]["limiting"] if record.evaluations else ""
        writer.writerow(
            [record.arm, record.number, record.state, record.is_feasible]
            + [record.parameters.get(name, "") for name in parameters]
            + [_cell(record.standard_error)]
            + [_cell(record.mean(name)) for name in numbers]
            + [_cell(record.constraints.get(name, math.nan)) for name in constraints]
            + [limiting, _cell(record.seconds), record.failure]
        )
    return target.getvalue()


def _numeric(evaluation: Mapping[str, Any]) -> list[str]:
    """List the keys of an evaluation that hold one number."""
    return [name for name, value in evaluation.items() if value is None or isinstance(value, int | float)]


def _cell(value: float) -> float | str:
    """Leave unknown numbers empty."""
    return "" if math.isnan(value) else value
