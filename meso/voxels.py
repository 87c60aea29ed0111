"""From particles to voxels, with the exact share of every voxel face that lies inside a particle."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meso._kernels import voxels as kernels
from meso.packing import neighbour_pairs
from meso.phases import Phase
from meso.structure import Mesostructure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso.packing import ParticlePacking


class Images(NamedTuple):
    """Spheres that reach into the box, the periodic copies of those at its sides included."""

    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    owner: NDArray[np.int64]


def voxelize(packing: ParticlePacking, *, voxel_size: float | tuple[float, float, float]) -> Mesostructure:
    """
    Cut a packing into voxels.

    Parameters
    ----------
    packing : ParticlePacking
        Spheres; they may overlap.
    voxel_size : float or tuple of float
        Edge of a voxel [m], or one per axis. The number of voxels along an axis is the nearest integer to its extent over
        the edge, and the edge is then adjusted to fill the extent exactly.

    Returns
    -------
    Mesostructure
        Labels and particle ids taken at the voxel centres (where particles overlap, the one in which the centre lies
        deepest), and the face fractions of the active material; laterally periodic.

    Raises
    ------
    ValueError
        If an edge is longer than the electrode.

    Notes
    -----
    A sphere cuts a plane of voxel faces in a disc. The area of disc ∩ rectangle is known in closed form, so the face
    fraction of spheres that do not overlap is exact up to its rounding to 1/255. Where spheres overlap, what is counted
    twice is subtracted along eight scan lines a voxel.

    Examples
    --------
    >>> import numpy as np
    >>> from meso.packing import ParticlePacking
    >>> ball = ParticlePacking(centres=np.full((1, 3), 5e-6), radii=np.array([4e-6]), domain=(10e-6, 10e-6, 10e-6))
    >>> structure = voxelize(ball, voxel_size=0.25e-6)
    >>> exact = 4 / 3 * np.pi * 0.4**3
    >>> round(structure.volume_fraction(Phase.ACTIVE) / exact, 2)
    1.0
    """
    edges = np.broadcast_to(np.asarray(voxel_size, dtype=np.float64), 3)
    shape = tuple(round(extent / edge) for extent, edge in zip(packing.domain, edges.tolist(), strict=True))
    if min(shape) < 1 or not np.all(edges > 0):
        raise ValueError(
            f"voxel_size must be positive and smaller than the electrode of {packing.domain} m, got {voxel_size}"
        )
    edges = fill_exactly(packing.domain, shape)
    images = periodic_images(packing)
    ids = np.zeros(shape, dtype=np.int32)
    kernels.label_voxels(*images, edges, ids, np.zeros(shape, dtype=np.int32))
    start, partner = overlapping_partners(images, packing.domain)
    faces = [_covered_faces(images, start, partner, axis, shape, edges) for axis in range(3)]
    return Mesostructure(
        (ids > 0).astype(np.uint8) * np.uint8(Phase.ACTIVE),
        voxel_size=(float(edges[0]), float(edges[1]), float(edges[2])),
        periodic=True,
        particle_ids=ids,
        particles=packing,
        face_fractions={Phase.ACTIVE: (faces[0], faces[1], faces[2])},
    )


def fill_exactly(domain: tuple[float, float, float], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the edges of voxels that fill a box, one number for all axes where they agree to the last digits."""
    edges = np.array(domain) / np.array(shape)
    return np.full(3, edges[0]) if np.allclose(edges, edges[0], rtol=1e-12, atol=0) else edges


def periodic_images(packing: ParticlePacking, *, reach: float = 0.0) -> Images:
    """Copy every sphere to all places from which it reaches, inflated by `reach`, into the box."""
    size = packing.radii + reach
    centres, owner = packing.centres, np.arange(packing.count)
    touching = (centres[:, 0] + size > 0) & (centres[:, 0] - size < packing.domain[0])
    centres, owner, size = centres[touching], owner[touching], size[touching]
    for axis in (1, 2):
        width = packing.domain[axis]
        wrapped = centres.copy()
        wrapped[:, axis] %= width
        copies = [(wrapped, owner, size)]
        for shift, mask in ((width, wrapped[:, axis] < size), (-width, wrapped[:, axis] > width - size)):
            moved = wrapped[mask]
            moved[:, axis] += shift
            copies.append((moved, owner[mask], size[mask]))
        centres, owner, size = (np.concatenate(parts) for parts in zip(*copies, strict=True))
    return Images(np.ascontiguousarray(centres), packing.radii[owner], owner)


def overlapping_partners(
    images: Images, domain: tuple[float, float, float]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List for every sphere the smaller ones it overlaps, as row starts and indices."""
    first, _ = pairs = neighbour_pairs(images.centres, images.radii, lengths=np.array(domain), periodic=False)
    start = np.searchsorted(first, np.arange(len(images.radii) + 1)).astype(np.int64)
    return start, pairs[1]


def _covered_faces(
    images: Images,
    start: NDArray[np.int64],
    partner: NDArray[np.int64],
    axis: int,
    shape: tuple[int, ...],
    edges: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Area fraction of every voxel face normal to one axis that lies in a sphere."""
    planes = shape[axis] + (axis == 0)
    counts = [planes if axis == other else n for other, n in enumerate(shape)]
    covered = np.zeros(counts, dtype=np.float32)
    by_plane = np.moveaxis(covered, axis, 0)
    kernels.add_discs(images.centres, images.radii, axis, edges, by_plane)
    kernels.subtract_overlaps(images.centres, images.radii, start, partner, axis, edges, by_plane)
    faces = np.empty(counts, dtype=np.uint8)
    kernels.quantise(covered, faces)
    return faces if axis == 0 else np.concatenate((faces, faces.take([0], axis=axis)), axis=axis)
