"""Half-cell against closed forms: solid diffusion, salt depletion, linear kinetics, the limit of no current.

The forms stand in docs/theory.md; those of the electrolyte follow from a parabola of salt under a uniform sink.
"""

import numpy as np
import pytest

from solvers._kernels.discharge import new_state, new_work, start
from solvers.budget import utilization_budget
from solvers.cell import CellParameters
from solvers.constants import FARADAY, GAS_CONSTANT
from solvers.curves import Curve
from solvers.discharge import DischargeStatus, simulate_discharge
from solvers.discretise import chemistry, discretise, radial_mesh
from solvers.electrode import PorousElectrode

THERMAL = GAS_CONSTANT * 298.15 / FARADAY


def simple_cell(**changes):
    """Constant properties, a nearly flat potential, a separator and a lithium electrode that cost nothing."""
    values = {
        "name": "simple",
        "lower_cutoff_voltage": 3.0,
        "upper_cutoff_voltage": 4.0,
        "maximum_concentration": 50000.0,
        "open_circuit_potential": Curve.from_function(lambda x: 4.01 - 0.02 * x, lower=0.0, upper=1.0),
        "particle_diffusivity": Curve.constant(1e-9),
        "reaction_rate_constant": 1e-10,
        "initial_salt_concentration": 1000.0,
        "electrolyte_diffusivity": Curve.constant(3e-10),
        "electrolyte_conductivity": Curve.constant(1.0),
        "transference_number": Curve.constant(0.3),
        "separator_thickness": 1e-12,
        "separator_porosity": 1.0,
        "separator_transport_efficiency": 1.0,
        "lithium_exchange_current_density": 1e9,
    }
    return CellParameters(**(values | changes))


def electrode(*, slices=20, thickness=100e-6, radius=1e-6, efficiency=0.2, conductivity=1e4):
    return PorousElectrode.uniform(
        thickness=thickness,
        porosity=0.3,
        active_fraction=0.6,
        particle_radius=radius,
        transport_efficiency=efficiency,
        electronic_conductivity=conductivity,
        slices=slices,
    )


# ---------------------------------------------------------------- solid diffusion

SPHERE = {
    0.02: 0.1290,
    0.05: 0.2839,
    0.1: 0.4686,
    0.2: 0.6774,
    0.5: 0.8667,
    1.0: 0.9333,
    2.0: 0.9667,
    5.0: 0.9867,
}
"""Utilization against S = D t_nominal / R² of a sphere under constant flux."""


def diffusion_only(s, *, shells=20, tolerance=3e-4):
    """Utilization that diffusion in the particles alone would leave."""
    cell = CellParameters.named("nmc532-xu2019")
    radius = 5.3e-6
    rate = float(cell.particle_diffusivity(0.5)) * 3600.0 / radius**2 / s
    block = electrode(radius=radius, slices=3)
    return (
        1.0 - utilization_budget(block, cell, c_rate=rate, shells=shells, tolerance=tolerance).solid_diffusion
    )


@pytest.mark.parametrize(("s", "utilization"), SPHERE.items())
def test_a_sphere_under_constant_flux(s, utilization, measured):
    what = f"sphere under constant flux, S = D t/R² = {s:g}, utilization"
    measured("discharge", what, diffusion_only(s), utilization, abs=1e-3, source="series, Crank 1975")


def test_slow_discharge_of_a_sphere_loses_a_fifteenth_of_its_inverse_time():
    assert diffusion_only(20.0) == pytest.approx(1.0 - 1.0 / (15.0 * 20.0), abs=1e-5)


def test_shells_converge_with_second_order():
    # Series solution: 1 - U = (1/5 - 2 sum exp(-q² S U) / q²) / (3 S) over the roots of tan q = q, here S = 0.05.
    exact = 0.2838526
    errors = [abs(diffusion_only(0.05, shells=n, tolerance=1e-5) - exact) for n in (10, 20, 40)]
    slopes = np.diff(np.log(errors)) / np.log(2.0)
    assert slopes == pytest.approx([-2.0, -2.0], abs=0.2)


def test_nmc811_needs_particles_below_a_micrometre_and_a_half_at_1c():
    cell = CellParameters.named("nmc811-chen2020")
    losses = [
        utilization_budget(electrode(radius=r), cell, c_rate=1.0).solid_diffusion for r in (1.45e-6, 1.55e-6)
    ]
    assert losses[0] < 0.01 < losses[1]


# ---------------------------------------------------------------- electrolyte


def limiting_current(cell, block, *, zone=1.0):
    """6 F D B c0 L / ((1 - t+) l²) for a uniform reaction in the front share l / L of the electrode."""
    mobility = float(cell.electrolyte_diffusivity(0.0)) * block.transport_efficiency[0]
    uncommon = 1.0 - float(cell.transference_number(0.0))
    return 6.0 * FARADAY * mobility * cell.initial_salt_concentration / (uncommon * block.thickness * zone**2)


def with_front_zone(block, zone):
    """Keep the active material of the front share only."""
    kept = (np.arange(block.slices) + 0.5) / block.slices < zone
    return PorousElectrode(
        thickness=block.thickness,
        porosity=block.porosity,
        transport_efficiency=block.transport_efficiency,
        electronic_conductivity=block.electronic_conductivity,
        particle_radii=block.particle_radii,
        active_fractions=block.active_fractions * kept[:, None],
        specific_surface_areas=block.specific_surface_areas * kept[:, None],
        isolated_fractions=block.isolated_fractions,
    )


