"""Half-cell against PyBaMM 26.10 (Sulzer et al., J. Open Res. Softw. 9, 14, 2021), Doyle-Fuller-Newman model.

Stored runs of the set of Xu et al. 2019, with its electrode and with one twice as thick. On PyBaMM's default mesh the
voltage right after switching on is that of a coarse particle, so its curves are compared from a hundredth of the capacity.
Its half-cells with other pores and thicknesses are stored as well (``benchmarks/half_cells.py`` writes them). Where PyBaMM is
installed (extra ``pybamm``), it also runs here.
"""

import dataclasses
import json

import numpy as np
import pytest

from benchmarks import half_cells
from solvers.cell import CellParameters
from solvers.curves import Curve
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
        electronic_conductivity=100.0 * 0.669**1.5,
        slices=slices,
    )


@pytest.mark.parametrize("index", range(17))
def test_voltage_and_capacity(runs, index, measured):
    run = runs[index]
    cell = CellParameters.named("nmc532-xu2019")
    electrode = xu_electrode(thickness=84e-6 if run["variant"] == "pos_thickness_x2" else 42e-6)
    current = run["current_density_A_m2"]
    result = simulate_discharge(electrode, cell, c_rate=current / electrode.theoretical_areal_capacity(cell))
    # 1 mAh cm-2 = 10 A h m-2
    twice = ", twice as thick" if run["variant"] == "pos_thickness_x2" else ""
    what = f"NMC532 of Xu 2019{twice}, {run['C_rate']:g}C nominal, {run['mesh']} mesh, mAh cm⁻²"
    delivered = result.delivered_areal_capacity / 10.0
    measured("discharge", what, delivered, run["capacity_mAh_cm2"], rel=1e-3, source="PyBaMM 26.10, DFN")
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


@pytest.mark.parametrize("case", half_cells.CASES, ids=str)
def test_other_pores_and_thicknesses(case):
    """Stored curves, since the sixty runs take PyBaMM minutes; the next test repeats some of them."""
    away, apart = half_cells.compare(half_cells.ours(case), *half_cells.stored()[case])
    assert abs(away) < (0.02 if half_cells.runs_out(case) else 0.005)
    assert apart < 3e-3


LIVE = [
    half_cells.Case(1.0, 1.0, 3.0),
    half_cells.Case(1.0, 1.5, 0.2),
    half_cells.Case(1.0, 3.5, 2.0),
    half_cells.Case(2.0, 1.5, 1.0),
    half_cells.Case(2.0, 2.5, 2.0),
    half_cells.Case(2.0, 3.0, 0.5),
]


@pytest.fixture(scope="module")
def pybamm():
    return pytest.importorskip("pybamm", reason="install the extra pybamm to run PyBaMM itself")


@pytest.mark.usefixtures("pybamm")
@pytest.mark.parametrize("thickness", [1.0, 2.0])
def test_live(thickness):
    theirs = half_cells.Theirs(thickness)
    for case in LIVE:
        if case.thickness == thickness:
            away, apart = half_cells.compare(half_cells.ours(case), *theirs.curve(case))
            assert abs(away) < 5e-3, case
            assert apart < 3e-3, case


def half_cell_model(pybamm, parameters, result, *, start, hours):
    """Discharge any set in PyBaMM's half-cell; charge [A.h.m-2] and voltage."""
    area = parameters["Electrode height [m]"] * parameters["Electrode width [m]"]
    full = parameters["Maximum concentration in positive electrode [mol.m-3]"]
    parameters.update(
        {
            "Current function [A]": result.current_density * area,
            "Initial concentration in positive electrode [mol.m-3]": start * full,
        }
    )
    simulation = pybamm.Simulation(
        pybamm.lithium_ion.DFN({"working electrode": "positive"}),
        parameter_values=parameters,
        var_pts={"x_n": 20, "x_s": 20, "x_p": 40, "r_n": 20, "r_p": 60},
        solver=pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8),
    )
    solution = simulation.solve(np.linspace(0.0, 3600.0 * hours, 400))
    return solution["Discharge capacity [A.h]"].entries / area, solution["Voltage [V]"].entries


def test_live_with_an_electrolyte_whose_properties_all_vary(pybamm):
    transference, factor = (lambda c: 0.45 - 1.5e-4 * c), (lambda c: 0.8 + 7e-4 * c)
    cell = dataclasses.replace(
        CellParameters.named("nmc532-xu2019"),
        transference_number=Curve.from_function(transference, lower=0.0, upper=4000.0),
        thermodynamic_factor=Curve.from_function(factor, lower=0.0, upper=4000.0),
    )
    case = half_cells.Case(2.0, 2.0, 2.0)
    result = simulate_discharge(half_cells.electrode(case), cell, c_rate=case.c_rate, shells=30)
    parameters = pybamm.ParameterValues("Xu2019")
    parameters.update(
        {
            "Positive electrode thickness [m]": 84e-6,
            "Positive electrode Bruggeman coefficient (electrolyte)": 2.0,
            "Cation transference number": lambda c, _: transference(c),
            "Thermodynamic factor": lambda c, _: factor(c),
        }
    )
    curve = half_cell_model(pybamm, parameters, result, start=cell.minimum_stoichiometry, hours=0.6)
    away, apart = half_cells.compare(result, *curve)
    assert abs(away) < 2e-3
    assert apart < 1e-3


def test_live_with_lfp(pybamm):
    cell = CellParameters.named("lfp-prada2013")
    electrode = PorousElectrode.uniform(
        thickness=80e-6,
        porosity=0.426,
        active_fraction=0.374,
        particle_radius=5e-8,
        electronic_conductivity=0.33795074 * 0.574**1.5,
        slices=40,
    )
    result = simulate_discharge(electrode, cell, c_rate=2.0)
    parameters = pybamm.ParameterValues("Prada2013")
    # The set has no lithium electrode: that of Xu et al. 2019, of a metal without resistance.
    lithium = {
        name: pybamm.ParameterValues("Xu2019")[name]
        for name in (
            "Exchange-current density for lithium metal electrode [A.m-2]",
            "Lithium metal partial molar volume [m3.mol-1]",
            "Negative electrode conductivity [S.m-1]",
            "Negative electrode thickness [m]",
        )
    }
    parameters.update(lithium, check_already_exists=False)
    curve = half_cell_model(pybamm, parameters, result, start=cell.minimum_stoichiometry, hours=0.6)
    away, apart = half_cells.compare(result, *curve)
    assert abs(away) < 1e-3
    assert apart < 1e-3
