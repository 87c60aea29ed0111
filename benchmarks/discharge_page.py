"""Make the page docs/discharge.md and docs/discharge.png again: comparison and timing with PyBaMM, budget of an electrode.

Run from the root of the project with the extra ``pybamm``: ``python -m benchmarks.discharge_page``.
"""

import json
import statistics
from pathlib import Path
from time import perf_counter

from matplotlib.figure import Figure

from benchmarks import half_cells
from benchmarks.random_electrodes import draw_run, run
from solvers import CellParameters, PorousElectrode, UtilizationBudget, simulate_discharge, utilization_budget
from solvers.figures import draw_budgets

ROOT = Path(__file__).resolve().parents[1]
SHOWN = [half_cells.Case(2.0, bruggeman, rate) for bruggeman in (1.5, 3.0) for rate in (0.2, 1.0, 2.0)]


def comparison_rows() -> list[str]:
    """One line for each thickness and exponent: largest differences over the rates."""
    curves = half_cells.stored()
    rows = []
    for thickness, bruggeman in dict.fromkeys((case.thickness, case.bruggeman) for case in half_cells.CASES):
        cells = []
        for case in half_cells.CASES:
            if (case.thickness, case.bruggeman) == (thickness, bruggeman):
                away, apart = half_cells.compare(half_cells.ours(case), *curves[case])
                mark = " ∗" if half_cells.runs_out(case) else ""
                cells.append(f"{round(100 * away, 3) + 0.0:+.3f} % / {1e3 * apart:.2f} mV{mark}")
        rows.append(f"| {1e6 * thickness * half_cells.THICKNESS:.0f} µm, {bruggeman} | {' | '.join(cells)} |")
    return rows


def timing_rows() -> list[str]:
    """Medians of calls that differ in porosity."""

    def median(call, count):
        times = []
        for index in range(count + 1):
            start = perf_counter()
            call(0.331 + 1e-4 * index)
            times.append(1e3 * (perf_counter() - start))
        return statistics.median(times[1:])

    case, cell = half_cells.Case(1.0, 1.5, 1.0), half_cells.cell()

    def block(porosity: float) -> PorousElectrode:
        return half_cells.electrode(case, slices=20, porosity=porosity)

    mesh = {"separator_cells": 20, "shells": 20}
    ours = median(lambda porosity: simulate_discharge(block(porosity), cell, c_rate=1.0, **mesh), 100)
    budget = median(lambda porosity: utilization_budget(block(porosity), cell, c_rate=1.0), 100)
    theirs = half_cells.Theirs(fine=False)
    pybamm = median(lambda porosity: theirs.solve(case, porosity=porosity, times=2), 50)
    spent = []
    for index in range(1000):
        trial = draw_run(2020, index)
        start = perf_counter()
        run(trial)
        spent.append(1e3 * (perf_counter() - start))
    return [
        f"| one 1C discharge, PyBaMM's default mesh | {ours:.2f} ms |",
        f"| the same in PyBaMM (IDAKLU, model built once, porosity an input) | {pybamm:.1f} ms, {pybamm / ours:.1f} times as long |",
        f"| loss budget at 1C | {budget:.2f} ms |",
        f"| 1,000 random electrodes, up to 4 size classes × 59 slices | median {statistics.median(spent):.1f} ms, slowest {max(spent):.0f} ms |",
    ]


def budgets() -> dict[str, UtilizationBudget]:
    """Loss budgets of the NMC811 electrode of Chen et al. 2020."""
    cell = CellParameters.named("nmc811-chen2020")
    electrode = PorousElectrode.uniform(
        thickness=75.6e-6,
        porosity=0.335,
        active_fraction=0.665,
        particle_radius=5.22e-6,
        electronic_conductivity=0.18 * 0.665**1.5,
        slices=40,
    )
    return {
        name: utilization_budget(electrode, cell, c_rate=rate)
        for name, rate in (("C/5", 0.2), ("1C", 1.0), ("2C", 2.0))
    }


def budget_rows(found: dict[str, UtilizationBudget]) -> list[str]:
    """Shares in per cent, then the closed forms."""
    rows = []
    for name, budget in found.items():
        shares = (
            budget.utilization,
            budget.isolated,
            budget.solid_diffusion,
            budget.electrolyte,
            budget.ohmic_kinetic,
        )
        limits = (budget.limits.solid_diffusion, budget.limits.electrolyte, budget.limits.ohmic_kinetic)
        numbers = [f"{round(100 * float(value), 2) + 0.0:.2f}" for value in (*shares, *limits)]
        rows.append(f"| {name} | {' | '.join(numbers)} | {budget.limiting.replace('_', ' ')} |")
    return rows


