"""The trials of a database that only this process writes to: read once, then known; changes are stored in one piece."""

from __future__ import annotations

import json
from contextlib import contextmanager
from copy import copy
from copy import deepcopy as copied
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optuna.distributions import check_distribution_compatibility, distribution_to_json
from optuna.storages import BaseStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import bindparam, update
from sqlalchemy.dialects.sqlite import insert

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.study import StudyDirection
    from optuna.study._frozen import FrozenStudy

    from studies.patience import PatientStorage


class KnownStorage(BaseStorage):
    """
    Optuna's storage for a database that nobody else writes to.

    Parameters
    ----------
    database : PatientStorage
        The database, SQLite.

    Notes
    -----
    Optuna's own storage asks the database for everything that it is asked, some hundred questions for a trial. Here the
    trials are in memory, and every change is written to the database before the call returns, or at the end of a block in
    `together`: what is not there after a crash was not reported as done. Where writing fails, the memory is given up and
    read anew.
    """

    def __init__(self, database: PatientStorage) -> None:
        self.database = database
        self._studies: dict[int, list[FrozenTrial]] = {}
        self._unfinished: dict[int, set[int]] = {}
        self._trials: dict[int, FrozenTrial] = {}
        self._study_of: dict[int, int] = {}
        self._distributions: dict[tuple[int, str], BaseDistribution] = {}
        self._rows: dict[Any, list[dict[str, Any]]] = {}
        self._last_id: int | None = None
        self._is_together = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """
        Store what the block stores in one transaction: whole or not at all, and with one wait for the disk, not dozens.

        Yields
        ------
        None
            For the main thread.

        Raises
        ------
        StudyError
            If it cannot be stored.
        """
        self._is_together = True
        try:
            yield
        except BaseException:
            self._forget()
            raise
        finally:
            self._is_together = False
        self._store()

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        """Create a study."""
        return self.database.create_new_study(directions, study_name)

    def delete_study(self, study_id: int) -> None:
        """Delete a study."""
        self._forget()
        self.database.delete_study(study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Set an attribute of a study."""
        self.database.set_study_user_attr(study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Set an attribute of a study that belongs to Optuna."""
        self.database.set_study_system_attr(study_id, key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        """Find a study."""
        return self.database.get_study_id_from_name(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        """Name a study."""
        return self.database.get_study_name_from_id(study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """List what is maximised."""
        return self.database.get_study_directions(study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Return the attributes of a study."""
        return self.database.get_study_user_attrs(study_id)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return the attributes of a study that belong to Optuna."""
        return self.database.get_study_system_attrs(study_id)

    def get_all_studies(self) -> list[FrozenStudy]:
        """List all studies."""
        return self.database.get_all_studies()

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Create a trial: a running one, or as the template says."""
        known = self._known(study_id)
        if template_trial is not None:
            self._store()
            trial = self.database._create_new_trial(study_id, template_trial)  # noqa: SLF001
            self._last_id = trial._trial_id  # noqa: SLF001
        else:
            trial = FrozenTrial(
                number=len(known), trial_id=self._next_id(), state=TrialState.RUNNING, value=None,
                datetime_start=datetime.now(), datetime_complete=None,  # noqa: DTZ005  as Optuna stores it
                params={}, distributions={}, user_attrs={}, system_attrs={}, intermediate_values={},
            )  # fmt: skip
            self._later(
                _NEW, trial_id=trial._trial_id, number=trial.number, study_id=study_id, state=trial.state,  # noqa: SLF001
                datetime_start=_utc(trial.datetime_start),
            )  # fmt: skip
        self._learn(study_id, trial)
        return trial._trial_id  # noqa: SLF001

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        """Set a parameter of an unfinished trial."""
        trial = self._changed(trial_id)
        known = self._distributions.setdefault((self._study_of[trial_id], param_name), distribution)
        check_distribution_compatibility(known, distribution)
        trial.params[param_name] = distribution.to_external_repr(param_value_internal)
        trial.distributions[param_name] = distribution
        self._later(
            _PARAMETER, trial_id=trial_id, param_name=param_name, param_value=param_value_internal,
            distribution_json=distribution_to_json(distribution),
        )  # fmt: skip

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Change the state of an unfinished trial; False if it is to be taken out of the queue and is not in it."""
        before = self.get_trial(trial_id).state
        self.check_trial_is_updatable(trial_id, before)
        if state == TrialState.RUNNING and before != TrialState.WAITING:
            return False
        trial = self._changed(trial_id)
        if values is not None:
            trial.values = list(values)
            for objective, value in enumerate(values):
                stored, kind = models.TrialValueModel.value_to_stored_repr(value)
                self._later(_VALUE, trial_id=trial_id, objective=objective, value=stored, value_type=kind)
        trial.state = state
        if state == TrialState.RUNNING:
            trial.datetime_start = datetime.now()  # noqa: DTZ005  as Optuna stores it
        if state.is_finished():
            trial.datetime_complete = datetime.now()  # noqa: DTZ005
            self._replace(_Finished.of(trial))
        self._later(
            _STATE, of=trial_id, new=state, start=_utc(trial.datetime_start), complete=_utc(trial.datetime_complete)
        )  # fmt: skip
        return True

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Set the value of a step of an unfinished trial."""
        self._changed(trial_id).intermediate_values[step] = intermediate_value
        stored, kind = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr(
            intermediate_value
        )
        self._later(
            _STEP, trial_id=trial_id, step=step, intermediate_value=stored, intermediate_value_type=kind
        )

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Set an attribute of an unfinished trial."""
        self._set_attribute(_USER, trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Set an attribute of an unfinished trial that belongs to Optuna."""
        self._set_attribute(_SYSTEM, trial_id, key, value)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a trial as it is now."""
        if trial_id not in self._trials:
            for study_id in [study._study_id for study in self.database.get_all_studies()]:  # noqa: SLF001
                self._known(study_id)
        return self._trials[trial_id]

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,  # noqa: FBT001, FBT002  Optuna's signature
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """List the trials of a study, by number."""
        known = self._known(study_id)
        if states is not None and not any(state in states for state in _FINISHED):
            known = [self._trials[trial_id] for trial_id in sorted(self._unfinished[study_id])]
        found = known[:] if states is None else [trial for trial in known if trial.state in states]
        return copied(found) if deepcopy else found

    def _set_attribute(self, statement: Any, trial_id: int, key: str, value: Any) -> None:
        """Set an attribute, as JSON would give it back."""
        stored = json.dumps(value)
        trial = self._changed(trial_id)
        attributes = trial.user_attrs if statement is _USER else trial.system_attrs
        attributes[key] = json.loads(stored)
        self._later(statement, trial_id=trial_id, key=key, value_json=stored)

    def _known(self, study_id: int) -> list[FrozenTrial]:
        """Return the trials of a study by number, read from the database the first time."""
        if study_id not in self._studies:
            self._store()
            stored = self.database._get_trials(study_id, None, set(), -1)  # noqa: SLF001
            self._studies[study_id], self._unfinished[study_id] = [], set()
            for trial in sorted(stored, key=lambda each: each.number):
                self._learn(study_id, trial)
        return self._studies[study_id]

    def _learn(self, study_id: int, trial: FrozenTrial) -> None:
        """Take note of a trial that is new to the memory."""
        self._study_of[trial._trial_id] = study_id  # noqa: SLF001
        self._studies[study_id].append(trial)
        for name, distribution in trial.distributions.items():
            self._distributions.setdefault((study_id, name), distribution)
        self._replace(_Finished.of(trial) if trial.state.is_finished() else trial)

    def _changed(self, trial_id: int) -> FrozenTrial:
        """Return a copy of an unfinished trial to change, in place of what others may still hold."""
        before = self.get_trial(trial_id)
        self.check_trial_is_updatable(trial_id, before.state)
        trial = copy(before)
        trial.params, trial.distributions = dict(before.params), dict(before.distributions)
        trial.user_attrs, trial.system_attrs = dict(before.user_attrs), dict(before.system_attrs)
        trial.intermediate_values = dict(before.intermediate_values)
        self._replace(trial)
        return trial

    def _replace(self, trial: FrozenTrial) -> None:
        """Put a trial in its place."""
        trial_id = trial._trial_id  # noqa: SLF001
        study_id = self._study_of[trial_id]
        self._trials[trial_id] = self._studies[study_id][trial.number] = trial
        (self._unfinished[study_id].discard if trial.state.is_finished() else self._unfinished[study_id].add)(
            trial_id
        )

    def _next_id(self) -> int:
        """Give a new trial its number, over all studies of the database."""
        if self._last_id is None:
            self._last_id = self.database.last_trial_id()
        self._last_id += 1
        return self._last_id

    def _later(self, statement: Any, **row: Any) -> None:
        """Write a row: at the end of the block in `together`, or now."""
        self._rows.setdefault(statement, []).append(row)
        if not self._is_together:
            self._store()

    def _store(self) -> None:
        """Write what is not in the database yet, in one transaction."""
        rows, self._rows = self._rows, {}
        if not rows:
            return
        try:
            self.database.execute([(statement, rows[statement]) for statement in _ORDER if statement in rows])
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        """Give the memory up: the database does not hold what it says."""
        for each in (self._studies, self._unfinished, self._trials, self._study_of, self._rows):
            each.clear()
        self._last_id = None


class _Finished(FrozenTrial):
    """A trial that will not change: samplers ask thousands of them for their constraints, each time anew."""

    @classmethod
    def of(cls, trial: FrozenTrial) -> _Finished:
        """Finish a trial."""
        finished = cls.__new__(cls)
        finished.__dict__.update(trial.__dict__)
        return finished

    @cached_property
    def constraints(self) -> dict[str, float]:
        """How far each constraint is violated."""
        return super().constraints


def _utc(moment: datetime | None) -> datetime | None:
    """Turn local time into what Optuna's tables hold."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _upsert(model: Any, key: str, *values: str) -> Any:
    """Insert a row, or overwrite the values of the one that is there."""
    statement = insert(model.__table__)
    changes = {name: statement.excluded[name] for name in values}
    return statement.on_conflict_do_update(index_elements=["trial_id", key], set_=changes)


_TRIALS = models.TrialModel.__table__
_NEW = insert(_TRIALS)
_PARAMETER = insert(models.TrialParamModel.__table__)
_USER = _upsert(models.TrialUserAttributeModel, "key", "value_json")
_SYSTEM = _upsert(models.TrialSystemAttributeModel, "key", "value_json")
_VALUE = _upsert(models.TrialValueModel, "objective", "value", "value_type")
_STEP = _upsert(models.TrialIntermediateValueModel, "step", "intermediate_value", "intermediate_value_type")
_STATE = (
    update(_TRIALS)
    .where(_TRIALS.c.trial_id == bindparam("of"))
    .values(
        state=bindparam("new"), datetime_start=bindparam("start"), datetime_complete=bindparam("complete")
    )
)
_ORDER = (_NEW, _PARAMETER, _USER, _SYSTEM, _VALUE, _STEP, _STATE)
"""A trial is written before what belongs to it, and finished last."""
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
