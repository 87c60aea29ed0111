"""Pictures show the numbers they are drawn from, with units on the axes."""

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt

from solvers.budget import utilization_budget
from solvers.cell import CellParameters
from solvers.discharge import simulate_discharge
from solvers.electrode import PorousElectrode
from solvers.figures import draw_budgets
from solvers.limits import attainable_utilization
from solvers.rates import sweep_rates


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def cell():
    return CellParameters.named("nmc532-xu2019")


def electrode(**changes):
    values = {"thickness": 60e-6, "porosity": 0.3, "active_fraction": 0.5, "particle_radius": 3e-6}
    return PorousElectrode.uniform(**(values | changes))


def test_voltage_curves_overlay(cell):
    runs = [simulate_discharge(electrode(), cell, c_rate=rate) for rate in (1.0, 2.0)]
    axes = runs[1].plot(runs[0].plot())
    assert [line.get_label() for line in axes.lines] == ["1C", "2C"]
    assert axes.lines[1].get_xdata()[-1] == pytest.approx(0.1 * runs[1].delivered_areal_capacity)
    assert "mAh cm⁻²" in axes.get_xlabel()
    assert "[V]" in axes.get_ylabel()


@pytest.mark.parametrize("slices", [1, 20])
def test_the_area_under_the_unused_capacity_is_what_was_not_delivered(cell, slices):
    result = simulate_discharge(electrode(isolated_fraction=0.1, slices=slices), cell, c_rate=3.0)
    axes = result.plot_unused()
    outline = axes.collections[-1].get_paths()[0].vertices
    area = 0.5 * abs(
        np.dot(outline[:, 0], np.roll(outline[:, 1], 1)) - np.dot(outline[:, 1], np.roll(outline[:, 0], 1))
    )
    # mAh cm-3 times um are 1e-3 A h m-2; the last area is the isolated share.
    assert area * 1e-3 == pytest.approx(result.isolated_areal_capacity.sum(), rel=1e-6)
    assert axes.get_xlim()[1] == pytest.approx(60.0)


def test_bars_of_budgets_are_full(cell):
    budgets = {f"{rate}C": utilization_budget(electrode(), cell, c_rate=rate) for rate in (1, 3)}
    axes = draw_budgets(budgets)
    widths = [sum(bar.get_width() for bar in bars) for bars in zip(*axes.containers, strict=True)]
    assert widths == pytest.approx([100.0, 100.0])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["1C", "3C"]
    assert budgets["1C"].plot().containers[0][0].get_width() == pytest.approx(
        100.0 * budgets["1C"].utilization
    )


def test_rates_are_sorted(cell):
    axes = sweep_rates(electrode(), cell, c_rates=(3.0, 0.5)).plot()
    assert axes.lines[0].get_xdata().tolist() == [0.5, 3.0]
    assert np.all(np.diff(axes.lines[0].get_ydata()) < 0.0)


def test_a_map_needs_its_two_arguments(cell):
    radius, efficiency = np.linspace(1e-6, 8e-6, 5), np.linspace(0.02, 0.3, 4)
    across, up = np.meshgrid(radius, efficiency)
    limits = attainable_utilization(
        cell,
        c_rate=2.0,
        areal_capacity=60.0,
        thickness=120e-6,
        porosity=0.3,
        transport_efficiency=up,
        particle_radius=across,
    )
    axes = limits.plot(1e6 * radius, efficiency, labels=("radius [µm]", "transport efficiency"))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("radius [µm]", "transport efficiency")
    with pytest.raises(ValueError, match=r"x and y must have n and m values .* got 4 and 5"):
        limits.plot(efficiency, radius, labels=("", ""))
