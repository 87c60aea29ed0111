"""The study folder: its lock, its configuration, its database, and files that are whole or absent."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from studies.config import StudyConfig
from studies.errors import FolderError
from studies.locks import only_coordinator
from studies.tables import flatten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from studies.trials import TrialRecord

STRUCTURED = "structured"
UNIFORM = "uniform"
ARMS = (STRUCTURED, UNIFORM)
"""The search and its control: two Optuna studies in one database."""

_FREE_TO_CHANGE = frozenset({"cluster", "trials", "hours", "description"})


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
    def storage_file(self) -> Path:
        """Where the searches are instead, if several coordinators share them."""
        return self.path / "storage.json"

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
        database = folder.storage_file if folder.storage_file.is_file() else folder.database
        for file in (folder.config_file, database):
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
        changed = differences(self.read_config().to_dict(), config.to_dict())
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

    def is_compiled(self, kernels: Mapping[str, str]) -> bool:
        """
        Tell whether the kernels were compiled for this study on this machine already.

        Parameters
        ----------
        kernels : mapping of str to str
            Which kernels, see `studies.workers.kernel_versions`.

        Returns
        -------
        bool
            Whether `note_compiled` was called with the same.
        """
        file = self.path / ".compiled"
        return file.is_file() and json.loads(file.read_text("utf-8")) == kernels

    def note_compiled(self, kernels: Mapping[str, str]) -> None:
        """
        Remember that the kernels were compiled, so that a study continues within seconds.

        Parameters
        ----------
        kernels : mapping of str to str
            Which kernels.
        """
        write_json(self.path / ".compiled", dict(kernels))

    def shared_storage(self, place: str | None) -> SharedStorage | None:
        """
        Say where the searches are, if not in a file of this folder; a new folder remembers it.

        Parameters
        ----------
        place : str or None
            Address without password of the database that is asked for, if any.

        Returns
        -------
        SharedStorage or None
            The shared database of this folder; None where the folder has its own.

        Raises
        ------
        FolderError
            If the folder was started elsewhere.
        """
        file = self.storage_file
        if file.is_file():
            stored = SharedStorage(**json.loads(file.read_text("utf-8")))
            if place not in {None, stored.place}:
                raise FolderError(
                    f"{self.path}: was started with --storage {stored.place}, not {place}; choose another --folder"
                )
            return stored
        if place is None:
            return None
        if self.database.is_file():
            raise FolderError(
                f"{self.path}: this study is in {self.database.name}, not in {place}; choose another --folder, or leave "
                "--storage and MESO_STORAGE_URL out"
            )
        shared = SharedStorage(place=place, coordinator=uuid4().hex)
        write_json(file, asdict(shared))
        return shared

    def read_records(self) -> list[TrialRecord]:
        """
        Read all trials without changing anything; also while another process works on them.

        Returns
        -------
        list of TrialRecord
            The structured search first.
        """
        from studies.database import read_records

        return read_records(self)


@dataclass(frozen=True)
class SharedStorage:
    """
    A database that several coordinators share.

    Parameters
    ----------
    place : str
        Its address without password.
    coordinator : str
        Name under which the coordinator of this folder works there.
    """

    place: str
    coordinator: str


def differences(stored: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """
    List what differs between two configurations and must not.

    Parameters
    ----------
    stored, wanted : dict
        Configurations as `StudyConfig.to_dict` returns them.

    Returns
    -------
    list of str
        Key and both values of each difference.
    """
    there, now = flatten(stored), flatten(wanted)
    return [
        f"{key} ({_shown(there.get(key))} there, {_shown(now.get(key))} now)"
        for key in sorted(there.keys() | now.keys())
        if there.get(key) != now.get(key) and key.split(".")[0] not in _FREE_TO_CHANGE
    ]


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
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None
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
