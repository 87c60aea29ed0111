"""The search behind the 99 % frontier: one search and one control at every rate, the loading as objective."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from studies.attain import THICKEST, attain
from studies.errors import StudyError
from studies.packings import packing_seed
from studies.parameters import LOADING
from studies.proposals import MOST_REJECTED
from studies.ranges import Range, fixed
from studies.signals import postponed
from studies.storage import ARMS
from studies.tpe import RememberingTPE, TPEMemory
from studies.trials import (
    EVALUATIONS,
    FAILURE,
    REJECTED,
    mean_of,
    measured_violations,
    recipe_violations,
    record_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from distributed import Client, Future
    from optuna import Study
    from optuna.trial import Trial

    from meso import ElectrodeDesign
    from solvers import CellParameters
    from studies.attain import Attained
    from studies.config import StudyConfig
    from studies.database import Searches
    from studies.parameter import Value
    from studies.space import DesignSpace
    from studies.trials import TrialRecord

ATTAINABLE = "attainable"
"""Constraint of a trial: whether the electrode as thin as one particle reaches the demanded utilization."""


def search_name(arm: str, c_rate: float) -> str:
    """
    Name the Optuna study of one search at one rate.

    Parameters
    ----------
    arm : str
        "structured" or "uniform".
    c_rate : float
        Rate [1/h].

    Returns
    -------
    str
        The name.
    """
    return f"frontier-{arm}-{c_rate:.6g}C"


def loading_of(record: TrialRecord) -> float:
    """
    Return the objective of a trial.

    Parameters
    ----------
    record : TrialRecord
        The trial.

    Returns
    -------
    float
        Mean areal capacity at the demanded utilization over its packings [A.h.m-2].
    """
    return mean_of(record.evaluations, "areal_capacity")


def best_loading(records: Sequence[TrialRecord]) -> TrialRecord | None:
    """
    Choose the feasible trial with the largest loading.

    Parameters
    ----------
    records : sequence of TrialRecord
        Trials of one search.

    Returns
    -------
    TrialRecord or None
        The earliest of the best; None where no design attains the demand.
    """
    feasible = [record for record in records if record.is_feasible and loading_of(record) > 0]
    return max(feasible, key=lambda record: (loading_of(record), -record.number), default=None)


@dataclass(frozen=True)
class _InFlight:
    """A trial that workers are busy with."""

    arm: str
    trial: Trial
    packings: Sequence[Future[Attained]]


class FrontierSearch:
    """
    Search the largest loading at one rate, structured and uniform side by side.

    Parameters
    ----------
    config : StudyConfig
        The study.
    searches : Searches
        Where trials are stored.
    spaces : mapping of str to DesignSpace
        What each search varies; the loading in it is not used.
    cell : CellParameters
        Chemistry and cut-offs.
    c_rate : float
        Rate [1/h].

    Notes
    -----
    The course of a search depends neither on the number of workers nor on interruptions, as in `studies.search`.
    """

    def __init__(
        self,
        config: StudyConfig,
        *,
        searches: Searches,
        spaces: Mapping[str, DesignSpace],
        cell: CellParameters,
        c_rate: float,
    ) -> None:
        self.config, self.plan = config, config.frontier
        self.cell, self.c_rate, self.spaces = cell, c_rate, spaces
        self.searches = searches
        self.studies: dict[str, Study] = {arm: searches.studies[search_name(arm, c_rate)] for arm in ARMS}
        stored = searches.records()
        self.records = {
            arm: [r for r in stored if r.arm == search_name(arm, c_rate) and r.is_finished] for arm in ARMS
        }
        self._numbers = {arm: len(self.records[arm]) for arm in ARMS}
        self._memories = {arm: TPEMemory() for arm in ARMS}
        self._in_flight: deque[_InFlight] = deque()

    @property
    def done(self) -> dict[str, int]:
        """Trials of each search that have a result or failed."""
        return {arm: sum(record.counts for record in self.records[arm]) for arm in ARMS}

    @property
    def winners(self) -> dict[str, TrialRecord | None]:
        """Best feasible trial of each search."""
        return {arm: best_loading(self.records[arm]) for arm in ARMS}

    def start_from(self, known: Mapping[str, Mapping[str, Value] | None], *, c_rate: float | None) -> None:
        """
        Let searches that have not begun try what was best at another rate first, both in the same way.

        Parameters
        ----------
        known : mapping of str to mapping or None
            Parameters for each search.
        c_rate : float or None
            The rate they were best at [1/h]; None: there is no other rate.

        Notes
        -----
        Twice: as they are, and with particles smaller by the square root of the ratio of the rates, which keeps what is
        lost to diffusion in them.
        """
        if c_rate is None:
            return
        shrink = (c_rate / self.c_rate) ** 0.5
        for arm, parameters in known.items():
            if parameters is None or self.studies[arm].get_trials(deepcopy=False):
                continue
            self.studies[arm].enqueue_trial(dict(parameters))
            diameters = self.spaces[arm].ranges["particle_diameter_um"]
            if isinstance(diameters, Range) and not diameters.is_fixed:
                scaled = float(parameters["particle_diameter_um"]) * shrink
                clipped = min(max(scaled, diameters.low), diameters.high)
                self.studies[arm].enqueue_trial(dict(parameters) | {"particle_diameter_um": clipped})

    def run(self, client: Client, *, on_trial: Callable[[TrialRecord], None]) -> None:
        """
        Run all missing trials.

        Parameters
        ----------
        client : distributed.Client
            The workers.
        on_trial : callable
            Called with every trial that has finished.
        """
        try:
            while True:
                while len(self._in_flight) < self.config.trials_in_flight and (arm := self._next_arm()):
                    with postponed(), self.searches.together():
                        trial, design = self._propose(arm)
                    self._in_flight.append(_InFlight(arm, trial, self._submit(client, design)))
                if not self._in_flight:
                    return
                record = self._finish(self._in_flight[0])
                self.records[self._in_flight.popleft().arm].append(record)
                on_trial(record)
        finally:
            self.searches.requeue_running()

    def _next_arm(self) -> str | None:
        """Alternate between search and control."""
        missing = {
            arm: self.plan.trials - self.done[arm] - sum(each.arm == arm for each in self._in_flight)
            for arm in ARMS
        }
        arm = max(missing, key=missing.__getitem__)
        return arm if missing[arm] > 0 else None

    def _propose(self, arm: str) -> tuple[Trial, ElectrodeDesign]:
        """Ask for a recipe that can fulfil the constraints, at the thickness of the search's structures."""
        study, space = self.studies[arm], self.spaces[arm]
        for _ in range(MOST_REJECTED):
            study.sampler = self._sampler(arm)
            trial = study.ask()
            self._numbers[arm] = trial.number + 1
            design = at_depth(space.suggest(trial), diameters=self.plan.depth_diameters)
            violations = recipe_violations(
                design, constraints=self.config.constraints, active_capacity=space.active_capacity
            )
            _constrain(trial, violations)
            if max(violations.values()) <= 0:
                return trial, design
            trial.set_user_attr(REJECTED, value=True)
            study.tell(trial, 0.0)
        raise StudyError(
            f"{MOST_REJECTED} {arm} designs in a row violate {', '.join(k for k, v in violations.items() if v > 0)}; "
            "relax this constraint or widen the ranges of [electrode]"
        )

    def _sampler(self, arm: str) -> Any:
        """Seed a sampler for one trial, so that a continued search does not repeat or shift random numbers."""
        place = (2, ARMS.index(arm), self.plan.c_rates.index(self.c_rate), self._numbers[arm])
        sequence = np.random.SeedSequence(self.config.seed, spawn_key=place)
        return RememberingTPE(
            n_startup_trials=self.plan.startup_trials,
            seed=int(sequence.generate_state(1)[0]),
            memory=self._memories[arm],
        )

    def _submit(self, client: Client, design: ElectrodeDesign) -> list[Future[Attained]]:
        """Send the packings of a trial to the workers."""
        return [
            client.submit(
                attain_packing,
                design,
                self.cell,
                config=self.config,
                c_rate=self.c_rate,
                replicate=replicate,
                pure=False,
            )
            for replicate in range(self.plan.replicates)
        ]

    def _finish(self, in_flight: _InFlight) -> TrialRecord:
        """Wait for the packings of a trial and store what they say."""
        from optuna.trial import TrialState

        study, trial = self.studies[in_flight.arm], in_flight.trial
        try:
            evaluations = [packing.result().to_dict() for packing in in_flight.packings]
        except Exception as error:  # noqa: BLE001  whatever a worker died of is stored with the trial; the study goes on
            trial.set_user_attr(FAILURE, f"{type(error).__name__}: {error}")
            return record_of(
                search_name(in_flight.arm, self.c_rate), study.tell(trial, state=TrialState.FAIL)
            )
        with postponed(), self.searches.together():
            trial.set_user_attr(EVALUATIONS, evaluations)
            thin = mean_of(evaluations, "thin_utilization")
            violations = measured_violations(evaluations, constraints=self.config.constraints)
            _constrain(trial, violations | {ATTAINABLE: (self.plan.target - thin) / (1 - self.plan.target)})
            told = study.tell(trial, mean_of(evaluations, "areal_capacity"))
        return record_of(search_name(in_flight.arm, self.c_rate), told)


