"""A storage that outlives its database: one policy for all calls that a coordinator makes."""

from __future__ import annotations

from datetime import datetime
from functools import wraps
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import URL, func, make_url, select
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
)

from studies import signals
from studies.errors import InputError, StudyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Executable

OWNER = "coordinator"
"""Attribute of a trial in a shared database: who works on it."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Time between two attempts, doubled from one to the next [s]."""
LONGEST_OUTAGE = 3600.0
"""Time after which a coordinator gives a database up [s]."""

_FULL = ("disk is full", "disk full", "no space left", "could not extend file", "disk i/o error")
_PATIENT = (
    "create_new_study",
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_directions",
    "get_study_user_attrs",
    "get_study_system_attrs",
    "get_all_studies",
    "set_study_user_attr",
    "set_study_system_attr",
    "_create_new_trial",
    "_set_trial_param",
    "set_trial_intermediate_value",
    "set_trial_user_attr",
    "set_trial_system_attr",
    "set_trial_state_values",
    "get_trial",
    "_get_trials",
    "_get_best_trial_id",
    "get_trial_id_from_study_id_trial_number",
    "get_trial_user_attrs",
    "get_trial_system_attrs",
)
"""The methods of Optuna's storage that reach the database."""


def place_of(url: URL) -> str:
    """
    Name a database without anything secret.

    Parameters
    ----------
    url : sqlalchemy.URL
        Where it is.

    Returns
    -------
    str
        Driver, user, host, port and name.
    """
    shown = {key: value for key, value in url.query.items() if key in {"host", "port", "sslmode"}}
    # `set` would keep a password that is to become None.
    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, shown)
    return bare.render_as_string()


def shared_database(address: str) -> URL:
    """
    Read the address of a database that several coordinators share.

    Parameters
    ----------
    address : str
        ``postgresql+psycopg://USER:PASSWORD@HOST/DATABASE``.

    Returns
    -------
    sqlalchemy.URL
        The address.

    Raises
    ------
    InputError
        If it is none; the text does not repeat the address, which may hold a password.
    """
    rule = "must be an address like postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise InputError(f"--storage {rule}, and cannot be read as one; correct it") from None
    if url.get_backend_name() != "postgresql":
        raise InputError(
            f"--storage {rule}, got one that begins with {url.drivername!r}; a study alone in its folder needs none"
        )
    return url.set(drivername="postgresql+psycopg")


def explain(error: BaseException, url: URL) -> str:
    """
    Say in one line, and without the password, why a database cannot be used.

    Parameters
    ----------
    error : BaseException
        What Optuna, SQLAlchemy or the driver raised.
    url : sqlalchemy.URL
        The database.

    Returns
    -------
    str
        Place, reason, remedy.
    """
    cause = _cause(error)
    reason = " ".join(str(getattr(cause, "orig", None) or cause).split("\n", maxsplit=1)[0].split())
    for secret in (url.password, *(url.query[key] for key in url.query if "pass" in key)):
        reason = reason.replace(str(secret), "***") if secret else reason
    where = url.database if url.get_backend_name() == "sqlite" else place_of(url)
    if is_full(error):
        remedy = (
            "is the disk full? Free some space, then the same command continues; no complete trial is lost"
        )
    else:
        remedy = "put this right, then the same command continues; no complete trial is lost"
    return f"{where}: {reason}; {remedy}"


def is_full(error: BaseException) -> bool:
    """
    Tell a full disk from other trouble.

    Parameters
    ----------
    error : BaseException
        What Optuna, SQLAlchemy or the driver raised.

    Returns
    -------
    bool
        Whether a write failed for lack of space.
    """
    return any(sign in str(_cause(error)).lower() for sign in _FULL)


def passes(error: BaseException) -> bool:
    """
    Judge whether an error may be gone at the next attempt.

    Parameters
    ----------
    error : BaseException
        What Optuna, SQLAlchemy or the driver raised.

    Returns
    -------
    bool
        True for a server that is away, restarts or is busy, and for a locked file.
    """
    cause = _cause(error)
    if isinstance(cause, PendingRollbackError):
        return True  # Optuna asked again on a connection that had just broken
    if not isinstance(cause, DBAPIError) or is_full(error):
        return False
    if type(cause.orig).__module__.startswith("sqlite3"):
        return "locked" in str(cause) or "busy" in str(cause)
    return cause.connection_invalidated or isinstance(cause, OperationalError | InterfaceError)


def _cause(error: BaseException) -> BaseException:
    """Look behind Optuna's general text."""
    return error.__cause__ or error if isinstance(error, StorageInternalError) else error


