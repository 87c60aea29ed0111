"""The two searches of a study in Optuna's database, alone in a file or shared by several coordinators."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optuna import create_study, get_all_study_names, load_study
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import TrialState
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from studies.coordinators import Coordinators
from studies.errors import FolderError, InputError, StudyError
from studies.memory import KnownStorage
from studies.patience import OWNER, PatientStorage, explain, place_of, shared_database
from studies.storage import ARMS, StudyFolder, differences
from studies.trials import TrialRecord, record_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial, Trial

    from studies.config import StudyConfig

_CONFIG = "configuration"
"""Attribute of a search in a shared database: what all its coordinators must agree on."""
STORAGE_VARIABLE = "MESO_STORAGE_URL"
"""Environment variable with the address of a shared database, so that the password is in no command line."""
_OPENING = 81170331
"""Number of the lock under which the tables of a shared database are made."""


@dataclass(frozen=True)
class Searches:
    """
    The Optuna studies of a study.

    Parameters
    ----------
    storage : PatientStorage
        The database they are in.
    memory : KnownStorage or None
        What is known of a database that nobody else writes to, and the way to write to it; None for a shared one.
    studies : mapping of str to optuna.Study
        One per name in `ARMS`.
    coordinators : Coordinators or None
        Who else works on them; None where nobody else can.
    """

    storage: PatientStorage
    memory: KnownStorage | None
    studies: Mapping[str, Study]
    coordinators: Coordinators | None

    @property
    def is_shared(self) -> bool:
        """Whether other coordinators may add trials at any time."""
        return self.coordinators is not None

    @property
    def salt(self) -> tuple[int, ...]:
        """What keeps the random numbers of coordinators of one study apart; empty where there is only one."""
        return () if self.storage.owner is None else (int(self.storage.owner, 16),)

    def records(self, *, besides: Container[tuple[str, int]] = ()) -> list[TrialRecord]:
        """
        Read all trials.

        Parameters
        ----------
        besides : container of (str, int), default ()
            Search and number of trials that are known already.

        Returns
        -------
        list of TrialRecord
            The structured search first.
        """
        return _records(self.studies, besides=besides)

    def tell(
        self, arm: str, trial: Trial, value: Sequence[float] | None, *, state: TrialState | None = None
    ) -> FrozenTrial:
        """
        Finish a trial.

        Parameters
        ----------
        arm : str
            Name of the search.
        trial : optuna.trial.Trial
            The trial.
        value : sequence of float, optional
            Objectives; None for a failed trial.
        state : optuna.trial.TrialState, optional
            How it ended, if not as the value says.

        Returns
        -------
        optuna.trial.FrozenTrial
            The trial as stored. Where this coordinator was taken for dead meanwhile, another one may have finished it; the
            numbers are the same.
        """
        study = self.studies[arm]
        try:
            return study.tell(trial, value, state=state)
        except (ValueError, UpdateFinishedTrialError):
            stored = next(t for t in study.get_trials(deepcopy=False) if t.number == trial.number)
            if stored.state == TrialState.WAITING:
                self._trials.set_trial_state_values(stored._trial_id, TrialState.RUNNING)  # noqa: SLF001
                return study.tell(trial, value, state=state)
            if not stored.state.is_finished():
                raise
            return stored

    def elsewhere(self) -> Counter[str]:
        """
        Count the trials that other coordinators are busy with, and put those of dead ones back in the queue.

        Returns
        -------
        collections.Counter
            Number of trials by search.
        """
        counts: Counter[str] = Counter()
        if self.coordinators is None:
            return counts
        gone = self.coordinators.gone()
        for arm, trial in self._running():
            owner = trial.user_attrs.get(OWNER)
            if owner in gone:
                self._requeue(trial)
            elif owner != self.storage.owner:
                counts[arm] += 1
        return counts

    def requeue_running(self) -> int:
        """
        Put the trials that this coordinator, or the last one in its folder, was busy with back in the queue.

        Returns
        -------
        int
            How many there were.

        Notes
        -----
        They keep their number and their parameters: `optuna.Study.ask` hands them out again before it invents new ones.
        """
        mine = [
            trial
            for _, trial in self._running()
            if self.coordinators is None or trial.user_attrs.get(OWNER) == self.storage.owner
        ]
        for trial in mine:
            self._requeue(trial)
        return len(mine)

    def together(self) -> AbstractContextManager[None]:
        """
        Store what a block stores at once, where nobody else works on the study.

        Returns
        -------
        context manager
            For the block.
        """
        return nullcontext() if self.memory is None else self.memory.together()

    def hurry(self) -> None:
        """From now on, let calls fail at once where the database is away: the user wants to leave."""
        self.storage.patience = 0.0

    def close(self) -> None:
        """Leave the study and release the database."""
        if self.coordinators is not None:
            self.coordinators.leave()
        self.storage.close()

    @property
    def _trials(self) -> BaseStorage:
        """Where trials are read and changed."""
        return self.storage if self.memory is None else self.memory

    def _running(self) -> list[tuple[str, FrozenTrial]]:
        """List the trials that somebody is busy with, or was when it died."""
        states = (TrialState.RUNNING,)
        return [
            (arm, t) for arm, s in self.studies.items() for t in s.get_trials(deepcopy=False, states=states)
        ]

    def _requeue(self, trial: FrozenTrial) -> None:
        """Put a trial back in the queue, unless somebody has finished it this moment."""
        with suppress(UpdateFinishedTrialError):
            self._trials.set_trial_state_values(trial._trial_id, TrialState.WAITING)  # noqa: SLF001


@contextmanager
def open_searches(
    folder: StudyFolder,
    config: StudyConfig,
    *,
    names: Sequence[str] = ARMS,
    objectives: int = 1,
    storage: str | None = None,
) -> Iterator[Searches]:
    """
    Open the searches of a study for work, creating what is missing.

    Parameters
    ----------
    folder : StudyFolder
        The study folder, locked.
    config : StudyConfig
        The study.
    names : sequence of str
        Names of the searches; by default the search and its control.
    objectives : int, default 1
        How many numbers are maximised.
    storage : str, optional
        Address of a shared database; by default the one that the folder was started with, or a file in the folder.

    Yields
    ------
    Searches
        The searches.

    Raises
    ------
    InputError
        If the database cannot be used, or holds a study of this name with another configuration.
    """
    url, owner = _location(folder, storage)
    searches, opened = None, None
    try:
        with _explained(url, owner), _one_at_a_time(url, owner):
            opened = PatientStorage(url, owner=owner)
            memory = None if owner else KnownStorage(opened)
            studies = {
                arm: create_study(
                    storage=memory or opened,
                    study_name=_name(config, arm),
                    directions=["maximize"] * objectives,
                    load_if_exists=True,
                )
                for arm in names
            }
            first = studies[names[0]]
            if owner is not None:
                _agree(first, config, place_of(url))
        coordinators = None if owner is None else Coordinators(opened, first._study_id, owner=owner)  # noqa: SLF001
        searches = Searches(opened, memory, studies, coordinators)
        yield searches
    finally:
        if searches is not None:
            searches.close()
        elif opened is not None:
            opened.close()


def read_records(folder: StudyFolder) -> list[TrialRecord]:
    """
    Read all trials without changing anything; also while other processes work on them.

    Parameters
    ----------
    folder : StudyFolder
        A study folder.

    Returns
    -------
    list of TrialRecord
        The structured search first.
    """
    storage = open_storage(folder)
    try:
        config = folder.read_config()
        names = {arm: _name(config, arm) for arm in ARMS}
        present = set(get_all_study_names(storage))
        studies = {arm: load_study(storage=storage, study_name=n) for arm, n in names.items() if n in present}
        return _records(studies)
    finally:
        storage.close()


def open_storage(folder: StudyFolder) -> PatientStorage:
    """
    Open the database of a study folder to look into it.

    Parameters
    ----------
    folder : StudyFolder
        A study folder.

    Returns
    -------
    PatientStorage
        The database, without any patience: who looks does not want to wait.

    Raises
    ------
    InputError, StudyError
        If it cannot be opened.
    """
    url, owner = _location(folder, None)
    with _explained(url, owner):
        storage = PatientStorage(url)
    storage.patience = 0.0
    return storage


def _location(folder: StudyFolder, storage: str | None) -> tuple[URL, str | None]:
    """Find the database of a folder, and the name under which its coordinator works in a shared one."""
    shared = folder.shared_storage(None if storage is None else place_of(shared_database(storage)))
    if shared is None:
        return URL.create("sqlite", database=str(folder.database.resolve())), None
    return shared_database(storage or os.environ.get(STORAGE_VARIABLE) or shared.place), shared.coordinator


@contextmanager
def _explained(url: URL, owner: str | None) -> Iterator[None]:
    """Tell in one line why a database cannot be opened."""
    try:
        yield
    except (ImportError, NoSuchModuleError):
        raise InputError(
            "--storage needs psycopg, which is not installed; run: pip install 'meso-electrode[postgres]'"
        ) from None
    except (SQLAlchemyError, StorageInternalError) as error:
        kind = StudyError if owner is None else InputError
        raise kind(explain(error, url)) from None


@contextmanager
def _one_at_a_time(url: URL, owner: str | None) -> Iterator[None]:
    """Let one coordinator at a time make tables and studies in a shared database."""
    if owner is None:
        yield
        return
    engine = create_engine(url, hide_parameters=True)
    try:
        # The lock ends with the connection.
        with engine.connect() as connection:
            connection.execute(text(f"SELECT pg_advisory_lock({_OPENING})"))
            yield
    finally:
        engine.dispose()


def _agree(study: Study, config: StudyConfig, place: str) -> None:
    """Refuse to share a study of another configuration."""
    wanted = json.loads(json.dumps(config.to_dict()))
    stored: dict[str, Any] = study.user_attrs.get(_CONFIG, wanted)
    if _CONFIG not in study.user_attrs:
        study.set_user_attr(_CONFIG, wanted)
    changed = differences(stored, wanted)
    if changed:
        raise FolderError(
            f"{place}: holds a study {config.name!r} with another configuration: {', '.join(changed)}; change name, or "
            "restore these values"
        )


def _name(config: StudyConfig, arm: str) -> str:
    """Name a search in the database: studies of different names do not meet."""
    return f"{config.name}/{arm}"


def _records(studies: Mapping[str, Study], *, besides: Container[tuple[str, int]] = ()) -> list[TrialRecord]:
    """Turn trials into records."""
    return [
        record_of(arm, trial)
        for arm, study in studies.items()
        for trial in study.get_trials(deepcopy=False)
        if (arm, trial.number) not in besides
    ]
