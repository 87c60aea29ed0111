"""The fidelity ladder: reject on paper what cannot win, and use a cheap model only while it ranks designs as voxels do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

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
    value : float
        Objective that the sampler is told.
    """

    reason: str
    value: float


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

    def estimates(self, design: ElectrodeDesign) -> dict[str, float]:
        """
        Ask the cheaper models for the first objective of the study.

        Parameters
        ----------
        design : ElectrodeDesign
            The design.

        Returns
        -------
        dict of str to float
            One number per rung that is switched on and knows the objective. The ceiling has its margin on top.
        """
        found: dict[str, float] = {}
        rates = self.config.cell.c_rates
        if self.config.fidelity.ceiling:
            limits = [min(1.0, limit + MARGIN) for limit in ceilings(design, self.cell, c_rates=rates)]
            found |= self._first(CEILING, _numbers_at_most(limits, design, self.config, self.cell))
        if self.config.fidelity.empirical:
            found |= self._first(EMPIRICAL, empirical(design, self.cell, c_rates=rates))
        return found

    def judge(self, estimates: Mapping[str, float], *, arm: str, standing: Standing) -> Verdict | None:
        """
        Decide whether a design can beat the best of its search so far.

        Parameters
        ----------
        estimates : mapping of str to float
            What `estimates` returned.
        arm : str
            Name of the search.
        standing : Standing
            Trials with a result so far, of both searches.

        Returns
        -------
        Verdict or None
            None where it may, or where several objectives leave no single best.
        """
        objectives = self.config.objectives
        best = standing.best(arm)
        if best is None or len(objectives.maximize) > 1:
            return None
        (most,) = objectives.values(best.evaluations)
        found: list[Verdict] = []
        ceiling, guess = estimates.get(CEILING), estimates.get(EMPIRICAL)
        if guess is not None and (error := self._error(standing)):
            value = guess + error.mean
            if value + WIDTH * error.deviation < most:
                found.append(Verdict(f"estimated at {value:.4g}, trial {best.number} has {most:.4g}", value))
        if ceiling is not None and ceiling < most:
            found.append(
                Verdict(f"can reach {ceiling:.4g} at most, trial {best.number} has {most:.4g}", ceiling)
            )
        return min(found, key=lambda verdict: verdict.value, default=None)

    def _first(self, rung: str, numbers: Mapping[str, Any]) -> dict[str, float]:
        """Read the first objective off the numbers of a rung, if it is among them."""
        try:
            return {rung: self.config.objectives.values([numbers])[0]}
        except KeyError:
            return {}

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


def _numbers_at_most(
    limits: Sequence[float], design: ElectrodeDesign, config: StudyConfig, cell: CellParameters
) -> dict[str, Any]:
    """Turn ceilings of the utilization into those of what follows from it; the energy does not."""
    volumetric = cell.active_capacity * design.mean_fraction("active")
    areal = volumetric * design.thickness
    return {
        "utilization": limits[0],
        "mean_utilization": float(np.mean(limits)),
        "delivered_areal_capacity": limits[0] * areal,
        "delivered_volumetric_capacity": limits[0] * volumetric,
        "volumetric_capacity": volumetric,
        "theoretical_areal_capacity": areal,
        "rates": [
            {"c_rate": rate, "utilization": limit}
            for rate, limit in zip(config.cell.c_rates, limits, strict=True)
        ],
    }
