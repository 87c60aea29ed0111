"""Images of electrodes in files: the only place of this floor that touches the disk."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from meso.channels import Channels
from meso.particles import ParticlePacking
from meso.phases import Phase
from meso.sizes import SizeClass
from meso.structure import Mesostructure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from meso.profiles import Profile

ASSUMED_VOXEL_SIZE = 1e-6
"""Edge of a voxel [m] where neither the file nor the caller tells it."""

_LENGTHS = {
    "nm": 1e-9,
    "um": 1e-6,
    "µm": 1e-6,
    "μm": 1e-6,
    "micron": 1e-6,
    "mm": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
    "inch": 0.0254,
}
_PACKING = ("centres", "radii", "size_class", "aspect_ratios", "axes", "domain", "overlap")


def load(
    path: str | os.PathLike[str],
    *,
    voxel_size: float | tuple[float, float, float] | None = None,
    relabel: Mapping[int, int] | None = None,
) -> Mesostructure:
    """
    Read a segmented image.

    Parameters
    ----------
    path : path-like
        A ``.npz`` file (written by `save`, or holding one array or an array named ``labels``), a ``.npy`` file or a
        ``.tif``/``.tiff`` stack. Axis 0 of the array is through-plane, index 0 at the separator.
    voxel_size : float or tuple of float, optional
        Edge of a voxel [m], or one per axis; overrules what the file says. Where neither tells it, 1 µm is assumed:
        then only what does not depend on the length scale, such as tortuosity factors and fractions, has a meaning.
    relabel : mapping of int to Phase, optional
        Phase of each value in the file, for images that use other numbers than `Phase`.

    Returns
    -------
    Mesostructure
        The image; everything that `save` wrote, if it did.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no three-dimensional image of the phases, or of another format.
    """
    path = Path(path)
    readers: dict[str, Callable[[Path], dict[str, Any]]] = {
        ".npz": _read_npz,
        ".npy": _read_npy,
        ".tif": _read_tiff,
        ".tiff": _read_tiff,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"{path}: the file name must end in one of {', '.join(readers)}, got {path.suffix!r}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file; check the path")
    try:
        content = reader(path)
    except (ValueError, OSError, EOFError, IndexError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path}: not a readable {path.suffix} image ({error}); is the file complete?"
        ) from error
    content["labels"] = _relabelled(path, content["labels"], relabel)
    if voxel_size is not None:
        content["voxel_size"] = voxel_size
    content.setdefault("voxel_size", ASSUMED_VOXEL_SIZE)
    try:
        return Mesostructure(**content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def save(structure: Mesostructure, path: str | os.PathLike[str]) -> None:
    """
    Write a structure; an existing file is replaced at once or not at all.

    Parameters
    ----------
    structure : Mesostructure
        What to write.
    path : path-like
        Ending in ``.npz`` (everything: labels, voxel size, particles, particle ids, face fractions), ``.npy`` (labels
        only) or ``.tif``/``.tiff`` (labels and voxel size, readable by ImageJ; ``.ome.tif`` for OME-TIFF).

    Raises
    ------
    ValueError
        If the name ends in something else.
    FileNotFoundError
        If the folder does not exist.
    """
    path = Path(path)
    writers: dict[str, Callable[[Mesostructure, BinaryIO], None]] = {
        ".npz": _write_npz,
        ".npy": _write_npy,
        ".tif": _write_ome if path.stem.lower().endswith(".ome") else _write_tiff,
    }
    writers[".tiff"] = writers[".tif"]
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ValueError(
            f"{path}: the file name must end in one of {', '.join(writers)}, got {path.suffix!r}"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist; create it first")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    try:
        with Path(name).open("wb") as file:
            writer(structure, file)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _relabelled(
    path: Path, labels: NDArray[Any], relabel: Mapping[int, int] | None
) -> NDArray[np.integer[Any]]:
    """Map the values of a file to phases, naming what cannot be mapped."""
    if labels.ndim != 3 or labels.size == 0:
        raise ValueError(
            f"{path}: an image must have three dimensions and at least one voxel, got shape {labels.shape}"
        )
    found = np.unique(labels)
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
    return np.asarray(phases[np.searchsorted(found, labels)])


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
    ValueError
        If the file holds no such table, with its name and what is wrong.
    """
    rows = []
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


def _read_npy(path: Path) -> dict[str, Any]:
    """Read one array."""
    return {"labels": np.load(path, allow_pickle=False)}


