"""From a recipe to voxels in one call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from meso.binder import add_binder
from meso.channels import cut_channels
from meso.design import ElectrodeDesign
from meso.packing import pack_particles
from meso.phases import Phase
from meso.profiles import Profile
from meso.voxels import voxelize

if TYPE_CHECKING:
    from meso.particles import ParticlePacking
    from meso.structure import Mesostructure

COARSEST = 4.0
"""Fewest voxels across the shortest width of the median particle of a size class."""

ROUNDS, CLOSE = 4, 1e-3
"""Corrections of a volume fraction after channels were cut, and the relative error that needs none."""

MOST = 1_000_000_000
"""Most voxels of a structure: 1000³ fill some 40 GB while it is made."""


def generate(
    design: ElectrodeDesign,
    *,
    voxel_size: float,
    width: float,
    seed: int | np.random.SeedSequence,
    cube: bool = False,
) -> Mesostructure:
    """
    Make a random electrode after a recipe: pack, cut into voxels, place the binder.

    Parameters
    ----------
    design : ElectrodeDesign
        The recipe.
    voxel_size : float
        Edge of the cubic voxels [m], adjusted so that a whole number of them fills the thickness; at most a quarter of
        `ElectrodeDesign.narrowest_width`, the shortest width of the median particle of any size class. A tenth of it is a
        good choice: the tortuosity factor of the pores is then within 0.5 % of its limit for fine voxels without binder
        and within 1.5 % with it (``python -m benchmarks.resolution``).
    width : float
        Width of the laterally periodic domain [m], rounded to whole voxels, or with channels to whole pitches; at least
        twice the largest particle.
    seed : int or SeedSequence
        Seed of the packing; the same seed gives the same bits.
    cube : bool, default False
        Represent a uniform electrode by a cube of this width, periodic in all three directions, instead of its whole
        thickness.

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
    if cube:
        design = _cube_of(design, width)
    shape, domain = _grid(design, voxel_size=voxel_size, width=width)
    rng = np.random.default_rng(seed)
    packing = pack_particles(design, width=domain[1], rng=rng, cube=cube)
    structure = _meet_active_fraction(packing, design, shape)
    return _meet_binder_fraction(structure, design, seed=int(rng.integers(2**63)), cube=cube)


def _cube_of(design: ElectrodeDesign, width: float) -> ElectrodeDesign:
    """Return the design as thick as it is wide, if nothing in it depends on the depth."""
    varies = [
        name
        for name, profile in (
            ("porosity", design.porosity_profile),
            ("binder_fraction", design.binder_profile),
            *(("share", one.share_profile) for one in design.size_classes),
        )
        if profile.minimum() != profile.maximum()
    ]
    varies += ["channels"] * (design.channels is not None)
    varies += [name for name in ("separator_face", "collector_face") if getattr(design, name) == "wall"]
    if varies:
        raise ValueError(
            f"design must be uniform to be represented by a cube, but {', '.join(varies)} depends on the depth; use cube=False"
        )
    return replace(design, thickness=width)


def _grid(
    design: ElectrodeDesign, *, voxel_size: float, width: float
) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Return number of voxels and extents of a structure, or raise with the numbers that would do."""
    if not isinstance(design, ElectrodeDesign):
        raise TypeError(f"design must be an ElectrodeDesign, got {type(design).__name__}")
    narrowest = design.narrowest_width
    if not 0 < voxel_size <= narrowest / COARSEST:
        raise ValueError(
            f"voxel_size must give at least {COARSEST:g} voxels across the narrowest width of {narrowest:.4g} m, got "
            f"{voxel_size:.4g}; use {narrowest / 10:.4g} or smaller"
        )
    if design.channels is not None:
        pitch = design.channels.pitch
        if width < 0.75 * pitch:
            raise ValueError(
                f"width must hold a whole channel of pitch {pitch:.4g} m, got {width:.4g}; use a multiple of the pitch"
            )
        width = pitch * max(1, round(width / pitch))
    through = max(1, round(design.thickness / voxel_size))
    edge = design.thickness / through
    across = max(1, round(width / edge))
    if through * across**2 > MOST:
        raise ValueError(
            f"voxel_size and width must keep the structure below {MOST:.2g} voxels, got {through} × {across} × {across}; "
            f"use a voxel_size of at least {(design.thickness * width**2 / MOST) ** (1 / 3):.3g} or a smaller width"
        )
    if design.channels is None:
        width = across * edge
    return (through, across, across), (design.thickness, width, width)


def _meet_active_fraction(
    packing: ParticlePacking, design: ElectrodeDesign, shape: tuple[int, int, int]
) -> Mesostructure:
    """Cut a packing into voxels, adjusting the radii where overlaps or the channels' share of it demand it."""
    edges = tuple(extent / count for extent, count in zip(packing.domain, shape, strict=True))
    for _ in range(ROUNDS):
        structure = voxelize(packing, voxel_size=(edges[0], edges[1], edges[2]))
        got = _with_channels(structure, design).volume_fraction(Phase.ACTIVE)
        factor = design.mean_fraction("active") / got
        if abs(factor - 1) < CLOSE:
            break
        packing = packing.scaled(factor ** (1 / 3))
    return structure


def _meet_binder_fraction(
    structure: Mesostructure, design: ElectrodeDesign, *, seed: int, cube: bool
) -> Mesostructure:
    """Place the binder, more or less of it where channels took more or less than their share, and cut the channels."""
    fraction, wanted = design.binder_profile, design.mean_fraction("binder")
    for _ in range(ROUNDS):
        filled = _with_channels(
            add_binder(
                structure,
                fraction=fraction,
                bridging=design.binder_bridging,
                reach=0.5 * design.median_diameter,
                morphology=design.binder_morphology,
                rng=np.random.default_rng(seed),
                cube=cube,
            ),
            design,
        )
        got = filled.volume_fraction(Phase.BINDER)
        if design.channels is None or got == 0 or abs(wanted / got - 1) < CLOSE:
            break
        fraction = Profile(fraction.positions, tuple(value * wanted / got for value in fraction.values))
    return filled


def _with_channels(structure: Mesostructure, design: ElectrodeDesign) -> Mesostructure:
    """Cut the channels of a design, if it has any."""
    return structure if design.channels is None else cut_channels(structure, design.channels)
