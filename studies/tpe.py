"""Optuna's TPE without looking at thousands of finished trials again for every new one."""

from __future__ import annotations

from math import log, pi
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from optuna.samplers import TPESampler
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.probability_distributions import (
    _BatchedTruncLogNormDistributions,
    _BatchedTruncNormDistributions,
)
from optuna.samplers._tpe.sampler import default_gamma
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import TrialState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

_UNKNOWN, _FEASIBLE, _INFEASIBLE, _USELESS = range(4)
"""What a trial is to the sampler; a failed one is useless."""
_CONTINUOUS = (_BatchedTruncNormDistributions, _BatchedTruncLogNormDistributions)


class TPEMemory:
    """What follows from the finished trials of one search and never changes."""

    def __init__(self) -> None:
        self.space = IntersectionSearchSpace(include_pruned=True)
        self._tables: dict[tuple[str, ...], _Table] = {}
        self._kinds = np.empty(0, dtype=np.int8)
        self._scores = np.empty(0)
        self._open: set[int] = set()
        self._seen = 0

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

    def split(self, trials: Sequence[FrozenTrial], *, besides: int) -> tuple[list[int], list[int]]:
        """
        Tell the best trials from the others, as Optuna does.

        Parameters
        ----------
        trials : sequence of FrozenTrial
            All trials of a search with one objective that is maximised, by number.
        besides : int
            Number of the trial that is sampled.

        Returns
        -------
        below, above : list of int
            Numbers of the best and of all others, running ones among them.
        """
        self._look(trials)
        kinds, scores = self._kinds[: self._seen], self._scores[: self._seen]
        # The best objectives first, then the smallest violations; of equal ones the earlier.
        groups = [np.flatnonzero(kinds == kind) for kind in (_FEASIBLE, _INFEASIBLE)]
        ranked = np.concatenate([group[np.argsort(scores[group], kind="stable")] for group in groups])
        count = default_gamma(len(ranked))
        running = [n for n in self._open if n != besides and trials[n].state == TrialState.RUNNING]
        return np.sort(ranked[:count]).tolist(), sorted([*ranked[count:].tolist(), *running])

    def _look(self, trials: Sequence[FrozenTrial]) -> None:
        """Take note of what has finished since the last time."""
        self._kinds = _long_enough(self._kinds, len(trials))
        self._scores = _long_enough(self._scores, len(trials))
        self._open.update(range(self._seen, len(trials)))
        self._seen = len(trials)
        for number in [n for n in self._open if trials[n].state.is_finished()]:
            self._open.remove(number)
            trial = trials[number]
            violation = sum(value for value in trial.constraints.values() if value > 0)
            if trial.state != TrialState.COMPLETE or trial.value is None:
                self._kinds[number] = _USELESS
            elif violation > 0:
                self._kinds[number], self._scores[number] = _INFEASIBLE, violation
            else:
                self._kinds[number], self._scores[number] = _FEASIBLE, -trial.value


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

    Notes
    -----
    For searches that maximise and whose trials are complete or failed. It chooses what Optuna's sampler chooses; that one
    reads the state, constraints and parameters of all trials again for each new one, and evaluates densities in steps that
    can do without half of the arithmetic. With several objectives only the parameters are remembered.
    """

    def __init__(self, *, seed: int, n_startup_trials: int, memory: TPEMemory) -> None:
        super().__init__(seed=seed, n_startup_trials=n_startup_trials)
        self._parzen_estimator_cls = _Densities
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

    def _sample(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Choose the candidate that is likeliest among the best trials and least likely among the others."""
        if len(study.directions) > 1:
            return super()._sample(study, trial, search_space)
        trials = study.get_trials(deepcopy=False)
        below, above = (
            self._build_parzen_estimator(study, search_space, [trials[n] for n in numbers], handle_below=best)
            for numbers, best in zip(
                self._memory.split(trials, besides=trial.number), (True, False), strict=True
            )
        )
        candidates = below.sample(self._rng.rng, self._n_ei_candidates)
        chosen = self._compare(candidates, self._compute_acquisition_func(candidates, below, above))
        return {name: space.to_external_repr(chosen[name]) for name, space in search_space.items()}

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


class _Densities(_ParzenEstimator):
    """Optuna's mixture of truncated normal distributions; its densities in fewer steps where all are continuous."""

    def log_pdf(self, samples_dict: dict[str, NDArray[Any]]) -> NDArray[Any]:
        """Evaluate the mixture at samples that it, or one of the same bounds, has drawn."""
        mixture = self._mixture_distribution
        if not all(isinstance(each, _CONTINUOUS) for each in mixture.distributions):
            return super().log_pdf(samples_dict)
        offsets = np.log(mixture.weights)
        exponents = np.zeros((len(next(iter(samples_dict.values()))), len(offsets)))
        continuous = cast("list[_BatchedTruncNormDistributions]", mixture.distributions)
        for column, each in zip(self._transform(samples_dict).T, continuous, strict=True):
            low, high = ((edge - each.mu) / each.sigma for edge in (each.adapted_low, each.adapted_high))
            offsets -= _truncnorm._log_gauss_mass(low, high) + np.log(each.sigma) + 0.5 * log(2 * pi)  # noqa: SLF001
            reduced = (np.log(column) if each.is_log else column)[:, None] - each.mu
            reduced /= each.sigma
            reduced *= reduced
            exponents += reduced
        logs = offsets - 0.5 * exponents
        most = logs.max(axis=1, keepdims=True)
        logs -= most
        densities: NDArray[Any] = np.log(np.exp(logs, out=logs).sum(axis=1)) + most[:, 0]
        return densities


class _Table:
    """Values of parameters by number of the trial."""

    def __init__(self, width: int) -> None:
        self._values = np.empty((0, width))
        self._has = np.empty(0, dtype=bool)
        self._is_known = np.empty(0, dtype=bool)

    def unknown(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """List the places of trials that are not in the table or may have changed."""
        count = int(numbers.max(initial=-1)) + 1
        self._values, self._has = _long_enough(self._values, count), _long_enough(self._has, count)
        self._is_known = _long_enough(self._is_known, count)
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


def _long_enough(array: NDArray[Any], count: int) -> NDArray[Any]:
    """Lengthen an array by zeros; to twice its length, so that this is rare."""
    if count <= len(array):
        return array
    longer = np.zeros((max(count, 2 * len(array)), *array.shape[1:]), dtype=array.dtype)
    longer[: len(array)] = array
    return longer