def draw(found: dict[str, UtilizationBudget]) -> None:
    """Voltage curves over those of PyBaMM, the budget, and where capacity is left."""
    figure = Figure(figsize=(15.0, 4.4), layout="constrained")
    curves, bars, unused = figure.subplots(1, 3)
    stored = half_cells.stored()
    for index, case in enumerate(SHOWN):
        result = half_cells.ours(case)
        look = "-" if case.bruggeman == 1.5 else "--"
        colour = f"C{index % 3}"
        curves.plot(
            0.1 * result.areal_capacity,
            result.voltage,
            look,
            color=colour,
            label=f"{case.c_rate}C, {case.bruggeman}",
        )
        capacity, voltage = stored[case]
        curves.plot(0.1 * capacity[::3], voltage[::3], "o", color=colour, markersize=3.5)
    curves.set(
        xlabel="delivered areal capacity [mAh cm⁻²]",
        ylabel="voltage against lithium [V]",
        title="lines: solvers, dots: PyBaMM (rate, exponent; 84 µm)",
    )
    curves.legend(fontsize="small")
    draw_budgets(found, axes=bars)
    bars.legend(fontsize="x-small", loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4)
    bars.set_title("NMC811 electrode of Chen et al. 2020")
    found["2C"].discharge.plot_unused(unused)
    unused.set_title("what is left at 2C, and where")
    figure.savefig(ROOT / "docs" / "discharge.png", dpi=110, metadata={"Software": None})


PAGE = """# Discharge: how right, how fast, and what it says

Made by [`benchmarks/discharge_page.py`](../benchmarks/discharge_page.py); run it again to renew every number and the picture.

![Voltage curves, budgets and unused capacity](discharge.png)

## Beside PyBaMM

{program}, Doyle–Fuller–Newman half-cell, NMC532 of Xu et al. 2019, 80 cells through the electrode and 60 shells (320 and 30 where
salt runs out: there its capacity still approaches ours as its mesh gets finer, 4.7 % apart at 80 cells, 2.6 % at 160, 1.2 % at
320, while ours moves by 0.2 % from 80 slices to 640). Delivered capacity / voltage in the root mean square between 1 and 99.9 %
of it; rows are thickness and Bruggeman exponent of the pores; ∗ less than a twentieth of the salt is left somewhere.

| | C/5 | C/2 | 1C | 2C | 3C |
|---|---|---|---|---|---|
{comparison}

Held to 0.5 % (2 % without salt) and 3 mV by `tests/validation/test_discharge_pybamm.py`.

Two conventions matter when comparing: PyBaMM's solid conducts with σ (1 − porosity)^b, and its exponents are those of the
transport efficiency B = porosity^b.

## Time

{machine}, one core, warm.

| | |
|---|---|
{timing}

## Loss budget of an electrode

NMC811 of Chen et al. 2020 (75.6 µm, porosity 0.335, spheres of 5.22 µm radius) against lithium, in per cent of the theoretical
capacity; the closed forms are what one mechanism alone would leave (`solvers.attainable_utilization`).

| rate | utilized | isolated | solid diffusion | electrolyte | ohmic, kinetic | closed form: solid | closed form: salt | closed form: resistance | limiting |
|---|---|---|---|---|---|---|---|---|---|
{budget}

A share is what one mechanism costs on top of those before it. Where the potential is flat, resistance can win capacity back: it
spreads the reaction over the thickness, and the share is negative.
"""


def main() -> None:
    """Write the page and the picture."""
    found = budgets()
    draw(found)
    about = json.loads(half_cells.STORED.read_text(encoding="utf-8"))["about"]
    model = [line.split(":")[1].strip() for line in _processor() if line.startswith("model name")]
    page = PAGE.format(
        program=about["program"],
        comparison="\n".join(comparison_rows()),
        machine=model[0] if model else "unknown processor",
        timing="\n".join(timing_rows()),
        budget="\n".join(budget_rows(found)),
    )
    (ROOT / "docs" / "discharge.md").write_text(page, encoding="utf-8")


def _processor() -> list[str]:
    """Lines of the kernel's description of the processor, where there is one."""
    description = Path("/proc/cpuinfo")
    return description.read_text(encoding="utf-8").splitlines() if description.exists() else []


if __name__ == "__main__":
    main()
