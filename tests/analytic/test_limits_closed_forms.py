"""Closed-form ceilings: tables, limits, and the model that must stay below them."""

import dataclasses

import numpy as np
import pytest

from solvers.budget import utilization_budget
from solvers.cell import CellParameters
from solvers.constants import FARADAY
from solvers.curves import Curve
from solvers.electrode import PorousElectrode
from solvers.limits import attainable_utilization, closed_form_limits
from solvers.spheres import mixture_utilization, sphere_utilization

DESIGN = {
    "c_rate": 2.0,
    "areal_capacity": 60.0,
    "thickness": 80e-6,
    "porosity": 0.3,
    "transport_efficiency": 0.15,
    "particle_radius": 3e-6,
}


@pytest.fixture(scope="module")
def cell():
    return CellParameters.named("nmc811-chen2020")


def test_spheres_under_constant_flux():
    times = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 50.0]
    exact = [0.1290, 0.2839, 0.4686, 0.6774, 0.8667, 0.9333, 0.9667, 0.9867, 1.0 - 1.0 / 750.0]
    assert sphere_utilization(times) == pytest.approx(exact, abs=6e-5)


def test_a_short_time_fills_the_skin_only():
    # Planar diffusion under constant flux: the surface is full at U = 9 pi S / 4.
    times = np.array([1e-8, 1e-6, 1e-5])
    assert sphere_utilization(times) == pytest.approx(2.25 * np.pi * times, rel=1e-3)


@pytest.mark.parametrize("s", [0.001, 0.02, 0.2, 2.0, 30.0])
def test_a_mixture_of_equal_spheres_is_one_sphere(s):
    assert mixture_utilization([s, s * (1.0 + 1e-12)], [0.3, 0.7]) == pytest.approx(
        sphere_utilization(s), abs=2e-5
    )


@pytest.mark.parametrize("seed", range(201, 207))
def test_a_mixture_of_sizes_against_the_particle_model(seed):
    rng = np.random.default_rng(seed)
    cell, radii = CellParameters.named("nmc532-xu2019"), 10.0 ** rng.uniform(-7.0, -4.7, 3)
    active = np.tile(0.6 * rng.dirichlet(np.ones(3)), (4, 1))
    electrode = PorousElectrode(
        thickness=50e-6,
        porosity=np.full(4, 0.3),
        transport_efficiency=np.full(4, 0.2),
        electronic_conductivity=np.full(4, 100.0),
        particle_radii=radii,
        active_fractions=active,
        specific_surface_areas=3.0 * active / radii,
        isolated_fractions=np.zeros(4),
    )
    budget = utilization_budget(
        electrode, cell, c_rate=10.0 ** rng.uniform(-0.5, 0.8), shells=60, tolerance=1e-4
    )
    assert float(budget.limits.solid_diffusion) == pytest.approx(1.0 - budget.solid_diffusion, abs=1e-3)


def test_utilization_rises_with_the_time_that_is_left():
    assert np.all(np.diff(sphere_utilization(np.logspace(-7, 3, 2000))) > 0.0)


def test_penetration_and_limiting_current_belong_together(cell):
    limits = attainable_utilization(cell, **DESIGN)
    rate = limits.limiting_current_density / DESIGN["areal_capacity"]
    at_limit = attainable_utilization(cell, **(DESIGN | {"c_rate": rate}))
    assert at_limit.penetration_depth == pytest.approx(DESIGN["thickness"], rel=1e-9)


def test_limiting_current_without_separator(cell):
    bare = dataclasses.replace(cell, separator_thickness=1e-15)
    mean = 8.794e-11 / 3.0 - 3.972e-10 / 2.0 + 4.862e-10  # of the fit of Nyman et al. between 0 and 1 mol/l
    exact = 6.0 * FARADAY * mean * 0.15 * 1000.0 / ((1.0 - 0.2594) * 80e-6)
    assert attainable_utilization(bare, **DESIGN).limiting_current_density == pytest.approx(exact, rel=1e-4)
    beyond = attainable_utilization(bare, **(DESIGN | {"c_rate": 4.0 * exact / DESIGN["areal_capacity"]}))
    assert beyond.electrolyte == pytest.approx(0.5, rel=1e-4)


