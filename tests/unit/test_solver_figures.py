"""Pictures show the numbers they are drawn from, with units on the axes."""

import dataclasses
import re
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt

from solvers.blocking import electrode_tortuosity
from solvers.budget import utilization_budget
from solvers.cell import CellParameters
from solvers.discharge import simulate_discharge
from solvers.electrode import PorousElectrode
from solvers.figures import draw_budgets
from solvers.limits import attainable_utilization
from solvers.rates import sweep_rates
from solvers.tensor import solve_tensor
from solvers.transport import solve_transport


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


LAYERS = np.repeat([0, 1], 4)[:, None, None] * np.ones((8, 4, 6), dtype=int)
SIGMA = {0: 1.0, 1: 0.5}


def test_the_profile_of_layers_in_series():
    """A MacMullin number of 1 and then of 2, on the mean 1.5."""
    axes = solve_transport(LAYERS, conductivity=SIGMA).plot()
    values, edges, _ = axes.patches[0].get_data()
    assert values[:3] == pytest.approx(np.full(3, 1.0), rel=1e-3)
    assert values[5:] == pytest.approx(np.full(3, 2.0), rel=1e-3)
    assert values.mean() == pytest.approx(1.5, rel=1e-4)
    assert edges.tolist() == np.linspace(0.0, 100.0, 9).tolist()
    assert axes.lines[0].get_ydata()[0] == pytest.approx(1.5, rel=1e-4)
    assert "does not percolate" in [text.get_text() for text in solve_transport(LAYERS).plot().texts]


def test_maps_are_drawn_when_there_are_any():
    result = solve_transport(LAYERS, conductivity=SIGMA, field=True)
    axes = result.plot_map()
    drawn = axes.images[0].get_array()
    assert np.array_equal(drawn.T, result.field[:, 2])
    assert axes.images[0].colorbar.ax.get_ylabel() == "potential [1]"
    with pytest.raises(
        ValueError, match=r"name must be one of \['potential \[1\]'\], got 'current_density \[1\]'"
    ):
        result.plot_map("current_density [1]")


def test_bars_of_efficiencies_lie_within_the_porosity():
    """Across the layers nothing gets through; along them, pores are straight and take half of the volume."""
    axes = solve_tensor(LAYERS).plot()
    outer, inner = ([bar.get_width() for bar in axes.patches[start::2]] for start in (0, 1))
    assert outer == pytest.approx([0.5, 0.5, 0.5])
    assert inner == pytest.approx([0.0, 0.5, 0.5], abs=1e-4)
    assert [text.get_text() for text in axes.texts] == ["τ = inf", "τ = 1", "τ = 1"]
    slits = np.broadcast_to([1, 0, 1, 1, 0, 1], (20, 4, 6))
    assert electrode_tortuosity(slits).plot().patches[1].get_width() == pytest.approx(1 / 3, rel=1e-4)


def everything(cell):
    run = simulate_discharge(electrode(), cell, c_rate=1.0)
    limits = attainable_utilization(
        cell,
        c_rate=2.0,
        areal_capacity=60.0,
        thickness=120e-6,
        porosity=0.3,
        transport_efficiency=np.full((2, 2), 0.1),
        particle_radius=np.array([1e-6, 5e-6]),
    )
    transport = solve_transport(LAYERS, conductivity=SIGMA, field=True)
    return {
        "TransportResult": (transport, (transport.plot, transport.plot_map)),
        "TensorResult": (tensor := solve_tensor(LAYERS), (tensor.plot,)),
        "ElectrodeTortuosity": (blocking := electrode_tortuosity(LAYERS), (blocking.plot,)),
        "PorousElectrode": (block := electrode(), (block.plot,)),
        "CellParameters": (cell, (cell.plot,)),
        "DischargeResult": (run, (run.plot, run.plot_unused)),
        "UtilizationBudget": (budget := utilization_budget(electrode(), cell, c_rate=1.0), (budget.plot,)),
        "RateSweep": (sweep := sweep_rates(electrode(), cell, c_rates=(1.0, 2.0)), (sweep.plot,)),
        "AttainableUtilization": (
            limits,
            (lambda: limits.plot([1.0, 5.0], [0.1, 0.2], labels=("radius [µm]", "efficiency [-]")),),
        ),
    }


def test_every_result_is_drawn_with_units_and_shown_in_notebooks(cell):
    for name, (result, pictures) in everything(cell).items():
        for draw in pictures:
            axes = draw()
            labels = [
                axes.get_xlabel(),
                *([axes.get_ylabel()] if len(axes.get_yticklabels()) and axes.get_ylabel() else []),
            ]
            assert all(re.search(r"\[.+\]$", label) for label in labels), (name, labels)
            axes.figure.canvas.draw()
        text = result._repr_html_()
        assert text.startswith(f"<div><b>{name}</b>")
        assert ET.fromstring(text.replace("<br>", "")) is not None


def test_tables_tell_values_with_the_units_of_the_documentation(cell):
    run = simulate_discharge(electrode(), cell, c_rate=1.0)
    rows = {
        row[0].text: (row[1].text, row[2].text)
        for row in ET.fromstring(run._repr_html_().replace("<br>", "")).iter("tr")
    }
    assert rows["theoretical areal capacity"] == (f"{run.theoretical_areal_capacity:.5g}", "A.h.m-2")
    assert rows["salt concentration"][1] == "mol.m-3"
    assert rows["status"][0].startswith("cut-off reached")


def test_nothing_in_a_table_becomes_markup(cell):
    text = dataclasses.replace(cell, name="<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
