"""From a recipe to voxels in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso.binder import add_binder
from meso.design import ElectrodeDesign
from meso.packing import pack_particles
from meso.voxels import voxelize

if TYPE_CHECKING:
    from meso.structure import Mesostructure

COARSEST = 4.0
"""Fewest voxels across the median particle."""

MOST = 1_000_000_000
"""Most voxels of a structure: 1000³ fill some 40 GB while it is made."""


def generate(
    design: ElectrodeDesign, *, voxel_size: float, width: float, seed: int | np.random.SeedSequence
) -> Mesostructure:
    """
    Make a random electrode after a recipe: pack, cut into voxels, place the binder.

    Parameters
    ----------
    design : ElectrodeDesign
        The recipe.
    voxel_size : float
        Edge of the cubic voxels [m], adjusted so that a whole number of them fills the thickness; at most a quarter of the
        median particle diameter, a tenth is a good choice.
    width : float
        Width of the laterally periodic domain [m], rounded to whole voxels; at least twice the largest particle.
    seed : int or SeedSequence
        Seed of the packing; the same seed gives the same bits.

    Returns
    -------
    Mesostructure
        Labels, particles, particle ids and face fractions; porosity and fractions as requested.

    Raises
    ------
    ValueError
        If the voxels are too coarse or too many, the domain too small, or the fractions cannot be packed.

    Examples
    --------
    >>> from meso import ElectrodeDesign, Phase, SizeClass, generate
    >>> design = ElectrodeDesign(
    ...     thickness=30e-6, porosity=0.4, binder_fraction=0.1, size_classes=(SizeClass(diameter=6e-6, spread=1.2),))
    >>> structure = generate(design, voxel_size=0.75e-6, width=24e-6, seed=8117)
    >>> structure.shape, round(structure.volume_fraction(Phase.PORE), 3)
    ((40, 32, 32), 0.4)
    """
    if not isinstance(design, ElectrodeDesign):
        raise TypeError(f"design must be an ElectrodeDesign, got {type(design).__name__}")
    median = design.median_diameter
    if not 0 < voxel_size <= median / COARSEST:
        raise ValueError(
            f"voxel_size must give at least {COARSEST:g} voxels across the median particle of {median:.4g} m, got "
            f"{voxel_size:.4g}; use {median / 10:.4g} or smaller"
        )
    through = max(1, round(design.thickness / voxel_size))
    edge = design.thickness / through
    across = max(1, round(width / edge))
    if through * across**2 > MOST:
        raise ValueError(
            f"voxel_size and width must keep the structure below {MOST:.2g} voxels, got {through} × {across} × {across}; "
            f"use a voxel_size of at least {(design.thickness * width**2 / MOST) ** (1 / 3):.3g} or a smaller width"
        )
    packing = pack_particles(design, width=across * edge, rng=np.random.default_rng(seed))
    structure = voxelize(packing, voxel_size=edge)
    return add_binder(
        structure, fraction=design.binder_profile, bridging=design.binder_bridging, reach=0.5 * median
    )
