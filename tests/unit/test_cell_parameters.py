"""Curves, parameter sets and hand-built electrodes: values, refusals, copies."""

import dataclasses
import pickle

import numpy as np
import pytest

from solvers._kernels.curves import evaluate, lookup
from solvers.cell import CellParameters
from solvers.constants import FARADAY
from solvers.curves import Curve, combine
from solvers.electrode import PorousElectrode


def test_a_cubic_is_reproduced_and_its_ends_are_kept():
    curve = Curve.from_function(lambda x: 1.0 + x - 2.0 * x**3, lower=-1.0, upper=2.0)
    x = np.array([-1.0, -0.3, 0.0, 1.234567, 2.0])
    assert curve(x) == pytest.approx(1.0 + x - 2.0 * x**3, abs=1e-9)
    assert curve([-5.0, 9.0]) == pytest.approx([2.0, -13.0])
    assert (curve.lower, curve.upper) == pytest.approx((-1.0, 2.0))


def test_look_up_compiled_and_plain():
    table = Curve.from_function(np.sin, lower=0.0, upper=3.0).table
    for x in (-1.0, 0.0, 0.7, 2.999, 3.0, 4.0):
        compiled, plain = lookup(x, table), lookup.py_func(x, table)
        assert compiled == pytest.approx(plain, rel=1e-14)
        clipped = min(max(x, 0.0), 3.0)
        assert plain[0] == pytest.approx(np.sin(clipped), abs=1e-9)
        assert plain[1] == pytest.approx(np.cos(x) if 0.0 < x < 3.0 else 0.0, abs=1e-6)
    points = np.array([0.1, 2.0])
    assert evaluate.py_func(points, table) == pytest.approx(evaluate(points, table), rel=1e-14)


def test_points_are_met_without_overshoot():
    x, y = [0.0, 0.5, 1.0, 2.0], [4.0, 3.0, 3.0, 1.0]
    curve = Curve.from_points(x, y)
    assert curve(x) == pytest.approx(y, abs=1e-9)
    assert np.all(np.diff(curve(np.linspace(0.0, 2.0, 501))) <= 1e-12)


def test_scaled_and_constant_curves():
    assert Curve.constant(3.0).is_constant
    curve = Curve.from_function(np.exp, lower=0.0, upper=1.0)
    assert not curve.is_constant
    assert curve.scaled(2.0)(0.5) == pytest.approx(2.0 * np.exp(0.5))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Curve(np.zeros((2, 2))), "table must have shape"),
        (lambda: Curve.constant(np.nan), "table must be finite"),
        (lambda: Curve.from_function(np.exp, lower=1.0, upper=1.0), "upper must exceed"),
        (lambda: Curve.from_points([0.0], [1.0]), "two points or more"),
        (lambda: Curve.from_points([0.0, 0.0], [1.0, 1.0]), "x must increase strictly"),
    ],
)
def test_curves_that_cannot_be(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_published_numbers():
    # Chen et al. 2020: 63104 mol m-3; the fit passes through 4.2 V at 0.3046.
    cell = CellParameters.named("nmc811-chen2020")
    window = cell.maximum_stoichiometry - cell.minimum_stoichiometry
    assert cell.active_capacity == pytest.approx(FARADAY * 63104.0 * window / 3600.0)
    assert cell.open_circuit_potential(cell.minimum_stoichiometry) == pytest.approx(4.2, abs=1e-9)
    assert cell.maximum_stoichiometry == pytest.approx(1.0, abs=1e-5)
    # Nyman et al. 2008 at 1 mol/l.
    assert cell.electrolyte_conductivity(1000.0) == pytest.approx(0.9487, abs=1e-4)
    assert cell.electrolyte_diffusivity(1000.0) == pytest.approx(1.7694e-10, rel=1e-4)


def test_xu_set_against_the_stored_tables(reference):
    import json

    tables = json.loads((reference / "pybamm_xu2019.json").read_text())["parameters"]["function_tables"]
    cell = CellParameters.named("nmc532-xu2019")
    for name, curve in (
        ("Positive electrode OCP [V]", cell.open_circuit_potential),
        ("Electrolyte diffusivity [m2.s-1]", cell.electrolyte_diffusivity),
        ("Electrolyte conductivity [S.m-1]", cell.electrolyte_conductivity),
    ):
        x, y = np.array(tables[name]["xs"]), np.array(tables[name]["ys"])
        assert curve(x) == pytest.approx(y, rel=1e-5), name


@pytest.mark.parametrize("name", CellParameters.names())
def test_sets_survive_pickling(name):
    cell = CellParameters.named(name)
    copy = pickle.loads(pickle.dumps(cell))
    assert copy.active_capacity == cell.active_capacity
    assert not copy.open_circuit_potential.table.flags.writeable


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"separator_porosity": 47.0}, "separator_porosity must lie in .* did you pass percent"),
        ({"transference_number": Curve.constant(26.0)}, "transference_number must lie in .* percent"),
        (
            {"electrolyte_diffusivity": Curve.from_points([0, 1], [1, -1])},
            "electrolyte_diffusivity must not be neg",
        ),
        ({"reaction_rate_constant": 0.0}, "reaction_rate_constant must be positive"),
        ({"lower_cutoff_voltage": 5.0}, "upper_cutoff_voltage must exceed"),
        ({"lower_cutoff_voltage": 4.8, "upper_cutoff_voltage": 4.9}, "open_circuit_potential must"),
    ],
)
def test_cells_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CellParameters.named("nmc811-chen2020"), **changes)