def evenly_filling_cell():
    """A potential so steep that all particles fill alike, whatever the electrolyte does."""
    steep = Curve.from_function(lambda x: 30.0 * (1.0 - x), lower=0.0, upper=1.0)
    return simple_cell(
        open_circuit_potential=steep, upper_cutoff_voltage=27.0, electrolyte_conductivity=Curve.constant(1e4)
    )


@pytest.mark.parametrize("zone", [1.0, 0.5])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_salt_left_at_the_back_under_a_uniform_reaction(zone, share):
    cell = evenly_filling_cell()
    block = with_front_zone(electrode(slices=40), zone)
    limit = limiting_current(cell, block, zone=zone)
    rate = share * limit / block.theoretical_areal_capacity(cell)
    result = simulate_discharge(block, cell, c_rate=rate, separator_cells=1)
    left = result.salt_concentration[-1] / cell.initial_salt_concentration
    assert left == pytest.approx(1.0 - share, abs=0.01)


def test_the_limiting_current_parts_full_from_starved_electrodes():
    cell = evenly_filling_cell()
    block = electrode(slices=40)
    rate = limiting_current(cell, block) / block.theoretical_areal_capacity(cell)
    below, above = (utilization_budget(block, cell, c_rate=f * rate, separator_cells=1) for f in (0.9, 2.0))
    assert below.electrolyte < 0.02
    assert above.electrolyte > 0.2
    assert above.limiting == "electrolyte"


# ---------------------------------------------------------------- kinetics and resistance

KINETIC = {"transference_number": Curve.constant(1.0), "reaction_rate_constant": 1e-11}


def kinetic_number(cell, block):
    """v with v² = a i0 F L² / (R T kappa_eff) at the start of the discharge."""
    x = cell.minimum_stoichiometry
    filled = cell.maximum_concentration * np.sqrt(cell.initial_salt_concentration * x * (1.0 - x))
    exchange = FARADAY * cell.reaction_rate_constant * filled
    kappa = float(cell.electrolyte_conductivity(0.0)) * block.transport_efficiency[0]
    return np.sqrt(block.specific_surface_areas[0, 0] * exchange * block.thickness**2 / (THERMAL * kappa))


def start_resistance(cell, block, rate=1e-3):
    """Voltage drop over current the instant after switching on."""
    result = simulate_discharge(block, cell, c_rate=rate, separator_cells=1)
    rest = float(cell.open_circuit_potential(cell.minimum_stoichiometry))
    return (rest - result.voltage[0]) / result.current_density


def test_resistance_of_a_porous_electrode_with_linear_kinetics():
    cell = simple_cell(**KINETIC)
    block = electrode(slices=80)
    nu = kinetic_number(cell, block)
    assert 1.0 < nu < 5.0
    kappa = float(cell.electrolyte_conductivity(0.0)) * block.transport_efficiency[0]
    exact = block.thickness / kappa / (np.tanh(nu) * nu)
    assert start_resistance(cell, block) == pytest.approx(exact, rel=0.01)


def test_slices_converge_with_second_order():
    cell = simple_cell(**KINETIC)
    nu = kinetic_number(cell, electrode())
    kappa = float(cell.electrolyte_conductivity(0.0)) * electrode().transport_efficiency[0]
    exact = electrode().thickness / kappa / (np.tanh(nu) * nu)
    # The solid takes part with 1 / 10^9 of the resistance, the surface layer of the particles not at all.
    errors = [abs(start_resistance(cell, electrode(slices=n, conductivity=1e9)) - exact) for n in (5, 10, 20)]
    slopes = np.diff(np.log(errors)) / np.log(2.0)
    assert slopes == pytest.approx([-2.0, -2.0], abs=0.1)


def test_reaction_at_the_front_over_the_back():
    cell = simple_cell(**KINETIC)
    block = electrode(slices=40)
    layout = discretise(block, cell, separator_cells=1)
    state = new_state(41, 40, 40, 20)
    current = 1e-3 * block.theoretical_areal_capacity(cell)
    x = cell.minimum_stoichiometry
    assert start(state, x, current, chemistry(cell), layout.mesh, radial_mesh(20), new_work(41, 40, 20))
    nu = kinetic_number(cell, block)
    exact = np.cosh(nu * (1.0 - block.positions / block.thickness))
    assert state.j[0] / state.j[-1] == pytest.approx(exact[0] / exact[-1], rel=0.01)
    assert state.j / state.j.sum() == pytest.approx(exact / exact.sum(), rel=0.01)


# ---------------------------------------------------------------- no current


@pytest.mark.parametrize("name", CellParameters.names())
def test_everything_is_used_when_time_does_not_matter(name):
    cell = CellParameters.named(name)
    result = simulate_discharge(electrode(radius=0.5e-6, thickness=30e-6), cell, c_rate=1e-4)
    assert result.status is DischargeStatus.CUTOFF_REACHED
    assert result.utilization == pytest.approx(1.0, abs=1e-3)


def test_isolated_material_is_lost_and_nothing_else():
    cell = CellParameters.named("nmc532-xu2019")
    block = PorousElectrode.uniform(
        thickness=30e-6, porosity=0.3, active_fraction=0.45, isolated_fraction=0.15, particle_radius=0.5e-6
    )
    budget = utilization_budget(block, cell, c_rate=1e-4)
    assert budget.isolated == pytest.approx(0.25, abs=1e-12)
    assert budget.utilization == pytest.approx(0.75, abs=1e-3)
    assert budget.limiting == "isolated"
