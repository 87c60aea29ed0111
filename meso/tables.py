"""Results as tables for notebooks: names, values and units, without Matplotlib."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from dataclasses import fields
from enum import Enum
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_ENTRY = re.compile(r"^ {4}(?P<names>\w+(?:, \w+)*) :.*\n(?P<text>(?: {8}.*\n)*)", re.MULTILINE)
_UNIT = re.compile(r"\[([^\[\]]+)\](?!_)")
PICTURE_WIDTH = 320
"""Width of a picture in a table [CSS pixels]."""


def describe(result: Any) -> str:
    """
    List the fields of a result, with the units that its documentation gives in brackets.

    Parameters
    ----------
    result : dataclass instance
        The result.

    Returns
    -------
    str
        HTML table; arrays by their shape and range.

    Examples
    --------
    >>> from meso import ParticlePacking
    >>> lattice = ParticlePacking(centres=[[0.5, 0.5, 0.5]], radii=[0.4], domain=(1.0, 1.0, 1.0))
    >>> "<td>radii</td><td>(1,), 0.4</td><td>m</td>" in describe(lattice)
    True
    """
    units: dict[str, str] = {}
    for entry in _ENTRY.finditer(type(result).__doc__ or ""):
        found = _UNIT.findall(entry["text"])
        units |= dict.fromkeys(entry["names"].split(", "), found[-1] if found else "")
    named = ((field.name, getattr(result, field.name)) for field in fields(result))
    rows = [(name, say(value), units.get(name, "")) for name, value in named if value is not None]
    return table(type(result).__name__, rows)


def table(title: str, rows: Iterable[tuple[str, str, str]], *, picture: bytes | None = None) -> str:
    """
    Write a table of names, values and units.

    Parameters
    ----------
    title : str
        Head of the table.
    rows : iterable of tuple of str
        Name, value and unit of each line.
    picture : bytes, optional
        PNG to be shown above.

    Returns
    -------
    str
        HTML, everything in it escaped.
    """
    head = ""
    if picture is not None:
        source = base64.b64encode(picture).decode("ascii")
        head = (
            f'<img alt="cut through the middle" width="{PICTURE_WIDTH}" style="image-rendering:pixelated" '
            f'src="data:image/png;base64,{source}">'
        )
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in (name.replace('_', ' '), value, unit))}</tr>"
        for name, value, unit in rows
    )
    return f"<div><b>{escape(title)}</b><br>{head}<table>{body}</table></div>"


def say(value: Any) -> str:
    """
    Say a value in a few words.

    Parameters
    ----------
    value : object
        Number, text, array, outcome or another result.

    Returns
    -------
    str
        Text.

    Examples
    --------
    >>> say(np.array([[1.0, 2.5]])), say(True), say(3.14159265)
    ('(1, 2), 1 to 2.5', 'yes', '3.1416')
    """
    match value:
        case Enum():
            text = str(value.value)
        case bool() | np.bool_():
            text = "yes" if value else "no"
        case float() | np.floating():
            text = f"{value:.5g}"
        case int() | str():
            text = str(value)
        case tuple():
            text = ", ".join(say(part) for part in value)
        case np.ndarray():
            text = ", ".join((str(value.shape), *_range(value)))
        case _:
            text = type(value).__name__
    return text


def _range(values: NDArray[Any]) -> list[str]:
    """Say between what the numbers of an array lie."""
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    if not known.size:
        return []
    low, high = f"{known.min():.5g}", f"{known.max():.5g}"
    return [low if low == high else f"{low} to {high}"]


def indexed_png(indices: NDArray[np.uint8], colours: Iterable[str]) -> bytes:
    """
    Draw an image of few colours.

    Parameters
    ----------
    indices : ndarray, shape (height, width), uint8
        Colour of every pixel.
    colours : iterable of str
        Colours as ``#rrggbb``.

    Returns
    -------
    bytes
        PNG.
    """
    height, width = indices.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # a filter type, none, in front of every row
    rows[:, 1:] = indices
    palette = b"".join(bytes.fromhex(colour.removeprefix("#")) for colour in colours)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette),
        (b"IDAT", zlib.compress(rows.tobytes(), 6)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
