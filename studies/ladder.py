"""The fidelity ladder: reject on paper what cannot win, and use a cheap model only while it ranks designs as voxels do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from studies.objectives import value_of
from studies.rungs import ceilings, empirical
from studies.standing import EMPIRICAL, rank_correlation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meso import ElectrodeDesign
    from solvers import CellParameters
    from studies.config import StudyConfig
    from studies.objectives import ObjectiveTable
    from studies.standing import Standing
    from studies.trials import TrialRecord

CEILING = "ceiling"
"""Rung of closed forms, as it is stored with each trial."""

MARGIN = 0.01
"""By how much voxels may exceed the ceiling: twice what any of 210 random designs did (`benchmarks/rungs.py`)."""

CAPACITY_MARGIN = 0.002
"""By which share a structure may hold more active material than its recipe: twice what any of 210 random designs did."""

WIDTH = 2.0
"""A design is screened out where the empirical estimate is below the best by so many standard deviations of its error."""

MOST_SCREENED = 8
"""So many designs in a row are rejected by the ladder at most; the next one is made, whatever the rungs say."""


@dataclass(frozen=True)
class Verdict:
    """
    Why a design is not worth a structure.

    Parameters
    ----------
    reason : str
        For people.
    values : tuple of float
        Objectives that the sampler is told.
    """

    reason: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Ladder:
    """
    Cheaper models in front of the voxels.

    Parameters
    ----------
    config : StudyConfig
        The study; says which rungs there are.
    cell : CellParameters
        Chemistry and cut-offs.
    """

    config: StudyConfig
    cell: CellParameters

    def bounds(self, design: ElectrodeDesign) -> tuple[float, ...]:
        """
        Say what a design can reach at most.

        Parameters
        ----------
        design : ElectrodeDesign
            The design.

        Returns
        -------
        tuple of float
            One number per objective, margins included; infinite for what has no bound, and where the rung is switched off.
        """
        config = self.config
        if not config.fidelity.ceiling:
            return (math.inf,) * len(config.objectives.maximize)
        limits = ceilings(design, self.cell, c_rates=config.cell.c_rates)
        numbers = numbers_at_most([min(1.0, limit + MARGIN) for limit in limits], design, self.cell, config)
        return tuple(_read(name, numbers, otherwise=math.inf) for name in config.objectives.maximize)

    def estimates(self, design: ElectrodeDesign, *, bounds: Sequence[float]) -> dict[str, float]:
        """
        Ask the cheaper models for the first objective of the study.

        Parameters
        ----------
        design : ElectrodeDesign
            The design.
        bounds : sequence of float
            What `bounds` returned for it.

        Returns
        -------
        dict of str to float
            One number per rung that is switched on and knows the objective.
        """
        found = {CEILING: bounds[0]} if math.isfinite(bounds[0]) else {}
        if self.config.fidelity.empirical:
            numbers = empirical(design, self.cell, c_rates=self.config.cell.c_rates)
            guess = _read(self.config.objectives.maximize[0], numbers, otherwise=math.nan)
            found |= {} if math.isnan(guess) else {EMPIRICAL: guess}
        return found

    def judge(
        self, estimates: Mapping[str, float], *, bounds: Sequence[float], arm: str, standing: Standing
    ) -> Verdict | None:
        """
        Decide whether a design can join the best of its search so far.

        Parameters
        ----------
        estimates : mapping of str to float
            What `estimates` returned.
        bounds : sequence of float
            What `bounds` returned.
        arm : str
            Name of the search.
        standing : Standing
            Trials with a result so far, of both searches.

        Returns
        -------
        Verdict or None
            None where it may. With several objectives only bounds count: what falls short of one trial in all of them
            cannot be part of the front.
        """
        found = [verdict for verdict in (self._beaten(bounds, arm=arm, standing=standing),) if verdict]
        best, guess = standing.best(arm), estimates.get(EMPIRICAL)
        if best is not None and len(bounds) == 1 and guess is not None and (error := self._error(standing)):
            (most,) = self.config.objectives.values(best.evaluations)
            value = guess + error.mean
            if value + WIDTH * error.deviation < most:
                found.append(
                    Verdict(f"estimated at {value:.4g}, trial {best.number} has {most:.4g}", (value,))
                )
        return min(found, key=lambda verdict: verdict.values, default=None)

    def _beaten(self, bounds: Sequence[float], *, arm: str, standing: Standing) -> Verdict | None:
        """Look for a trial that is as good as a design can be, and better in an objective."""
        for record in standing.front(arm):
            values = self.config.objectives.values(record.evaluations)
            pairs = list(zip(bounds, values, strict=True))
            if all(bound <= value for bound, value in pairs) and any(bound < value for bound, value in pairs):
                most, has = (", ".join(f"{each:.4g}" for each in numbers) for numbers in (bounds, values))
                return Verdict(f"can reach {most} at most, trial {record.number} has {has}", tuple(bounds))
        return None

    def _error(self, standing: Standing) -> _Error | None:
        """Measure the error of the empirical rung; None while it has not shown that it ranks."""
        fidelity, pairs = self.config.fidelity, standing.pairs
        if len(pairs) < fidelity.calibration_trials:
            return None
        if (standing.rank_correlation or 0.0) < fidelity.least_rank_correlation:
            return None
        off = pairs[:, 1] - pairs[:, 0]
        return _Error(float(off.mean()), float(off.std(ddof=1)))


@dataclass(frozen=True)
class _Error:
    """Voxels minus empirical estimate: mean and standard deviation."""

    mean: float
    deviation: float


def pairs_of(
    records: Sequence[TrialRecord], rung: str, objectives: ObjectiveTable
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """
    Pair what a rung and what voxels say of the same designs.

    Parameters
    ----------
    records : sequence of TrialRecord
        Trials of both searches.
    rung : str
        "ceiling" or "empirical".
    objectives : ObjectiveTable
        The first one counts.

    Returns
    -------
    ndarray, shape (n, 2), float64
        Estimate and result of every complete trial that has both, in an order that does not depend on interruptions.
    """
    complete = [record for record in records if record.is_complete and rung in record.estimates]
    complete.sort(key=lambda record: (record.number, record.arm))
    rows = [(r.estimates[rung], objectives.values(r.evaluations)[0]) for r in complete]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def rung_document(records: Sequence[TrialRecord], config: StudyConfig) -> dict[str, Any]:
    """
    Say how well the rungs below the voxels rank, and what they spared.

    Parameters
    ----------
    records : sequence of TrialRecord
        All trials of both searches, rejected ones included.
    config : StudyConfig
        The study.

    Returns
    -------
    dict
        For "ceiling" and "empirical": ``trials`` with an estimate, ``rank_correlation`` with the voxels, ``excess``: by how
        much voxels exceed the estimate at most. ``empirical_is_used``: whether its correlation suffices at the end.
        ``rejected``: designs that the ladder rejected.
    """
    document: dict[str, Any] = {}
    for rung in (CEILING, EMPIRICAL):
        pairs = pairs_of(records, rung, config.objectives)
        document[rung] = {
            "trials": len(pairs),
            "rank_correlation": rank_correlation(pairs),
            "excess": float((pairs[:, 1] - pairs[:, 0]).max()) if len(pairs) else None,
        }
    correlation, fidelity = document[EMPIRICAL]["rank_correlation"], config.fidelity
    document["empirical_is_used"] = (
        document[EMPIRICAL]["trials"] >= fidelity.calibration_trials
        and correlation is not None
        and correlation >= fidelity.least_rank_correlation
    )
    document["rejected"] = sum(record.state == "rejected" and record.is_possible for record in records)
    return document


def numbers_at_most(
    limits: Sequence[float], design: ElectrodeDesign, cell: CellParameters, config: StudyConfig
) -> dict[str, Any]:
    """
    Turn ceilings of the utilization into those of what follows from it.

    Parameters
    ----------
    limits : sequence of float
        Ceiling of the utilization at each rate of the study.
    design : ElectrodeDesign
        Gives capacities.
    cell : CellParameters
        Gives the energy of the charge.
    config : StudyConfig
        Gives the rates.

    Returns
    -------
    dict
        What an evaluation can hold at most under the keys of `Evaluation.to_dict`; utilization over variations is not among
        them.

    Notes
    -----
    What a structure holds differs a little from its recipe, hence `CAPACITY_MARGIN`. No discharge gives more energy than a
    reversible one of the same charge, ``∫ U dq`` over the open-circuit potential: particles that are not filled evenly
    hold more free energy than evenly filled ones, and so does an electrolyte with a gradient.
    """
    volumetric = cell.active_capacity * design.mean_fraction("active")
    most = volumetric * (1.0 + CAPACITY_MARGIN)
    return {
        "utilization": limits[0],
        "mean_utilization": float(np.mean(limits)),
        "energy_density": most * reversible_energy(cell, limits[0]),
        "delivered_areal_capacity": limits[0] * most * design.thickness,
        "delivered_volumetric_capacity": limits[0] * most,
        "volumetric_capacity": volumetric,
        "theoretical_areal_capacity": most * design.thickness,
        "rates": [
            {"c_rate": rate, "utilization": limit}
            for rate, limit in zip(config.cell.c_rates, limits, strict=True)
        ],
    }


def reversible_energy(cell: CellParameters, utilization: float) -> float:
    """
    Integrate the open-circuit potential over a part of the capacity.

    Parameters
    ----------
    cell : CellParameters
        The active material.
    utilization : float
        Part of the capacity between the cut-offs, from the upper one.

    Returns
    -------
    float
        Energy against lithium per whole capacity [V].

    Examples
    --------
    >>> from solvers import CellParameters
    >>> cell = CellParameters.named("nmc811-chen2020")
    >>> round(reversible_energy(cell, 1.0), 2), round(reversible_energy(cell, 0.01), 4)
    (3.81, 0.042)
    """
    parts = np.linspace(0.0, utilization, 257)
    window = cell.maximum_stoichiometry - cell.minimum_stoichiometry
    potential = np.asarray(cell.open_circuit_potential(cell.minimum_stoichiometry + parts * window))
    return float(np.trapezoid(potential, parts))


def _read(objective: str, numbers: Mapping[str, Any], *, otherwise: float) -> float:
    """Read an objective off the numbers of a rung, if it is among them."""
    try:
        return value_of(objective, [numbers])
    except KeyError:
        return otherwise
