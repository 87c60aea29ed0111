"""Optuna's dashboard on a study folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.database import open_storage
from studies.errors import InputError
from studies.storage import StudyFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOOPBACK = "127.0.0.1"


def serve(folder: str | Path, *, port: int, announce: Callable[[str], None]) -> None:
    """
    Show a study in a browser until interrupted.

    Parameters
    ----------
    folder : str or Path
        The study folder; a coordinator may be working in it.
    port : int
        Port on the loopback interface, so that nobody else on the network sees it; 0 chooses a free one.
    announce : callable
        Called with the address once it is known.

    Raises
    ------
    InputError
        If optuna-dashboard is not installed, or the port is taken.
    """
    try:
        from optuna_dashboard import wsgi
    except ImportError:
        raise InputError(
            "meso dashboard needs optuna-dashboard, which is not installed; run: pip install 'meso-electrode[dashboard]'"
        ) from None
    from wsgiref.simple_server import make_server

    storage = open_storage(StudyFolder.existing(folder))
    try:
        with make_server(LOOPBACK, port, wsgi(storage)) as server:
            announce(f"http://{LOOPBACK}:{server.server_port}/dashboard (Ctrl-C ends it)")
            server.serve_forever()
    except OSError as error:
        raise InputError(f"--port {port}: {error.strerror}; choose another one, or 0 for any") from None
    finally:
        storage.close()
