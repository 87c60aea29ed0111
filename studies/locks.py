"""One coordinator at a time: a lock that names its holder and that the system releases when the holder dies."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from studies.errors import FolderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LONGEST = 4096
"""Bytes of the holder's description at most."""


@contextmanager
def only_coordinator(file: Path) -> Iterator[None]:
    """
    Keep other coordinators out.

    Parameters
    ----------
    file : Path
        The lock; created where missing and never removed, since another process may just be opening it.

    Yields
    ------
    None
        While the lock is held; the system releases it even when the process is killed.

    Raises
    ------
    FolderError
        If another process holds it; the text names its host and process.

    Notes
    -----
    The file is opened for writing, which network file systems demand for an exclusive lock, and holds host and process of
    the last holder: they count only while the lock is held.
    """
    import fcntl

    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderError(
                f"{file.parent}: another meso run{_holder(handle)} is working in this folder; wait for it, stop it, or "
                "choose another --folder"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode(), 0)
        yield
    finally:
        os.close(handle)


def _holder(handle: int) -> str:
    """Say who holds a lock; nothing where it has not written that down yet."""
    try:
        holder = json.loads(os.pread(handle, _LONGEST, 0))
        return f" (process {holder['pid']} on {holder['host']})"
    except (ValueError, KeyError, TypeError):
        return ""
