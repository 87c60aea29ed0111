"""What a running study shows: a live display, plain lines, or JSON."""

from __future__ import annotations

import json
import math
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from studies.compare import interval_of
from studies.finer import finer_rows
from studies.ladder import rung_document
from studies.ledger import ledger_line
from studies.objectives import best_of
from studies.parameters import LOADING
from studies.storage import ARMS, STRUCTURED, UNIFORM, StudyFolder
from studies.summary import (
    DESIGN_NAMES,
    UNGRADED,
    best_line,
    design_rows,
    percent,
    trial_line,
    utilization_rows,
)
from studies.winners import read_comparison

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from rich.console import Console, RenderableType

    from studies.compare import Interval
    from studies.config import StudyConfig
    from studies.run import StudyResult
    from studies.search import Progress
    from studies.trials import TrialRecord

STAGES = {
    "compiling": "compiling kernels (once per installation, then cached)",
    "searching": "searching",
    "waiting": "the database is away: trying again until it is back",
    "comparing": "comparing the winners on fresh packings",
    "reporting": "writing the report",
}


@contextmanager
def show_progress(*, as_json: bool) -> Iterator[Callable[[Progress], None]]:
    """
    Show a running study in the way that suits the terminal.

    Parameters
    ----------
    as_json : bool
        Whether to write one JSON event per line to standard error instead.

    Yields
    ------
    callable
        What to call with every `Progress`.
    """
    if as_json:
        yield lambda progress: typer.echo(json.dumps(_event(progress), allow_nan=False), err=True)
    elif sys.stdout.isatty():
        with _live() as update:
            yield update
    else:
        yield lambda progress: typer.echo(_line(progress))


def print_result(result: StudyResult) -> None:
    """
    Print winner and control, the verdict and where everything is.

    Parameters
    ----------
    result : StudyResult
        What the study found.
    """
    from rich.table import Table

    console = _console()
    comparison, config = result.comparison, result.config
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    table.add_column("")
    for name in DESIGN_NAMES.values():
        table.add_column(name, justify="right", style="bold" if name == DESIGN_NAMES[STRUCTURED] else "")
    groups = design_rows(comparison, config), utilization_rows(comparison) + finer_rows(comparison)
    for group in groups:
        for row in group:
            table.add_row(row.name, row.unit, *row.values)
        table.add_section()
    console.print()
    console.print(table)
    console.print()
    console.print(
        f"Utilization and losses: mean and 95 % interval over {comparison['fresh_seeds']} fresh packings "
        f"that the search has not seen; {config.cell.chemistry}, "
        f"{_loading(config)}{config.cell.c_rate:g}C."
    )
    console.print(comparison["verdict"], style="bold")
    console.print(ledger_line(comparison["ledger"]))
    console.print(f"Study folder: {result.folder}", soft_wrap=True)
    console.print(f"Report:       {result.folder / 'report.html'}", soft_wrap=True)


def result_document(result: StudyResult) -> dict[str, Any]:
    """
    Put the result of a study in one JSON document.

    Parameters
    ----------
    result : StudyResult
        What the study found.

    Returns
    -------
    dict
        Counts, winner and control without curves, difference, verdict and paths.
    """
    lengthy = {"discharges", "profiles", "packings"}
    comparison = dict(result.comparison)
    designs = {
        name: design and {key: value for key, value in design.items() if key not in lengthy}
        for name, design in comparison.pop("designs").items()
    }
    return {
        "folder": str(result.folder),
        "report": str(result.folder / "report.html"),
        "trials": {arm: sum(r.arm == arm for r in result.records) for arm in ARMS},
        "feasible": sum(r.is_feasible for r in result.records),
        "failed": sum(r.state == "failed" for r in result.records),
        "rungs": rung_document(StudyFolder(result.folder).read_records(), result.config),
        "best": designs[STRUCTURED],
        "uniform": designs[UNIFORM],
        "ungraded": designs[UNGRADED],
        **comparison,
    }


def status_document(folder: Path) -> dict[str, Any]:
    """
    Say how far a study is.

    Parameters
    ----------
    folder : Path
        A study folder; another process may be working in it.

    Returns
    -------
    dict
        Counts by search and state, best designs so far, and the verdict where the winners were compared.
    """
    study = StudyFolder.existing(folder)
    config, records, comparison = study.read_config(), study.read_records(), read_comparison(study)
    finished = [record for record in records if record.counts]
    document: dict[str, Any] = {
        "study": config.name,
        "folder": str(folder),
        "done": len(finished),
        "total": max(config.trials, len(finished)),
        "infeasible": sum(record.is_complete and not record.is_feasible for record in records),
        "failed": sum(record.state == "failed" for record in records),
        "rungs": rung_document(records, config),
        "best": {},
        "verdict": comparison["verdict"] if comparison else None,
    }
    for arm in ARMS:
        best = best_of((record for record in records if record.arm == arm), config.objectives)
        document["best"][arm] = best and {
            "trial": best.number,
            "utilization": best.utilization,
            "parameters": dict(best.parameters),
            "summary": best_line(best),
        }
    return document


