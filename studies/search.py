"""The search and its control: one coordinator asks and tells, workers evaluate."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from studies.errors import StudyError
from studies.ladder import Ladder, rung_document
from studies.packings import Packings
from studies.proposals import Proposals, set_constraints
from studies.samplers import check_sampler, quiet
from studies.signals import postponed
from studies.standing import Standing
from studies.storage import ARMS, STRUCTURED, UNIFORM
from studies.trials import (
    EVALUATIONS,
    FAILURE,
    PRUNED,
    TrialRecord,
    measured_violations,
    record_of,
)
from studies.workers import failure_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from distributed import Client
    from optuna.trial import Trial

    from solvers import CellParameters
    from studies.config import StudyConfig
    from studies.database import Searches
    from studies.space import DesignSpace

Stage = Literal["compiling", "searching", "waiting", "comparing", "reporting"]

HOPELESS = 8
"""So many failed trials without a single result stop a study: the cause is not the design."""
FIRST_PACKINGS, NEXT_PACKINGS = 4, 2
"""Packings of a trial that may be stopped, before the first test and before every other one."""
SECONDS = "seconds"
"""Attribute of the structured search that is limited in time: how much of it is spent [s]."""
RUNGS = "rungs"
"""Attribute of the structured search when it ends: how well the cheaper models ranked, see `studies.ladder.rung_document`."""
SIGNIFICANCE = 0.1
"""Level of the test that stops a trial."""
LOOK = 1.0
"""Time between two looks at the last trials of other coordinators [s]."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """
    How far a study is.

    Parameters
    ----------
    stage : str
        "compiling", "searching", "waiting" (for the database), "comparing" or "reporting".
    done, total : int
        Finished trials and trials in total.
    best : mapping of str to TrialRecord or None
        Best feasible trial of each search so far.
    feasible : int
        Trials that fulfil all constraints.
    infeasible : int
        Trials that violate a constraint.
    failed : int
        Trials without a result.
    trials_per_minute : float
        Rate since the search started or was continued; 0 before the first result.
    latest : TrialRecord or None
        The trial that has just finished.
    """

    stage: Stage
    done: int
    total: int
    best: Mapping[str, TrialRecord | None]
    feasible: int
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
    """A trial that workers are busy with."""

    arm: str
    trial: Trial
    packings: Packings


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
    Designs whose recipe alone violates a constraint, or which cheaper models show to be worse than the best so far, are
    told to the sampler at once and do not count as trials: every trial is a real structure. Results are told in the order in which trials were asked for, with a fixed number of
    trials in flight, and the sampler is seeded for each trial. Neither the number of workers nor their timing, nor an interruption, changes the
    course of a search.

    Raises
    ------
    ConfigError
        If the sampler needs a package that is not installed.
    """

    def __init__(
        self, config: StudyConfig, *, searches: Searches, on_progress: Callable[[Progress], None]
    ) -> None:
        check_sampler(config)
        self.config = config
        self.searches = searches
        self.on_progress = on_progress
        self.targets = {STRUCTURED: config.trials - config.trials // 2, UNIFORM: config.trials // 2}
        self.standing = Standing(config.objectives)
        self._known: set[tuple[str, int]] = set()
        self._catch_up()
        # A scheduler that several studies share tells tasks apart by their names.
        self._name = uuid4().hex[:8]
        self._in_flight: deque[_InFlight] = deque()
        self._done_before = len(self.records)
        self._seconds_before = float(searches.studies[STRUCTURED].user_attrs.get(SECONDS, 0.0))
        # Before `run`, no time passes.
        self._started: float | None = None

    @property
    def records(self) -> list[TrialRecord]:
        """Trials with a result."""
        return self.standing.records

    @property
    def seconds(self) -> float:
        """Time spent on searching, before an interruption as well [s]."""
        return self._seconds_before + self._session

    @property
    def _session(self) -> float:
        """Time since the search started or was continued [s]."""
        return 0.0 if self._started is None else monotonic() - self._started

    @property
    def is_complete(self) -> bool:
        """Whether no trial is missing."""
        return self._next_arm() is None

    @property
    def winners(self) -> dict[str, TrialRecord | None]:
        """Best feasible trial of each search."""
        return {arm: self.standing.best(arm) for arm in ARMS}

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
        ladder = Ladder(self.config, cell)
        proposals = Proposals(self.config, searches=self.searches, ladder=ladder)
        self.tell("searching")
        while True:
            if self.searches.is_shared:
                self._catch_up()
            while len(self._in_flight) < self.config.trials_in_flight and (arm := self._next_arm()):
                self._ask(arm, client, spaces[arm], proposals)
            if self._in_flight:
                # It stays in the queue until it is stored, so that an interruption puts it back.
                self._note(self._finish(self._in_flight[0]))
                self._in_flight.popleft()
                if self.config.hours is not None:
                    self.searches.studies[STRUCTURED].set_user_attr(SECONDS, self.seconds)
                self.tell("searching", latest=self.records[-1])
                self._give_up_if_hopeless()
            elif self.searches.elsewhere():
                # The last trials are with other coordinators; what a dead one leaves is asked for again.
                sleep(LOOK)
            else:
                break
        document = rung_document(self.searches.records(), self.config)
        self.searches.studies[STRUCTURED].set_user_attr(RUNGS, document)

    def _catch_up(self) -> None:
        """Take note of the trials that are in the database."""
        for record in self.searches.records(besides=self._known):
            if record.is_finished:
                self._note(record)

    def _note(self, record: TrialRecord) -> None:
        """Take note of a finished trial, once."""
        if (record.arm, record.number) in self._known:
            return
        self._known.add((record.arm, record.number))
        if record.counts:
            self.standing.add(record)

    def tell(
        self,
        stage: Stage,
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
        done = len(self.records)
        rate = (done - self._done_before) / max(self._session, 1e-9)
        self.on_progress(
            Progress(
                stage=stage,
                done=done,
                total=max(min(self.config.trials, done + self._possible(rate)), done),
                best=self.winners,
                feasible=self.standing.feasible,
                infeasible=self.standing.infeasible,
                failed=self.standing.failed,
                trials_per_minute=60.0 * rate,
                latest=latest,
            )
        )

    def _possible(self, rate: float) -> int:
        """How many more trials the time allows at a rate; any number where time is not what ends the study."""
        if self.config.hours is None:
            return self.config.trials
        return round(rate * max(self.config.hours * 3600.0 - self.seconds, 0.0))

    def _next_arm(self) -> str | None:
        """Alternate between the searches, so that both end together; rejected designs do not count as trials."""
        counted = self.standing.counts + Counter(t.arm for t in self._in_flight)
        counted += self.searches.elsewhere()
        missing = {arm: self.targets[arm] - counted[arm] for arm in ARMS}
        arm = max(missing, key=missing.__getitem__)
        hours = self.config.hours
        if hours is not None and self.seconds >= 3600.0 * hours:
            # The control gets as many trials as the search.
            return arm if counted[arm] < max(counted.values(), default=0) else None
        return arm if missing[arm] > 0 else None

    def _ask(self, arm: str, client: Client, space: DesignSpace, proposals: Proposals) -> None:
        """Let the sampler choose a design that can fulfil the constraints and send its packings to the workers."""
        # A trial that is stored in part would not be the same one after an interruption.
        with postponed(), self.searches.together():
            trial, design = proposals.next(arm, space, standing=self.standing)
        name = f"{self._name}-{arm}-{trial.number}"
        packings = Packings(client, design, proposals.ladder.cell, config=self.config, name=name)
        packings.submit(self.first_packings)
        self._in_flight.append(_InFlight(arm, trial, packings))

    def _finish(self, in_flight: _InFlight) -> TrialRecord:
        """Wait for the packings of a trial, for more of them while it may be the best, and store what they say."""
        packings, evaluations = in_flight.packings, []
        try:
            while True:
                evaluations += packings.results()
                is_pruned = self._is_worse(in_flight.arm, evaluations)
                if is_pruned or len(evaluations) >= self.config.replicates:
                    break
                packings.submit(NEXT_PACKINGS)
        except StudyError:
            raise  # of the database, not of the trial
        except Exception as error:  # noqa: BLE001  whatever a worker died of is stored with the trial; the study goes on
            return self._store_failure(in_flight, reason=failure_reason(error))
        with postponed(), self.searches.together():
            return self._store(in_flight, evaluations, is_pruned=is_pruned)

    @property
    def _prunes(self) -> bool:
        """Whether trials may end before their last packing."""
        config = self.config
        return config.pruning and config.replicates > FIRST_PACKINGS and len(config.objectives.maximize) == 1

    @property
    def first_packings(self) -> int:
        """Packings that every trial gets."""
        return FIRST_PACKINGS if self._prunes else self.config.replicates

    def _is_worse(self, arm: str, evaluations: Sequence[Mapping[str, Any]]) -> bool:
        """Test whether the packings so far are, one by one, worse than those of the best trial."""
        if not self._prunes or len(evaluations) >= self.config.replicates:
            return False
        from optuna.pruners import WilcoxonPruner
        from optuna.trial import TrialState, create_trial

        steps = {step: self._single(each) for step, each in enumerate(evaluations)}
        trial = create_trial(state=TrialState.RUNNING, intermediate_values=steps)
        with quiet():
            pruner = WilcoxonPruner(p_threshold=SIGNIFICANCE, n_startup_steps=FIRST_PACKINGS)
            return pruner.prune(self.searches.studies[arm], trial)

    def _single(self, evaluation: Mapping[str, Any]) -> float:
        """Return the only objective of one packing."""
        return self.config.objectives.values([evaluation])[0]

    def _store(
        self, in_flight: _InFlight, evaluations: Sequence[Mapping[str, Any]], *, is_pruned: bool
    ) -> TrialRecord:
        """Store what the packings of a trial say."""
        trial = in_flight.trial
        trial.set_user_attr(EVALUATIONS, evaluations)
        set_constraints(trial, measured_violations(evaluations, constraints=self.config.constraints))
        values = self.config.objectives.values(evaluations)
        if self._prunes:
            for step, evaluation in enumerate(evaluations):
                trial.report(self._single(evaluation), step)
        if is_pruned:
            # With its mean as value it teaches the sampler more than the last packing alone would.
            trial.set_user_attr(PRUNED, f"after {len(evaluations)} of {self.config.replicates} packings")
        with quiet():
            told = self.searches.tell(in_flight.arm, trial, self._told(trial, values))
        return record_of(in_flight.arm, told)

    def _told(self, trial: Trial, values: Sequence[float]) -> Sequence[float]:
        """Return what the sampler is told: objectives, or for one that knows no constraints how far they are violated."""
        violation = sum(value for value in trial.constraints.values() if value > 0)
        return [-violation] if self.config.search.sampler == "cmaes" and violation > 0 else values

    def _store_failure(self, in_flight: _InFlight, *, reason: str) -> TrialRecord:
        """Store why a trial has no result."""
        from optuna.trial import TrialState

        in_flight.trial.set_user_attr(FAILURE, reason)
        with quiet():
            told = self.searches.tell(in_flight.arm, in_flight.trial, None, state=TrialState.FAIL)
        return record_of(in_flight.arm, told)

    def _give_up_if_hopeless(self) -> None:
        """Stop a study in which nothing works."""
        if len(self.records) >= HOPELESS and not any(record.is_complete for record in self.records):
            raise StudyError(
                f"all of the first {len(self.records)} trials failed, the last with: {self.records[-1].failure}; "
                "correct the cause and start again in a new folder"
            )
