"""From particles to voxels, with the exact share of every voxel face that lies inside a particle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso._kernels import voxels as kernels
from meso.neighbours import overlapping_pairs
from meso.particles import in_layers, periodic_images
from meso.phases import Phase
from meso.structure import Mesostructure
from meso.threads import share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso.particles import Images, ParticlePacking

GATHERED = 16
"""Planes normal to the last axis that are written together: their bytes lie side by side."""


def voxelize(packing: ParticlePacking, *, voxel_size: float | tuple[float, float, float]) -> Mesostructure:
    """
    Cut a packing into voxels.

    Parameters
    ----------
    packing : ParticlePacking
        Particles; they may overlap.
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
    fraction of spheres that do not overlap is exact up to its rounding to 1/255 (radii up to 300 voxels). An ellipsoid cuts it in an ellipse, which
    is integrated along eight scan lines a voxel (sixteen at its ends), each cut exactly. Where particles overlap, what is
    counted twice is subtracted along such lines.

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
    images = in_layers(periodic_images(packing))
    ids, labels = np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.uint8)
    share(
        kernels.label_voxels,
        shape[0],
        images.centres,
        images.shapes,
        images.inverses,
        images.owner,
        edges,
        np.uint8(Phase.ACTIVE),
        ids,
        labels,
    )
    labels.setflags(write=False)
    start, partner = overlapping_partners(images, packing.domain)
    faces = [_covered_faces(images, start, partner, axis, shape, edges) for axis in range(3)]
    return Mesostructure(
        labels,
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


def overlapping_partners(
    images: Images, domain: tuple[float, float, float]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List for every particle the shorter ones it overlaps, as row starts and indices."""
    first, second, _ = overlapping_pairs(
        images.centres, images.reaches, images.shapes, lengths=np.array(domain), periodic=False
    )
    start = np.searchsorted(first, np.arange(len(images.reaches) + 1)).astype(np.int64)
    return start, second


def _covered_faces(
    images: Images,
    start: NDArray[np.int64],
    partner: NDArray[np.int64],
    axis: int,
    shape: tuple[int, ...],
    edges: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Area fraction of every voxel face normal to one axis that lies in a particle."""
    planes = shape[axis] + (axis == 0)
    counts = [n + (axis == other) for other, n in enumerate(shape)]
    faces = np.empty(counts, dtype=np.uint8)
    by_plane = np.moveaxis(faces, axis, 0)
    extents = np.sqrt(images.shapes[:, axis, axis])
    begin, member = np.empty(planes + 1, dtype=np.int64), np.empty(0, dtype=np.int64)
    for _ in range(2):
        room = kernels.list_members(extents, images.centres, axis, edges[axis], planes, begin, member)
        if room > len(member):
            member = np.empty(room, dtype=np.int64)
    share(
        kernels.cover_planes,
        planes,
        begin,
        member,
        images.centres,
        images.shapes,
        images.inverses,
        start,
        partner,
        axis,
        edges,
        GATHERED if axis == 2 else 1,
        by_plane,
    )
    if axis > 0:
        by_plane[-1] = by_plane[0]
    return faces
