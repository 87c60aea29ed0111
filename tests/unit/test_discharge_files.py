"""Discharges in files: names and signs are those of the Battery Data Format, sums those of the run."""

import csv

import numpy as np
import pytest
from scipy.io import netcdf_file

from solvers import CellParameters, PorousElectrode, simulate_discharge, write_discharge

REQUIRED = ["Test Time / s", "Voltage / V", "Current / A"]


@pytest.fixture(scope="module")
def electrode():
    return PorousElectrode.uniform(thickness=60e-6, porosity=0.3, active_fraction=0.5, particle_radius=3e-6)


@pytest.fixture(scope="module")
def cell():
    return CellParameters.named("nmc532-xu2019")


def columns(path):
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    return dict(zip(head, np.array(rows, dtype=np.float64).T, strict=True))


def test_a_discharge_is_a_table_of_a_cell(electrode, cell, tmp_path):
    result = simulate_discharge(electrode, cell, c_rate=2.0)
    write_discharge(result, tmp_path / "run.bdf.csv", electrode_area=25e-4)
    table = columns(tmp_path / "run.bdf.csv")
    assert list(table)[:3] == REQUIRED
    assert table["Test Time / s"] == pytest.approx(result.time)
    # 2C of the theoretical capacity on 25 cm²; charge is what is positive.
    current = 2.0 * electrode.theoretical_areal_capacity(cell) * 25e-4
    assert table["Current / A"] == pytest.approx(np.full(len(result.time), -current), rel=1e-9)
    passed = np.abs(table["Current / A"]) * table["Test Time / s"] / 3600.0
    assert table["Discharging Capacity / Ah"] == pytest.approx(passed, rel=1e-8)
    mean = np.trapezoid(table["Voltage / V"], table["Discharging Capacity / Ah"])
    assert table["Discharging Energy / Wh"][-1] == pytest.approx(mean, rel=1e-6)
    assert table["Areal Capacity / mAh.cm-2"][-1] == pytest.approx(
        0.1 * result.delivered_areal_capacity, rel=1e-9
    )
    assert set(table["Step Count / 1"]) == {1.0}
    assert "Charging Capacity / Ah" not in table


def test_a_charge_with_a_hold_has_two_steps(electrode, cell, tmp_path):
    result = simulate_discharge(electrode, cell, c_rate=2.0, direction="charge", hold_until=0.2)
    write_discharge(result, tmp_path / "run.bdf")
    table = columns(tmp_path / "run.bdf")
    assert np.all(table["Current / A"] > 0.0)
    held = table["Step Count / 1"] == 2.0
    assert np.all(np.diff(table["Step Count / 1"]) >= 0.0)
    assert table["Voltage / V"][held] == pytest.approx(np.full(held.sum(), cell.upper_cutoff_voltage))
    assert table["Charging Capacity / Ah"][-1] == pytest.approx(1e-4 * result.areal_capacity[-1], rel=1e-9)


def test_profiles_at_the_end_add_up(electrode, cell, tmp_path):
    result = simulate_discharge(electrode, cell, c_rate=3.0)
    write_discharge(result, tmp_path / "run.nc")
    with netcdf_file(tmp_path / "run.nc", mmap=False) as file:
        numbers = {name: variable[:].astype(np.float64) for name, variable in file.variables.items()}
        units = {name: variable.units.decode() for name, variable in file.variables.items()}
        assert file.c_rate == pytest.approx(3.0)
        assert file.status == b"CUTOFF_REACHED"
        theoretical = float(file.theoretical_areal_capacity)
    left = numbers["unused_areal_capacity"].sum() + numbers["isolated_areal_capacity"].sum()
    assert numbers["areal_capacity"][-1] + left == pytest.approx(theoretical, rel=1e-3)
    assert (units["z"], units["salt_concentration"], units["areal_capacity"]) == ("m", "mol m-3", "A h m-2")
    assert numbers["z"].shape == (20,)
    assert numbers["stoichiometry"].shape == (20, 1)


def test_names_and_areas_that_cannot_be(electrode, cell, tmp_path):
    result = simulate_discharge(electrode, cell, c_rate=1.0)
    with pytest.raises(ValueError, match=r"must end in one of \.csv, \.nc, \.bdf, got '\.txt'"):
        write_discharge(result, tmp_path / "run.txt")
    with pytest.raises(ValueError, match="electrode_area must be positive and finite, got 0; it is in m2"):
        write_discharge(result, tmp_path / "run.csv", electrode_area=0)
    with pytest.raises(FileNotFoundError, match="create it first"):
        write_discharge(result, tmp_path / "none" / "run.csv")
