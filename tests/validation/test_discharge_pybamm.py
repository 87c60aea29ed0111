"""Half-cell against PyBaMM 26.10 (Sulzer et al., J. Open Res. Softw. 9, 14, 2021), Doyle-Fuller-Newman model.

Stored runs of the set of Xu et al. 2019, with its electrode and with one twice as thick. On PyBaMM's default mesh the
voltage right after switching on is that of a coarse particle, so its curves are compared from a hundredth of the capacity.
"""

import json

import numpy as np
import pytest

from solvers.cell import CellParameters
from solvers.discharge import simulate_discharge
from solvers.electrode import PorousElectrode


@pytest.fixture(scope="module")
def runs(reference):
    return json.loads((reference / "pybamm_xu2019.json").read_text())["runs"]


def xu_electrode(*, thickness=42e-6, slices=20):
    return PorousElectrode.uniform(
        thickness=thickness,
        porosity=0.331,
        active_fraction=0.518,
        particle_radius=5.3e-6,
        electronic_conductivity=100.0 * 0.518**1.5,
        slices=slices,
    )


@pytest.mark.parametrize("index", range(17))
def test_voltage_and_capacity(runs, index):
    run = runs[index]
    cell = CellParameters.named("nmc532-xu2019")
    electrode = xu_electrode(thickness=84e-6 if run["variant"] == "pos_thickness_x2" else 42e-6)
    current = run["current_density_A_m2"]
    result = simulate_discharge(electrode, cell, c_rate=current / electrode.theoretical_areal_capacity(cell))
    # 1 mAh cm-2 = 10 A h m-2
    assert result.delivered_areal_capacity / 10.0 == pytest.approx(run["capacity_mAh_cm2"], rel=1e-3)
    capacity, voltage = (np.array(run["curve"][key]) for key in ("capacity_mAh_cm2", "voltage_V"))
    compared = (capacity > 0.01 * capacity[-1]) & (capacity < capacity[-1])
    ours = np.interp(capacity[compared], result.areal_capacity / 10.0, result.voltage)
    assert np.sqrt(np.mean((ours - voltage[compared]) ** 2)) < 1.5e-3


def test_the_start_is_that_of_a_fine_mesh(runs):
    fine = next(run for run in runs if run["mesh"] == "fine" and run["C_rate"] == 1)
    cell = CellParameters.named("nmc532-xu2019")
    electrode = xu_electrode()
    rate = fine["current_density_A_m2"] / electrode.theoretical_areal_capacity(cell)
    assert simulate_discharge(electrode, cell, c_rate=rate).voltage[0] == pytest.approx(fine["V0"], abs=1e-3)


def test_stoichiometries_at_the_cut_offs(runs):
    assert CellParameters.named("nmc532-xu2019").minimum_stoichiometry == pytest.approx(
        runs[0]["x_pos_avg_start"], abs=1e-9
    )
