"""The surface of a phase: exact where the particles are known, second order where the cut faces are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso._kernels import surfaces as kernels
from meso.neighbours import overlapping_pairs
from meso.particles import periodic_images, unit_shapes
from meso.phases import Phase
from meso.structure import fractions_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso.particles import ParticlePacking
    from meso.structure import Mesostructure

DIRECTIONS = 1000
"""Points on an ellipsoid at which its surface is looked at."""


def specific_surface_area(structure: Mesostructure, *, phase: Phase = Phase.ACTIVE) -> float:
    """
    Return the surface of a phase per volume of electrode.

    Parameters
    ----------
    structure : Mesostructure
        Structure.
    phase : Phase, default Phase.ACTIVE
        Phase whose boundary with the two others is measured.

    Returns
    -------
    float
        Specific surface area [m-1]; see `surface_area_profile` for how it is found.
    """
    return float(surface_area_profile(structure, phase=phase).mean())


def surface_area_profile(structure: Mesostructure, *, phase: Phase = Phase.ACTIVE) -> NDArray[np.float64]:
    """
    Return the surface of a phase in every slice, per volume of the slice.

    Parameters
    ----------
    structure : Mesostructure
        Structure.
    phase : Phase, default Phase.ACTIVE
        Phase whose boundary with the two others is measured. The outer faces of the electrode do not count.

    Returns
    -------
    ndarray, shape (nz,), float64
        Specific surface area [m-1].

    Notes
    -----
    The best that the structure knows is used. Active material with its particles and no channels: the area of the union of
    the particles, exact for spheres, from 1000 points on each ellipsoid. Face fractions: in every voxel the length of the vector of the differences of opposite face areas, which is the
    area of a flat cut and second order in the voxel size for a smooth one; where two surfaces share a voxel it
    counts too little. Labels only: the count of unlike faces, which overestimates a smooth surface by about one half.
    """
    particles = structure.particles
    if phase == Phase.ACTIVE and particles is not None and particles.channels is None:
        return _particle_profile(particles, structure.shape[0])
    edges = np.array(structure.voxel_size)
    face_areas = np.prod(edges) / edges
    if structure.face_fractions is not None:
        square = np.zeros(structure.shape)
        for axis, faces in enumerate(fractions_of(structure, {phase})):
            square += (np.diff(faces, axis=axis) * face_areas[axis]) ** 2
        per_slice = np.sqrt(square).sum(axis=(1, 2))
    else:
        per_slice = _unlike_faces(structure, phase, face_areas)
    return np.asarray(per_slice / (structure.shape[1] * structure.shape[2] * np.prod(edges)))


def _particle_profile(packing: ParticlePacking, slices: int) -> NDArray[np.float64]:
    """Surface of the union of the particles in every slice over the slice's volume."""
    images = periodic_images(packing)
    own = len(np.unique(images.owner))  # the particles themselves come before their copies
    first, second, _ = overlapping_pairs(
        images.centres, images.reaches, images.shapes, lengths=np.array(packing.domain), periodic=False
    )
    both, others = np.concatenate((first, second)), np.concatenate((second, first))
    order = np.argsort(both, kind="stable")
    start = np.searchsorted(both[order], np.arange(len(images.reaches) + 1)).astype(np.int64)
    areas = np.zeros(slices)
    step = packing.domain[0] / slices
    if packing.spherical:
        kernels.exposed_areas(images.centres, images.reaches, own, start, others[order], step, areas)
    else:
        owner = images.owner[:own]
        aspects, axes, radii = packing.aspect_ratios[owner], packing.axes[owner], packing.radii[owner]
        roots = unit_shapes(np.sqrt(aspects), axes) * radii[:, None, None]
        stretch = unit_shapes(1 / np.sqrt(aspects), axes) * radii[:, None, None] ** 2
        kernels.sampled_areas(
            images.centres, roots, stretch, images.inverses, _directions(), start, others[order], step, areas
        )
    return areas / (step * packing.domain[1] * packing.domain[2])


def _directions() -> NDArray[np.float64]:
    """Evenly spread points on the unit sphere (Fibonacci lattice), shape (n, 3)."""
    index = np.arange(DIRECTIONS) + 0.5
    height = 1 - 2 * index / DIRECTIONS
    turn = index * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - height**2)
    return np.stack((height, ring * np.cos(turn), ring * np.sin(turn)), axis=1)


def _unlike_faces(
    structure: Mesostructure, phase: Phase, face_areas: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Area of the faces between a phase and others, per slice; through-plane faces belong half to either slice."""
    inside = structure.labels == phase
    per_slice = np.zeros(structure.shape[0])
    between = face_areas[0] * np.count_nonzero(inside[1:] != inside[:-1], axis=(1, 2))
    per_slice[1:] += 0.5 * between
    per_slice[:-1] += 0.5 * between
    for axis in (1, 2):
        neighbour = np.roll(inside, 1, axis=axis)
        unlike = inside != neighbour
        if not structure.periodic:
            unlike = unlike.take(range(1, structure.shape[axis]), axis=axis)
        per_slice += face_areas[axis] * np.count_nonzero(unlike, axis=(1, 2))
    return per_slice
