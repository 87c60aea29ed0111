"""Optuna's TPE without looking at thousands of finished trials again for every new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.samplers import TPESampler
from optuna.search_space import IntersectionSearchSpace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial


class TPEMemory:
    """What follows from the finished trials of one search and never changes: common parameters, values as numbers."""

    def __init__(self) -> None:
        self.space = IntersectionSearchSpace(include_pruned=True)
        self._tables: dict[tuple[str, ...], _Table] = {}

    def table(self, names: tuple[str, ...]) -> _Table:
        """
        Return the values of some parameters.

        Parameters
        ----------
        names : tuple of str
            Names of the parameters.

        Returns
        -------
        _Table
            Their values by trial.
        """
        return self._tables.setdefault(names, _Table(len(names)))


class RememberingTPE(TPESampler):
    """
    Optuna's TPE sampler for one trial, with the memory of those for earlier trials of the same search.

    Parameters
    ----------
    seed : int
        Seed of this trial.
    n_startup_trials : int
        Random trials at the start.
    memory : TPEMemory
        The memory; an empty one gives the same numbers, later.
    """

    def __init__(self, *, seed: int, n_startup_trials: int, memory: TPEMemory) -> None:
        super().__init__(seed=seed, n_startup_trials=n_startup_trials)
        self._memory = memory

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """
        List the parameters that all trials have.

        Parameters
        ----------
        study : optuna.Study
            The search.
        trial : optuna.trial.FrozenTrial
            The new trial.

        Returns
        -------
        dict of str to BaseDistribution
            As Optuna's does; none with several objectives, where every parameter is chosen by itself.
        """
        if len(study.directions) > 1:
            return super().infer_relative_search_space(study, trial)
        found = self._memory.space.calculate(study, use_cache=True)
        return {name: distribution for name, distribution in found.items() if not distribution.single()}

    def _get_internal_repr(
        self, trials: list[FrozenTrial], search_space: dict[str, BaseDistribution], study: Study
    ) -> dict[str, NDArray[Any]]:
        """Put the values of trials in arrays; those of finished ones are looked up."""
        table = self._memory.table(tuple(search_space))
        numbers = np.fromiter((trial.number for trial in trials), dtype=np.intp, count=len(trials))
        for place in table.unknown(numbers):
            trial = trials[place]
            found = super()._get_internal_repr([trial], search_space, study)
            table.put(trial.number, [found[name] for name in search_space], last=trial.state.is_finished())
        rows = table.rows(numbers)
        return {name: rows[:, place] for place, name in enumerate(search_space)}


class _Table:
    """Values of parameters by number of the trial."""

    def __init__(self, width: int) -> None:
        self._values = np.empty((0, width))
        self._has = np.empty(0, dtype=bool)
        self._is_known = np.empty(0, dtype=bool)

    def unknown(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """List the places of trials that are not in the table or may have changed."""
        missing = int(numbers.max(initial=-1)) + 1 - len(self._has)
        if missing > 0:
            # Doubled, so that it does not grow with every trial.
            missing = max(missing, len(self._has))
            self._values = np.pad(self._values, ((0, missing), (0, 0)))
            self._has, self._is_known = np.pad(self._has, (0, missing)), np.pad(self._is_known, (0, missing))
        return np.flatnonzero(~self._is_known[numbers])

    def put(self, number: int, values: Sequence[NDArray[Any]], *, last: bool) -> None:
        """Enter a trial: arrays of one value each, or empty ones where it lacks a parameter."""
        self._has[number] = has = all(len(value) for value in values)
        self._is_known[number] = last
        if has:
            self._values[number] = np.concatenate(values)

    def rows(self, numbers: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the values of the trials that have all parameters, shape (n, width)."""
        rows: NDArray[np.float64] = self._values[numbers[self._has[numbers]]]
        return rows
