"""The study folder: its lock, its configuration, its database, and files that are whole or absent."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.config import StudyConfig
from studies.errors import FolderError
from studies.locks import only_coordinator
from studies.tables import flatten
from studies.trials import records_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from optuna import Study
    from optuna.storages import RDBStorage

    from studies.trials import TrialRecord

STRUCTURED = "structured"
UNIFORM = "uniform"
ARMS = (STRUCTURED, UNIFORM)
"""The search and its control: two Optuna studies in one database."""

_FREE_TO_CHANGE = frozenset({"trials", "hours", "description"})


@dataclass(frozen=True)
class StudyFolder:
    """
    Where a study lives on disk.

    Parameters
    ----------
    path : Path
        The folder.
    """

    path: Path

    @property
    def config_file(self) -> Path:
        """The exact configuration."""
        return self.path / "study.toml"

    @property
    def database(self) -> Path:
        """Optuna's SQLite database."""
        return self.path / "study.db"

    @property
    def best(self) -> Path:
        """Folder of the best structured design."""
        return self.path / "best"

    @property
    def figures(self) -> Path:
        """Folder of the figures."""
        return self.path / "figures"

    @classmethod
    def existing(cls, path: str | Path) -> StudyFolder:
        """
        Return the folder of a study that has been started.

        Parameters
        ----------
        path : str or Path
            The folder.

        Returns
        -------
        StudyFolder
            The folder.

        Raises
        ------
        FolderError
            If there is no study in it.
        """
        folder = cls(Path(path))
        if not folder.path.is_dir():
            raise FolderError(f"{path}: no such folder; start a study with meso run CONFIG --folder {path}")
        for file in (folder.config_file, folder.database):
            if not file.is_file():
                raise FolderError(
                    f"{path}: not a study folder, {file.name} is missing; start one with meso run CONFIG"
                )
        return folder

    def read_config(self) -> StudyConfig:
        """
        Read the configuration that the folder was started with.

        Returns
        -------
        StudyConfig
            The configuration.

        Raises
        ------
        ConfigError
            If the file was damaged.
        """
        return StudyConfig.from_toml(self.config_file)

    def stored_seed(self) -> int | None:
        """
        Return the seed the folder was started with.

        Returns
        -------
        int or None
            None where no study was started yet.
        """
        return self.read_config().seed if self.config_file.is_file() else None

    def check(self, config: StudyConfig) -> None:
        """
        Refuse to continue a study with another configuration.

        Parameters
        ----------
        config : StudyConfig
            What is about to run.

        Raises
        ------
        FolderError
            If the folder cannot hold a study or holds one of another configuration.
        """
        if self.path.exists() and not self.path.is_dir():
            raise FolderError(f"{self.path}: is a file, not a folder; choose another --folder")
        if not self.config_file.is_file():
            # Hidden files are what a coordinator leaves that was killed before it wrote the configuration.
            if self.path.is_dir() and any(not file.name.startswith(".") for file in self.path.iterdir()):
                raise FolderError(
                    f"{self.path}: holds other files and no study; choose an empty or new --folder"
                )
            return
        stored, wanted = flatten(self.read_config().to_dict()), flatten(config.to_dict())
        keys = sorted(key for key in stored.keys() | wanted.keys() if stored.get(key) != wanted.get(key))
        changed = [
            f"{key} ({_shown(stored.get(key))} there, {_shown(wanted.get(key))} now)"
            for key in keys
            if key not in _FREE_TO_CHANGE
        ]
        if changed:
            raise FolderError(
                f"{self.config_file}: this folder holds a study with another configuration: {', '.join(changed)}; "
                "choose another --folder or restore these values"
            )

    def write_config(self, config: StudyConfig) -> None:
        """
        Write the configuration, with all defaults.

        Parameters
        ----------
        config : StudyConfig
            The configuration.
        """
        text = config.to_toml()
        if not self.config_file.is_file() or self.config_file.read_text("utf-8") != text:
            write_atomically(self.config_file, text)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """
        Keep other coordinators out of the folder.

        Yields
        ------
        None
            While the lock is held; the system releases it even when the process is killed.

        Raises
        ------
        FolderError
            If another process holds it; the text names its host and process.
        """
        with only_coordinator(self.path / ".lock"):
            yield

    def read_records(self) -> list[TrialRecord]:
        """
        Read all trials without changing anything; also while another process works on them.

        Returns
        -------
        list of TrialRecord
            The structured search first.
        """
        from optuna import get_all_study_names, load_study

        storage = _storage(self.database)
        try:
            names = set(get_all_study_names(storage))
            studies = [load_study(storage=storage, study_name=arm) for arm in ARMS if arm in names]
            return [record for study in studies for record in records_of(study)]
        finally:
            _release(storage)

    def open_searches(self, names: Sequence[str] = ARMS, *, objectives: int = 1) -> Searches:
        """
        Open searches, creating what is missing.

        Parameters
        ----------
        names : sequence of str
            Names of the Optuna studies; by default the search and its control.
        objectives : int, default 1
            How many numbers are maximised.

        Returns
        -------
        Searches
            The searches.
        """
        from optuna import create_study

        storage = _storage(self.database)
        studies = {
            arm: create_study(
                storage=storage, study_name=arm, directions=["maximize"] * objectives, load_if_exists=True
            )
            for arm in names
        }
        return Searches(storage, studies)


