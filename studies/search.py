"""The search and its control: one coordinator asks and tells, workers evaluate."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from studies.errors import StudyError
from studies.evaluation import evaluate
from studies.signals import postponed
from studies.storage import ARMS, STRUCTURED, UNIFORM
from studies.trials import (
    EVALUATIONS,
    FAILURE,
    REJECTED,
    TrialRecord,
    best_of,
    mean_of,
    measured_violations,
    recipe_violations,
    record_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from distributed import Client, Future
    from optuna.samplers import TPESampler
    from optuna.trial import Trial

    from meso import ElectrodeDesign
    from solvers import CellParameters
    from studies.config import StudyConfig
    from studies.evaluation import Evaluation
    from studies.space import DesignSpace
    from studies.storage import Searches

HOPELESS = 8
"""So many failed trials without a single result stop a study: the cause is not the design."""
MOST_REJECTED = 200
"""So many designs in a row that violate a constraint on paper stop a study: the ranges hold no other."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """
    How far a study is.

    Parameters
    ----------
    stage : str
        "compiling", "searching", "comparing" or "reporting".
    done, total : int
        Finished trials and trials in total.
    best : mapping of str to TrialRecord or None
        Best feasible trial of each search so far.
    infeasible : int
        Trials that violate a constraint.
    failed : int
        Trials without a result.
    trials_per_minute : float
        Rate since the search started or was continued; 0 before the first result.
    latest : TrialRecord or None
        The trial that has just finished.
    """

    stage: Literal["compiling", "searching", "comparing", "reporting"]
    done: int
    total: int
    best: Mapping[str, TrialRecord | None]
    infeasible: int
    failed: int
    trials_per_minute: float
    latest: TrialRecord | None

    @property
    def seconds_left(self) -> float:
        """Time that the search still takes at the present rate [s]; infinite before the first result."""
        if self.done >= self.total:
            return 0.0
        return (
            60.0 * (self.total - self.done) / self.trials_per_minute if self.trials_per_minute else math.inf
        )


@dataclass(frozen=True)
class _InFlight:
    """A trial that workers are busy with, one future per packing."""

    arm: str
    trial: Trial
    packings: Sequence[Future[Evaluation]]


class Search:
    """
    Ask, evaluate and tell until every search has its number of trials.

    Parameters
    ----------
    config : StudyConfig
        The study.
    searches : Searches
        Where trials are stored.
    on_progress : callable
        Called with a `Progress` after every trial.

    Notes
    -----
    Designs whose recipe alone violates a constraint are told to the sampler at once and do not count as trials: every
    trial is a real structure. Results are told in the order in which trials were asked for, with a fixed number of
    trials in flight, and the sampler is seeded for each trial. Neither the number of workers nor their timing, nor an interruption, changes the
    course of a search.
    """

    def __init__(
        self, config: StudyConfig, *, searches: Searches, on_progress: Callable[[Progress], None]
    ) -> None:
        self.config = config
        self.searches = searches
        self.on_progress = on_progress
        self.targets = {STRUCTURED: config.trials - config.trials // 2, UNIFORM: config.trials // 2}
        self.records = [r for r in searches.records() if r.counts]
        self._in_flight: deque[_InFlight] = deque()
        self._numbers = {arm: sum(r.arm == arm and r.is_finished for r in searches.records()) for arm in ARMS}
        self._done_before = len(self.records)
        self._started = monotonic()

    @property
    def is_complete(self) -> bool:
        """Whether no trial is missing."""
        return self._next_arm() is None

    @property
    def winners(self) -> dict[str, TrialRecord | None]:
        """Best feasible trial of each search."""
        return {arm: best_of(r for r in self.records if r.arm == arm) for arm in ARMS}

    def run(self, client: Client, *, spaces: Mapping[str, DesignSpace], cell: CellParameters) -> None:
        """
        Run all missing trials.

        Parameters
        ----------
        client : distributed.Client
            The workers.
        spaces : mapping of str to DesignSpace
            What each search varies.
        cell : CellParameters
            Chemistry and cut-offs.

        Raises
        ------
        StudyError
            If no trial works at all.
        """
        self._started, self._done_before = monotonic(), len(self.records)
        self.tell("searching")
        try:
            while True:
                while len(self._in_flight) < self.config.trials_in_flight and (arm := self._next_arm()):
                    self._ask(arm, client, spaces[arm], cell)
                if not self._in_flight:
                    return
                # It stays in the queue until it is stored, so that an interruption puts it back.
                self.records.append(self._finish(self._in_flight[0]))
                self._in_flight.popleft()
                self.tell("searching", latest=self.records[-1])
                self._give_up_if_hopeless()
        finally:
            self.searches.requeue_running()

    def tell(
        self,
        stage: Literal["compiling", "searching", "comparing", "reporting"],
        *,
        latest: TrialRecord | None = None,
    ) -> None:
        """
        Report how far the study is.

        Parameters
        ----------
        stage : str
            What is going on.
        latest : TrialRecord, optional
            The trial that has just finished.
        """
        new = len(self.records) - self._done_before
        self.on_progress(
            Progress(
                stage=stage,
                done=len(self.records),
                total=max(self.config.trials, len(self.records)),
                best=self.winners,
                infeasible=sum(r.is_complete and not r.is_feasible for r in self.records),
                failed=sum(not r.is_complete for r in self.records),
                trials_per_minute=60.0 * new / max(monotonic() - self._started, 1e-9),
                latest=latest,
            )
        )

    def _next_arm(self) -> str | None:
        """Alternate between the searches, so that both end together; rejected designs do not count as trials."""
        counted = Counter(r.arm for r in self.records) + Counter(t.arm for t in self._in_flight)
        missing = {arm: self.targets[arm] - counted[arm] for arm in ARMS}
        arm = max(missing, key=missing.__getitem__)
        return arm if missing[arm] > 0 else None

    def _ask(self, arm: str, client: Client, space: DesignSpace, cell: CellParameters) -> None:
        """Let the sampler choose a design that can fulfil the constraints and send its packings to the workers."""
        # A trial that is stored in part would not be the same one after an interruption.
        with postponed():
            trial, design = self._propose(arm, space)
        packings = [
            client.submit(
                evaluate_packing,
                design,
                cell,
                config=self.config,
                replicate=replicate,
                key=f"{arm}-{trial.number}-{replicate}",
                pure=False,
            )
            for replicate in range(self.config.replicates)
        ]
        self._in_flight.append(_InFlight(arm, trial, packings))

    def _propose(self, arm: str, space: DesignSpace) -> tuple[Trial, ElectrodeDesign]:
        """Ask for a design; tell at once where its recipe alone shows that it violates a constraint, and ask again."""
        study = self.searches.studies[arm]
        for _ in range(MOST_REJECTED):
            study.sampler = self._sampler(arm, self._numbers[arm])
            trial = study.ask()
            self._numbers[arm] = trial.number + 1
            design = space.suggest(trial)
            violations = recipe_violations(
                design, constraints=self.config.constraints, active_capacity=space.active_capacity
            )
            _set_constraints(trial, violations)
            if max(violations.values()) <= 0:
                return trial, design
            trial.set_user_attr(REJECTED, value=True)
            study.tell(trial, 0.0)
        raise StudyError(
            f"{MOST_REJECTED} {arm} designs in a row violate {', '.join(k for k, v in violations.items() if v > 0)}; "
            "relax this constraint or widen the ranges of [electrode]"
        )

    def _sampler(self, arm: str, number: int) -> TPESampler:
        """Seed a sampler for one trial, so that a continued search does not repeat or shift random numbers."""
        from optuna.samplers import TPESampler

        # The leading 1 keeps these apart from the packing seeds of the same study seed.
        sequence = np.random.SeedSequence(self.config.seed, spawn_key=(1, ARMS.index(arm), number))
        return TPESampler(
            n_startup_trials=self.config.startup_trials, seed=int(sequence.generate_state(1)[0])
        )

    def _finish(self, in_flight: _InFlight) -> TrialRecord:
        """Wait for the packings of a trial and store what they say."""
        try:
            evaluations = [packing.result().to_dict() for packing in in_flight.packings]
        except Exception as error:  # noqa: BLE001  whatever a worker died of is stored with the trial; the study goes on
            return self._store_failure(in_flight, reason=f"{type(error).__name__}: {error}")
        with postponed():
            return self._store(in_flight, evaluations)

    def _store(self, in_flight: _InFlight, evaluations: Sequence[Mapping[str, Any]]) -> TrialRecord:
        """Store what the packings of a trial say."""
        in_flight.trial.set_user_attr(EVALUATIONS, evaluations)
        _set_constraints(
            in_flight.trial, measured_violations(evaluations, constraints=self.config.constraints)
        )
        study = self.searches.studies[in_flight.arm]
        return record_of(in_flight.arm, study.tell(in_flight.trial, mean_of(evaluations, "utilization")))

    def _store_failure(self, in_flight: _InFlight, *, reason: str) -> TrialRecord:
        """Store why a trial has no result."""
        from optuna.trial import TrialState

        in_flight.trial.set_user_attr(FAILURE, reason)
        study = self.searches.studies[in_flight.arm]
        return record_of(in_flight.arm, study.tell(in_flight.trial, state=TrialState.FAIL))

    def _give_up_if_hopeless(self) -> None:
        """Stop a study in which nothing works."""
        if len(self.records) >= HOPELESS and not any(record.is_complete for record in self.records):
            raise StudyError(
                f"all of the first {len(self.records)} trials failed, the last with: {self.records[-1].failure}; "
                "correct the cause and start again in a new folder"
            )


def _set_constraints(trial: Trial, violations: Mapping[str, float]) -> None:
    """Store violations; a trial whose coordinator was killed meanwhile has some already."""
    for name, value in violations.items():
        if name not in trial.constraints:
            trial.set_constraint(name, value)


def packing_seed(config: StudyConfig, replicate: int) -> np.random.SeedSequence:
    """
    Return the seed that all trials of a study share for one packing.

    Parameters
    ----------
    config : StudyConfig
        The study.
    replicate : int
        Number of the packing; those from `StudyConfig.replicates` on are fresh, no trial has seen them.

    Returns
    -------
    numpy.random.SeedSequence
        The seed.
    """
    return np.random.SeedSequence(config.seed, spawn_key=(replicate,))


def evaluate_packing(
    design: ElectrodeDesign, cell: CellParameters, *, config: StudyConfig, replicate: int
) -> Evaluation:
    """
    Evaluate a design on one packing of a study; runs in a worker.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    cell : CellParameters
        Chemistry and cut-offs.
    config : StudyConfig
        Gives the rate, the resolution and the seed.
    replicate : int
        Number of the packing, see `packing_seed`.

    Returns
    -------
    Evaluation
        The result.
    """
    return evaluate(
        design,
        cell,
        c_rate=config.cell.c_rates,
        seed=packing_seed(config, replicate),
        **config.structure.model_dump(),
    )
