"""Commands that need no study: one structure, one image."""

from __future__ import annotations

import math
from pathlib import Path  # noqa: TC003  typer reads the annotations
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from studies.cli_options import at_least, print_json
from studies.errors import InputError

if TYPE_CHECKING:
    from meso import Mesostructure
    from solvers import TransportResult


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

    at_least("seed", seed, 0)
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
        print_json(_transport_document(result, seconds=seconds))
    else:
        _print_transport(result, seconds=seconds)


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