class PatientStorage(RDBStorage):
    """
    Optuna's database storage, with patience.

    Parameters
    ----------
    url : sqlalchemy.URL
        The database.
    owner : str, optional
        Who works here. In a database that several coordinators share, every trial carries the name of its owner.

    Raises
    ------
    sqlalchemy.exc.SQLAlchemyError
        If the database cannot be opened; here nothing is tried again, since the address may be wrong.

    Notes
    -----
    A call that fails because the database is away is made again, after pauses that double up to `LONGEST_PAUSE`, for
    `patience` seconds. An attempt whose answer was lost may have been carried out: finishing a trial twice is no error, and
    attributes are overwritten with the same values. A trial created twice stays behind, owned by this coordinator, and
    is handed out when the study is continued.
    """

    def __init__(self, url: URL, *, owner: str | None = None) -> None:
        self.address = url
        self.owner = owner
        self.patience = LONGEST_OUTAGE
        self.on_wait: Callable[[], None] = lambda: None
        text = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
        if url.get_backend_name() == "sqlite":
            options: dict[str, Any] = {"connect_args": {"timeout": 60}}
        else:
            # A connection that broke while it was idle is noticed before it is used, a machine that vanished in a minute.
            keepalive = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
            options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10, **keepalive}}
        super().__init__(text, engine_kwargs={**options, "hide_parameters": True})

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        """Create a trial that has its owner from the first moment on."""
        if template_trial is None and self.owner is not None:
            template_trial = FrozenTrial(
                number=-1,
                trial_id=-1,
                state=TrialState.RUNNING,
                value=None,
                datetime_start=datetime.now(),  # noqa: DTZ005  as Optuna stores it
                datetime_complete=None,
                params={},
                distributions={},
                user_attrs={OWNER: self.owner},
                system_attrs={},
                intermediate_values={},
            )
        return super()._create_new_trial(study_id, template_trial)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        """Change the state of a trial; one that is taken out of the queue gets a new owner."""
        changed = super().set_trial_state_values(trial_id, state, values)
        if changed and state == TrialState.RUNNING and self.owner is not None:
            self.set_trial_user_attr(trial_id, OWNER, self.owner)
        return changed

    def last_trial_id(self) -> int:
        """
        Find the number of the last trial over all studies.

        Returns
        -------
        int
            Optuna's number; 0 without any.
        """
        trials = models.TrialModel.__table__

        def read() -> int:
            with self.engine.connect() as connection:
                return int(connection.execute(select(func.max(trials.c.trial_id))).scalar() or 0)

        last: int = self._patiently(read)
        return last

    def execute(self, statements: Sequence[tuple[Executable, list[dict[str, Any]]]]) -> None:
        """
        Write rows in one transaction: all of them or none.

        Parameters
        ----------
        statements : sequence of (statement, rows)
            What to do, in this order.

        Raises
        ------
        StudyError
            If it cannot be done.
        """

        def write() -> None:
            with self.engine.begin() as connection:
                for statement, rows in statements:
                    connection.execute(statement, rows)

        self._patiently(write)

    def close(self) -> None:
        """Close the connections to the database."""
        self.remove_session()
        self.engine.dispose()

    def _patiently(self, call: Callable[[], Any]) -> Any:
        """Make a call until it succeeds."""
        deadline, pause, again = monotonic() + self.patience, FIRST_PAUSE, False
        while True:
            try:
                return call()
            except UpdateFinishedTrialError:
                if again:  # the answer to the first attempt was lost, not the attempt
                    return True
                raise
            except (StorageInternalError, SQLAlchemyError) as error:
                if not passes(error) or monotonic() > deadline:
                    raise StudyError(explain(error, self.address)) from None
            if not again:
                self.on_wait()
            again = True
            self._pause(pause)
            pause = min(2.0 * pause, LONGEST_PAUSE)

    def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until somebody presses Ctrl-C."""
        end = monotonic() + seconds
        while monotonic() < end:
            if signals.pending():
                raise KeyboardInterrupt
            sleep(min(0.1, seconds))


def _patient(name: str) -> Callable[..., Any]:
    """Give patience to a method."""
    method = getattr(PatientStorage, name)

    @wraps(method)
    def call(self: PatientStorage, *arguments: Any, **options: Any) -> Any:
        return self._patiently(lambda: method(self, *arguments, **options))

    return call


for _name in _PATIENT:
    setattr(PatientStorage, _name, _patient(_name))
