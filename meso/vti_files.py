"""Images for ParaView: VTK's XML image data, ``.vti``."""

from __future__ import annotations

import base64
import math
import re
import sys
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np

from meso.file_checks import check_xml, choose_edges, micrometres

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from meso.file_checks import Allowance
    from meso.structure import Mesostructure

_TYPES = {
    "Int8": "i1",
    "UInt8": "u1",
    "Int16": "i2",
    "UInt16": "u2",
    "Int32": "i4",
    "UInt32": "u4",
    "Int64": "i8",
    "UInt64": "u8",
    "Float32": "f4",
    "Float64": "f8",
}
_NAMES = {np.dtype(code): name for name, code in _TYPES.items()}
_APPENDED = re.compile(rb"<AppendedData[^>]*>\s*_")
_HEADER_LIMIT = 2**20
_MICROMETRE = 1e-6


def write_vti(structure: Mesostructure, fields: Mapping[str, NDArray[Any]], file: BinaryIO) -> None:
    """
    Write labels, particle ids and fields as cell data, in raw appended form.

    Parameters
    ----------
    structure : Mesostructure
        What to write. VTK's x, y, z are axes 2, 1, 0; lengths are in micrometres, since VTK knows no units and draws
        boxes of 1e-5 badly. Periodicity and the voxel size in metres go into the field data.
    fields : mapping of str to ndarray
        Further arrays of the shape of the structure.
    file : binary file
        Where to.
    """
    cells: dict[str, NDArray[Any]] = {"labels": structure.labels}
    if structure.particle_ids is not None:
        cells["particle_ids"] = structure.particle_ids
    cells |= fields
    notes = {
        "voxel_size": np.array(structure.voxel_size),
        "periodic": np.array([structure.periodic], dtype=np.uint8),
    }
    arrays = [np.ascontiguousarray(array) for array in (*notes.values(), *cells.values())]
    offsets = np.cumsum([0, *(8 + array.nbytes for array in arrays)]).tolist()
    lines = [
        _data_array(name, array, offset)
        for name, array, offset in zip((*notes, *cells), arrays, offsets, strict=False)
    ]
    extent = " ".join(f"0 {count}" for count in structure.shape[::-1])
    spacing = " ".join(repr(edge) for edge in micrometres(structure.voxel_size)[::-1])
    order = "LittleEndian" if sys.byteorder == "little" else "BigEndian"
    head = (
        f'<?xml version="1.0"?>\n<VTKFile type="ImageData" version="1.0" byte_order="{order}" header_type="UInt64">\n'
        f'<ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="{spacing}">\n'
        f"<FieldData>\n{''.join(lines[: len(notes)])}</FieldData>\n"
        f'<Piece Extent="{extent}">\n<CellData Scalars="labels">\n{"".join(lines[len(notes) :])}</CellData>\n</Piece>\n'
        '</ImageData>\n<AppendedData encoding="raw">\n_'
    )
    file.write(head.encode())
    for array in arrays:
        file.write(np.uint64(array.nbytes).tobytes())
        file.write(array.data.cast("B") if array.size else b"")
    file.write(b"\n</AppendedData>\n</VTKFile>\n")


def read_vti(path: Path, allowance: Allowance) -> dict[str, Any]:
    """
    Read the labels of an image, and the rest of what `write_vti` wrote.

    Parameters
    ----------
    path : Path
        A file in appended form (raw or base64, plain or compressed by zlib), as VTK, ParaView and pyevtk write it. The
        labels are the array of that name, or the only one. Lengths of others are taken as micrometres.
    allowance : Allowance
        How much it may unfold to.

    Returns
    -------
    dict
        Arguments of `Mesostructure`.

    Raises
    ------
    ValueError
        If it is no such file, or unfolds to more than it says or may.
    """
    with path.open("rb") as file:
        source = _open(file)
        image = _child(source.root, "ImageData")
        piece = _child(image, "Piece")
        lower, upper = np.array(_numbers(image, "WholeExtent", 6), dtype=np.int64).reshape(3, 2).T
        shape = tuple(int(n) for n in (upper - lower)[::-1])
        if len(image.findall("Piece")) > 1:
            raise ValueError("it is in several pieces; write it in one")
        found = {entry.get("Name", ""): entry for entry in piece.iterfind("CellData/DataArray")}
        if not found:
            found = {entry.get("Name", ""): entry for entry in piece.iterfind("PointData/DataArray")}
            shape = tuple(n + 1 for n in shape)
        if "labels" not in found and len(found) != 1:
            raise ValueError(f"it must hold one array or one named 'labels', got {list(found)}")
        wanted = {"labels": found["labels" if "labels" in found else next(iter(found))]}
        if "particle_ids" in found:
            wanted["particle_ids"] = found["particle_ids"]
        dtypes = {name: source.dtype(entry) for name, entry in wanted.items()}
        allowance.check(sum(math.prod(shape) * dtype.itemsize for dtype in dtypes.values()))
        content: dict[str, Any] = {
            name: source.read(file, entry, math.prod(shape)).reshape(shape) for name, entry in wanted.items()
        }
        notes = {entry.get("Name"): entry for entry in image.iterfind("FieldData/DataArray")}
        edges = [edge * _MICROMETRE for edge in _numbers(image, "Spacing", 3)[::-1]]
        noted = source.read(file, notes["voxel_size"], 3).tolist() if "voxel_size" in notes else []
        content["voxel_size"] = choose_edges(edges, noted)
        if "periodic" in notes:
            content["periodic"] = bool(source.read(file, notes["periodic"], 1)[0])
    return content