def test_a_number_in_the_place_of_a_curve_is_refused():
    with pytest.raises(TypeError, match=r"transference_number must be a Curve, got 0.26; Curve.constant"):
        dataclasses.replace(CellParameters.named("nmc811-chen2020"), transference_number=0.26)


def test_curves_combine_over_the_range_of_those_that_vary():
    line = Curve.from_function(lambda x: 1.0 + x, lower=0.0, upper=4.0)
    both = combine(lambda a, b: a * b, line, Curve.constant(3.0))
    assert both([0.0, 1.5, 4.0, 9.0]) == pytest.approx([3.0, 7.5, 15.0, 15.0])
    assert combine(np.negative, Curve.constant(3.0)).is_constant


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="nmc811-chen2020"):
        CellParameters.named("unobtainium")


def numbers(**changes):
    values = {"thickness": 50e-6, "porosity": 0.3, "active_fraction": 0.6, "particle_radius": 3e-6}
    return PorousElectrode.uniform(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"thickness": -1.0}, "thickness must be positive"),
        ({"porosity": 0.5}, "must not exceed 1"),
        ({"porosity": 0.0, "transport_efficiency": 0.1}, "porosity must be positive"),
        ({"transport_efficiency": 4.0}, "1 / N_M"),
        ({"electronic_conductivity": np.nan}, "electronic_conductivity must be finite"),
        ({"active_fraction": 0.0}, "must hold some active material"),
    ],
)
def test_electrodes_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        numbers(**changes)


def test_theoretical_capacity_counts_isolated_material():
    cell = CellParameters.named("nmc532-xu2019")
    whole = numbers().theoretical_areal_capacity(cell)
    assert whole == pytest.approx(cell.active_capacity * 0.6 * 50e-6)
    part = numbers(active_fraction=0.4, isolated_fraction=0.2)
    assert part.theoretical_areal_capacity(cell) == pytest.approx(whole)
    assert part.isolated_share == pytest.approx(1.0 / 3.0)


def test_resampling_keeps_volumes_surfaces_and_resistance():
    rng = np.random.default_rng(20)
    active = rng.uniform(0.1, 0.25, (12, 2))
    electrode = PorousElectrode(
        thickness=60e-6,
        porosity=rng.uniform(0.2, 0.4, 12),
        transport_efficiency=rng.uniform(0.1, 0.4, 12),
        electronic_conductivity=rng.uniform(0.5, 4.0, 12),
        particle_radii=np.array([1e-6, 4e-6]),
        active_fractions=active,
        specific_surface_areas=3.0 * active / np.array([1e-6, 4e-6]),
        isolated_fractions=np.full(12, 0.01),
    )
    for slices in (5, 12, 31):
        other = electrode.refined(slices)
        assert other.slices == slices
        assert other.porosity.mean() == pytest.approx(electrode.porosity.mean())
        assert other.active_fractions.mean(axis=0) == pytest.approx(active.mean(axis=0))
        assert other.specific_surface_areas.mean() == pytest.approx(electrode.specific_surface_areas.mean())
        assert np.mean(1.0 / other.transport_efficiency) == pytest.approx(
            np.mean(1.0 / electrode.transport_efficiency)
        )
