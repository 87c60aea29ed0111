"""A structure seen from outside: rays through the voxels, as a picture without a graphics card."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from meso.figures import COLOURS
from meso.phases import Phase

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from meso.structure import Mesostructure

AZIMUTH = -0.6
"""Angle by which the block is turned about its vertical edge [rad]."""
ELEVATION = 0.4
"""Angle by which it is seen from above [rad]."""

VOXELS = 2_000_000
"""More voxels than this do not show in a picture."""
BINDER_WEIGHT = 5.0 / 3.0
"""Where smoothed phases meet, weighs binder so that a layer of one voxel keeps its width."""

_STEP = 0.5  # [voxels]
_BISECTIONS = 5
_LIGHT = np.array([0.1, 0.55, 0.83])  # towards the light, in the frame of the viewer
_ABOVE = (1.5, 3.0, 6.0)  # where the sky is looked for [voxels]


def camera(azimuth: float = AZIMUTH, elevation: float = ELEVATION) -> NDArray[np.float64]:
    """
    Return the directions of a viewer's frame.

    Parameters
    ----------
    azimuth : float, default -0.6
        Turn about the vertical axis of the block [rad].
    elevation : float, default 0.4
        View from above [rad].

    Returns
    -------
    ndarray, shape (3, 3), float64
        Rows: right, up, towards the viewer; columns: axes 0, 1, 2 of the structure. Axis 0 runs to the right, axis 1 up.

    Examples
    --------
    >>> (camera(0.0, 0.0) + 0.0).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    turn, tilt = (math.cos(azimuth), math.sin(azimuth)), (math.cos(elevation), math.sin(elevation))
    right = (turn[0], 0.0, -turn[1])
    back = (tilt[0] * turn[1], tilt[1], tilt[0] * turn[0])
    up = (-tilt[1] * turn[1], tilt[0], -tilt[1] * turn[0])
    return np.array((right, up, back)) + 0.0


