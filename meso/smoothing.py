"""Smooth surfaces of segmented images: apertures of voxel faces where no analytic surface is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meso._kernels import smoothing as kernels
from meso.phases import Phase
from meso.structure import WHOLE_FACE, Mesostructure
from meso.threads import share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from meso.structure import Faces

    Wraps = tuple[bool, bool, bool]


def smooth_surfaces(
    structure: Mesostructure, *, grey: ArrayLike | None = None, threshold: float | None = None
) -> Mesostructure:
    """
    Give a segmented image face fractions, reconstructed from its voxels or from the grey levels it was segmented from.

    Parameters
    ----------
    structure : Mesostructure
        Image without face fractions.
    grey : array_like, shape (nz, ny, nx), optional
        Grey levels. The pores must be the voxels on one side of the threshold.
    threshold : float, optional
        Grey level at the surface of the pores.

    Returns
    -------
    Mesostructure
        The same image with face fractions. Pores connect just as their voxels do through faces.

    Raises
    ------
    ValueError
        If the structure carries face fractions, or labels, grey levels and threshold contradict each other.

    Notes
    -----
    The pores' share of a face is that of `smooth_faces`, or with grey levels the share in which the bilinear field between
    the corners, each the mean of eight voxels, lies on the pores' side of the threshold. Where a face belongs to two
    solids, they divide the rest in proportion to the same weights.

    Examples
    --------
    >>> import numpy as np
    >>> z, y, x = np.ogrid[-7.5:8, -7.5:8, -7.5:8]
    >>> ball = Mesostructure((z**2 + y**2 + x**2 < 36).astype(int), voxel_size=1e-6)
    >>> smooth = smooth_surfaces(ball)
    >>> round(smooth.volume_fraction(Phase.ACTIVE) / (4 / 3 * np.pi * 6**3 / 16**3), 2)
    0.99
    """
    if structure.face_fractions is not None:
        raise ValueError("structure carries face fractions already; use it as it is")
    wraps = (False, structure.periodic, structure.periodic)
    pore = (structure.labels == Phase.PORE).view(np.uint8)
    open_area = smooth_faces(pore, wraps=wraps)
    if grey is not None or threshold is not None:
        _follow_level(open_area, _level(pore, grey, threshold), wraps)
    return Mesostructure(
        structure.labels,
        voxel_size=structure.voxel_size,
        periodic=structure.periodic,
        particle_ids=structure.particle_ids,
        particles=structure.particles,
        face_fractions=_divide_rest(structure.labels, open_area, wraps),
    )


def smooth_faces(inside: NDArray[np.uint8], *, wraps: Wraps = (False, False, False)) -> Faces:
    """
    Estimate which share of every voxel face lies inside, given the voxels that do.

    Parameters
    ----------
    inside : ndarray, shape (n0, n1, n2), uint8
        1 inside, 0 outside.
    wraps : tuple of bool, default (False, False, False)
        Whether the image repeats itself in the three directions; elsewhere it goes on as it ends.

    Returns
    -------
    tuple of three ndarrays, uint8
        Shares with 255 for the whole face, shapes (n0 + 1, n1, n2), (n0, n1 + 1, n2) and (n0, n1, n2 + 1).

    Notes
    -----
    With P of the two voxels at a face inside, E of the eight that share an edge with it and C of the eight that share a
    corner,

        s = 1/2 + (8 (P − 1) + 3 (E − 4) + (C − 4)) / 32,  cut off at 0 and 1:

    a mean over the eighteen voxels, steepened so that flat surfaces along the axes spread over two layers of faces only.
    Inside and outside play the same part. The weights are rounded from a least-squares fit to the exact shares in packings
    of spheres; a sharp surface (level 1/2 of an interpolated field) closes throats and wedges that are narrower than
    two voxels, this one leaves them the share they have on average.

    What is connected through faces of voxels stays so: faces between two voxels inside have s ≥ 1/4. Nothing else gets
    connected: a voxel outside opens only towards neighbours inside that are connected around it (the larger group of them),
    and a face between two voxels outside only if it lies along an open side of both.
    """
    shape = inside.shape
    sides = np.empty(shape, np.uint8)
    padded = _padded(inside, wraps)
    share(kernels.mark_sides, shape[0], padded, sides)
    faces = [np.empty([n + (axis == other) for other, n in enumerate(shape)], np.uint8) for axis in range(3)]
    share(kernels.open_faces, shape[0] + 1, padded, _padded(sides, wraps), *faces)
    return faces[0], faces[1], faces[2]


def _padded(image: NDArray[Any], wraps: Wraps) -> NDArray[Any]:
    """Continue an image by one voxel beyond its sides."""
    padded = np.empty([n + 2 for n in image.shape], image.dtype)
    share(kernels.pad_planes, len(image), image, wraps, padded)
    padded[[0, -1]] = padded[[-2, 1] if wraps[0] else [1, -2]]
    return padded


def _level(pore: NDArray[np.uint8], grey: ArrayLike | None, threshold: float | None) -> NDArray[np.float32]:
    """Grey levels relative to the threshold, positive in the pores."""
    if grey is None or threshold is None:
        raise ValueError("grey and threshold belong together, got only one of them; give both or neither")
    given = np.asarray(grey)
    if given.shape != pore.shape or given.dtype.kind not in "iuf":
        raise ValueError(
            f"grey must hold numbers in the shape of labels, {pore.shape}, got {given.dtype} {given.shape}"
        )
    level = np.asarray(given - np.float64(threshold), np.float32)
    if not np.isfinite(level).all():
        raise ValueError(
            f"grey and threshold must be finite, got threshold {threshold}; mask what was not measured"
        )
    if np.array_equal(level < 0, pore):
        return -level
    if not np.array_equal(level > 0, pore):
        raise ValueError(
            f"labels must be {Phase.PORE:d} (pore) exactly on one side of the threshold {threshold}; segment grey with it"
        )
    return level


def _follow_level(faces: Faces, level: NDArray[np.float32], wraps: Wraps) -> None:
    """Replace the shares of faces that are open in part by those of a bilinear field."""
    corners = np.empty([n + 1 for n in level.shape], np.float32)
    share(kernels.mean_at_corners, len(corners), _padded(level, wraps), corners)
    share(kernels.level_faces, len(corners), corners, *faces)


def _divide_rest(labels: NDArray[np.uint8], open_area: Faces, wraps: Wraps) -> dict[Phase, Faces]:
    """Divide what the pores leave of every face among the solids."""
    rest = [WHOLE_FACE - area for area in open_area]
    solids = [phase for phase in (Phase.ACTIVE, Phase.BINDER) if (labels == phase).any()]
    if len(solids) < 2:
        return {solids[0] if solids else Phase.ACTIVE: (rest[0], rest[1], rest[2])}
    active, binder = (_padded((labels == phase).view(np.uint8), wraps) for phase in solids)
    shares = []
    for axis in range(3):
        first, second = _weights(active, axis), _weights(binder, axis)
        part = rest[axis] * (first / np.maximum(first + second, np.float32(1e-9)))
        shares.append(np.rint(part).astype(np.uint8))
    others = [whole - part for whole, part in zip(rest, shares, strict=True)]
    return {Phase.ACTIVE: (shares[0], shares[1], shares[2]), Phase.BINDER: (others[0], others[1], others[2])}


def _weights(padded: NDArray[np.uint8], axis: int) -> NDArray[np.float32]:
    """Shares of the faces across an axis as in `smooth_faces`, without its care for connections, but never quite 0."""
    voxels = np.moveaxis(padded, axis, 0)
    rows = voxels[:, :-2] + voxels[:, 2:]
    middle = voxels[:, 1:-1]
    weight = 8 * middle[:, :, 1:-1] + 3 * (rows[:, :, 1:-1] + middle[:, :, :-2] + middle[:, :, 2:])
    weight += rows[:, :, :-2] + rows[:, :, 2:]
    both = np.moveaxis(weight[:-1] + weight[1:], 0, axis).astype(np.float32)
    return np.asarray(np.clip(both - 8.0, 0, 32) + 1e-6 * both, np.float32)
