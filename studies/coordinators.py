"""Who works on a shared study: every coordinator counts up in the database, the others watch."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studies.patience import PatientStorage

BEAT = 5.0
"""Time between two signs of life [s]."""
MOST_MISSED = 8
"""Looks at a count that has not changed after which its coordinator is taken for dead."""
_PREFIX = "coordinator "


class Coordinators:
    """
    The coordinators of a shared study.

    Parameters
    ----------
    storage : PatientStorage
        The shared database.
    study : int
        Optuna's number of the study that carries the signs of life.
    owner : str
        Name of this coordinator.

    Notes
    -----
    No clock is compared with another machine's: a coordinator is dead when its count stays the same over several looks, and
    nobody looks while the database is away. One that was only slow may be taken for dead; its trials are then evaluated
    twice, with the same numbers. Optuna's own heartbeat belongs to single trials and to `Study.optimize`, and fails trials
    instead of handing them on.
    """

    def __init__(self, storage: PatientStorage, study: int, *, owner: str) -> None:
        self._storage, self._study, self._owner = storage, study, owner
        self._watch = Watch(owner)
        self._left = threading.Event()
        self._count = 0
        self._look()
        self._thread = threading.Thread(target=self._live, name="sign of life", daemon=True)
        self._thread.start()

    def gone(self) -> frozenset[str]:
        """
        Name the coordinators that have left or died.

        Returns
        -------
        frozenset of str
            Their names; the same coordinator is never among them.
        """
        return self._watch.gone

    def leave(self) -> None:
        """Stop, and let the others know at once."""
        self._left.set()
        self._thread.join()
        with suppress(StorageInternalError, SQLAlchemyError):
            self._write(None)

    def _live(self) -> None:
        """Give signs of life until told to stop."""
        while not self._left.wait(BEAT):
            # Not the patient calls: a missed sign is nothing, and waiting belongs to the main thread.
            with suppress(StorageInternalError, SQLAlchemyError):
                self._look()
        self._storage.remove_session()

    def _look(self) -> None:
        """Count up, and see who else has."""
        self._count += 1
        self._write(self._count)
        attributes = RDBStorage.get_study_user_attrs(self._storage, self._study)
        self._watch.look({k.removeprefix(_PREFIX): v for k, v in attributes.items() if k.startswith(_PREFIX)})

    def _write(self, count: int | None) -> None:
        """Store the own count."""
        RDBStorage.set_study_user_attr(self._storage, self._study, _PREFIX + self._owner, count)


class Watch:
    """
    What one coordinator has seen of the others.

    Parameters
    ----------
    owner : str
        Name of the one that watches.

    Examples
    --------
    >>> watch = Watch("here")
    >>> for count in range(9):
    ...     watch.look({"here": count, "busy": count, "still": 3, "left": None})
    >>> sorted(watch.gone)
    ['left', 'still']
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._seen: dict[str, tuple[Any, int]] = {}
        self.gone: frozenset[str] = frozenset()

    def look(self, counts: Mapping[str, int | None]) -> None:
        """
        Take note of all counts.

        Parameters
        ----------
        counts : mapping of str to int or None
            By name; None for one that has left.
        """
        for name, count in counts.items():
            before, missed = self._seen.get(name, (None, 0))
            self._seen[name] = (count, missed + 1 if count == before else 0)
        self.gone = frozenset(
            name
            for name, (count, missed) in self._seen.items()
            if name != self._owner and (count is None or missed >= MOST_MISSED)
        )
