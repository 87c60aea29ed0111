"""Half-cells written as BPX, read back here, and run in PyBaMM: what arrives.

Run with ``python -m benchmarks.bpx_round_trip``, it writes the capacities that the validation test compares with where PyBaMM
is not installed, and the table of ``docs/exchange.md``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from solvers import CellParameters, PorousElectrode, pybamm_parameters, simulate_discharge, write_bpx

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "tests" / "validation" / "data" / "pybamm_bpx.json"
PAGE = ROOT / "docs" / "exchange.md"
BEGIN, END = "<!-- table made by benchmarks/bpx_round_trip.py -->\n", "<!-- end of table -->\n"
RATES = (0.5, 1.0, 2.0, 3.0)
MESH = {"x_n": 10, "x_s": 20, "x_p": 80, "r_n": 10, "r_p": 50, "r_p_prim": 50, "r_p_sec": 50}


class Design(NamedTuple):
    """A half-cell, how its particles are written, and whether BPX can say all of it."""

    electrode: PorousElectrode
    cell: CellParameters
    particles: str = "one"
    complete: bool = True


def uniform(**changes: float) -> PorousElectrode:
    """80 µm with a porosity of 0.3 unless told otherwise; B is no power of the porosity."""
    values = {
        "thickness": 80e-6,
        "porosity": 0.3,
        "active_fraction": 0.6,
        "particle_radius": 4e-6,
        "transport_efficiency": 0.1,
        "electronic_conductivity": 2.0,
    }
    return PorousElectrode.uniform(**(values | changes), slices=40)


def sizes(radii: tuple[float, ...], fractions: tuple[float, ...], *, graded: bool = False) -> PorousElectrode:
    """Size classes; if graded, also pores that close towards the collector, covered surfaces and isolated material."""
    slices = 40
    depth = (np.arange(slices) + 0.5) / slices
    porosity = 0.42 - 0.2 * depth if graded else np.full(slices, 0.3)
    active = np.outer(0.86 * (1.0 - porosity), np.array(fractions) / sum(fractions))
    return PorousElectrode(
        thickness=80e-6,
        porosity=porosity,
        transport_efficiency=porosity**1.9,
        electronic_conductivity=np.full(slices, 2.0),
        particle_radii=np.array(radii),
        active_fractions=active,
        specific_surface_areas=(0.7 if graded else 1.0) * 3.0 * active / np.array(radii),
        isolated_fractions=np.full(slices, 0.01 if graded else 0.0),
    )


def designs() -> dict[str, Design]:
    """Half-cells by name."""
    nmc811, nmc532, graphite = map(
        CellParameters.named, ("nmc811-chen2020", "nmc532-xu2019", "graphite-ecker2015")
    )
    porous = uniform(thickness=60e-6, porosity=0.4, active_fraction=0.55, transport_efficiency=0.22)
    two, three = sizes((2e-6, 5e-6), (0.4, 0.6)), sizes((1.5e-6, 3e-6, 5e-6), (1, 1, 1), graded=True)
    return {
        "NMC811, one size": Design(uniform(), nmc811),
        "NMC532, one size": Design(uniform(particle_radius=5e-6), nmc532),
        "graphite, one size": Design(porous, graphite),
        "NMC811, two sizes as a blend": Design(two, nmc811, "classes"),
        "NMC811, two sizes as one": Design(two, nmc811, complete=False),
        "NMC811, graded, three sizes as one": Design(three, nmc811, complete=False),
    }


def ours(design: Design, c_rate: float) -> float:
    """Delivered areal capacity [A.h.m-2] with this project."""
    return simulate_discharge(
        design.electrode, design.cell, c_rate=c_rate, shells=30
    ).delivered_areal_capacity


def returned(design: Design, path: Path, c_rate: float) -> float:
    """The same after writing and reading, at the same current."""
    write_bpx(design.electrode, design.cell, path, particles=design.particles)
    cell = CellParameters.from_bpx(path)
    electrode = PorousElectrode.from_bpx(path, slices=40)
    capacities = (
        design.electrode.theoretical_areal_capacity(design.cell),
        electrode.theoretical_areal_capacity(cell),
    )
    rate = c_rate * capacities[0] / capacities[1]
    return simulate_discharge(electrode, cell, c_rate=rate, shells=30).delivered_areal_capacity


def theirs(path: Path, c_rates: tuple[float, ...]) -> list[float]:
    """Capacities [A.h.m-2] that PyBaMM delivers from a file."""
    import pybamm

    parameters = pybamm_parameters(path)
    blend = "Primary: Positive particle radius [m]" in parameters.keys()  # noqa: SIM118  no iterator
    options = {"working electrode": "positive"} | ({"particle phases": ("1", "2")} if blend else {})
    area = parameters["Electrode height [m]"] * parameters["Electrode width [m]"]
    capacity = parameters["Nominal cell capacity [A.h]"]
    parameters["Current function [A]"] = "[input]"
    simulation = pybamm.Simulation(
        pybamm.lithium_ion.DFN(options),
        parameter_values=parameters,
        var_pts=MESH,
        solver=pybamm.IDAKLUSolver(rtol=1e-6, atol=1e-8),
    )
    delivered = []
    for c_rate in c_rates:
        times = np.linspace(0.0, 1.2 * 3600.0 / c_rate, 300)
        solution = simulation.solve(times, inputs={"Current function [A]": c_rate * capacity})
        delivered.append(float(solution["Discharge capacity [A.h]"].entries[-1]) / area)
    return delivered


def table(found: dict[str, list[list[float]]]) -> str:
    """Rows of designs, columns of rates."""
    lines = [
        "| design | " + " | ".join(f"{rate:g}C" for rate in RATES) + " |",
        "|---|" + "---|" * len(RATES),
    ]
    for name, columns in found.items():
        cells = [
            f"{mine / 10:.3f}; {100 * (back / mine - 1):+.2f} %; {100 * (other / mine - 1):+.2f} %"
            for mine, back, other in columns
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run everything, write numbers and table."""
    import pybamm

    warnings.simplefilter("ignore")
    found: dict[str, list[list[float]]] = {}
    for name, design in designs().items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "half_cell.json"
            backs = [returned(design, path, rate) for rate in RATES]
            others = theirs(path, RATES)
        found[name] = [
            [ours(design, rate), back, other] for rate, back, other in zip(RATES, backs, others, strict=True)
        ]
        sys.stdout.write(f"{name} {found[name]}\n")
    about: dict[str, Any] = {
        "program": f"PyBaMM {pybamm.__version__}",
        "mesh": MESH,
        "licence": "BSD-3-Clause",
    }
    capacities = {name: [round(other, 6) for _, _, other in columns] for name, columns in found.items()}
    content = {"about": about, "rates": RATES, "capacities": capacities}
    STORED.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(head + BEGIN + table(found) + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
