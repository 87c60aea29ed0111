"""Interruptions: postponed while something must not be left half done, ignored by processes that are not in charge."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)

# Signals are the process's own, and so is what has come of them: one list for each block that postpones them.
_postponed: list[list[tuple[int, Any]]] = []


@contextmanager
def postponed() -> Iterator[None]:
    """
    Let the block finish before an interruption takes effect.

    Yields
    ------
    None
        While interruptions wait.
    """
    received: list[tuple[int, Any]] = []
    _postponed.append(received)
    try:
        with _handled(lambda number, frame: received.append((number, frame))) as before:
            yield
    finally:
        _postponed.pop()
    for number, frame in received[:1]:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)


def pending() -> bool:
    """
    Tell whether an interruption waits for the end of a `postponed` block; what may take long looks now and then.

    Returns
    -------
    bool
        True from the first signal until the block has ended.
    """
    return any(_postponed)


@contextmanager
def ignored() -> Iterator[None]:
    """
    Ignore interruptions, and make processes that are started in the block ignore them for good.

    Yields
    ------
    None
        While interruptions are ignored.

    Notes
    -----
    Ctrl-C reaches all processes of a terminal. Only the coordinator should answer it; it then stops its workers.
    """
    with _handled(signal.SIG_IGN):
        yield


@contextmanager
def _handled(
    handler: Callable[[int, Any], Any] | signal.Handlers,
) -> Iterator[dict[signal.Signals, Any]]:
    """Install a handler for a while; outside the main thread, which Python does not interrupt, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield {}
        return
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield before
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