def _read_npz(path: Path) -> dict[str, Any]:
    """Read labels, and whatever else `save` wrote."""
    with np.load(path, allow_pickle=False) as archive:
        if "labels" not in archive and len(archive.files) != 1:
            raise ValueError(f"it must hold one array or one named 'labels', got {archive.files}")
        content: dict[str, Any] = {"labels": archive["labels" if "labels" in archive else archive.files[0]]}
        for name in ("voxel_size", "particle_ids"):
            if name in archive:
                content[name] = archive[name]
        if "periodic" in archive:
            content["periodic"] = bool(archive["periodic"])
        if all(name in archive for name in _PACKING):
            packing = {name: archive[name] for name in _PACKING}
            channels = json.loads(str(archive["channels"])) if "channels" in archive else None
            content["particles"] = ParticlePacking(
                **{name: packing[name] for name in _PACKING[:-2]},
                domain=tuple(packing["domain"].tolist()),
                overlap=float(packing["overlap"]),
                channels=None if channels is None else Channels(**channels),
            )
        if _face_name(Phase.ACTIVE, 0) in archive:
            content["face_fractions"] = {
                phase: tuple(archive[_face_name(phase, axis)] for axis in range(3))
                for phase in (Phase.ACTIVE, Phase.BINDER)
                if _face_name(phase, 0) in archive
            }
    return content


def _read_tiff(path: Path) -> dict[str, Any]:
    """Read a stack and the voxel size from OME, ImageJ or plain resolution tags, whichever speaks."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        content: dict[str, Any] = {"labels": file.asarray()}
        edges = _ome_voxel_size(file.ome_metadata) if file.ome_metadata else _tag_voxel_size(file)
        if edges is not None:
            content["voxel_size"] = edges
        if file.imagej_metadata is not None and "periodic" in file.imagej_metadata:
            content["periodic"] = bool(file.imagej_metadata["periodic"])
    return content


def _ome_voxel_size(xml: str) -> tuple[float, float, float] | None:
    """Read PhysicalSizeZ, Y, X [m] from OME-XML."""
    import tifffile

    image = tifffile.xml2dict(xml)["OME"]["Image"]
    pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
    if any(f"PhysicalSize{axis}" not in pixels for axis in "ZYX"):
        return None
    units = (_LENGTHS.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"), 1e-6) for axis in "ZYX")
    return _rounded(*(pixels[f"PhysicalSize{axis}"] * unit for axis, unit in zip("ZYX", units, strict=True)))


def _tag_voxel_size(file: Any) -> tuple[float, float, float] | None:
    """Read the voxel size [m] from ImageJ's description and the resolution tags of the first page."""
    metadata = file.imagej_metadata or {}
    tags = file.pages[0].tags
    unit = _LENGTHS.get(str(metadata.get("unit", "")).replace("\\u00B5", "µ"))
    if unit is None or "spacing" not in metadata or "XResolution" not in tags or "YResolution" not in tags:
        return None
    (x_count, x_length), (y_count, y_length) = tags["XResolution"].value, tags["YResolution"].value
    if not (x_count and y_count):
        return None
    return _rounded(float(metadata["spacing"]) * unit, y_length / y_count * unit, x_length / x_count * unit)


def _rounded(*edges: float) -> tuple[float, float, float]:
    """Undo the last-digit noise of micrometres and rationals."""
    z, y, x = (float(f"{edge:.10g}") for edge in edges)
    return z, y, x


def _write_npy(structure: Mesostructure, file: BinaryIO) -> None:
    """Write the labels alone."""
    np.save(file, structure.labels)


def _write_npz(structure: Mesostructure, file: BinaryIO) -> None:
    """Write everything the structure carries."""
    arrays: dict[str, Any] = {
        "labels": structure.labels,
        "voxel_size": np.array(structure.voxel_size),
        "periodic": np.array(structure.periodic),
    }
    if structure.particle_ids is not None:
        arrays["particle_ids"] = structure.particle_ids
    if structure.particles is not None:
        arrays |= {name: np.asarray(getattr(structure.particles, name)) for name in _PACKING}
        if structure.particles.channels is not None:
            arrays["channels"] = np.array(json.dumps(asdict(structure.particles.channels)))
    for phase, faces in (structure.face_fractions or {}).items():
        arrays |= {_face_name(phase, axis): face for axis, face in enumerate(faces)}
    np.savez_compressed(file, **arrays)


def _write_tiff(structure: Mesostructure, file: BinaryIO) -> None:
    """Write an ImageJ stack with the voxel size in micrometres."""
    import tifffile

    z, y, x = (edge * 1e6 for edge in structure.voxel_size)
    tifffile.imwrite(
        file,
        structure.labels,
        imagej=True,
        resolution=(1 / x, 1 / y),
        metadata={"axes": "ZYX", "spacing": z, "unit": "um", "periodic": structure.periodic},
    )


def _write_ome(structure: Mesostructure, file: BinaryIO) -> None:
    """Write an OME-TIFF with the voxel size in micrometres."""
    import tifffile

    metadata: dict[str, Any] = {"axes": "ZYX"}
    for axis, edge in zip("ZYX", structure.voxel_size, strict=True):
        metadata |= {f"PhysicalSize{axis}": edge * 1e6, f"PhysicalSize{axis}Unit": "µm"}
    tifffile.imwrite(file, structure.labels, ome=True, metadata=metadata)


def _face_name(phase: Phase, axis: int) -> str:
    """Name a face-fraction array inside an npz file."""
    return f"{phase.name.lower()}_faces_{axis}"
