"""Images in TIFF files: stacks for ImageJ, and OME-TIFF."""

from __future__ import annotations

import logging
import math
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO

from meso.file_checks import check_xml, choose_edges, micrometres

if TYPE_CHECKING:
    from pathlib import Path

    from meso.file_checks import Allowance
    from meso.structure import Mesostructure

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
_PLAIN, _LZW, _PACKBITS = 1, 5, 32773
_DEFLATE = {8, 32946}
_NAMESPACE = "meso-electrode"
DEFLATE_RATIO = 1032
"""Bytes that a byte of a deflated stream unfolds to at most."""
UNCHECKED = 2**26
"""A strip that cannot unfold to more than this [bytes] is decoded without a look ahead."""


def read_tiff(path: Path, allowance: Allowance) -> dict[str, Any]:
    """
    Read a stack, and the voxel size from OME, ImageJ or plain resolution tags, whichever speaks.

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
        If it unfolds to more than it says or may, or is compressed in an unusual way.
    """
    import tifffile

    # What tifffile finds odd is for those who listen; a refusal below is one line.
    log = logging.getLogger("tifffile")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    # OME-XML may name further files to be opened, anywhere on the disk; not here.
    with tifffile.TiffFile(path, _multifile=False) as file:
        first = file.pages.first
        check_xml(first.description)
        series = file.series[0]
        declared = math.prod(series.shape) * series.dtype.itemsize
        if first.compression == _PLAIN and declared > allowance.stored:
            raise ValueError(f"it promises {declared} bytes in a file of {allowance.stored}")
        allowance.check(declared)
        _check_strips(file, series)
        content: dict[str, Any] = {"labels": series.asarray()}
        edges, notes = _ome(file.ome_metadata) if file.ome_metadata else _imagej(file)
        if edges is not None:
            noted = [float(word) for word in str(notes.get("voxel_size", "")).split()]
            content["voxel_size"] = choose_edges(edges, noted)
        if "periodic" in notes:
            content["periodic"] = str(notes["periodic"]).lower() in {"1", "true"}
    return content


def write_tiff(structure: Mesostructure, file: BinaryIO) -> None:
    """
    Write an ImageJ stack with the voxel size in micrometres.

    Parameters
    ----------
    structure : Mesostructure
        What to write.
    file : binary file
        Where to.
    """
    import tifffile

    z, y, x = micrometres(structure.voxel_size)
    tifffile.imwrite(
        file,
        structure.labels,
        imagej=True,
        resolution=(1 / x, 1 / y),
        metadata={"axes": "ZYX", "spacing": z, "unit": "um", **_notes(structure)},
    )


def write_ome(structure: Mesostructure, file: BinaryIO) -> None:
    """
    Write an OME-TIFF with the voxel size in micrometres.

    Parameters
    ----------
    structure : Mesostructure
        What to write.
    file : binary file
        Where to.
    """
    import tifffile

    metadata: dict[str, Any] = {
        "axes": "ZYX",
        "MapAnnotation": {"Namespace": _NAMESPACE, **_notes(structure)},
    }
    for axis, edge in zip("ZYX", micrometres(structure.voxel_size), strict=True):
        metadata |= {f"PhysicalSize{axis}": edge, f"PhysicalSize{axis}Unit": "µm"}
    tifffile.imwrite(file, structure.labels, ome=True, metadata=metadata)


def _notes(structure: Mesostructure) -> dict[str, str]:
    """Note what the standard fields cannot hold, or not to the last digit."""
    return {
        "periodic": str(structure.periodic).lower(),
        "voxel_size": " ".join(repr(edge) for edge in structure.voxel_size),
    }


def _check_strips(file: Any, series: Any) -> None:
    """Refuse unusual compression, and deflated strips that unfold to more than their place in the image."""
    for page in series.pages:
        if page is None or page.compression == _PLAIN:
            continue
        if page.compression not in _DEFLATE | {_LZW, _PACKBITS}:
            raise ValueError(f"compression {page.compression} is not read; save it plain or deflated")
        place = math.prod(page.chunks) * page.dtype.itemsize
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if page.compression not in _DEFLATE or count * DEFLATE_RATIO <= UNCHECKED:
                continue
            file.filehandle.seek(offset)
            start = zlib.decompressobj().decompress(file.filehandle.read(count), place + 1)
            if len(start) > place:
                raise ValueError(f"a strip of {place} bytes unfolds to more")


def _ome(xml: str) -> tuple[tuple[float, ...] | None, dict[str, Any]]:
    """Read PhysicalSizeZ, Y, X [m] and our own annotations from OME-XML."""
    import tifffile

    document = tifffile.xml2dict(xml)["OME"]
    pixels = _listed(document["Image"])[0]["Pixels"]
    notes: dict[str, Any] = {}
    for annotation in _listed(document.get("StructuredAnnotations", {}).get("MapAnnotation", [])):
        if annotation.get("Namespace") == _NAMESPACE:
            notes = {entry["K"]: entry.get("value") for entry in _listed(annotation["Value"]["M"])}
    if any(f"PhysicalSize{axis}" not in pixels for axis in "ZYX"):
        return None, notes
    units = [_LENGTHS.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"), 1e-6) for axis in "ZYX"]
    return tuple(pixels[f"PhysicalSize{axis}"] * unit for axis, unit in zip("ZYX", units, strict=True)), notes


def _imagej(file: Any) -> tuple[tuple[float, ...] | None, dict[str, Any]]:
    """Read the voxel size [m] from ImageJ's description and the resolution tags of the first page."""
    notes: dict[str, Any] = file.imagej_metadata or {}
    tags = file.pages.first.tags
    unit = _LENGTHS.get(str(notes.get("unit", "")).replace("\\u00B5", "µ"))
    if unit is None or "spacing" not in notes or "XResolution" not in tags or "YResolution" not in tags:
        return None, notes
    (x_count, x_length), (y_count, y_length) = tags["XResolution"].value, tags["YResolution"].value
    if not (x_count and y_count):
        return None, notes
    return (float(notes["spacing"]) * unit, y_length / y_count * unit, x_length / x_count * unit), notes


def _listed(value: Any) -> list[Any]:
    """Make a list of what is one or several elements."""
    return value if isinstance(value, list) else [value]
