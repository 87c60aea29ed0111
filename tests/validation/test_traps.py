"""Numbers that docs/traps.md names."""

import numpy as np
import pytest

from meso import ElectrodeDesign, SizeClass, generate
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
