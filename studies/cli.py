"""The command line: ``meso``."""

from __future__ import annotations

import errno
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from studies.cli_images import generate, transport
from studies.cli_options import Json, Scheduler, Workers, at_least, print_json
from studies.cli_show import dashboard, show
from studies.errors import InputError, StudyError

# Everything else is imported by the command that needs it: `meso transport` must not wait for Optuna.

BAD_INPUT = 2
INTERRUPTED = 3
SIGINT_CODE = 130
"""What typer returns for an interruption."""

app = typer.Typer(
    name="meso",
    help="Computational design of battery electrodes.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Config = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG", help="A TOML file, or the name of a bundled study: quickstart, frontier-nmc811."
    ),
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A study folder.")]


@app.command()
def run(
    config: Config,
    *,
    folder: Annotated[
        Path | None,
        typer.Option(help="Study folder; one that has been started is continued. Default: runs/<CONFIG>."),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(help="Trials in total, those already in the folder included; half are the control's."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search and of the packings.")] = None,
    workers: Workers = None,
    storage: Annotated[
        str | None,
        typer.Option(
            envvar="MESO_STORAGE_URL",
            show_envvar=True,
            help="PostgreSQL that several coordinators share, postgresql+psycopg://USER:PASSWORD@HOST/DATABASE.",
        ),
    ] = None,
    scheduler: Scheduler = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the result as one JSON document; events go to standard error."),
    ] = False,
) -> None:
    """Run a study, or continue it, until it has its number of trials."""
    from studies.config import StudyConfig
    from studies.terminal import print_result, result_document, show_progress

    for option, value, least in (("trials", trials, 2), ("seed", seed, 0), ("workers", workers, 1)):
        at_least(option, value, least)
    study = StudyConfig.from_toml(config)
    target = folder if folder is not None else Path("runs") / Path(config).stem
    if seed is None:
        seed = _stored_seed(target, default=study.seed)
    # Shells start background jobs with SIGINT ignored; a study shall be interruptible there as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from studies.run import run_study

    with show_progress(as_json=as_json) as on_progress:
        result = run_study(
            study,
            folder=target,
            trials=trials,
            seed=seed,
            workers=workers,
            storage=storage,
            scheduler=scheduler,
            on_progress=on_progress,
        )
    if as_json:
        print_json(result_document(result))
    else:
        print_result(result)


@app.command()
def init(
    file: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="File to write; an existing one is left alone.")
    ] = Path("study.toml"),
) -> None:
    """Write a commented study with every key, to start from."""
    from studies.template import write_template

    write_template(file)
    typer.echo(f"{file}: edit it, check it with meso validate {file}, run it with meso run {file}")


@app.command()
def validate(config: Config) -> None:
    """Check a study without running it."""
    from studies.config import StudyConfig
    from studies.template import check_study

    typer.echo(f"{config}: {check_study(StudyConfig.from_toml(config))}")


@app.command()
def status(folder: Folder, *, as_json: Json = False) -> None:
    """Show how far a study is and the best designs so far."""
    from studies.terminal import print_status, status_document

    document = status_document(folder)
    if as_json:
        print_json(document)
    else:
        print_status(document)


@app.command()
def frontier(
    config: Config,
    *,
    folder: Annotated[
        Path | None,
        typer.Option(help="Study folder; one that has been started is continued. Default: runs/<CONFIG>."),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Few trials and packings: a first look.")] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Find the largest areal capacity of which 99 % works, at every rate, with and without structure."""
    from studies.config import StudyConfig
    from studies.frontier_page import frontier_line, frontier_markdown
    from studies.frontiers import frontier as find_frontier

    at_least("workers", workers, 1)
    study = StudyConfig.from_toml(config)
    target = folder if folder is not None else Path("runs") / Path(config).stem
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    document = find_frontier(
        study,
        folder=target,
        fast=fast,
        workers=workers,
        scheduler=scheduler,
        on_progress=lambda progress: typer.echo(frontier_line(progress), err=True),
    )
    if as_json:
        print_json(document)
    else:
        typer.echo(frontier_markdown(document))
        typer.echo(f"Figure and tables: {target}/frontier.png, .csv, .md, .json")


@app.command()
def tolerance(
    folder: Folder,
    *,
    packings: Annotated[
        int | None, typer.Option(help="Fresh packings for each variation. Default: as in the comparison.")
    ] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: Json = False,
) -> None:
    """Show how utilization moves when raw material and process are a little off the best design."""
    from studies.tolerance import tolerance as vary
    from studies.tolerance import tolerance_rows

    at_least("packings", packings, 2)
    at_least("workers", workers, 1)
    document = vary(folder, packings=packings, workers=workers, scheduler=scheduler)
    if as_json:
        print_json(document)
        return
    for row in tolerance_rows(document):
        typer.echo(f"{row.name:<28}{row.unit:<8}" + "".join(f"{value:>20}" for value in row.values))
    typer.echo(f"Figure and numbers: {folder}/figures/tolerance.png, {folder}/tolerance.json")


@app.command()
def report(folder: Folder) -> None:
    """Write the report, the table and the figures of a study folder again."""
    from studies.report import write_report

    typer.echo(str(write_report(folder)))


for command in (generate, transport, show, dashboard):
    app.command()(command)


def main() -> None:
    """Run the command line; ends the process with 0, 2 (bad input), 3 (interrupted) or 1 (anything else)."""
    usage_error: Any = typer.BadParameter.__base__
    try:
        code = app(args=sys.argv[1:] or ["--help"], standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = SIGINT_CODE
    except usage_error as error:
        code = _complain(f"{error.format_message().rstrip('.')}; see meso --help", BAD_INPUT)
    except InputError as error:
        code = _complain(str(error), BAD_INPUT)
    except StudyError as error:
        code = _complain(str(error), 1)
    except OSError as error:
        code = _complain(_explain_os(error), 1)
    if code == SIGINT_CODE:
        code = _complain("interrupted: complete trials are stored, the same command continues", INTERRUPTED)
    sys.exit(code)


def _complain(text: str, code: int) -> int:
    """Write one line to standard error, whatever the text, and return the exit code."""
    typer.echo(f"meso: {' '.join(text.split())}", err=True)
    return code


def _explain_os(error: OSError) -> str:
    """Say what the system refused, and for a full disk what to do."""
    text = f"{error.filename or 'file'}: {error.strerror or error}"
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        text += "; free some space, then the same command continues; no complete trial is lost"
    return text


def _stored_seed(folder: Path, *, default: int) -> int:
    """Continue a study with its own seed, and say so where the configuration names another."""
    from studies.storage import StudyFolder

    stored = StudyFolder(folder).stored_seed()
    if stored is None or stored == default:
        return default
    typer.echo(f"meso: continuing with seed {stored} of {folder}; the configuration says {default}", err=True)
    return stored
