"""What a run returns, what it refuses, how it ends."""

import numpy as np
import pytest

from solvers.budget import utilization_budget
from solvers.cell import CellParameters
from solvers.discharge import DischargeStatus, simulate_discharge
from solvers.electrode import PorousElectrode
from solvers.rates import sweep_rates


@pytest.fixture(scope="module")
def cell():
    return CellParameters.named("nmc532-xu2019")


def electrode(**changes):
    values = {"thickness": 60e-6, "porosity": 0.3, "active_fraction": 0.6, "particle_radius": 3e-6}
    return PorousElectrode.uniform(**(values | changes))


def test_the_curve_ends_at_the_cut_off(cell):
    result = simulate_discharge(electrode(), cell, c_rate=1.0)
    assert result.status is DischargeStatus.CUTOFF_REACHED
    assert result.voltage[-1] == pytest.approx(cell.lower_cutoff_voltage, abs=1e-4)
    assert np.all(np.diff(result.voltage) < 0.0)
    assert result.c_rate == pytest.approx(1.0)
    assert result.current_density == pytest.approx(result.theoretical_areal_capacity)
    assert result.delivered_areal_capacity == pytest.approx(
        result.utilization * result.theoretical_areal_capacity
    )
    with pytest.raises(ValueError, match="read-only"):
        result.voltage[0] = 0.0


def test_unused_sites_account_for_the_utilization(cell):
    result = simulate_discharge(electrode(), cell, c_rate=3.0)
    window = cell.maximum_stoichiometry - cell.minimum_stoichiometry
    used = (result.stoichiometry.mean() - cell.minimum_stoichiometry) / window
    assert used == pytest.approx(result.utilization, rel=1e-9)
    assert np.all(result.surface_stoichiometry > result.stoichiometry)


@pytest.mark.parametrize("direction", ["discharge", "charge"])
def test_what_is_left_by_slice_and_class_is_what_was_not_delivered(cell, direction):
    efficiency = np.full(20, 0.2)
    efficiency[17:] = 0.0
    active = np.tile([0.2, 0.35], (20, 1))
    radii = np.array([2e-6, 8e-6])
    mixed = PorousElectrode(
        thickness=120e-6,
        porosity=np.full(20, 0.3),
        transport_efficiency=efficiency,
        electronic_conductivity=np.full(20, 10.0),
        particle_radii=radii,
        active_fractions=active,
        specific_surface_areas=3.0 * active / radii,
        isolated_fractions=np.full(20, 0.05),
    )
    result = simulate_discharge(mixed, cell, c_rate=2.0, direction=direction)
    lost = result.theoretical_areal_capacity - result.delivered_areal_capacity
    left = result.unused_areal_capacity.sum() + result.isolated_areal_capacity.sum()
    assert left == pytest.approx(lost, rel=1e-8)
    assert result.isolated_areal_capacity.sum() == pytest.approx(
        result.theoretical_areal_capacity * 0.05 / 0.6
    )
    # Large particles keep more of their capacity than small ones, blocked slices all of it.
    share = result.unused_areal_capacity / active
    assert np.all(share[:17, 1] > share[:17, 0])
    assert share[17:] == pytest.approx(np.full((3, 2), cell.active_capacity * 6e-6))


def test_charge_returns_what_a_slow_discharge_took(cell):
    there = simulate_discharge(electrode(), cell, c_rate=0.01)
    back = simulate_discharge(electrode(), cell, c_rate=0.01, direction="charge")
    assert back.voltage[-1] == pytest.approx(cell.upper_cutoff_voltage, abs=1e-4)
    assert np.all(np.diff(back.voltage) > 0.0)
    assert back.utilization == pytest.approx(there.utilization, abs=2e-3)
    assert back.current_density < 0.0


def test_too_much_resistance_cannot_start(cell):
    result = simulate_discharge(electrode(electronic_conductivity=1e-6), cell, c_rate=1.0)
    assert result.status is DischargeStatus.CANNOT_START
    assert result.utilization == 0.0
    budget = utilization_budget(electrode(electronic_conductivity=1e-6), cell, c_rate=1.0)
    assert budget.limiting == "ohmic_kinetic"
    assert budget.utilization == 0.0


def test_a_blocked_slice_cuts_off_what_lies_behind(cell):
    efficiency = np.full(20, 0.2)
    efficiency[12] = 0.0
    whole = electrode()
    names = {name: getattr(whole, name) for name in whole.__slots__}
    cut = PorousElectrode(**(names | {"transport_efficiency": efficiency}))
    budget = utilization_budget(cut, cell, c_rate=0.01)
    assert budget.isolated == pytest.approx(8 / 20)
    assert np.isnan(budget.discharge.stoichiometry[12:]).all()
    assert np.isfinite(budget.discharge.stoichiometry[:12]).all()


def test_size_classes_in_one_electrode_lie_between_their_own(cell):
    small, large = electrode(particle_radius=2e-6), electrode(particle_radius=8e-6)
    mixed = PorousElectrode(
        thickness=60e-6,
        porosity=small.porosity,
        transport_efficiency=small.transport_efficiency,
        electronic_conductivity=small.electronic_conductivity,
        particle_radii=np.array([2e-6, 8e-6]),
        active_fractions=np.full((20, 2), 0.3),
        specific_surface_areas=np.column_stack((0.9 / np.full(20, 2e-6), 0.9 / np.full(20, 8e-6))),
        isolated_fractions=np.zeros(20),
    )
    low, middle, high = (simulate_discharge(e, cell, c_rate=2.0).utilization for e in (large, mixed, small))
    assert low < middle < high


