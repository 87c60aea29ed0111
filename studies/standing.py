"""How a study stands: what its finished trials amount to, kept up with every one instead of counted again."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from studies.objectives import best_of, pareto_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from studies.objectives import ObjectiveTable
    from studies.trials import TrialRecord

EMPIRICAL = "empirical"
"""Rung of the ladder whose error is measured on the trials."""


class Standing:
    """
    What is known after so many trials.

    Parameters
    ----------
    objectives : ObjectiveTable
        What is maximised.
    records : iterable of TrialRecord, optional
        Trials with a result, of all searches.

    Attributes
    ----------
    records : list of TrialRecord
        Trials with a result, in the order in which they came.
    counts : collections.Counter
        How many of them each search has.
    feasible, infeasible, failed : int
        How many fulfil all constraints, violate one, have no result.
    """

    def __init__(self, objectives: ObjectiveTable, records: Iterable[TrialRecord] = ()) -> None:
        self.objectives = objectives
        self.records: list[TrialRecord] = []
        self.counts: Counter[str] = Counter()
        self.feasible = self.infeasible = self.failed = 0
        self._fronts: dict[str, list[TrialRecord]] = {}
        self._pairs: list[tuple[int, str, float, float]] = []
        self._table = np.zeros((0, 2))
        self._correlation: float | None = None
        for record in records:
            self.add(record)

    def add(self, record: TrialRecord) -> None:
        """
        Take note of a trial with a result.

        Parameters
        ----------
        record : TrialRecord
            A trial that is not among the others.
        """
        self.records.append(record)
        self.counts[record.arm] += 1
        self.failed += record.state == "failed"
        if not record.is_complete:
            return
        self.feasible += record.is_feasible
        self.infeasible += not record.is_feasible
        # The front is not looked for among all trials again.
        self._fronts[record.arm] = pareto_of([*self.front(record.arm), record], self.objectives)
        if EMPIRICAL in record.estimates:
            value = self.objectives.values(record.evaluations)[0]
            # By number, so that sums do not depend on interruptions.
            insort(self._pairs, (record.number, record.arm, record.estimates[EMPIRICAL], value))

    def front(self, arm: str) -> list[TrialRecord]:
        """
        Return the feasible trials of a search that no other one of it beats.

        Parameters
        ----------
        arm : str
            Name of the search.

        Returns
        -------
        list of TrialRecord
            The Pareto front; with one objective a single trial at most.
        """
        return self._fronts.get(arm, [])

    def best(self, arm: str) -> TrialRecord | None:
        """
        Return the winner of a search so far.

        Parameters
        ----------
        arm : str
            Name of the search.

        Returns
        -------
        TrialRecord or None
            None where no trial is feasible.
        """
        return best_of(self.front(arm), self.objectives)

    @property
    def pairs(self) -> NDArray[np.float64]:
        """Empirical estimate and result of every trial that has both, by number, shape (n, 2)."""
        self._rank()
        return self._table

    @property
    def rank_correlation(self) -> float | None:
        """Spearman's rank correlation of `pairs`."""
        self._rank()
        return self._correlation

    def _rank(self) -> None:
        """Compute what depends on all pairs, once for each new one."""
        if len(self._table) < len(self._pairs):
            self._table = np.array([pair[2:] for pair in self._pairs], dtype=np.float64)
            self._correlation = rank_correlation(self._table)


def rank_correlation(pairs: np.ndarray[Any, np.dtype[np.float64]]) -> float | None:
    """
    Compute Spearman's rank correlation.

    Parameters
    ----------
    pairs : ndarray, shape (n, 2), float64
        Estimates and results.

    Returns
    -------
    float or None
        From −1 to 1; None where there are fewer than three pairs or one side does not vary.

    Notes
    -----
    Pearson's correlation of the ranks, equal values sharing the mean of theirs. SciPy's takes as long to import as hundreds
    of these take.

    Examples
    --------
    >>> rank_correlation(np.array([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0]]))
    0.5
    """
    if len(pairs) < 3 or np.ptp(pairs, axis=0).min() == 0:
        return None
    first, second = (_ranks(side) for side in pairs.T)
    return float((first @ second) / np.sqrt((first @ first) * (second @ second)))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank values about the mean rank; equal ones share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - 0.5 * (counts - 1))[places] - 0.5 * (len(values) + 1)
    return ranks
