"""Which particle the voxels outside the particles belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso._kernels import binder as kernels
from meso.particles import in_layers, periodic_images
from meso.threads import share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso.structure import Mesostructure


def fills_domain(structure: Mesostructure) -> bool:
    """
    Tell whether the particles of a structure are those of its voxels: a crop keeps them all.

    Parameters
    ----------
    structure : Mesostructure
        Any structure.

    Returns
    -------
    bool
        Whether it is periodic, carries particles, and their domain is that of the voxels.
    """
    packing = structure.particles
    if packing is None or not structure.periodic:
        return False
    return bool(np.allclose(np.array(structure.voxel_size) * structure.shape, packing.domain))


def nearest_particles(structure: Mesostructure, *, reach: float) -> NDArray[np.int32] | None:
    """
    Find the particle whose surface is nearest to the centre of every voxel.

    Parameters
    ----------
    structure : Mesostructure
        A structure with its particles.
    reach : float
        Distance [m] beyond which a voxel belongs to none.

    Returns
    -------
    ndarray, shape (nz, ny, nx), int32, or None
        Particle, -1 beyond `reach`; None where the particles are not known.
    """
    if structure.particles is None or not fills_domain(structure):
        return None
    images = in_layers(periodic_images(structure.particles, reach=reach))
    distance, second = (np.empty(structure.shape, dtype=np.float32) for _ in range(2))
    nearest, follower = (np.empty(structure.shape, dtype=np.int32) for _ in range(2))
    share(
        kernels.nearest_two,
        len(nearest),
        images.centres,
        images.reaches,
        images.shapes,
        images.inverses,
        float(reach),
        np.array(structure.voxel_size),
        0.5,
        distance,
        second,
        nearest,
        follower,
    )
    owner = np.append(images.owner, -1).astype(np.int32)
    return np.asarray(owner[nearest])
