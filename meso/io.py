"""Images of electrodes in files: the format follows from the name."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from meso.array_files import read_npy, read_npz, write_npy, write_npz
from meso.file_checks import Allowance, check_file, check_text
from meso.netcdf_files import read_netcdf, write_netcdf
from meso.phases import Phase
from meso.sizes import SizeClass
from meso.structure import Mesostructure
from meso.tiff_files import read_tiff, write_ome, write_tiff
from meso.vti_files import read_vti, write_vti

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from meso.profiles import Profile

ASSUMED_VOXEL_SIZE = 1e-6
"""Edge of a voxel [m] where neither the file nor the caller tells it."""

_READERS: dict[str, Callable[[Path, Allowance], dict[str, Any]]] = {
    ".npz": read_npz,
    ".npy": read_npy,
    ".tif": read_tiff,
    ".tiff": read_tiff,
    ".vti": read_vti,
    ".nc": read_netcdf,
}


def load(
    path: str | os.PathLike[str],
    *,
    voxel_size: float | tuple[float, float, float] | None = None,
    relabel: Mapping[int, int] | None = None,
    largest: int | None = None,
) -> Mesostructure:
    """
    Read a segmented image.

    Parameters
    ----------
    path : path-like
        A ``.npz`` file (written by `save`, or holding one array or an array named ``labels``), a ``.npy`` file, a
        ``.tif``/``.tiff`` stack, ``.vti`` image data of VTK or a ``.nc`` file (netCDF, classic formats). Axis 0 of the
        array is through-plane, index 0 at the separator.
    voxel_size : float or tuple of float, optional
        Edge of a voxel [m], or one per axis; overrules what the file says. Where neither tells it, 1 µm is assumed:
        then only what does not depend on the length scale, such as tortuosity factors and fractions, has a meaning.
    relabel : mapping of int to Phase, optional
        Phase of each value in the file, for images that use other numbers than `Phase`.
    largest : int, optional
        Size [bytes] that the content may unfold to, for files that you trust. By default 10,000 times that of the file
        up to 128 MiB, 100 times beyond, 16 GiB at most.

    Returns
    -------
    Mesostructure
        The image; everything that `save` wrote, if it did.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no three-dimensional image of the phases, of another format, no regular file, a link that leads
        out of its folder, or promises more than it holds or may unfold to. Nothing in a file is ever run.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"{path}: the file name must end in one of {', '.join(_READERS)}, got {path.suffix!r}"
        )
    allowance = Allowance(stored=check_file(path), largest=largest)
    try:
        content = reader(path, allowance)
    except Exception as error:
        # The parsers of other people raise whatever they like on broken files.
        text = " ".join(str(error).split())[:300]
        raise ValueError(
            f"{path}: not a readable {path.suffix} image ({text}); is the file complete?"
        ) from error
    content["labels"] = _relabelled(path, content["labels"], relabel)
    if voxel_size is not None:
        content["voxel_size"] = voxel_size
    content.setdefault("voxel_size", ASSUMED_VOXEL_SIZE)
    try:
        return Mesostructure(**content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def save(
    structure: Mesostructure, path: str | os.PathLike[str], *, fields: Mapping[str, ArrayLike] | None = None
) -> None:
    """
    Write a structure; an existing file is replaced at once or not at all.

    Parameters
    ----------
    structure : Mesostructure
        What to write.
    path : path-like
        The name tells the format:

        - ``.npz``: everything, that is labels, voxel size, periodicity, particles, particle ids, face fractions;
        - ``.vti`` (ParaView) and ``.nc`` (netCDF, xarray): all but particles and face fractions, and `fields`;
        - ``.tif``/``.tiff`` (ImageJ) and ``.ome.tif`` (OME-TIFF): labels, voxel size, periodicity;
        - ``.npy``: labels only.
    fields : mapping of str to array_like, optional
        Maps of the shape of the structure, such as `solvers.TransportResult.maps`, under names that may end in a unit
        in brackets, for ``.vti`` and ``.nc``.

    Raises
    ------
    ValueError
        If the name ends in something else, or the format or the structure does not fit the fields.
    FileNotFoundError
        If the folder does not exist.
    """
    path = Path(path)
    maps = _maps(structure, fields or {})
    writers: dict[str, Callable[[BinaryIO], None]] = {
        ".npz": partial(write_npz, structure),
        ".npy": partial(write_npy, structure),
        ".tif": partial(write_ome if path.stem.lower().endswith(".ome") else write_tiff, structure),
        ".vti": partial(write_vti, structure, maps),
        ".nc": partial(write_netcdf, structure, maps),
    }
    writers[".tiff"] = writers[".tif"]
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ValueError(
            f"{path}: the file name must end in one of {', '.join(writers)}, got {path.suffix!r}"
        )
    if maps and path.suffix.lower() not in {".vti", ".nc"}:
        raise ValueError(f"{path}: fields are written to .vti and .nc, got {path.suffix}; choose one of them")
    replace_file(path, writer)


def replace_file(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """
    Write a file beside the place it is for, and move it there when it is complete.

    Parameters
    ----------
    path : Path
        Where to.
    write : callable
        Takes the open file.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist; create it first")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    try:
        with Path(name).open("wb") as file:
            write(file)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _maps(structure: Mesostructure, fields: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """Check that fields are numbers of the shape of the structure."""
    maps = {name: np.asarray(values) for name, values in fields.items()}
    for name, values in maps.items():
        if values.shape != structure.shape or values.dtype.kind not in "iuf":
            raise ValueError(
                f"fields must be numbers of the structure's shape {structure.shape}, got {name!r} of shape "
                f"{values.shape} and type {values.dtype}"
            )
    return maps


def _relabelled(
    path: Path, labels: NDArray[Any], relabel: Mapping[int, int] | None
) -> NDArray[np.integer[Any]]:
    """Map the values of a file to phases, naming what cannot be mapped."""
    if labels.ndim != 3 or labels.size == 0:
        raise ValueError(
            f"{path}: an image must have three dimensions and at least one voxel, got shape {labels.shape}"
        )
    found = _values(labels)
    if len(found) > 64 or not np.all(found == np.round(found.astype(np.float64))):
        raise ValueError(
            f"{path}: an image must be segmented into phases, got {len(found)} distinct values; segment it first"
        )
    values = [int(value) for value in found]
    mapping = dict(relabel) if relabel is not None else {int(phase): int(phase) for phase in Phase}
    if any(value not in mapping for value in values) or (labels.dtype == np.bool_ and relabel is None):
        raise ValueError(
            f"{path}: every value must stand for a phase {[int(phase) for phase in Phase]}, got {values} as "
            f"{labels.dtype}; pass relabel={{value in the file: phase, ...}}"
        )
    phases = np.array([mapping[value] for value in values], dtype=np.int64)
    if labels.dtype != np.uint8:
        return np.asarray(phases[np.searchsorted(found, labels)])
    table = np.zeros(256, dtype=np.int64)
    table[found] = phases
    return labels if np.array_equal(found, phases) else np.asarray(table[labels])


def _values(labels: NDArray[Any]) -> NDArray[Any]:
    """Values that occur, without sorting a billion bytes."""
    if labels.dtype != np.uint8:
        return np.unique(labels)
    present = np.zeros(256, dtype=np.bool_)
    for layer in labels:
        present[layer] = True
    return np.flatnonzero(present)


def read_sizes(
    path: str | os.PathLike[str],
    *,
    unit: float = 1e-6,
    share: float | Profile = 1.0,
    aspect_ratio: float = 1.0,
    alignment: float = 0.0,
) -> SizeClass:
    """
    Read a measured size distribution.

    Parameters
    ----------
    path : path-like
        A CSV file (comma, semicolon or tabulator) of two columns: upper edge of a bin, and the volume in it in any unit.
        The volume of the first row is ignored: its edge is where the first bin begins. Lines that do not begin with a
        number are skipped.
    unit : float, default 1e-6
        Unit of the edges [m]; micrometres unless told otherwise.
    share : float or Profile, default 1.0
        Share of the active material's volume [-].
    aspect_ratio : float, default 1.0
        Length along the axis over the width across it [-].
    alignment : float, default 0.0
        How the particles lie [-].

    Returns
    -------
    SizeClass
        Population with these sizes.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds no such table, with its name and what is wrong.
    """
    rows = []
    check_text(Path(path))
    for line in Path(path).read_text(encoding="utf-8-sig").splitlines():
        cells = line.replace(";", ",").replace("\t", ",").split(",")
        try:
            rows.append([float(cell) for cell in cells[:2]])
        except ValueError:
            continue
    if len(rows) < 2 or any(len(row) != 2 for row in rows):
        raise ValueError(
            f"{path}: must hold at least two rows of two numbers (upper edge of a bin, volume in it), got {len(rows)} rows"
        )
    edges, volumes = np.array(rows).T
    try:
        return SizeClass.measured(
            edges * unit, volumes[1:], share=share, aspect_ratio=aspect_ratio, alignment=alignment
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
