"""The carbon-binder domain: films on the particles and bridges between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso._kernels import binder as kernels
from meso.phases import Phase
from meso.structure import WHOLE_FACE, Mesostructure
from meso.voxels import periodic_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso.profiles import Profile

_BINS = 2048


def add_binder(
    structure: Mesostructure, *, fraction: Profile, bridging: float, reach: float
) -> Mesostructure:
    """
    Place binder in the pores of a voxelised packing.

    Parameters
    ----------
    structure : Mesostructure
        Active material with its particles and face fractions, as `meso.voxels.voxelize` makes it; laterally periodic.
    fraction : Profile
        Volume fraction of binder [-].
    bridging : float
        0 spreads the binder as a film over all particles, 1 gathers it in bridges at the contacts.
    reach : float
        Distance [m] beyond which a second particle does not attract binder; half a particle diameter is a good choice.

    Returns
    -------
    Mesostructure
        The same structure with binder in labels and face fractions; the mean fraction is met to 1e-4.

    Raises
    ------
    ValueError
        If the structure carries no particles or face fractions, or the binder does not fit within `reach` of the particles.

    Notes
    -----
    With d₁ ≤ d₂ the distances to the two nearest particle surfaces, binder fills d₁ + b·min(d₂, reach) < t outside the
    particles, b being `bridging`. For b = 0 that is a film of thickness t, for b = 1 an ellipsoid around every contact
    whose foci are the two centres, the pendular rings of a drying liquid. The threshold t is one number for a constant
    profile and otherwise piecewise linear in depth with knots one 2·`reach` apart, each met in the mean over its
    neighbourhood. Face fractions come from the distances at the voxel corners by marching squares.
    """
    if structure.particles is None or structure.face_fractions is None or not structure.periodic:
        raise ValueError(
            "structure must carry particles and face fractions and be periodic; make it with voxelize"
        )
    if fraction.maximum() == 0:
        return structure
    corners = tuple(n + 1 for n in structure.shape)
    distance, field = _fields(structure, bridging, reach, points=corners, offset=0.0)
    level = _threshold(
        structure, distance, field, fraction=fraction, top=(1 + bridging) * reach, knot=2 * reach
    )
    factor, faces = _fit(structure, distance, field, level, fraction.mean())
    level *= np.float32(factor)
    through = _cover(distance, field - level, structure.face_fractions[Phase.ACTIVE][0], axis=0)
    _, field = _fields(structure, bridging, reach, points=structure.shape, offset=0.5)
    filled = (structure.labels == Phase.PORE) & (field < 0.5 * (level[1:] + level[:-1]))
    labels = np.where(filled, np.uint8(Phase.BINDER), structure.labels)
    return Mesostructure(
        labels,
        voxel_size=structure.voxel_size,
        periodic=True,
        particle_ids=structure.particle_ids,
        particles=structure.particles,
        face_fractions={
            Phase.ACTIVE: structure.face_fractions[Phase.ACTIVE],
            Phase.BINDER: (through, faces[0], faces[1]),
        },
    )


def _fields(
    structure: Mesostructure, bridging: float, reach: float, *, points: tuple[int, ...], offset: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distance to the nearest particle and d₁ + b·d₂ on a grid of points shifted by a share of a voxel."""
    assert structure.particles is not None
    images = periodic_images(structure.particles, reach=reach)
    edges = np.array(structure.voxel_size)
    first, second = np.full(points, reach, dtype=np.float32), np.full(points, reach, dtype=np.float32)
    kernels.nearest_two(images.centres, images.radii, reach, edges, offset, first, second)
    second *= np.float32(bridging)
    second += first
    return first, second


def _threshold(
    structure: Mesostructure,
    distance: NDArray[np.float32],
    field: NDArray[np.float32],
    *,
    fraction: Profile,
    top: float,
    knot: float,
) -> NDArray[np.float32]:
    """Threshold of the field in every plane of corners, from point counts; shape (nz + 1, 1, 1)."""
    counts = np.zeros((field.shape[0], _BINS), dtype=np.int64)
    kernels.count_below(distance, field, top, counts)
    below = np.cumsum(counts, axis=1) / (structure.shape[1] * structure.shape[2])
    depth = np.linspace(0.0, 1.0, field.shape[0])
    weights = np.ones((1, len(depth)))
    knots = np.zeros(1)
    if not fraction.is_constant:
        knots = np.linspace(0.0, 1.0, 1 + max(1, round(structure.thickness / knot)))
        weights = np.maximum(0.0, 1.0 - np.abs(depth - knots[:, None]) * (len(knots) - 1))
    weights[:, [0, -1]] *= 0.5
    weights /= weights.sum(axis=1, keepdims=True)
    available, wanted = weights @ below, weights @ fraction(depth)
    if np.any(available[:, -1] <= wanted):
        worst = int(np.argmin(available[:, -1] - wanted))
        raise ValueError(
            f"binder_fraction must stay below what fits within reach of the particles, {available[worst, -1]:.4g} at "
            f"relative depth {knots[worst]:.3g}, got {wanted[worst]:.4g}; lower binder_fraction"
        )
    edges = np.linspace(0.0, top, _BINS + 1)
    levels = [
        np.interp(want, np.concatenate(([0.0], row)), edges) if want > 0 else 0.0
        for want, row in zip(wanted, available, strict=True)
    ]
    return np.asarray(np.interp(depth, knots, levels), dtype=np.float32)[:, None, None]


def _fit(
    structure: Mesostructure,
    distance: NDArray[np.float32],
    field: NDArray[np.float32],
    level: NDArray[np.float32],
    wanted: float,
) -> tuple[float, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Scale the threshold until the lateral faces integrate to the wanted mean fraction."""
    assert structure.face_fractions is not None
    active = structure.face_fractions[Phase.ACTIVE]
    voxels = 2.0 * WHOLE_FACE * float(np.prod(structure.shape))
    low, high = (0.0, 0.0), (np.inf, np.inf)
    factor = 1.0
    for _ in range(12):
        above = field - np.float32(factor) * level
        faces = _cover(distance, above, active[1], axis=1), _cover(distance, above, active[2], axis=2)
        got = (
            int(faces[0][:, :-1].sum(dtype=np.int64)) + int(faces[1][:, :, :-1].sum(dtype=np.int64))
        ) / voxels
        if abs(got - wanted) <= 2e-5 * wanted:
            break
        if got < wanted:
            low = (factor, got)
        else:
            high = (factor, got)
        if np.isinf(high[0]):
            factor *= (wanted / got) ** 0.9 if got > 0 else 2.0
        elif low[1] == 0.0:
            factor *= (wanted / got) ** 0.9
        else:
            factor = low[0] + (high[0] - low[0]) * (wanted - low[1]) / (high[1] - low[1])
    return factor, faces


def _cover(
    distance: NDArray[np.float32], above: NDArray[np.float32], active: NDArray[np.uint8], *, axis: int
) -> NDArray[np.uint8]:
    """Binder's share of every voxel face normal to one axis; laterally the first plane is repeated as the last."""
    faces = np.empty_like(active, order="C")
    by_plane = [np.moveaxis(array, axis, 0) for array in (distance, above, active, faces)]
    inner = slice(None) if axis == 0 else slice(-1)
    kernels.cover_faces(*(array[inner] for array in by_plane))
    if axis > 0:
        by_plane[3][-1] = by_plane[3][0]
    return faces
