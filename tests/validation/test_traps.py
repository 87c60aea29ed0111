"""Numbers that docs/traps.md names."""

import numpy as np
import pytest

from meso import ElectrodeDesign, Phase, Profile, SizeClass, generate
from meso.binder import add_binder
from meso.packing import pack_particles
from meso.voxels import voxelize
from solvers import CellParameters, PorousElectrode, solve_transport
from solvers.spheres import mixture_utilization, sphere_utilization

DESIGN = ElectrodeDesign(
    thickness=48e-6, porosity=0.3, binder_fraction=0.06, size_classes=(SizeClass(diameter=6e-6, spread=1.3),)
)


def test_scatter_between_packings():
    tau = [
        solve_transport(generate(DESIGN, voxel_size=0.6e-6, width=24e-6, seed=seed)).tortuosity_factor
        for seed in range(100, 108)
    ]
    assert 0.6 < 100 * np.std(tau, ddof=1) / np.mean(tau) < 1.7


def test_insulated_sides_cut_paths():
    structure = generate(DESIGN, voxel_size=0.6e-6, width=24e-6, seed=3)
    periodic = solve_transport(structure).tortuosity_factor
    insulated = solve_transport(structure, sides="insulated").tortuosity_factor
    assert insulated / periodic == pytest.approx(1.05, abs=0.006)


def test_one_radius_is_optimistic_about_a_mixture():
    places = np.linspace(-2, 2, 9)
    radii, volumes = 1.4**places, np.exp(-(places**2) / 2)
    volumes /= volumes.sum()
    same_surface = 1 / np.sum(volumes / radii)
    assert mixture_utilization(0.5 / radii**2, volumes) == pytest.approx(0.845, abs=6e-4)
    assert sphere_utilization(0.5 / same_surface**2) == pytest.approx(0.879, abs=6e-4)


def test_nominal_rate_is_not_ours():
    electrode = PorousElectrode.uniform(
        thickness=42e-6, porosity=0.331, active_fraction=0.518, particle_radius=5.3e-6
    )
    capacity = electrode.theoretical_areal_capacity(CellParameters.named("nmc532-xu2019"))
    # The nominal 1C of PyBaMM's parameter set, 15.584 A m⁻².
    assert 15.584416 / capacity == pytest.approx(0.63, abs=0.005)


def packed(porosity, diameters, spread):
    """A cube of particles of 6 µm and its packing, so many diameters wide."""
    design = ElectrodeDesign(
        thickness=diameters * 6e-6,
        porosity=porosity,
        binder_fraction=0.0,
        size_classes=(SizeClass(diameter=6e-6, spread=spread),),
    )
    return pack_particles(design, width=design.thickness, rng=np.random.default_rng(3))


def test_four_voxels_with_open_areas_beat_ten_whole_ones():
    packing = packed(0.49, 6, 1.0)

    def conductivity(voxels, *, whole):
        structure = voxelize(packing, voxel_size=6e-6 / voxels)
        return solve_transport(
            structure.labels if whole else structure, sides="periodic"
        ).effective_conductivity

    exact = conductivity(20, whole=False)
    assert conductivity(4, whole=False) == pytest.approx(exact, rel=0.02)
    assert conductivity(10, whole=True) == pytest.approx(0.83 * exact, rel=0.02)


def test_labels_lose_films_thinner_than_a_voxel_and_face_areas_keep_them():
    packing = packed(0.31, 4, 1.2)
    solid = {Phase.ACTIVE: 0.2, Phase.BINDER: 100.0}
    areas, labels = [], []
    for voxels in (10, 20):
        coated = add_binder(
            voxelize(packing, voxel_size=6e-6 / voxels),
            fraction=Profile.constant(0.06),
            bridging=0.5,
            reach=3e-6,
        )
        areas.append(solve_transport(coated, conductivity=solid).effective_conductivity)
        whole = solve_transport(coated.labels, conductivity=solid, sides="periodic")
        labels.append(whole.effective_conductivity)
    assert areas[0] == pytest.approx(areas[1], rel=0.1)
    assert labels[0] < 0.12 * areas[0]
    assert labels[1] > 1.4 * labels[0]
