"""Half-cell against PyBaMM 26.10 (Sulzer et al., J. Open Res. Softw. 9, 14, 2021), Doyle-Fuller-Newman model.

Stored runs of the set of Xu et al. 2019, with its electrode and with one twice as thick. On PyBaMM's default mesh the
voltage right after switching on is that of a coarse particle, so its curves are compared from a hundredth of the capacity.
Where PyBaMM is installed (extra ``pybamm``), it also runs here, with worse pores and another electrode.
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


def run_pybamm(pybamm, parameters, *, current, start, hours):
    """Discharge PyBaMM's half-cell from a stoichiometry; capacity [A.h.m-2] and voltage."""
    area = parameters["Electrode height [m]"] * parameters["Electrode width [m]"]
    initial = start * parameters["Maximum concentration in positive electrode [mol.m-3]"]
    parameters.update(
        {
            "Current function [A]": current * area,
            "Initial concentration in positive electrode [mol.m-3]": initial,
        }
    )
    simulation = pybamm.Simulation(
        pybamm.lithium_ion.DFN({"working electrode": "positive"}),
        parameter_values=parameters,
        var_pts={"x_n": 20, "x_s": 20, "x_p": 40, "r_n": 40, "r_p": 40},
        solver=pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8),
    )
    solution = simulation.solve(np.linspace(0.0, 3600.0 * hours, 400))
    return solution["Discharge capacity [A.h]"].entries / area, solution["Voltage [V]"].entries


@pytest.mark.parametrize("bruggeman", [1.0, 3.0])
def test_live_with_other_pores(bruggeman):
    pybamm = pytest.importorskip("pybamm", reason="install the extra pybamm to run PyBaMM itself")
    cell = CellParameters.named("nmc532-xu2019")
    electrode = PorousElectrode.uniform(
        thickness=42e-6,
        porosity=0.331,
        active_fraction=0.518,
        particle_radius=5.3e-6,
        transport_efficiency=0.331**bruggeman,
        electronic_conductivity=100.0 * 0.518**1.5,
        slices=40,
    )
    parameters = pybamm.ParameterValues("Xu2019")
    parameters.update({"Positive electrode Bruggeman coefficient (electrolyte)": bruggeman})
    result = simulate_discharge(electrode, cell, c_rate=2.0)
    capacity, voltage = run_pybamm(
        pybamm, parameters, current=result.current_density, start=cell.minimum_stoichiometry, hours=0.6
    )
    assert result.delivered_areal_capacity == pytest.approx(capacity[-1], rel=1e-3)
    compared = (capacity > 0.01 * capacity[-1]) & (capacity < 0.999 * capacity[-1])
    ours = np.interp(capacity[compared], result.areal_capacity, result.voltage)
    assert np.sqrt(np.mean((ours - voltage[compared]) ** 2)) < 1e-3
