"""Which design next: ask the sampler, and tell it at once what no structure needs to be made for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.errors import StudyError
from studies.ladder import MOST_SCREENED, Verdict
from studies.samplers import make_sampler, quiet
from studies.tpe import TPEMemory
from studies.trials import ESTIMATES, REJECTED, measured_constraints, recipe_violations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.trial import FrozenTrial, Trial

    from meso import ElectrodeDesign
    from studies.config import StudyConfig
    from studies.database import Searches
    from studies.ladder import Ladder
    from studies.space import DesignSpace
    from studies.standing import Standing
    from studies.trials import TrialRecord

MOST_REJECTED = 200
"""So many designs in a row that violate a constraint on paper stop a study: the ranges hold no other."""


class Proposals:
    """
    Ask for designs that are worth a structure.

    Parameters
    ----------
    config : StudyConfig
        The study.
    searches : Searches
        Where trials are stored.
    ladder : Ladder
        Cheaper models that may reject a design.

    Notes
    -----
    A trial that was sent to workers before an interruption comes back as it was: its parameters are stored, and no sampler
    is asked, so that those which count generations are not confused.
    """

    def __init__(self, config: StudyConfig, *, searches: Searches, ladder: Ladder) -> None:
        self.config = config
        self.ladder = ladder
        self.searches = searches
        finished = [record for record in searches.records() if record.is_finished]
        self._numbers = {arm: sum(record.arm == arm for record in finished) for arm in searches.studies}
        self._memories = {arm: TPEMemory() for arm in searches.studies}
        self._may_wait = dict.fromkeys(searches.studies, True)

    def next(self, arm: str, space: DesignSpace, *, standing: Standing) -> tuple[Trial, ElectrodeDesign]:
        """
        Choose the next design.

        Parameters
        ----------
        arm : str
            Name of the search.
        space : DesignSpace
            What it varies.
        standing : Standing
            Trials with a result so far.

        Returns
        -------
        trial : optuna.trial.Trial
            The trial, not yet told.
        design : ElectrodeDesign
            Its design.

        Raises
        ------
        StudyError
            If all designs violate the constraints.
        """
        screened, last = 0, "nothing"
        for _ in range(MOST_REJECTED):
            trial, is_old = self._ask(arm)
            design = space.suggest(trial)
            if is_old:
                return trial, design
            violations = recipe_violations(
                design, constraints=self.config.constraints, active_capacity=space.active_capacity
            )
            set_constraints(trial, violations)
            broken = [name for name, value in violations.items() if value > 0]
            if broken:
                last = ", ".join(broken)
                nothing = (0.0,) * len(self.config.objectives.maximize)
                self._reject(arm, trial, Verdict(f"violates {last}", nothing), standing=standing)
                continue
            bounds = self.ladder.bounds(design)
            estimates = self.ladder.estimates(design, bounds=bounds)
            verdict = self.ladder.judge(estimates, bounds=bounds, arm=arm, standing=standing)
            if verdict is None or screened >= MOST_SCREENED:
                trial.set_user_attr(ESTIMATES, estimates)
                return trial, design
            screened += 1
            self._reject(arm, trial, verdict, standing=standing)
        raise StudyError(
            f"{MOST_REJECTED} {arm} designs in a row were rejected on paper, the last that broke a rule for {last}; relax "
            "this constraint or widen the ranges of [electrode]"
        )

    def _ask(self, arm: str) -> tuple[Trial, bool]:
        """Ask for a trial: one that an interruption put back, or a new one from the sampler."""
        from optuna.samplers import RandomSampler

        study = self.searches.studies[arm]
        waiting = self._waiting(arm)
        is_old = waiting is not None and ESTIMATES in waiting.user_attrs
        study.sampler = (
            RandomSampler(seed=0)
            if is_old
            else make_sampler(
                self.config,
                arm=arm,
                number=self._numbers[arm],
                memory=self._memories[arm],
                salt=self.searches.salt,
            )
        )
        with quiet():
            trial = study.ask()
        self._numbers[arm] = trial.number + 1
        return trial, is_old

    def _waiting(self, arm: str) -> FrozenTrial | None:
        """Return the trial that `optuna.Study.ask` will hand out again, if there is one."""
        from optuna.trial import TrialState

        if not self._may_wait[arm] and not self.searches.is_shared:
            return None
        waiting = self.searches.studies[arm].get_trials(deepcopy=False, states=(TrialState.WAITING,))
        self._may_wait[arm] = bool(waiting)
        return waiting[0] if waiting else None

    def _reject(self, arm: str, trial: Trial, verdict: Verdict, *, standing: Standing) -> None:
        """Tell the sampler about a design that nothing needs to be made for."""
        violation = sum(value for value in trial.constraints.values() if value > 0)
        if self.config.search.sampler == "gp":
            set_constraints(trial, _guessed(measured_constraints(self.config.constraints), standing.records))
        trial.set_user_attr(REJECTED, verdict.reason)
        values = (-violation,) if self.config.search.sampler == "cmaes" and violation else verdict.values
        with quiet():
            self.searches.studies[arm].tell(trial, values)


def set_constraints(trial: Trial, violations: Mapping[str, float]) -> None:
    """
    Store violations; a trial whose coordinator was killed meanwhile has some already.

    Parameters
    ----------
    trial : optuna.trial.Trial
        The trial.
    violations : mapping of str to float
        Relative violation of each constraint.
    """
    present = trial.constraints  # read from the database
    for name, value in violations.items():
        if name not in present:
            trial.set_constraint(name, value)


def _guessed(names: Sequence[str], records: Sequence[TrialRecord]) -> dict[str, float]:
    """Guess what only a structure would tell: a Gaussian process wants every constraint of every trial."""
    measured = [record.constraints for record in records if record.is_complete]
    return {
        name: min(0.0, sum(each[name] for each in measured) / len(measured)) if measured else 0.0
        for name in names
    }