def test_a_class_split_in_two_changes_nothing(cell):
    whole = electrode()
    split = PorousElectrode(
        thickness=60e-6,
        porosity=whole.porosity,
        transport_efficiency=whole.transport_efficiency,
        electronic_conductivity=whole.electronic_conductivity,
        particle_radii=np.repeat(whole.particle_radii, 2),
        active_fractions=np.repeat(whole.active_fractions, 2, axis=1) * [0.3, 0.7],
        specific_surface_areas=np.repeat(whole.specific_surface_areas, 2, axis=1) * [0.3, 0.7],
        isolated_fractions=whole.isolated_fractions,
    )
    one, two = (simulate_discharge(e, cell, c_rate=2.0) for e in (whole, split))
    assert two.utilization == pytest.approx(one.utilization, rel=1e-9)
    assert two.stoichiometry[:, 0] == pytest.approx(two.stoichiometry[:, 1], rel=1e-9)


def test_the_end_does_not_depend_on_the_steps():
    # Plateaus, small particles full long before the large ones, and a potential that ends above the cut-off.
    cell = CellParameters.named("graphite-chen2020")
    active = np.tile([0.02, 0.2, 0.12, 0.005], (16, 1))
    radii = np.array([2.4e-6, 18.75e-6, 0.45e-6, 0.03e-6])
    mixed = PorousElectrode(
        thickness=60e-6,
        porosity=np.full(16, 0.3),
        transport_efficiency=np.full(16, 0.05),
        electronic_conductivity=np.full(16, 0.05),
        particle_radii=radii,
        active_fractions=active,
        specific_surface_areas=3.0 * active / radii,
        isolated_fractions=np.zeros(16),
    )
    fine = utilization_budget(mixed, cell, c_rate=0.3, tolerance=1e-4)
    for tolerance in (3e-3, 1e-3, 3e-4):
        budget = utilization_budget(mixed, cell, c_rate=0.3, tolerance=tolerance)
        assert budget.discharge.status is DischargeStatus.CUTOFF_REACHED
        for name in ("utilization", "solid_diffusion", "electrolyte", "ohmic_kinetic"):
            assert getattr(budget, name) == pytest.approx(getattr(fine, name), abs=3e-4)


def test_the_same_run_gives_the_same_bits(cell):
    first, second = (simulate_discharge(electrode(), cell, c_rate=1.5) for _ in range(2))
    assert np.array_equal(first.voltage, second.voltage)


@pytest.mark.parametrize("name", ["nmc532-xu2019", "nmc811-chen2020", "graphite-ecker2015"])
@pytest.mark.parametrize("direction", ["discharge", "charge"])
def test_a_hold_fills_what_the_current_left(name, direction):
    cell = CellParameters.named(name)
    plain = simulate_discharge(electrode(), cell, c_rate=2.0, direction=direction)
    held = simulate_discharge(electrode(), cell, c_rate=2.0, direction=direction, hold_until=0.01)
    assert held.status is DischargeStatus.CUTOFF_REACHED
    ours = held.areal_capacity[: len(plain.time)]
    assert np.array_equal(ours, plain.areal_capacity)
    later = slice(len(plain.time), None)
    assert held.voltage[later] == pytest.approx(plain.voltage[-1], abs=1e-4)
    assert np.all(np.diff(np.abs(held.current[later])) <= 0.0)
    assert abs(held.current[-1]) <= 0.01 / 2.0 * abs(held.current_density)
    assert plain.utilization < held.utilization <= 1.0
    # At a hundredth of a C little is left but the particles' own slowness.
    assert held.utilization == pytest.approx(1.0, abs=0.01)
    assert abs(held.lithium_mismatch) < 1e-8
    assert abs(held.salt_mismatch) < 1e-8


def test_a_hold_starts_what_the_current_could_not(cell):
    poor = electrode(electronic_conductivity=5e-4)
    assert simulate_discharge(poor, cell, c_rate=5.0).status is DischargeStatus.CANNOT_START
    held = simulate_discharge(poor, cell, c_rate=5.0, hold_until=0.05)
    assert held.status is DischargeStatus.CUTOFF_REACHED
    assert held.utilization > 0.5


def test_a_sweep_is_its_runs(cell):
    sweep = sweep_rates(electrode(), cell, c_rates=(0.2, 1.0, 4.0))
    alone = simulate_discharge(electrode(), cell, c_rate=1.0)
    assert sweep.utilization[1] == alone.utilization
    assert np.all(np.diff(sweep.utilization) < 0.0)
    assert [run.c_rate for run in sweep.results] == pytest.approx([0.2, 1.0, 4.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"c_rate": 0.0}, "c_rate must be positive"),
        ({"c_rate": -1.0}, "direction='charge'"),
        ({"c_rate": 1.0, "direction": "sideways"}, "direction must be"),
        ({"c_rate": 1.0, "hold_until": 2.0}, "hold_until must lie"),
        ({"c_rate": 1.0, "shells": 1}, "shells at least 2"),
        ({"c_rate": 1.0, "tolerance": 1.0}, "tolerance must lie"),
    ],
)
def test_arguments_that_make_no_sense(cell, changes, message):
    with pytest.raises(ValueError, match=message):
        simulate_discharge(electrode(), cell, **changes)