def frontier_spaces(config: StudyConfig, *, active_capacity: float) -> dict[str, DesignSpace]:
    """
    Return what the search and its control vary: everything but the loading.

    Parameters
    ----------
    config : StudyConfig
        The study.
    active_capacity : float
        Capacity of the active material between the cut-offs [A.h.m-3].

    Returns
    -------
    dict of str to DesignSpace
        By arm.
    """
    from studies.space import DesignSpace

    space = DesignSpace.of(config, active_capacity=active_capacity)
    space = replace(space, ranges={**space.ranges, LOADING: fixed(1.0)})
    return {ARMS[0]: space, ARMS[1]: space.uniform}


def at_depth(design: ElectrodeDesign, *, diameters: float) -> ElectrodeDesign:
    """
    Make a recipe as thick as a number of its particles.

    Parameters
    ----------
    design : ElectrodeDesign
        The recipe.
    diameters : float
        Thickness over the median diameter.

    Returns
    -------
    ElectrodeDesign
        The same recipe at that thickness.
    """
    return replace(design, thickness=diameters * design.median_diameter)


def attain_packing(
    design: ElectrodeDesign,
    cell: CellParameters,
    *,
    config: StudyConfig,
    c_rate: float,
    replicate: int,
    own_thickness: bool = False,
) -> Attained:
    """
    Find the largest loading of a recipe on one packing of a study; runs in a worker.

    Parameters
    ----------
    design : ElectrodeDesign
        The recipe, at the thickness its structure is made with.
    cell : CellParameters
        Chemistry and cut-offs.
    config : StudyConfig
        Gives demand, resolution and seed.
    c_rate : float
        Rate [1/h].
    replicate : int
        Number of the packing, see `studies.packings.packing_seed`.
    own_thickness : bool, default False
        Whether the structure is made again at the thickness found.

    Returns
    -------
    Attained
        The result.
    """
    most = config.constraints.maximum_thickness_um
    return attain(
        design,
        cell,
        c_rate=c_rate,
        target=config.frontier.target,
        seed=packing_seed(config, replicate),
        structure=config.structure.model_dump(),
        own_thickness=own_thickness,
        thickest=THICKEST if most is None else 1e-6 * most,
    )


def _constrain(trial: Trial, violations: Mapping[str, float]) -> None:
    """Store violations; a trial whose coordinator was killed meanwhile has some already."""
    for name, value in violations.items():
        if name not in trial.constraints:
            trial.set_constraint(name, value)