def print_status(document: Mapping[str, Any]) -> None:
    """
    Print how far a study is.

    Parameters
    ----------
    document : mapping
        See `status_document`.
    """
    console = _console()
    console.print(f"{document['study']}: {document['done']} of {document['total']} trials", style="bold")
    console.print(f"  {document['infeasible']} violate a constraint, {document['failed']} failed")
    for arm, best in document["best"].items():
        console.print(f"  best {arm:<11} {best['summary'] if best else best_line(None)}")
    if document["verdict"]:
        console.print(document["verdict"])
    console.print(f"Study folder: {document['folder']}", soft_wrap=True)


def _loading(config: StudyConfig) -> str:
    """Say which loading all designs have, if they have the same."""
    loading = config.electrode.quantity(LOADING)
    return f"{loading.values[0]:g} mAh cm⁻², " if loading.is_fixed else ""


def _console() -> Console:
    """Open standard output; off a terminal, lines are as long as they are."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 110)


def _line(progress: Progress) -> str:
    """Write one line for a log file."""
    if progress.latest is None:
        return f"[{progress.done}/{progress.total}] {STAGES[progress.stage]}"
    best = ", ".join(f"{arm} {_best(progress.best[arm])}" for arm in ARMS)
    return (
        f"[{progress.done}/{progress.total}] {trial_line(progress.latest)}; best: {best}; {_counts(progress)}; "
        f"{progress.trials_per_minute:.1f} trials/min, {duration(progress.seconds_left)} left"
    )


def _best(record: TrialRecord | None) -> str:
    """Describe the best trial of a search, with the interval of its mean where it has one."""
    interval = _interval(record)
    if interval is None:
        return best_line(record)
    low, high = (percent(end) for end in (interval.low, interval.high))
    return f"{best_line(record)}, 95 % interval {low} … {high} %"


def _interval(record: TrialRecord | None) -> Interval | None:
    """Return the interval of the best so far over its packings; it is the luckiest of many, so the truth may lie lower."""
    if record is None or len(record.evaluations) < 2:
        return None
    return interval_of([float(each["utilization"]) for each in record.evaluations])


def _best_document(record: TrialRecord | None) -> dict[str, Any] | None:
    """Put the best trial of a search in plain numbers."""
    if record is None:
        return None
    interval = _interval(record)
    return {
        "trial": record.number,
        "utilization": record.utilization,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
    }


def _counts(progress: Progress) -> str:
    """Say how many trials are what."""
    return (
        f"{progress.feasible} feasible, {progress.infeasible} violate a constraint, {progress.failed} failed"
    )


def _event(progress: Progress) -> dict[str, Any]:
    """Put a progress in plain numbers."""
    latest = progress.latest
    event: dict[str, Any] = {
        "event": progress.stage,
        "done": progress.done,
        "total": progress.total,
        "feasible": progress.feasible,
        "infeasible": progress.infeasible,
        "failed": progress.failed,
        "trials_per_minute": progress.trials_per_minute,
        "seconds_left": progress.seconds_left if math.isfinite(progress.seconds_left) else None,
        "best": {arm: _best_document(best) for arm, best in progress.best.items()},
    }
    if latest is not None:
        event["trial"] = {
            "arm": latest.arm,
            "number": latest.number,
            "state": latest.state,
            "feasible": latest.is_feasible,
            "utilization": latest.utilization if latest.is_complete else None,
            "parameters": dict(latest.parameters),
            "failure": latest.failure or None,
            "seconds": latest.seconds if math.isfinite(latest.seconds) else None,
        }
    return event


@contextmanager
def _live() -> Iterator[Callable[[Progress], None]]:
    """Keep a display of a few lines up to date."""
    from rich.live import Live
    from rich.text import Text

    with Live(Text("starting …"), console=_console(), refresh_per_second=8) as live:
        display = _Display()

        def update(progress: Progress) -> None:
            live.update(display.render(progress))

        yield update


class _Display:
    """A progress bar above the best designs so far."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self.bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[rate]}"),
        )
        self.task = self.bar.add_task("starting", total=None, rate="")

    def render(self, progress: Progress) -> RenderableType:
        """Draw the present state."""
        from rich.console import Group
        from rich.text import Text

        rate = ""
        if progress.trials_per_minute and progress.stage == "searching":
            rate = f"{progress.trials_per_minute:.1f} trials/min, {duration(progress.seconds_left)} left"
        self.bar.update(
            self.task,
            description=STAGES[progress.stage],
            completed=progress.done,
            total=progress.total,
            rate=rate,
        )
        best = [
            Text(f"  best {arm:<11} {_best(progress.best[arm])}", style="bold" if arm == STRUCTURED else "")
            for arm in ARMS
        ]
        return Group(self.bar, *best, Text(f"  {_counts(progress)}", style="dim"))


def duration(seconds: float) -> str:
    """
    Write a duration as people say it.

    Parameters
    ----------
    seconds : float
        Duration [s]; may be infinite.

    Returns
    -------
    str
        Minutes and seconds, hours and minutes, or a question mark.

    Examples
    --------
    >>> duration(93), duration(7500), duration(float("inf"))
    ('1 min 33 s', '2 h 05 min', '?')
    """
    if not math.isfinite(seconds):
        return "?"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
