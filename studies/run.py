"""A study from start to end: search and control side by side, then the proof on fresh packings."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies.config import StudyConfig
from studies.database import open_searches
from studies.errors import StudyError
from studies.explanation import explanation_of
from studies.importance import importance_of
from studies.objectives import best_of
from studies.report import write_report
from studies.search import Search
from studies.space import DesignSpace
from studies.storage import STRUCTURED, UNIFORM, StudyFolder, write_atomically
from studies.summary import utilization_rows
from studies.trials import table_of
from studies.winners import compare_winners, stored_comparison, write_best
from studies.workers import ready_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from studies.search import Progress
    from studies.trials import TrialRecord


@dataclass(frozen=True, kw_only=True)
class StudyResult:
    """
    What a study found.

    Parameters
    ----------
    config : StudyConfig
        The study.
    folder : Path
        Where everything is stored.
    records : sequence of TrialRecord
        All finished trials of both searches.
    comparison : mapping
        Winner and control on fresh packings, see `studies.winners.compare_winners`.
    """

    config: StudyConfig
    folder: Path
    records: Sequence[TrialRecord]
    comparison: Mapping[str, Any]

    def best(self, arm: str) -> TrialRecord | None:
        """
        Return the best feasible trial of a search.

        Parameters
        ----------
        arm : str
            "structured" or "uniform".

        Returns
        -------
        TrialRecord or None
            None where no trial was feasible.
        """
        return best_of((r for r in self.records if r.arm == arm), self.config.objectives)

    def plot(self, axes: Axes | None = None) -> Axes:
        """
        Draw the loss budgets of the compared designs.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from studies.figures import draw_losses

        return draw_losses(self.comparison, axes=axes)

    def plot_history(self, axes: Axes | None = None) -> Axes:
        """
        Draw the utilization of every trial and the best so far.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from studies.search_figures import draw_history

        return draw_history(self.records, axes=axes)

    def _repr_html_(self) -> str:
        """Show the best structured design in a notebook."""
        from meso.tables import table

        rows = [(row.name, row.values[0], row.unit) for row in utilization_rows(self.comparison)]
        return table(f"{self.config.name}: {self.comparison['verdict']}", rows)


def run_study(
    config: StudyConfig,
    *,
    folder: str | Path,
    trials: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    storage: str | None = None,
    scheduler: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> StudyResult:
    """
    Run a study, or continue the one in the folder, until it has its number of trials.

    Parameters
    ----------
    config : StudyConfig
        The study.
    folder : str or Path
        Study folder; created where missing. A folder with the same configuration is continued.
    trials : int, optional
        Trials in total, those already in the folder included; from the configuration if left out.
    seed : int, optional
        Seed of search and packings; from the configuration if left out.
    workers : int, optional
        Worker processes; one per core if left out. The result does not depend on it.
    storage : str, optional
        Address of a PostgreSQL database that several coordinators share, each with a folder of its own:
        ``postgresql+psycopg://USER:PASSWORD@HOST/DATABASE``. By default a file in the folder. Where only the password is
        missing, the usual ways of PostgreSQL provide it (``PGPASSWORD``, ``~/.pgpass``). It is stored nowhere.
    scheduler : str, optional
        Address of a running Dask scheduler whose workers evaluate the trials, instead of processes on this machine.
    on_progress : callable, optional
        Called with a `Progress` at every stage and after every trial.

    Returns
    -------
    StudyResult
        Trials, winners and their comparison on fresh packings.

    Raises
    ------
    FolderError
        If the folder is in use, or holds something else or a study of another configuration.
    ConfigError
        If `trials` or `seed` is out of range.
    InputError
        If the shared database cannot be used.
    StudyError
        If no trial works at all, or the database fails for good: a full disk, an hour's absence.
    KeyboardInterrupt
        If interrupted; running trials are put back in the queue and the study can be continued.

    Notes
    -----
    A script that calls this needs the usual ``if __name__ == "__main__":`` guard, since workers are spawned.
    """
    changes = {key: value for key, value in (("trials", trials), ("seed", seed)) if value is not None}
    config = StudyConfig.from_dict(config.to_dict() | changes)
    study_folder = StudyFolder(Path(folder))
    study_folder.check(config)
    study_folder.path.mkdir(parents=True, exist_ok=True)
    with study_folder.locked(), quiet_optuna():
        study_folder.write_config(config)
        with open_searches(
            study_folder, config, objectives=len(config.objectives.maximize), storage=storage
        ) as searches:
            search = Search(config, searches=searches, on_progress=on_progress or (lambda _: None))
            searches.storage.on_wait = lambda: search.tell("waiting")
            comparison = _run(search, folder=study_folder, workers=workers, scheduler=scheduler)
    return StudyResult(
        config=config, folder=study_folder.path, records=tuple(search.records), comparison=comparison
    )


def _run(
    search: Search, *, folder: StudyFolder, workers: int | None, scheduler: str | None
) -> dict[str, Any]:
    """Search what is missing, compare the winners where they are new, report."""
    config = search.config
    search.searches.requeue_running()
    comparison = stored_comparison(folder, search.winners, fresh_seeds=config.fresh_seeds)
    try:
        if comparison is None or not search.is_complete:
            comparison = _search_and_compare(search, folder=folder, workers=workers, scheduler=scheduler)
    except BaseException:
        search.searches.hurry()
        # What cannot be put in order now is when the study is continued.
        with suppress(StudyError, OSError):
            search.searches.requeue_running()
            write_atomically(folder.path / "trials.csv", table_of(search.searches.records()))
        raise
    search.tell("reporting")
    write_report(folder.path)
    return comparison


def _search_and_compare(
    search: Search, *, folder: StudyFolder, workers: int | None, scheduler: str | None
) -> dict[str, Any]:
    """Run the missing trials and evaluate the winners on fresh packings."""
    config = search.config
    cell = config.cell.parameters()
    space = DesignSpace.of(config, active_capacity=cell.active_capacity)
    spaces = {STRUCTURED: space, UNIFORM: space.uniform}
    search.tell("compiling")
    with ready_workers(config, folder=folder, count=workers, scheduler=scheduler) as client:
        search.run(client, spaces=spaces, cell=cell)
        search.tell("comparing")
        winners = search.winners
        comparison = compare_winners(winners, client=client, config=config, spaces=spaces, cell=cell)
    comparison["importance"] = importance_of(search.records, spaces=spaces, objectives=config.objectives)
    comparison["explanation"] = explanation_of(comparison)
    winner = winners[STRUCTURED]
    if winner is not None:
        write_best(comparison, design=space.design(winner.parameters), config=config, folder=folder)
    return comparison


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna's log of every trial out of the progress display, for the time of a study."""
    from optuna import logging

    before = logging.get_verbosity()
    # Warnings would repeat what the database said at every attempt to reach it.
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)
