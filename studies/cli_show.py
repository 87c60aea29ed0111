"""Commands that look into a study: one of its trials, or all of them in a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studies.errors import InputError

if TYPE_CHECKING:
    from studies.trials import TrialRecord

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A study folder.")]


def show(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="A segmented image (.npz, .npy, .tif, .vti, .nc), or a study folder."
        ),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Picture of the image (.png); with --rebuild the structure (.npz, .tif, .npy)."),
    ] = None,
    trial: Annotated[
        int | None, typer.Option(help="Number of a trial of the study, within its search.")
    ] = None,
    arm: Annotated[str, typer.Option(help="The search: structured, or its control uniform.")] = "structured",
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the trial again and compare every bit.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the trial as one JSON document to standard output.")
    ] = False,
) -> None:
    """Draw a structure (from outside, cut, over the depth), or show one trial of a study."""
    if path.is_dir():
        if trial is None:
            raise InputError(
                f"--trial is missing: {path} is a study folder; meso status shows its best trials"
            )
        _show_trial(path, trial=trial, arm=arm, rebuild=rebuild, out=out, as_json=as_json)
    elif trial is not None or rebuild:
        raise InputError(f"--trial and --rebuild go with a study folder, and {path} is none; give one")
    else:
        _draw(path, out=out)


def _draw(image: Path, *, out: Path | None) -> None:
    """Draw a structure from outside, a cut through it, and its volume fractions over the depth."""
    from meso import load
    from meso.figures import draw_overview

    if out is None or out.suffix.lower() != ".png":
        raise InputError(f"--out must end in .png, got {out}")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: the folder {out.parent} does not exist; create it first")
    try:
        structure = load(image)
    except (OSError, ValueError) as error:
        raise InputError(str(error)) from None
    draw_overview(structure).savefig(out, dpi=150, metadata={"Software": None})
    typer.echo(str(out))


def _show_trial(
    folder: Path, *, trial: int, arm: str, rebuild: bool, out: Path | None, as_json: bool
) -> None:
    """Show the numbers of one trial, or make it again and compare."""
    from studies.rebuild import find_trial
    from studies.storage import StudyFolder

    if out is not None and (not rebuild or out.suffix.lower() not in {".npz", ".npy", ".tif", ".tiff"}):
        raise InputError(
            f"--out goes with --rebuild here and must end in .npz, .npy, .tif or .tiff, got {out}"
        )
    study = StudyFolder.existing(folder)
    if rebuild:
        _rebuild(study, number=trial, arm=arm, out=out, as_json=as_json)
        return
    document = _document(find_trial(study, arm=arm, number=trial))
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    for name, value in document.items():
        if isinstance(value, dict):
            for key, entry in value.items():
                typer.echo(f"{name + '.' + key:<52} {_text(entry)}")
        elif not isinstance(value, list):
            typer.echo(f"{name:<52} {_text(value)}")


def dashboard(
    folder: Folder,
    *,
    port: Annotated[int, typer.Option(help="Port on this machine.", min=0, max=65535)] = 8080,
) -> None:
    """Open a study in optuna-dashboard, on this machine only."""
    from studies.dashboard import serve

    serve(folder, port=port, announce=typer.echo)


def _rebuild(study: Any, *, number: int, arm: str, out: Path | None, as_json: bool) -> None:
    """Make a trial again, say what differs, keep the structure."""
    from meso import save
    from studies.rebuild import rebuild_trial

    rebuilt = rebuild_trial(study, number=number, arm=arm)
    if out is not None:
        save(rebuilt.structure, out)
    if as_json:
        answer = {"identical": not rebuilt.differences, "differences": list(rebuilt.differences)}
        typer.echo(json.dumps(answer | {"structure": None if out is None else str(out)}))
    else:
        typer.echo("\n".join(rebuilt.differences) or "identical")
    if rebuilt.differences:
        raise typer.Exit(1)


def _document(record: TrialRecord) -> dict[str, Any]:
    """Put a trial in plain numbers: means over its packings, and each packing."""
    numbers = {
        name: sum(each[name] for each in record.evaluations) / len(record.evaluations)
        for name in (record.evaluations[0] if record.evaluations else {})
        if all(isinstance(each.get(name), float) for each in record.evaluations)
    }
    return {
        "trial": record.number,
        "arm": record.arm,
        "state": record.state,
        "feasible": record.is_feasible,
        "failure": record.failure or None,
        "parameters": dict(record.parameters),
        "violations": dict(record.constraints),
        "mean": numbers,
        "packings": [dict(each) for each in record.evaluations],
    }


def _text(value: Any) -> str:
    """Write a value for people."""
    return f"{value:.6g}" if isinstance(value, float) else "–" if value is None else str(value)
