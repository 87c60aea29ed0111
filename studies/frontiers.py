"""The 99 % frontier: how much capacity an electrode can carry while 99 % of it works, and what structure buys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from studies.database import open_searches
from studies.evaluation import versions
from studies.frontier_compare import compare_loadings
from studies.frontier_search import FrontierSearch, frontier_spaces, loading_of, search_name
from studies.frontier_table import FAST_STRUCTURE
from studies.run import quiet_optuna
from studies.storage import ARMS, StudyFolder, write_atomically, write_json
from studies.summary import constraint_texts
from studies.workers import ready_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from distributed import Client

    from studies.config import StudyConfig
    from studies.database import Searches
    from studies.parameter import Value
    from studies.trials import TrialRecord

FILE = "frontier.json"


@dataclass(frozen=True, kw_only=True)
class FrontierProgress:
    """
    How far a frontier is.

    Parameters
    ----------
    stage : str
        "compiling", "searching" or "comparing".
    c_rate : float or None
        The rate at work [1/h].
    done, total : int
        Trials with a result, and trials in total, over all rates.
    best : mapping of str to float or None
        Best loading of each search at this rate so far [A.h.m-2].
    seconds : float
        Since the start [s].
    """

    stage: Literal["compiling", "searching", "comparing"]
    c_rate: float | None
    done: int
    total: int
    best: Mapping[str, float | None]
    seconds: float


def frontier(
    config: StudyConfig,
    *,
    folder: str | Path,
    fast: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    on_progress: Callable[[FrontierProgress], None] | None = None,
) -> dict[str, Any]:
    """
    Find the largest areal capacity at which the demanded utilization is attained, at every rate, with and without structure.

    Parameters
    ----------
    config : StudyConfig
        The study; its table [frontier] says how to search, its constraints are the counterweights, and its loading and
        rates are not used.
    folder : str or Path
        Study folder; created where missing. A folder with the same configuration is continued.
    fast : bool, default False
        Few trials and packings, for a first look.
    workers : int, optional
        Worker processes; one per core if left out. The result does not depend on it.
    scheduler : str, optional
        Address of a running Dask scheduler whose workers are used, instead of processes on this machine or the jobs of the
        table ``[cluster]``.
    on_progress : callable, optional
        Called with a `FrontierProgress` at every stage and after every trial.

    Returns
    -------
    dict
        What ``frontier.json`` holds: for every rate the analytic ceiling, the best structured and uniform design and the
        structured one without its structure, each with its loading on fresh packings and a 95 % interval, and the paired
        difference between structured and control.

    Raises
    ------
    FolderError
        If the folder is in use, or holds something else or a study of another configuration.
    StudyError
        If the ranges hold no design that fulfils the constraints.

    Notes
    -----
    Searches for each rate start from the best designs of the rate before, both arms alike. The numbers of the search are
    not reported: winners are made again on packings that no trial has seen, at their own thickness. A script that calls
    this needs the usual ``if __name__ == "__main__":`` guard, since workers are spawned.
    """
    if fast:
        smaller = config.structure.model_copy(update=FAST_STRUCTURE)
        config = config.model_copy(update={"frontier": config.frontier.fast, "structure": smaller})
    study_folder = StudyFolder(Path(folder))
    study_folder.check(config)
    study_folder.path.mkdir(parents=True, exist_ok=True)
    with study_folder.locked(), quiet_optuna():
        study_folder.write_config(config)
        names = [search_name(arm, c_rate) for c_rate in config.frontier.c_rates for arm in ARMS]
        with open_searches(study_folder, config, names=names) as searches:
            run = _Run(
                config, folder=study_folder, searches=searches, on_progress=on_progress or (lambda _: None)
            )
            document = run.everything(workers=workers, scheduler=scheduler)
    write_frontier(document, folder=study_folder)
    return document


class _Run:
    """All rates in turn."""

    def __init__(
        self,
        config: StudyConfig,
        *,
        folder: StudyFolder,
        searches: Searches,
        on_progress: Callable[[FrontierProgress], None],
    ) -> None:
        self.config, self.folder, self.searches, self.on_progress = config, folder, searches, on_progress
        self.cell = config.cell.parameters()
        self.spaces = frontier_spaces(config, active_capacity=self.cell.active_capacity)
        self.started = perf_counter()
        stored = read_frontier(folder)
        self.stored = {rate["c_rate"]: rate for rate in stored["rates"]} if stored else {}
        self.before = stored["seconds"] if stored else 0.0

    def everything(self, *, workers: int | None, scheduler: str | None) -> dict[str, Any]:
        """Search and compare at every rate, from the lowest; what is there already is kept."""
        plan = self.config.frontier
        self.searches.requeue_running()
        self.tell("compiling")
        with ready_workers(self.config, folder=self.folder, count=workers, scheduler=scheduler) as client:
            known: dict[str, Mapping[str, Value] | None] = dict.fromkeys(ARMS)
            before = None
            rates = []
            for c_rate in plan.c_rates:
                search = FrontierSearch(
                    self.config, searches=self.searches, spaces=self.spaces, cell=self.cell, c_rate=c_rate
                )
                search.start_from(known, c_rate=before)
                search.run(client, on_trial=partial(self.told, search))
                winners = search.winners
                rates.append(self.compared(client, winners, c_rate=c_rate, search=search))
                known = {arm: winner.parameters if winner else known[arm] for arm, winner in winners.items()}
                before = c_rate
                write_json(self.folder.path / FILE, self.document(rates))
        return self.document(rates)

    def told(self, search: FrontierSearch, _: TrialRecord) -> None:
        """Report a finished trial."""
        self.tell("searching", search)

    def compared(
        self,
        client: Client,
        winners: Mapping[str, TrialRecord | None],
        *,
        c_rate: float,
        search: FrontierSearch,
    ) -> dict[str, Any]:
        """Compare the winners of a rate, unless that was done before."""
        trials = {arm: winner.number if winner else None for arm, winner in winners.items()}
        stored: dict[str, Any] | None = self.stored.get(c_rate)
        if (
            stored
            and stored["trials"] == trials
            and stored["fresh_seeds"] == self.config.frontier.fresh_seeds
        ):
            return stored
        self.tell("comparing", search)
        compared = compare_loadings(
            winners, client=client, config=self.config, spaces=self.spaces, cell=self.cell, c_rate=c_rate
        )
        return {"trials": trials, "fresh_seeds": self.config.frontier.fresh_seeds} | compared

    def document(self, rates: list[dict[str, Any]]) -> dict[str, Any]:
        """Put everything in plain numbers."""
        config = self.config
        return {
            "study": config.name,
            "chemistry": config.cell.chemistry,
            "cutoffs_V": [self.cell.lower_cutoff_voltage, self.cell.upper_cutoff_voltage],
            "target": config.frontier.target,
            "counterweights": constraint_texts(config),
            "seed": config.seed,
            "trials_per_search": config.frontier.trials,
            "replicates": config.frontier.replicates,
            "fresh_seeds": config.frontier.fresh_seeds,
            "depth_diameters": config.frontier.final_depth_diameters,
            "rates": rates,
            "seconds": self.before + perf_counter() - self.started,
            "versions": versions(),
        }

    def tell(
        self, stage: Literal["compiling", "searching", "comparing"], search: FrontierSearch | None = None
    ) -> None:
        """Report how far it is."""
        rates = self.config.frontier.c_rates
        behind = 0 if search is None else rates.index(search.c_rate) * self.config.frontier.trials * len(ARMS)
        winners = search.winners if search else {}
        self.on_progress(
            FrontierProgress(
                stage=stage,
                c_rate=search.c_rate if search else None,
                done=behind + (sum(search.done.values()) if search else 0),
                total=len(rates) * len(ARMS) * self.config.frontier.trials,
                best={arm: loading_of(winner) if winner else None for arm, winner in winners.items()},
                seconds=perf_counter() - self.started,
            )
        )


def read_frontier(folder: StudyFolder) -> dict[str, Any] | None:
    """
    Read the frontier of a folder.

    Parameters
    ----------
    folder : StudyFolder
        The study folder.

    Returns
    -------
    dict or None
        What `frontier` returned, or the rates that are done so far; None where there is none.
    """
    file = folder.path / FILE
    if not file.is_file():
        return None
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return document


def write_frontier(document: Mapping[str, Any], *, folder: StudyFolder) -> None:
    """
    Write ``frontier.json``, ``frontier.csv``, ``frontier.md`` and ``frontier.png``.

    Parameters
    ----------
    document : mapping
        What `frontier` returned.
    folder : StudyFolder
        The study folder.
    """
    from studies.figures import render
    from studies.frontier_page import frontier_csv, frontier_markdown, plot_frontier

    write_json(folder.path / FILE, dict(document))
    write_atomically(folder.path / "frontier.csv", frontier_csv(document))
    write_atomically(folder.path / "frontier.md", frontier_markdown(document))
    write_atomically(folder.path / "frontier.png", render(plot_frontier(document)))
