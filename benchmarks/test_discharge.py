"""What a discharge and a loss budget cost, beside PyBaMM in the same run (extra ``pybamm``).

Warm, on one core. PyBaMM: IDAKLU at its default tolerances, model built once, porosity an input, two output times.
"""

import statistics
from time import perf_counter

import pytest

from benchmarks.half_cells import Case, Theirs, cell, electrode
from benchmarks.random_electrodes import draw_run, run
from solvers import simulate_discharge, utilization_budget

CASE = Case(1.0, 1.5, 1.0)
LIKE_PYBAMM = {"separator_cells": 20, "shells": 20}  # its default mesh, with 20 slices


def median_of(function, count):
    """Median and first time of calls that differ in porosity [ms]."""
    times = []
    for index in range(count + 1):
        start = perf_counter()
        function(0.331 + 1e-4 * index)
        times.append(1e3 * (perf_counter() - start))
    return statistics.median(times[1:]), times[0]


def discharge(porosity):
    """One discharge at 1C on PyBaMM's default mesh."""
    return simulate_discharge(
        electrode(CASE, slices=20, porosity=porosity), cell(), c_rate=1.0, **LIKE_PYBAMM
    )


def test_a_discharge_beside_pybamm(record_property):
    discharge(0.331)
    here, _ = median_of(discharge, 100)
    record_property("discharge [ms]", here)
    assert here <= 3.0
    pytest.importorskip("pybamm", reason="install the extra pybamm to compare")
    theirs = Theirs(fine=False)
    there, first = median_of(lambda porosity: theirs.solve(CASE, porosity=porosity, times=2), 30)
    print(
        f"\ndischarge {here:.2f} ms, PyBaMM {there:.1f} ms (first {first:.0f} ms), ratio {there / here:.1f}"
    )
    assert there / here >= 4.0


@pytest.mark.parametrize("c_rate", [0.2, 1.0, 3.0])
def test_a_budget(record_property, c_rate):
    def budget(porosity):
        return utilization_budget(electrode(CASE, slices=20, porosity=porosity), cell(), c_rate=c_rate)

    budget(0.331)
    here, _ = median_of(budget, 50)
    record_property("budget [ms]", here)
    print(f"\nbudget at {c_rate}C {here:.2f} ms")
    assert here <= 20.0


def test_no_design_takes_a_second(record_property):
    run(draw_run(2020, 0))
    times = []
    for index in range(1000):
        trial = draw_run(2020, index)
        start = perf_counter()
        run(trial)
        times.append(perf_counter() - start)
    record_property("slowest [s]", max(times))
    print(f"\n1000 designs: median {1e3 * statistics.median(times):.1f} ms, slowest {max(times):.2f} s")
    assert max(times) < 1.0
