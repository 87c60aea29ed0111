"""Matplotlib figures as SVG that can stand inside a page under a strict content-security policy."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1f2933"
"""The colour of text and axes in the style file; on a page it is the colour of the page's text."""

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_DROPPED = {"font-family", "-inkscape-font-specification", "line-height"}
_SHORT_FONT = re.compile(r"(?:(\d+|bold)\s+)?([\d.]+px)\s")


def as_svg(figure: Figure, *, key: str, label: str) -> str:
    """
    Draw a figure as an SVG element for a page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    key : str
        Letters that no other figure of the page has; they keep its identifiers apart.
    label : str
        What a reader who does not see it is told.

    Returns
    -------
    str
        One ``<svg>`` element with text as text. It has no style of its own, which a content-security policy without
        ``unsafe-inline`` would ignore: what Matplotlib writes as styles stands as attributes, and ink is the colour
        of the surrounding text.
    """
    from matplotlib import rc_context

    target = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": key}):
        figure.savefig(target, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    # Our own drawing, not a document from elsewhere.
    root = ET.fromstring(target.getvalue())  # noqa: S314
    for element in list(root):
        # Who drew it when, and a style sheet of two rules that the page's own holds.
        if element.tag == f"{_SVG}metadata" or element.find(f"{_SVG}style") is not None:
            root.remove(element)
    for element in root.iter():
        _move_style(element)
        _rename(element, key)
        element.tag = element.tag.removeprefix(_SVG)
    root.attrib = {"viewBox": root.attrib["viewBox"], "class": "chart", "role": "img", "aria-label": label}
    return ET.tostring(root, encoding="unicode")


def _move_style(element: ET.Element) -> None:
    """Turn the declarations of a style attribute into attributes of their own."""
    for declaration in element.attrib.pop("style", "").split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font" and (short := _SHORT_FONT.match(value)):
            element.set("font-size", short[2])
            if short[1]:
                element.set("font-weight", short[1])
        elif name and name != "font" and name not in _DROPPED:
            element.set(name, "currentColor" if value.lower() == INK else value)
    if element.tag == f"{_SVG}text" and "fill" not in element.attrib:
        element.set("fill", "currentColor")


def _rename(element: ET.Element, key: str) -> None:
    """Keep identifiers apart from those of other figures, and drop those that nothing refers to."""
    name = element.attrib.pop("id", None)
    if name and element.tag != f"{_SVG}g":
        element.set("id", f"{key}-{name}")
    link = element.attrib.pop(_LINK, None)
    if link:
        element.set("href", f"#{key}-{link[1:]}" if link.startswith("#") else link)
    clip = element.get("clip-path")
    if clip:
        element.set("clip-path", clip.replace("url(#", f"url(#{key}-"))
