"""What readers of files share: checks of what a file is and may ask of the memory before it is decoded, and scales."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RATIO = 10_000
"""Bytes that a byte of a small file may unfold to."""
SMALL = 2**27
"""Up to here [bytes] `RATIO` holds: an image of 512³ voxels of one phase."""
DENSE_RATIO = 100
"""Bytes that a byte may unfold to beyond `SMALL`; deflated electrodes stay below 50."""
LARGEST = 2**34
"""What nothing may unfold to [bytes] unless the caller says so."""
SMALL_TEXT = 2**24
"""Size [bytes] that no text file read here has a reason to exceed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """
    How much the content of a file may unfold to.

    Parameters
    ----------
    stored : int
        Size of the file [bytes].
    largest : int or None, default None
        What the caller allows [bytes], in place of the rules of this module.

    Examples
    --------
    >>> Allowance(stored=1_000_000).bytes
    134217728
    >>> Allowance(stored=1_000).bytes
    10000000
    """

    stored: int
    largest: int | None = None

    @property
    def bytes(self) -> int:
        """Size that is allowed [bytes]."""
        if self.largest is not None:
            return self.largest
        return min(LARGEST, max(min(RATIO * self.stored, SMALL), DENSE_RATIO * self.stored))

    def check(self, declared: int) -> None:
        """
        Refuse a content that is too large.

        Parameters
        ----------
        declared : int
            What the file says that it unfolds to [bytes].

        Raises
        ------
        ValueError
            If that is more than what is allowed.
        """
        if declared > self.bytes:
            raise ValueError(
                f"it unfolds to {declared} bytes from {self.stored}, at most {self.bytes} are allowed; "
                f"pass largest={declared} if you trust it"
            )


def check_file(path: Path) -> int:
    """
    Refuse what is no regular file, and links that lead out of their folder.

    Parameters
    ----------
    path : Path
        File about to be read.

    Returns
    -------
    int
        Its size [bytes].

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is a folder, a device, a pipe or a socket, or a symbolic link to something outside its folder.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise FileNotFoundError(f"{path}: there is no such file; check the path") from error
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path}: must be a regular file, got {_kind(status.st_mode)}; name a file")
    if path.is_symlink():
        target = path.resolve()
        if not target.is_relative_to(path.parent.resolve()):
            raise ValueError(
                f"{path}: must not be a link that leaves its folder, got one to {target}; name the file itself"
            )
    return status.st_size


def check_text(path: Path) -> None:
    """
    Refuse what `check_file` refuses, and files too large for a table or a set of parameters.

    Parameters
    ----------
    path : Path
        File about to be read.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no regular file, leads out of its folder, or exceeds 16 MiB.
    """
    size = check_file(path)
    if size > SMALL_TEXT:
        raise ValueError(f"{path}: must be at most {SMALL_TEXT} bytes, got {size}; is it the right file?")


def check_xml(text: str) -> None:
    """
    Refuse XML that defines entities: a few lines of them unfold to gigabytes, or read other files.

    Parameters
    ----------
    text : str
        The document.

    Raises
    ------
    ValueError
        If it holds a document type or an entity declaration.
    """
    lowered = text.lower()
    if "<!doctype" in lowered or "<!entity" in lowered:
        raise ValueError("its XML declares a document type, which no image needs; write it again without")


def choose_edges(edges: Sequence[float], noted: Sequence[float]) -> tuple[float, float, float]:
    """
    Take the digits of our own note where it agrees with a format's own field, which others may have changed.

    Parameters
    ----------
    edges : sequence of float
        Edges of a voxel [m] after the field that every program reads, which may be off in the last digits.
    noted : sequence of float
        The same as `meso.save` noted them; empty in a file of others.

    Returns
    -------
    tuple of float
        Edges [m].

    Examples
    --------
    >>> choose_edges((3.9812000000001e-07, 4e-07, 4e-07), (3.9812e-07, 4e-07, 4e-07))
    (3.9812e-07, 4e-07, 4e-07)
    >>> choose_edges((2.0000000000000003e-06, 4e-07, 4e-07), ())
    (2e-06, 4e-07, 4e-07)
    """
    close = len(noted) == 3 and all(abs(a - b) <= 1e-6 * b for a, b in zip(noted, edges, strict=True))
    z, y, x = noted if close else (float(f"{edge:.10g}") for edge in edges)
    return z, y, x


def micrometres(edges: Sequence[float]) -> tuple[float, ...]:
    """
    Turn metres into micrometres as people write them, without the last-digit noise of the product.

    Parameters
    ----------
    edges : sequence of float
        Lengths [m].

    Returns
    -------
    tuple of float
        Lengths [µm], to 12 digits.

    Examples
    --------
    >>> 4e-7 * 1e6, micrometres([4e-7])
    (0.39999999999999997, (0.4,))
    """
    return tuple(float(f"{edge * 1e6:.12g}") for edge in edges)


def _kind(mode: int) -> str:
    """Say what a file that is none is."""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
