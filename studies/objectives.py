"""What a study maximises: objectives, the Pareto front, and which of its designs wins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, field_serializer, field_validator, model_validator

from studies.ranges import Table
from studies.trials import mean_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from studies.trials import TrialRecord

KNEE = "knee"
ROBUST = "robust_utilization"
"""Objective that makes every trial evaluate the variations of its design as well: some seven times the work."""

OBJECTIVES = {
    "utilization": ("utilization", "utilization at the primary rate"),
    "mean_utilization": ("mean_utilization", "mean utilization over the rates"),
    ROBUST: (ROBUST, "utilization over raw-material and process variations, mean − k σ"),
    "energy_density": ("energy_density", "delivered energy per volume of electrode"),
    "delivered_volumetric_capacity": (
        "delivered_volumetric_capacity",
        "delivered capacity per volume of electrode",
    ),
    "delivered_areal_capacity": ("delivered_areal_capacity", "delivered areal capacity"),
    "volumetric_capacity": ("volumetric_capacity", "theoretical capacity per volume of electrode"),
    "areal_capacity": ("theoretical_areal_capacity", "theoretical areal capacity"),
}
"""Objectives: key of `Evaluation.to_dict`, and what it is."""

COUNTERWEIGHTS = frozenset(
    {
        "energy_density",
        "delivered_volumetric_capacity",
        "delivered_areal_capacity",
        "volumetric_capacity",
        "areal_capacity",
    }
)
"""Objectives that a thin, porous electrode of tiny particles does badly in."""

AT_RATE = re.compile(r"utilization@(\d+(?:\.\d+)?)C")


class ObjectiveTable(Table):
    """
    What is maximised, and which design of a front counts as the winner.

    Parameters
    ----------
    maximize : tuple of str, default ("utilization",)
        Names in `OBJECTIVES`, or ``utilization@0.5C`` for one of the rates of the cell. Several give a Pareto front for
        the search and one for its control.
    winner : str, optional
        The objective in which the winner is best, or "knee": the design of the front that is nearest to the best of all
        objectives at once, each scaled to its span on the front. The only objective, or "knee" for several.
    robust_k : float, default 1.0
        Weight of the standard deviation in ``robust_utilization``.
    """

    maximize: tuple[str, ...] = Field(default=("utilization",), min_length=1, max_length=4)
    winner: str = ""
    robust_k: float = Field(default=1.0, ge=0, le=10)

    @field_validator("maximize", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        if isinstance(value, str):
            return (value,)
        return tuple(value) if isinstance(value, list) else value

    @field_serializer("maximize")
    def _as_list(self, value: tuple[str, ...]) -> list[str]:
        return list(value)

    @model_validator(mode="before")
    @classmethod
    def _chosen_by_a_rule(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("winner"):
            names = data.get("maximize", ("utilization",))
            names = [names] if isinstance(names, str) else names
            return data | {"winner": names[0] if len(names) == 1 else KNEE}
        return data

    @model_validator(mode="after")
    def _known(self) -> ObjectiveTable:
        for name in self.maximize:
            if name not in OBJECTIVES and not AT_RATE.fullmatch(name):
                raise ValueError(
                    f"maximize must hold names out of {', '.join(OBJECTIVES)} or utilization@<rate>C, got {name!r}; "
                    "pick one of these"
                )
        if len(set(self.maximize)) < len(self.maximize):
            raise ValueError(f"maximize must hold different names, got {list(self.maximize)}; drop one")
        if self.winner not in {*self.maximize, KNEE}:
            raise ValueError(
                f"winner must be {KNEE} or one of {', '.join(self.maximize)}, got {self.winner!r}; pick one of these"
            )
        return self

    @property
    def rates(self) -> tuple[float, ...]:
        """Rates that objectives name [1/h]."""
        matches = (AT_RATE.fullmatch(name) for name in self.maximize)
        return tuple(float(match[1]) for match in matches if match)

    @property
    def has_counterweight(self) -> bool:
        """Whether an objective keeps utilization from being trivial."""
        return bool(COUNTERWEIGHTS & set(self.maximize))

    def values(self, evaluations: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
        """
        Read the objectives off the packings of a design.

        Parameters
        ----------
        evaluations : sequence of mapping
            Numbers of each packing, see `Evaluation.to_dict`.

        Returns
        -------
        tuple of float
            One mean over the packings per objective, in SI units.
        """
        return tuple(value_of(name, evaluations) for name in self.maximize)


def value_of(name: str, evaluations: Sequence[Mapping[str, Any]]) -> float:
    """
    Read one objective off the packings of a design.

    Parameters
    ----------
    name : str
        Name of the objective.
    evaluations : sequence of mapping
        Numbers of each packing.

    Returns
    -------
    float
        Mean over the packings; NaN without packings.
    """
    if match := AT_RATE.fullmatch(name):
        rate = float(match[1])
        nearest = [
            min(each["rates"], key=lambda numbers: abs(numbers["c_rate"] - rate)) for each in evaluations
        ]
        return mean_of(nearest, "utilization")
    return mean_of(evaluations, OBJECTIVES[name][0])


def pareto_of(records: Iterable[TrialRecord], objectives: ObjectiveTable) -> list[TrialRecord]:
    """
    Choose the feasible trials that no other one beats in all objectives.

    Parameters
    ----------
    records : iterable of TrialRecord
        Trials of one search.
    objectives : ObjectiveTable
        What is maximised.

    Returns
    -------
    list of TrialRecord
        The Pareto front, in the order of the records; of equal trials the first.
    """
    feasible = [record for record in records if record.is_feasible]
    if not feasible:
        return []
    values = np.array([objectives.values(record.evaluations) for record in feasible])
    if values.shape[1] == 1:
        return [feasible[int(np.argmax(values[:, 0]))]]
    front = []
    for place, record in enumerate(feasible):
        as_good = (values >= values[place]).all(axis=1)
        better = as_good & (values > values[place]).any(axis=1)
        if not better.any() and not as_good[:place].any():
            front.append(record)
    return front


def best_of(records: Iterable[TrialRecord], objectives: ObjectiveTable) -> TrialRecord | None:
    """
    Choose the winner among the feasible trials, by the rule of the study.

    Parameters
    ----------
    records : iterable of TrialRecord
        Trials of one search.
    objectives : ObjectiveTable
        What is maximised, and the rule.

    Returns
    -------
    TrialRecord or None
        The earliest of the best; None where none is feasible.
    """
    front = pareto_of(records, objectives)
    if not front:
        return None
    values = np.array([objectives.values(record.evaluations) for record in front])
    if objectives.winner != KNEE:
        return front[int(np.argmax(values[:, objectives.maximize.index(objectives.winner)]))]
    span = np.ptp(values, axis=0)
    missing = (values.max(axis=0) - values) / np.where(span > 0, span, 1.0)
    return front[int(np.argmin(np.linalg.norm(missing, axis=1)))]
