"""Where others fail: no salt, half a millimetre, 10C, particles of nanometres and of a tenth of a millimetre, B = 0.01."""

import numpy as np
import pytest

from solvers.budget import utilization_budget
from solvers.cell import CellParameters
from solvers.discharge import DischargeStatus, simulate_discharge
from solvers.electrode import PorousElectrode


def electrode(*, thickness=100e-6, radius=3e-6, efficiency=0.15):
    return PorousElectrode.uniform(
        thickness=thickness,
        porosity=0.3,
        active_fraction=0.6,
        particle_radius=radius,
        transport_efficiency=efficiency,
        slices=40,
    )


CORNERS = {
    "no salt": ({"thickness": 300e-6, "efficiency": 0.05}, 2.0, "electrolyte"),
    "half a millimetre": ({"thickness": 500e-6}, 1.0, "electrolyte"),
    "hardly a path": ({"efficiency": 0.01}, 1.0, "electrolyte"),
    "ten C": ({"thickness": 50e-6, "radius": 1e-6}, 10.0, None),
    "nanometres": ({"radius": 1e-8, "thickness": 50e-6}, 1.0, None),
    "a tenth of a millimetre": ({"radius": 50e-6, "thickness": 50e-6}, 1.0, "solid_diffusion"),
}


@pytest.mark.parametrize("name", ["nmc811-chen2020", "nmc532-xu2019"])
@pytest.mark.parametrize("corner", CORNERS)
def test_corners_are_answered_and_named(name, corner):
    changes, c_rate, limiting = CORNERS[corner]
    budget = utilization_budget(electrode(**changes), CellParameters.named(name), c_rate=c_rate)
    result = budget.discharge
    assert result.status is DischargeStatus.CUTOFF_REACHED
    assert max(abs(result.lithium_mismatch), abs(result.salt_mismatch)) < 1e-8
    assert 0.0 < budget.utilization <= float(budget.limits.utilization) + 2e-3
    assert limiting is None or budget.limiting == limiting


def test_salt_runs_out_behind_the_depth_that_a_uniform_reaction_reaches():
    cell = CellParameters.named("nmc811-chen2020")
    thick = electrode(thickness=300e-6, efficiency=0.05, radius=1e-6)
    budget = utilization_budget(thick, cell, c_rate=0.5)
    assert budget.discharge.salt_concentration.min() < 0.01 * cell.initial_salt_concentration
    # The front is used, the back is not.
    left = budget.discharge.unused_areal_capacity[:, 0]
    assert left[-1] > 0.9 * cell.active_capacity * 0.6 * 300e-6 / 40
    assert left[0] < 0.5 * left[-1]


@pytest.mark.parametrize("name", CellParameters.names())
def test_what_cannot_start_says_why(name):
    hopeless = electrode(thickness=500e-6, efficiency=0.001)
    result = simulate_discharge(hopeless, CellParameters.named(name), c_rate=50.0)
    assert result.status is DischargeStatus.CANNOT_START
    assert result.utilization == 0.0
    assert np.isfinite(result.voltage).all()
    assert "cannot start" in result.status.value