def coarse_labels(structure: Mesostructure, *, voxels: int = VOXELS) -> NDArray[np.uint8]:
    """
    Return the labels with at most a number of voxels.

    Parameters
    ----------
    structure : Mesostructure
        What to look at.
    voxels : int, default 2,000,000
        Largest number of voxels.

    Returns
    -------
    ndarray, shape (mz, my, mx), uint8
        The most frequent `Phase` of every cube of voxels, where there are too many of them; what does not fill a cube
        at the far ends is left out. The labels themselves otherwise.
    """
    factor = math.ceil(round((structure.labels.size / voxels) ** (1 / 3), 9))
    if factor <= 1:
        return structure.labels
    counts = [max(1, size // factor) for size in structure.shape]
    edges = [min(factor, size) for size in structure.shape]
    whole = structure.labels[tuple(slice(0, count * edge) for count, edge in zip(counts, edges, strict=True))]
    cubes = whole.reshape([number for pair in zip(counts, edges, strict=True) for number in pair])
    frequencies = [np.count_nonzero(cubes == phase, axis=(1, 3, 5)) for phase in Phase]
    return np.asarray(np.argmax(frequencies, axis=0), dtype=np.uint8)


def _shares(labels: NDArray[np.uint8]) -> dict[Phase, NDArray[np.float32]]:
    """Share of each phase around every voxel; the surface of a phase lies at one half."""
    from scipy.ndimage import convolve1d

    shares = {}
    for phase in Phase:
        field = (labels == phase).astype(np.float32)
        for axis in range(3):
            field = convolve1d(field, (0.25, 0.5, 0.25), axis=axis, mode="nearest")
        shares[phase] = field
    return shares


def view_structure(
    structure: Mesostructure,
    *,
    phases: Collection[Phase] = (Phase.ACTIVE, Phase.BINDER),
    width: int = 900,
    azimuth: float = AZIMUTH,
    elevation: float = ELEVATION,
) -> NDArray[np.uint8]:
    """
    Draw a structure as seen from outside.

    Parameters
    ----------
    structure : Mesostructure
        What to look at.
    phases : collection of Phase, default active material and binder
        What is not transparent.
    width : int, default 900
        Width of the picture [pixels].
    azimuth, elevation : float
        Direction of view, see `camera` [rad].

    Returns
    -------
    ndarray, shape (height, width, 4), uint8
        Red, green, blue and opacity; separator on the left.

    Raises
    ------
    ValueError
        If no phase is drawn, or the picture has no pixels.

    Notes
    -----
    Parallel rays march through the trilinear shares of the phases to the first point where the chosen ones fill one half. Surfaces that the block cuts are plane.
    """
    if not phases or width < 1:
        raise ValueError(f"phases and width must not be empty, got phases = {phases!r} and width = {width}")
    shares = _shares(coarse_labels(structure))
    solid = np.asarray(sum(shares[phase] for phase in phases), dtype=np.float32)
    frame = camera(azimuth, elevation)
    size = np.array(structure.shape) * structure.voxel_size
    origins, height = _rays(frame, size, width=width)
    # From metres to voxels of the coarse field: there, steps and look-ups are simple.
    scale = np.array(solid.shape) / size
    points, direction = origins * scale, -frame[2] * scale
    direction /= np.linalg.norm(direction)
    pixels, hits, inside = _march(solid, points, direction)
    normals = _normals(solid, hits, inside, direction) * scale
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    light = np.clip(normals @ frame.T @ (_LIGHT / np.linalg.norm(_LIGHT)), 0.0, 1.0)
    shade = (0.62 + 0.45 * light) * (1.0 - _occlusion(solid, hits, normals))
    picture = np.zeros((height * width, 4))
    picture[pixels, :3] = np.minimum(
        _colours({phase: shares[phase] for phase in phases}, hits) * shade[:, None], 1.0
    )
    picture[pixels, 3] = 1.0
    return np.rint(255 * picture.reshape(height, width, 4)).astype(np.uint8)


def _rays(
    frame: NDArray[np.float64], size: NDArray[np.float64], *, width: int
) -> tuple[NDArray[np.float64], int]:
    """Return the origin of the ray of every pixel [m], row by row from the top, and the number of rows."""
    across, upward, deep = np.abs(frame) @ size
    height = max(1, round(width * upward / across))
    right = (np.arange(width) + 0.5) / width - 0.5
    up = 0.5 - (np.arange(height) + 0.5) / height
    plane = right[None, :, None] * across * frame[0] + up[:, None, None] * upward * frame[1]
    return (plane + 0.5 * size + 0.5 * deep * frame[2]).reshape(-1, 3), height


def _march(
    solid: NDArray[np.float32], points: NDArray[np.float64], direction: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]:
    """Follow rays to the first solid; return which hit, where [voxels], and which were stopped inside the block."""
    with np.errstate(divide="ignore"):
        inverse = 1.0 / direction
    ends = np.stack((-points * inverse, (np.array(solid.shape) - points) * inverse))
    enter, leave = ends.min(axis=0).max(axis=1) + 1e-6, ends.max(axis=0).min(axis=1) - 1e-6
    alive = np.flatnonzero(enter < leave)
    distance, stopped = enter.copy(), np.zeros(len(points), dtype=bool)
    while alive.size:
        here = points[alive] + distance[alive, None] * direction
        hit = _sample(solid, here) >= 0.5
        stopped[alive[hit]] = True
        alive = alive[~hit]
        distance[alive] += _STEP
        alive = alive[distance[alive] < leave[alive]]
    pixels = np.flatnonzero(stopped)
    inside = distance[pixels] > enter[pixels]
    far, start = distance[pixels], points[pixels]
    near = np.where(inside, far - _STEP, far)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (near + far)
        hit = _sample(solid, start + middle[:, None] * direction) >= 0.5
        near, far = np.where(hit, near, middle), np.where(hit, middle, far)
    return pixels, start + far[:, None] * direction, inside


def _sample(field: NDArray[np.float32], points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Interpolate between voxel centres."""
    from scipy.ndimage import map_coordinates

    return np.asarray(map_coordinates(field, points.T - 0.5, order=1, mode="nearest", prefilter=False))


def _normals(
    solid: NDArray[np.float32],
    hits: NDArray[np.float64],
    inside: NDArray[np.bool_],
    direction: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return outward normals: of the surface, or of the side of the block where it is cut."""
    offsets = np.eye(3)
    normals = np.stack(
        [_sample(solid, hits - offset) - _sample(solid, hits + offset) for offset in offsets], axis=1
    ).astype(np.float64)
    cut = np.flatnonzero(~inside)
    # The side that a ray enters through is the nearest one of those that face the viewer.
    faces = np.where(direction < 0, np.array(solid.shape) - hits[cut], hits[cut])
    nearest = np.argmin(np.where(direction == 0, np.inf, faces), axis=1)
    normals[cut] = -np.sign(direction) * offsets[nearest]
    return normals


def _occlusion(
    solid: NDArray[np.float32], hits: NDArray[np.float64], normals: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Estimate how much of the sky is hidden by what stands a few voxels above a surface."""
    hidden = np.zeros(len(hits))
    for distance in _ABOVE:
        above = hits + distance * normals
        within = ((above > 0) & (above < solid.shape)).all(axis=1)
        hidden += np.where(within, _sample(solid, above), 0.0)
    return 0.7 * hidden / len(_ABOVE)


def _colours(shares: Mapping[Phase, NDArray[np.float32]], hits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Paint every hit in the colour of the drawn phase that is strongest there."""
    from matplotlib.colors import to_rgb

    palette = np.array([to_rgb(COLOURS[phase]) for phase in shares])
    weights = {Phase.BINDER: BINDER_WEIGHT}
    strength = [weights.get(phase, 1.0) * _sample(share, hits) for phase, share in shares.items()]
    return np.asarray(palette[np.argmax(strength, axis=0)])
