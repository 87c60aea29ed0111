"""The same half-cell in PyBaMM and here: NMC532 of Xu et al. 2019, its pores and thickness varied.

Run with ``python -m benchmarks.half_cells``, it writes the discharges that the validation test compares with where PyBaMM is not installed.
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from solvers import CellParameters, DischargeResult, PorousElectrode, simulate_discharge

STORED = Path(__file__).resolve().parents[1] / "tests" / "validation" / "data" / "pybamm_half_cell.json"
POROSITY, THICKNESS = 0.331, 42e-6
FINE = {"x_n": 20, "x_s": 20, "x_p": 80, "r_n": 20, "r_p": 60}
DEFAULT = {"x_n": 20, "x_s": 20, "x_p": 20, "r_n": 20, "r_p": 20}
DEEP = FINE | {"x_p": 320, "r_p": 30}  # where salt runs out, PyBaMM's mesh converges slowly
POINTS = 60  # of a stored curve


class Case(NamedTuple):
    """What varies: electrode thickness over that of the set, Bruggeman exponent of its pores, rate [h-1]."""

    thickness: float
    bruggeman: float
    c_rate: float


CASES = [
    Case(thickness, bruggeman, c_rate)
    for thickness in (1.0, 2.0)
    for bruggeman in (1.0, 1.5, 2.0, 2.5, 3.0, 3.5)
    for c_rate in (0.2, 0.5, 1.0, 2.0, 3.0)
]


def cell() -> CellParameters:
    """Materials of all cases."""
    return CellParameters.named("nmc532-xu2019")


def electrode(case: Case, *, slices: int = 40, porosity: float = POROSITY) -> PorousElectrode:
    """Electrode of a case; PyBaMM's solid conducts with the exponent 1.5 of all that is no pore."""
    return PorousElectrode.uniform(
        thickness=case.thickness * THICKNESS,
        porosity=porosity,
        active_fraction=0.518,
        particle_radius=5.3e-6,
        transport_efficiency=porosity**case.bruggeman,
        electronic_conductivity=100.0 * (1.0 - porosity) ** 1.5,
        slices=slices,
    )


def current_density(case: Case) -> float:
    """Current of a case [A.m-2]."""
    return case.c_rate * electrode(case).theoretical_areal_capacity(cell())


def ours(case: Case) -> DischargeResult:
    """Discharge of a case with this project."""
    return simulate_discharge(electrode(case, slices=80), cell(), c_rate=case.c_rate, shells=30)


def runs_out(case: Case) -> bool:
    """Whether somewhere less than a twentieth of the salt is left."""
    result = ours(case)
    return bool(result.salt_concentration.min() < 0.05 * cell().initial_salt_concentration)


class Theirs:
    """PyBaMM's half-cell of one thickness, built once; current, porosity and Bruggeman exponent are inputs."""

    def __init__(
        self, thickness: float = 1.0, mesh: dict[str, int] | None = None, *, fine: bool = True
    ) -> None:
        import pybamm

        parameters = pybamm.ParameterValues("Xu2019")
        self.area = parameters["Electrode height [m]"] * parameters["Electrode width [m]"]
        full = parameters["Maximum concentration in positive electrode [mol.m-3]"]
        parameters.update(
            {
                "Positive electrode thickness [m]": thickness * THICKNESS,
                "Positive electrode porosity": "[input]",
                "Positive electrode Bruggeman coefficient (electrolyte)": "[input]",
                "Current function [A]": "[input]",
                "Initial concentration in positive electrode [mol.m-3]": cell().minimum_stoichiometry * full,
            }
        )
        solver = pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8) if fine else pybamm.IDAKLUSolver()
        self.simulation = pybamm.Simulation(
            pybamm.lithium_ion.DFN({"working electrode": "positive"}),
            parameter_values=parameters,
            var_pts=mesh or (FINE if fine else DEFAULT),
            solver=solver,
        )

    def solve(self, case: Case, *, porosity: float = POROSITY, times: int = 400) -> Any:
        """Solution of a case, from rest to the cut-off."""
        return self.simulation.solve(
            np.linspace(0.0, 1.1 * 3600.0 / case.c_rate, times),
            inputs={
                "Positive electrode porosity": porosity,
                "Positive electrode Bruggeman coefficient (electrolyte)": case.bruggeman,
                "Current function [A]": current_density(case) * self.area,
            },
        )

    def curve(self, case: Case) -> tuple[np.ndarray, np.ndarray]:
        """Charge passed [A.h.m-2] and voltage [V] of a case."""
        solution = self.solve(case)
        return solution["Discharge capacity [A.h]"].entries / self.area, solution["Voltage [V]"].entries


def compare(result: DischargeResult, capacity: np.ndarray, voltage: np.ndarray) -> tuple[float, float]:
    """Relative difference of the capacity, and of the voltage in the root mean square between 1 and 99.9 % of it [V]."""
    inside = (capacity > 0.01 * capacity[-1]) & (capacity < 0.999 * capacity[-1])
    apart = np.interp(capacity[inside], result.areal_capacity, result.voltage) - voltage[inside]
    return float(result.areal_capacity[-1] / capacity[-1] - 1.0), float(np.sqrt(np.mean(apart**2)))


def stored() -> dict[Case, tuple[np.ndarray, np.ndarray]]:
    """Curves that PyBaMM gave when this file was last run."""
    content = json.loads(STORED.read_text(encoding="utf-8"))
    share = np.linspace(0.0, 1.0, POINTS)
    return {
        Case(*run["case"]): (share * run["capacity"], np.array(run["voltage"]))
        for run in content["discharges"]
    }


def main() -> None:
    """Write all cases."""
    import pybamm

    models = {
        (thickness, deep): Theirs(thickness, DEEP if deep else FINE)
        for thickness in (1.0, 2.0)
        for deep in (False, True)
    }
    runs = []
    for case in CASES:
        capacity, voltage = models[case.thickness, runs_out(case)].curve(case)
        kept = np.interp(np.linspace(0.0, capacity[-1], POINTS), capacity, voltage)
        runs.append(
            {"case": case, "capacity": round(float(capacity[-1]), 6), "voltage": np.round(kept, 6).tolist()}
        )
        sys.stdout.write(f"{case} {compare(ours(case), capacity, voltage)}\n")
    about = {
        "program": f"PyBaMM {pybamm.__version__}",
        "mesh": FINE,
        "mesh without salt": DEEP,
        "licence": "BSD-3-Clause",
    }
    STORED.parent.mkdir(exist_ok=True)
    STORED.write_text(
        json.dumps({"about": about, "discharges": runs}, separators=(",", ":")) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
