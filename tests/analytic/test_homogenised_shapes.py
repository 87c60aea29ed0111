"""Ellipsoids and channels in the slice model: closed forms of their surfaces, and parallel conduction."""

import numpy as np
import pytest
from scipy.integrate import quad

from meso import Channels, ElectrodeDesign, Mesostructure, ParticlePacking, Phase, SizeClass, generate
from meso.voxels import voxelize
from solvers import CellParameters, homogenise, solve_transport


def spheroid(aspect, radius=3e-6):
    return ParticlePacking(
        centres=np.full((1, 3), 8e-6),
        radii=np.array([radius]),
        domain=(16e-6, 16e-6, 16e-6),
        aspect_ratios=np.array([aspect]),
    )


@pytest.mark.parametrize("aspect", [0.2, 0.5, 0.99, 1.0, 1.01, 2.0, 4.0])
def test_surface_of_a_spheroid_is_that_of_its_meridian_turned_around_the_axis(aspect):
    along, across = aspect ** (2 / 3), aspect ** (-1 / 3)
    area, _ = quad(
        lambda t: 2 * np.pi * across * np.sin(t) * np.hypot(along * np.sin(t), across * np.cos(t)), 0, np.pi
    )
    assert spheroid(aspect, 1.0 * 3e-6).surface_areas[0] == pytest.approx(area * 9e-12, rel=1e-7)


@pytest.mark.parametrize("aspect", [0.35, 1.0, 2.5])
def test_area_times_radius_is_three_times_the_volume(aspect):
    """What the discharge takes for granted of spheres; and the radius of a thin platelet tends to 3/2 of its thickness."""
    cell = CellParameters.named("nmc811-chen2020")
    packing = spheroid(aspect)
    structure = voxelize(packing, voxel_size=0.4e-6)
    # A binder column makes the particle hang together with the collector.
    labels = np.where(
        (structure.labels == 0) & (np.arange(40) == 20) & (np.arange(40)[:, None] == 20), 2, structure.labels
    )
    joined = Mesostructure(
        labels,
        voxel_size=0.4e-6,
        periodic=True,
        particle_ids=structure.particle_ids,
        particles=packing,
    )
    electrode = homogenise(joined, cell, slices=4)
    volume = 4 / 3 * np.pi * 27e-18
    assert electrode.particle_radii == pytest.approx([3 * volume / packing.surface_areas[0]])
    assert electrode.isolated_share == 0.0


def test_platelets_keep_area_times_radius():
    cell = CellParameters.named("nmc811-chen2020")
    sizes = (SizeClass(diameter=6e-6, aspect_ratio=0.4, alignment=0.5),)
    design = ElectrodeDesign(thickness=24e-6, porosity=0.45, binder_fraction=0.08, size_classes=sizes)
    electrode = homogenise(generate(design, voxel_size=0.5e-6, width=24e-6, seed=7), cell, slices=6)
    flat = 0.4 ** (2 / 3) * 3e-6
    assert flat < electrode.particle_radii[0] < 3e-6
    product = (electrode.specific_surface_areas * electrode.particle_radii / 3).sum()
    assert product == pytest.approx(electrode.active_fractions.sum(), rel=0.03)


def test_channels_conduct_beside_the_coating():
    """Straight channels through it conduct at least in parallel: B = open share + rest × B of the coating."""
    recipe = {
        "thickness": 30e-6,
        "porosity": 0.36,
        "binder_fraction": 0.0,
        "size_classes": (SizeClass(diameter=5e-6, spread=1.15),),
    }
    channels = Channels(pitch=30e-6, width=9e-6)
    plain, drilled = (
        solve_transport(
            generate(ElectrodeDesign(channels=cut, **recipe), voxel_size=0.6e-6, width=30e-6, seed=11),
            conductivity={Phase.PORE: 1.0},
        ).effective_conductivity
        for cut in (None, channels)
    )
    share = channels.volume_fraction
    assert drilled > 0.98 * (share + (1 - share) * plain)
    assert drilled < share + (1 - share) * 1.15 * plain