def test_a_grid_of_arguments_is_a_map(cell):
    radius, efficiency = np.meshgrid(np.linspace(1e-6, 8e-6, 5), np.linspace(0.02, 0.3, 4))
    limits = attainable_utilization(
        cell, **(DESIGN | {"particle_radius": radius, "transport_efficiency": efficiency})
    )
    assert limits.utilization.shape == (4, 5)
    assert np.all(np.diff(limits.solid_diffusion, axis=1) < 0.0)
    assert np.all(np.diff(limits.electrolyte, axis=0) >= 0.0)


@pytest.mark.parametrize("seed", range(101, 113))
@pytest.mark.parametrize("name", CellParameters.names())
def test_the_model_stays_below_the_ceiling(name, seed):
    cell = CellParameters.named(name)
    rng = np.random.default_rng(seed)
    porosity = rng.uniform(0.2, 0.4)
    electrode = PorousElectrode.uniform(
        thickness=rng.uniform(60e-6, 300e-6),
        porosity=porosity,
        active_fraction=0.9 * (1.0 - porosity),
        particle_radius=rng.uniform(0.3e-6, 4e-6) * (0.02 if name.startswith("lfp") else 1.0),
        transport_efficiency=10.0 ** rng.uniform(-1.7, -0.5),
        slices=30,
    )
    budget = utilization_budget(electrode, cell, c_rate=10.0 ** rng.uniform(-0.5, 0.8))
    assert budget.utilization <= budget.limits.utilization + 5e-3
    # Without resistance the particles follow the closed form.
    if cell.particle_diffusivity.is_constant:
        assert 1.0 - budget.solid_diffusion == pytest.approx(float(budget.limits.solid_diffusion), abs=1e-3)


@pytest.mark.parametrize("radius", [1e-6, 3e-6, 6e-6])
def test_spheres_whose_diffusivity_falls_a_hundredfold(radius):
    # The particle model itself, without resistance, is what the closed form of the settled profile stands for.
    graphite = CellParameters.named("graphite-ecker2015")
    electrode = PorousElectrode.uniform(
        thickness=50e-6, porosity=0.3, active_fraction=0.6, particle_radius=radius, slices=4
    )
    budget = utilization_budget(electrode, graphite, c_rate=0.5, shells=40)
    assert float(budget.limits.solid_diffusion) == pytest.approx(1.0 - budget.solid_diffusion, abs=5e-3)


def test_the_curve_is_cut_where_linear_kinetics_and_pores_say():
    # 4 V - 1 V x between 3.9 and 3.1 V: every millivolt of loss costs an eight-hundredth of the utilization.
    straight = dataclasses.replace(
        CellParameters.named("nmc532-xu2019"),
        open_circuit_potential=Curve.from_function(lambda x: 4.0 - x, lower=0.0, upper=1.0),
        lower_cutoff_voltage=3.1,
        upper_cutoff_voltage=3.9,
        electrolyte_conductivity=Curve.constant(1.0),
        separator_thickness=1e-12,
        lithium_exchange_current_density=1e9,
        reaction_rate_constant=1e-11,
    )
    current, length, efficiency, area = 1.0, 100e-6, 0.2, 3.0 * 0.6 / 2e-6
    capacity = straight.active_capacity * 0.6 * length
    exchange = FARADAY * 1e-11 * 48230.0 * 1000.0**0.5 / 2.0
    thermal = 8.314462618 * 298.15 / FARADAY
    nu = np.sqrt(area * exchange * length**2 / (thermal * efficiency))
    drop = current * length / efficiency / np.tanh(nu) / nu
    limits = attainable_utilization(
        straight,
        c_rate=current / capacity,
        areal_capacity=capacity,
        thickness=length,
        porosity=0.3,
        transport_efficiency=efficiency,
        particle_radius=2e-6,
    )
    assert 1.0 - float(limits.ohmic_kinetic) == pytest.approx(drop / 0.8, rel=2e-3)


def test_nothing_connected_has_the_limit_zero(cell):
    electrode = PorousElectrode.uniform(
        thickness=50e-6, porosity=0.3, active_fraction=0.6, particle_radius=3e-6, transport_efficiency=0.0
    )
    assert closed_form_limits(electrode, cell, c_rate=1.0).utilization == 0.0


def test_what_is_not_positive_is_refused(cell):
    with pytest.raises(ValueError, match="particle_radius must be positive"):
        attainable_utilization(cell, **(DESIGN | {"particle_radius": [1e-6, 0.0]}))
