"""Which particles are near each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso._kernels import neighbours as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

NARROW = np.array([1.0, 1.0, 3.0])
"""Bins along each axis per diameter: narrow ones leave fewer candidates, and along a row they cost nothing to pass."""


def neighbour_pairs(
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
    *,
    lengths: NDArray[np.float64],
    periodic: bool,
    skin: float = 0.0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    List all pairs of spheres nearer than the sum of their radii and a skin.

    Parameters
    ----------
    centres : ndarray, shape (n, 3), float64
        Centres [m].
    radii : ndarray, shape (n,), float64
        Radii [m].
    lengths : ndarray, shape (3,), float64
        Edges of the box [m].
    periodic : bool
        Whether the box wraps in all three directions (nearest image).
    skin : float, default 0.0
        Gap up to which spheres count as neighbours [m].

    Returns
    -------
    tuple of two ndarray, shape (pairs,), int64
        The larger and the smaller sphere of every pair, sorted by the larger's index.
    """
    count = len(radii)
    if count == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    bin_width = max(2.0 * float(np.median(radii)) + skin, float((np.prod(lengths) / count) ** (1 / 3)))
    bins = np.clip(lengths / bin_width * NARROW, 1, 512).astype(np.int64)
    start, order = np.empty(int(np.prod(bins)) + 1, dtype=np.int64), np.empty(count, dtype=np.int64)
    place = np.empty((count, 4))
    kernels.sort_bins(centres, radii, lengths, bins, start, order, place)
    room = 16 * count + 64
    while True:
        first, second = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        found = kernels.find_pairs(
            centres, radii, skin, lengths, bins, start, order, place, periodic, first, second
        )
        if found < room:
            return first[:found], second[:found]
        room = found + 1


def overlapping_pairs(
    centres: NDArray[np.float64],
    reaches: NDArray[np.float64],
    shapes: NDArray[np.float64],
    *,
    lengths: NDArray[np.float64],
    periodic: bool,
    skin: float = 0.0,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """
    List all pairs of ellipsoids that overlap or come near each other.

    Parameters
    ----------
    centres : ndarray, shape (n, 3), float64
        Centres [m].
    reaches : ndarray, shape (n,), float64
        Longest semi-axes [m].
    shapes : ndarray, shape (n, 3, 3), float64
        Matrices S [m2] with xᵀ S⁻¹ x = 1 on the surface.
    lengths : ndarray, shape (3,), float64
        Edges of the box [m].
    periodic : bool
        Whether the box wraps in all three directions (nearest image).
    skin : float, default 0.0
        Distance of the surfaces, along the line of the centres, up to which ellipsoids count as near [m].

    Returns
    -------
    tuple of three ndarray, shape (pairs,)
        The longer and the shorter particle of every pair (int64), sorted by the longer's index, and the distance of their
        surfaces along the line of the centres [m], negative where they overlap.
    """
    first, second = neighbour_pairs(centres, reaches, lengths=lengths, periodic=periodic, skin=skin)
    grown = shapes
    if skin:  # a pair closer than skin overlaps when both grow by half of it
        factor = 1.0 + 0.5 * skin / np.sqrt(np.linalg.eigvalsh(shapes)[:, 0])
        grown = shapes * factor[:, None, None] ** 2
    gap = np.empty(len(first))
    kernels.gaps(centres, grown, lengths, periodic, first, second, gap)
    near = gap < 0
    first, second = first[near], second[near]
    if not skin:
        return first, second, gap[near]
    gap = np.empty(len(first))
    kernels.gaps(centres, shapes, lengths, periodic, first, second, gap)
    return first, second, gap
