"""Whatever the electrode: lithium and salt are conserved, the run ends with an answer, the loss shares add up."""

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import random_electrodes
from solvers.budget import utilization_budget
from solvers.cell import CellParameters
from solvers.curves import Curve
from solvers.discharge import DischargeStatus, simulate_discharge
from solvers.electrode import PorousElectrode

CELLS = {name: CellParameters.named(name) for name in CellParameters.names()}
CELLS["varying transference"] = dataclasses.replace(
    CELLS["nmc532-xu2019"],
    transference_number=Curve.from_function(lambda c: 0.6 - 2e-4 * c, lower=0.0, upper=4000.0),
    thermodynamic_factor=Curve.from_function(lambda c: 0.7 + 8e-4 * c, lower=0.0, upper=4000.0),
)
RUNS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def log_range(low, high):
    return st.floats(np.log10(low), np.log10(high)).map(lambda exponent: 10.0**exponent)


@st.composite
def electrodes(draw):
    slices, classes = draw(st.integers(3, 40)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    porosity = draw(st.floats(0.08, 0.6))
    active = draw(st.floats(0.2, 0.8)) * (1.0 - porosity) * rng.dirichlet(np.ones(classes), size=slices)
    isolated = draw(st.sampled_from([0.0, 0.1])) * active.sum(axis=1)
    radii = np.array([draw(log_range(2e-8, 3e-5)) for _ in range(classes)])
    return PorousElectrode(
        thickness=draw(log_range(5e-6, 5e-4)),
        porosity=np.full(slices, porosity),
        transport_efficiency=np.clip(draw(log_range(0.01, 0.9)) * rng.uniform(0.5, 1.5, slices), 0.005, 1.0),
        electronic_conductivity=draw(log_range(1e-2, 1e3)) * rng.uniform(0.5, 1.5, slices),
        particle_radii=radii,
        active_fractions=active,
        specific_surface_areas=3.0 * active / radii * rng.uniform(0.3, 1.2, active.shape),
        isolated_fractions=isolated,
    )


@RUNS
@given(
    electrodes(),
    st.sampled_from(sorted(CELLS)),
    log_range(0.05, 10.0),
    st.sampled_from(["discharge", "charge"]),
)
def test_lithium_and_salt_are_conserved(electrode, name, c_rate, direction):
    result = simulate_discharge(electrode, CELLS[name], c_rate=c_rate, direction=direction)
    assert result.status.is_answer
    assert abs(result.lithium_mismatch) < 1e-8
    assert abs(result.salt_mismatch) < 1e-8
    assert np.isfinite(result.voltage).all()
    assert np.all(np.diff(result.time) >= 0.0)
    assert 0.0 <= result.utilization <= 1.0 - electrode.isolated_share + 1e-9
    assert result.salt_concentration.min() > 0.0


@RUNS
@given(electrodes(), st.sampled_from(sorted(CELLS)), log_range(0.05, 10.0))
def test_the_shares_add_up(electrode, name, c_rate):
    budget = utilization_budget(electrode, CELLS[name], c_rate=c_rate)
    shares = {
        share: getattr(budget, share)
        for share in ("isolated", "solid_diffusion", "electrolyte", "ohmic_kinetic")
    }
    assert abs(sum(shares.values()) + budget.utilization - 1.0) < 1e-10
    assert budget.limiting == max(shares, key=shares.get)
    assert budget.utilization == budget.discharge.utilization


@RUNS
@given(electrodes(), log_range(0.5, 10.0))
def test_a_blocked_electrode_delivers_nothing_and_says_so(electrode, c_rate):
    blocked = PorousElectrode(
        **{name: getattr(electrode, name) for name in electrode.__slots__}
        | {"transport_efficiency": np.zeros(electrode.slices)}
    )
    budget = utilization_budget(blocked, CELLS["nmc811-chen2020"], c_rate=c_rate)
    assert budget.discharge.status is DischargeStatus.NOT_CONNECTED
    assert budget.utilization == 0.0
    assert budget.isolated == pytest.approx(1.0)


def test_a_thousand_physical_designs():
    for index in range(1000):
        trial = random_electrodes.draw_run(2020, index)
        result = random_electrodes.run(trial)
        assert result.status.is_answer, index
        for numbers in (result.voltage, result.areal_capacity, result.salt_concentration):
            assert np.isfinite(numbers).all(), index
        assert 0.0 <= result.utilization <= 1.0 - trial.electrode.isolated_share + 1e-9, index
        assert abs(result.lithium_mismatch) < 1e-8, index
        assert abs(result.salt_mismatch) < 1e-8, index
        left = result.unused_areal_capacity.sum() + result.isolated_areal_capacity.sum()
        whole = result.theoretical_areal_capacity
        assert left + result.delivered_areal_capacity == pytest.approx(whole, rel=1e-8), index
