"""The command line: ``meso``."""

from __future__ import annotations

import json
import math
import signal
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studies.errors import InputError, StudyError

if TYPE_CHECKING:
    from meso import Mesostructure
    from solvers import TransportResult

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
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output.")]


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
    workers: Annotated[int | None, typer.Option(help="Worker processes. Default: one per core.")] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the result as one JSON document; events go to standard error."),
    ] = False,
) -> None:
    """Run a study, or continue it, until it has its number of trials."""
    from studies.config import StudyConfig
    from studies.terminal import print_result, result_document, show_progress

    for option, value, least in (("trials", trials, 2), ("seed", seed, 0), ("workers", workers, 1)):
        _at_least(option, value, least)
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
            study, folder=target, trials=trials, seed=seed, workers=workers, on_progress=on_progress
        )
    if as_json:
        _print_json(result_document(result))
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
        _print_json(document)
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
    workers: Annotated[int | None, typer.Option(help="Worker processes. Default: one per core.")] = None,
    as_json: Json = False,
) -> None:
    """Find the largest areal capacity of which 99 % works, at every rate, with and without structure."""
    from studies.config import StudyConfig
    from studies.frontiers import frontier as find_frontier
    from studies.frontier_page import frontier_line, frontier_markdown

    _at_least("workers", workers, 1)
    study = StudyConfig.from_toml(config)
    target = folder if folder is not None else Path("runs") / Path(config).stem
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    document = find_frontier(
        study,
        folder=target,
        fast=fast,
        workers=workers,
        on_progress=lambda progress: typer.echo(frontier_line(progress), err=True),
    )
    if as_json:
        _print_json(document)
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
    workers: Annotated[int | None, typer.Option(help="Worker processes. Default: one per core.")] = None,
    as_json: Json = False,
) -> None:
    """Show how utilization moves when raw material and process are a little off the best design."""
    from studies.tolerance import tolerance as vary
    from studies.tolerance import tolerance_rows

    _at_least("packings", packings, 2)
    _at_least("workers", workers, 1)
    document = vary(folder, packings=packings, workers=workers)
    if as_json:
        _print_json(document)
        return
    for row in tolerance_rows(document):
        typer.echo(f"{row.name:<28}{row.unit:<8}" + "".join(f"{value:>20}" for value in row.values))
    typer.echo(f"Figure and numbers: {folder}/figures/tolerance.png, {folder}/tolerance.json")


@app.command()
def report(folder: Folder) -> None:
    """Write the report, the table and the figures of a study folder again."""
    from studies.report import write_report

    typer.echo(str(write_report(folder)))


@app.command()
def generate(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG",
            help="A study (TOML file or bundled name): its central design is made. Or a design.toml of a study folder.",
        ),
    ],
    *,
    out: Annotated[
        Path, typer.Option(help="File to write: .npz (everything), .vti, .nc, .tif or .npy (labels).")
    ],
    seed: Annotated[int | None, typer.Option(help="Seed of the packing.")] = None,
) -> None:
    """Make one structure and write it to a file."""
    from meso import save
    from studies.recipe import structure_of

    _at_least("seed", seed, 0)
    if out.suffix.lower() not in {".npz", ".npy", ".tif", ".tiff", ".vti", ".nc"}:
        raise InputError(f"--out must end in .npz, .npy, .tif, .tiff, .vti or .nc, got {out}")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: the folder {out.parent} does not exist; create it first")
    structure = structure_of(config, seed=seed)
    save(structure, out)
    from meso import Phase

    shares = ", ".join(f"{phase.name.lower()} {structure.volume_fraction(phase):.4f}" for phase in Phase)
    edge = structure.voxel_size[0] * 1e6
    typer.echo(f"{out}: {' × '.join(map(str, structure.shape))} voxels of {edge:.4g} µm; {shares}")


@app.command()
def transport(
    image: Annotated[
        Path, typer.Argument(metavar="IMAGE", help="Segmented image: .npz, .npy, .tif, .vti or .nc.")
    ],
    *,
    phase: Annotated[
        str, typer.Option(help="Conducting phase: a label of the image, or pore (0), active (1), binder (2).")
    ] = "pore",
    axis: Annotated[int, typer.Option(help="Direction of transport: 0 (through-plane), 1 or 2.")] = 0,
    voxel_size: Annotated[
        float | None, typer.Option(help="Edge of a voxel in µm; by default what the file says.")
    ] = None,
    surface: Annotated[
        str,
        typer.Option(
            help="Surface of the phase: voxels (as segmented) or smooth (reconstructed between them)."
        ),
    ] = "voxels",
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON document; the tortuosity factor is null where nothing percolates."
        ),
    ] = False,
) -> None:
    """Compute the tortuosity factor of one phase of a segmented image."""
    from solvers import solve_transport

    if axis not in {0, 1, 2}:
        raise InputError(f"--axis must be 0, 1 or 2, got {axis}")
    structure, label = _load_phase(image, phase=phase, voxel_size=voxel_size)
    if surface not in {"voxels", "smooth"} or (surface == "smooth" and structure.face_fractions is not None):
        raise InputError(
            f"--surface must be 'voxels' or 'smooth', and 'voxels' for a file with face fractions, got {surface!r}"
        )
    start = perf_counter()
    result = solve_transport(structure, conductivity={label: 1.0}, axis=axis, surface=surface)
    seconds = perf_counter() - start
    if as_json:
        _print_json(_transport_document(result, seconds=seconds))
    else:
        _print_transport(result, seconds=seconds)