class _Source(NamedTuple):
    """Header of a file, and how the numbers behind it are written."""

    root: Element
    begin: int
    encoded: bool
    order: str
    counts: np.dtype[Any]
    compressed: bool

    def dtype(self, entry: Element) -> np.dtype[Any]:
        """Type of the numbers of an array."""
        name = entry.get("type", "")
        if name not in _TYPES or entry.get("format") != "appended":
            raise ValueError(f"{entry.get('Name')} must be numbers in appended form, got {name or 'nothing'}")
        if entry.get("NumberOfComponents", "1") != "1":
            raise ValueError(f"{entry.get('Name')} must be one number a voxel")
        return np.dtype(self.order + _TYPES[name])

    def read(self, file: BinaryIO, entry: Element, count: int) -> NDArray[Any]:
        """Read an array of which the number of values is known."""
        dtype, position = self.dtype(entry), self.begin + int(entry.get("offset", "0"))
        size = count * dtype.itemsize
        if self.compressed:
            data = self._unfold(file, position, size)
        else:
            head = self._bytes(
                file, position, self.counts.itemsize + size if self.encoded else self.counts.itemsize
            )
            if self.encoded:
                head, data = head[: self.counts.itemsize], head[self.counts.itemsize :]
            else:
                data = file.read(size)
            if int(np.frombuffer(head, self.counts)[0]) != size:
                raise ValueError(f"{entry.get('Name')} must hold {size} bytes")
        if len(data) != size:
            raise ValueError(f"{entry.get('Name')} must hold {size} bytes, got {len(data)}")
        return np.frombuffer(data, dtype)

    def _bytes(self, file: BinaryIO, position: int, size: int) -> bytes:
        """Read bytes that may be written in base64."""
        file.seek(position)
        if not self.encoded:
            return file.read(size)
        return base64.b64decode(file.read(-(-size // 3) * 4))[:size]

    def _unfold(self, file: BinaryIO, position: int, size: int) -> bytes:
        """Read blocks compressed by zlib, which may not become longer than they say."""
        width = self.counts.itemsize
        blocks, length, last = np.frombuffer(self._bytes(file, position, 3 * width), self.counts).tolist()
        whole = blocks * length - (length - last if last else 0)
        if whole != size or not blocks:
            raise ValueError(f"its blocks must unfold to {size} bytes, they promise {whole}")
        head = self._bytes(file, position, (3 + blocks) * width)
        sizes = np.frombuffer(head, self.counts)[3:].tolist()
        written = -(-len(head) // 3) * 4 if self.encoded else len(head)
        packed = self._bytes(file, position + written, sum(sizes))
        parts, start = [], 0
        for taken in sizes:
            parts.append(zlib.decompressobj().decompress(packed[start : start + taken], length + 1))
            start += taken
            if len(parts[-1]) > length:
                raise ValueError(f"a block of {length} bytes unfolds to more")
        return b"".join(parts)


def _open(file: BinaryIO) -> _Source:
    """Read the XML in front of the numbers."""
    from xml.etree import ElementTree as ET

    start = file.read(_HEADER_LIMIT)
    match = _APPENDED.search(start)
    if match is None:
        raise ValueError("it has no appended data; write it in appended form")
    text = start[: match.end() - 1].decode()
    check_xml(text)
    root = ET.fromstring(f"{text}</AppendedData></VTKFile>")  # noqa: S314  entities are refused
    compressor = root.get("compressor", "")
    if root.get("type") != "ImageData" or compressor not in {"", "vtkZLibDataCompressor"}:
        raise ValueError(f"it must be image data, plain or zlib, got {root.get('type')} {compressor}")
    order = "<" if root.get("byte_order") == "LittleEndian" else ">"
    return _Source(
        root=root,
        begin=match.end(),
        encoded=_child(root, "AppendedData").get("encoding") == "base64",
        order=order,
        counts=np.dtype(order + _TYPES[root.get("header_type", "UInt32")]),
        compressed=bool(compressor),
    )


def _data_array(name: str, array: NDArray[Any], offset: int) -> str:
    """Announce an array."""
    count = f' NumberOfTuples="{array.size}"' if array.ndim == 1 else ""
    return f'<DataArray type="{_NAMES[array.dtype]}" Name={quoteattr(name)}{count} format="appended" offset="{offset}"/>\n'


def _child(parent: Element, name: str) -> Element:
    """Find an element that must be there."""
    child = parent.find(name)
    if child is None:
        raise ValueError(f"it has no {name}")
    return child


def _numbers(element: Element, name: str, count: int) -> list[float]:
    """Read an attribute of several numbers."""
    numbers = [float(word) for word in element.get(name, "").split()]
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"{name} must be {count} numbers, got {element.get(name)}")
    return numbers
