"""Images in NumPy's files: ``.npy`` (labels alone) and ``.npz`` (everything a structure carries)."""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from meso.channels import Channels
from meso.particles import ParticlePacking
from meso.phases import Phase

if TYPE_CHECKING:
    from pathlib import Path

    from meso.file_checks import Allowance
    from meso.structure import Mesostructure

_PACKING = ("centres", "radii", "size_class", "aspect_ratios", "axes", "domain", "overlap")
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_MEMBERS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def read_npy(path: Path, allowance: Allowance) -> dict[str, Any]:
    """
    Read one array.

    Parameters
    ----------
    path : Path
        The file.
    allowance : Allowance
        How much it may unfold to.

    Returns
    -------
    dict
        The labels.

    Raises
    ------
    ValueError
        If the header promises more than the file holds, or objects.
    """
    with path.open("rb") as file:
        declared = _declared(file)
        held = allowance.stored - file.tell()
    if declared > held:
        raise ValueError(f"its header promises {declared} bytes, it holds {held}")
    allowance.check(declared)
    return {"labels": np.load(path, allow_pickle=False)}


def read_npz(path: Path, allowance: Allowance) -> dict[str, Any]:
    """
    Read labels, and whatever else `write_npz` wrote.

    Parameters
    ----------
    path : Path
        The file.
    allowance : Allowance
        How much it may unfold to.

    Returns
    -------
    dict
        Arguments of `Mesostructure`.

    Raises
    ------
    ValueError
        If it holds no labels, unfolds to too much, or a header contradicts its array.
    """
    _check_archive(path, allowance)
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
            content["particles"] = _packing(archive)
        if _face_name(Phase.ACTIVE, 0) in archive:
            content["face_fractions"] = {
                phase: tuple(archive[_face_name(phase, axis)] for axis in range(3))
                for phase in (Phase.ACTIVE, Phase.BINDER)
                if _face_name(phase, 0) in archive
            }
    return content


def write_npy(structure: Mesostructure, file: BinaryIO) -> None:
    """
    Write the labels alone.

    Parameters
    ----------
    structure : Mesostructure
        What to write.
    file : binary file
        Where to.
    """
    np.save(file, structure.labels)


def write_npz(structure: Mesostructure, file: BinaryIO) -> None:
    """
    Write everything the structure carries.

    Parameters
    ----------
    structure : Mesostructure
        What to write.
    file : binary file
        Where to.
    """
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


def _check_archive(path: Path, allowance: Allowance) -> None:
    """Compare what an archive, and then each header in it, promises with what is there."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        allowance.check(sum(member.file_size for member in members))
        for member in members:
            if member.compress_type not in _MEMBERS:
                raise ValueError(f"{member.filename} must be stored or deflated; write it with numpy.savez")
            with archive.open(member) as stream:
                declared = _declared(stream)
                held = member.file_size - stream.tell()
            if declared != held:
                raise ValueError(
                    f"the header of {member.filename} promises {declared} bytes, it holds {held}"
                )


def _declared(stream: Any) -> int:
    """Size [bytes] that the header of an array promises; the stream is left behind it."""
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"version {version} of NumPy's format is for structured arrays only")
    shape, _, dtype = _HEADERS[version](stream)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never loaded; save numbers")
    return math.prod(shape) * dtype.itemsize


def _packing(archive: Any) -> ParticlePacking:
    """Assemble the particles."""
    packing = {name: archive[name] for name in _PACKING}
    channels = json.loads(str(archive["channels"])) if "channels" in archive else None
    return ParticlePacking(
        **{name: packing[name] for name in _PACKING[:-2]},
        domain=tuple(packing["domain"].tolist()),
        overlap=float(packing["overlap"]),
        channels=None if channels is None else Channels(**channels),
    )


def _face_name(phase: Phase, axis: int) -> str:
    """Name a face-fraction array inside an npz file."""
    return f"{phase.name.lower()}_faces_{axis}"