@app.command()
def show(
    image: Annotated[
        Path, typer.Argument(metavar="FILE", help="Segmented image: .npz, .npy, .tif, .vti or .nc.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="Picture to write: .png.")],
) -> None:
    """Draw a structure from outside, a cut through it, and its volume fractions over the depth."""
    from meso import load
    from meso.figures import draw_overview

    if out.suffix.lower() != ".png":
        raise InputError(f"--out must end in .png, got {out}")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: the folder {out.parent} does not exist; create it first")
    try:
        structure = load(image)
    except (OSError, ValueError) as error:
        raise InputError(str(error)) from None
    draw_overview(structure).savefig(out, dpi=150, metadata={"Software": None})
    typer.echo(str(out))


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
    if code == SIGINT_CODE:
        code = _complain("interrupted: complete trials are stored, the same command continues", INTERRUPTED)
    sys.exit(code)


def _at_least(option: str, value: int | None, least: int) -> None:
    """Refuse a number that is too small; typer's own text does not name it."""
    if value is not None and value < least:
        raise InputError(f"--{option} must be {least} or more, got {value}; give a larger number")


def _complain(text: str, code: int) -> int:
    """Write one line to standard error, whatever the text, and return the exit code."""
    typer.echo(f"meso: {' '.join(text.split())}", err=True)
    return code


def _print_json(document: dict[str, Any]) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))


def _stored_seed(folder: Path, *, default: int) -> int:
    """Continue a study with its own seed, and say so where the configuration names another."""
    from studies.storage import StudyFolder

    stored = StudyFolder(folder).stored_seed()
    if stored is None or stored == default:
        return default
    typer.echo(f"meso: continuing with seed {stored} of {folder}; the configuration says {default}", err=True)
    return stored


def _load_phase(image: Path, *, phase: str, voxel_size: float | None) -> tuple[Mesostructure, int]:
    """Read an image and find the label of the conducting phase in it."""
    from meso import Phase, load

    label = _label_of(phase)
    edge = None if voxel_size is None else 1e-6 * voxel_size
    if voxel_size is not None and not 1e-3 <= voxel_size <= 1e3:
        raise InputError(f"--voxel-size must lie in [0.001, 1000] µm, got {voxel_size:g}; give micrometres")
    try:
        structure = load(image, voxel_size=edge)
    except (OSError, ValueError) as error:
        structure = _load_relabelled(image, label=label, voxel_size=edge, error=error)
        label = int(Phase.PORE)
    present = sorted(int(value) for value in set(structure.labels.ravel().tolist()))
    if label not in present:
        raise InputError(f"{image}: --phase {phase} is not in the image; choose one of {present}")
    return structure, label


def _load_relabelled(image: Path, *, label: int, voxel_size: float | None, error: Exception) -> Mesostructure:
    """Read an image whose labels are not ours: the wanted one conducts, all others do not."""
    from meso import Phase, load

    relabel = {value: int(Phase.ACTIVE) for value in range(-(2**15), 2**16)} | {label: int(Phase.PORE)}
    try:
        return load(image, voxel_size=voxel_size, relabel=relabel)
    except (OSError, ValueError):
        raise InputError(str(error)) from None


def _label_of(phase: str) -> int:
    """Turn the name of a phase, or a number, into a label."""
    from meso import Phase

    names = {member.name.lower(): int(member) for member in Phase}
    if phase.lower() in names:
        return names[phase.lower()]
    try:
        return int(phase)
    except ValueError:
        raise InputError(f"--phase must be a label or one of {', '.join(names)}, got {phase!r}") from None


def _transport_document(result: TransportResult, *, seconds: float) -> dict[str, Any]:
    """Put a transport result in plain numbers; what is infinite has no number in JSON and becomes null."""
    factor = result.tortuosity_factor
    return {
        "tortuosity_factor": factor if math.isfinite(factor) else None,
        "effective_conductivity": result.effective_conductivity,
        "porosity": result.porosity,
        "percolates": result.percolates,
        "flux_mismatch": result.flux_mismatch,
        "iterations": result.iterations,
        "seconds": seconds,
        "status": result.status.name.lower(),
    }


def _print_transport(result: TransportResult, *, seconds: float) -> None:
    """Print a transport result for people."""
    factor = f"{result.tortuosity_factor:.4f}" if result.percolates else "∞"
    typer.echo(f"tortuosity factor        {factor}")
    typer.echo(f"effective conductivity   {result.effective_conductivity:.5g} (relative to the phase)")
    typer.echo(f"porosity                 {result.porosity:.4f} (volume fraction of the phase)")
    typer.echo(f"flux mismatch            {result.flux_mismatch:.1e}")
    typer.echo(f"iterations               {result.iterations} in {seconds:.2f} s")
    typer.echo(f"status                   {result.status.value}")