@dataclass(frozen=True)
class Searches:
    """
    The Optuna studies of a folder.

    Parameters
    ----------
    storage : optuna.storages.RDBStorage
        Where they are stored.
    studies : mapping of str to optuna.Study
        One per name.
    """

    storage: RDBStorage
    studies: Mapping[str, Study]

    def records(self) -> list[TrialRecord]:
        """
        Read all trials.

        Returns
        -------
        list of TrialRecord
            The structured search first.
        """
        return [record for study in self.studies.values() for record in records_of(study)]

    def requeue_running(self) -> int:
        """
        Put trials that nobody works on any more back in the queue, under their own number.

        Returns
        -------
        int
            How many there were.

        Notes
        -----
        They keep their parameters: `optuna.Study.ask` hands them out again before it invents new ones.
        """
        from optuna.trial import TrialState

        count = 0
        for arm, study in self.studies.items():
            for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                identity = self.storage.get_study_id_from_name(arm)
                number = self.storage.get_trial_id_from_study_id_trial_number(identity, trial.number)
                self.storage.set_trial_state_values(number, TrialState.WAITING)
                count += 1
        return count

    def close(self) -> None:
        """Release the database."""
        _release(self.storage)


def write_atomically(path: Path, content: str | bytes) -> None:
    """
    Write a file so that it is whole or as it was before, whatever happens.

    Parameters
    ----------
    path : Path
        The file; its folder is created where missing.
    content : str or bytes
        All of it; text is encoded as UTF-8.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; these are for colleagues as well.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: dict[str, Any]) -> None:
    """
    Write JSON atomically, refusing numbers that JSON does not know.

    Parameters
    ----------
    path : Path
        The file.
    content : dict
        Plain numbers, texts, lists and dictionaries.
    """
    write_atomically(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _shown(value: Any) -> str:
    """Show a value in an error; an absent one says so."""
    return "not set" if value is None else repr(value)


def _storage(database: Path) -> RDBStorage:
    """Open a SQLite database of Optuna, waiting for other processes rather than failing."""
    from optuna.storages import RDBStorage
    from sqlalchemy import URL

    url = URL.create("sqlite", database=str(database.resolve()))
    return RDBStorage(url.render_as_string(), engine_kwargs={"connect_args": {"timeout": 60}})


def _release(storage: RDBStorage) -> None:
    """Close the connections to a database."""
    storage.remove_session()
    storage.engine.dispose()
