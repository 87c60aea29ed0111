"""Half-cells as BPX: the judge is the schema of the package bpx; sums and closed forms say what must be kept."""

import dataclasses
import json
import sys
import warnings

import numpy as np
import pytest

from benchmarks import bpx_round_trip
from solvers import CellParameters, PorousElectrode, bpx_document, pybamm_parameters, write_bpx
from solvers.curves import Curve

DESIGNS = bpx_round_trip.designs()
COMPLETE = [name for name, design in DESIGNS.items() if design.complete]


@pytest.fixture(scope="module")
def bpx():
    return pytest.importorskip("bpx", reason="install the extra bpx to validate BPX files")


def document(name, **changes):
    design = DESIGNS[name]
    return bpx_document(design.electrode, design.cell, particles=design.particles, **changes)


@pytest.mark.parametrize("name", DESIGNS)
def test_the_schema_accepts_a_partial_cell_without_a_word(bpx, tmp_path, name):
    design = DESIGNS[name]
    write_bpx(design.electrode, design.cell, tmp_path / "cell.json", particles=design.particles)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parsed = bpx.parse_bpx_file(str(tmp_path / "cell.json"), convert_legacy=False)
    assert (parsed.header.model, parsed.header.bpx.split(".")[0]) == ("Partial", "1")
    assert parsed.parameterisation.negative_electrode is None
    assert parsed.parameterisation.cell.external_surface_area > 0.0
    electrode = parsed.parameterisation.positive_electrode
    kind = "ElectrodeBlended" if design.particles == "classes" else "ElectrodeSingle"
    assert type(electrode).__name__ == kind
    # The resistance of the whole thickness, and the volumes.
    width = design.electrode.thickness / design.electrode.slices
    for value, profile in (
        (electrode.transport_efficiency, design.electrode.transport_efficiency),
        (electrode.conductivity, design.electrode.electronic_conductivity),
    ):
        assert electrode.thickness / value == pytest.approx((width / profile).sum(), rel=1e-9)
    assert electrode.porosity == pytest.approx(design.electrode.porosity.mean(), rel=1e-9)
    particles = electrode.particle.values() if design.particles == "classes" else [electrode]
    fractions = [one.surface_area_per_unit_volume * one.particle_radius / 3.0 for one in particles]
    assert sum(fractions) == pytest.approx(design.electrode.active_fractions.sum(axis=1).mean(), rel=1e-12)


def test_the_nominal_capacity_is_that_of_all_active_material():
    name = "NMC811, graded, three sizes as one"
    cell = document(name, electrode_area=3e-4)["Parameterisation"]["Cell"]
    design = DESIGNS[name]
    material = design.electrode.active_fraction.mean() * design.electrode.thickness * 3e-4
    assert cell["Nominal cell capacity [A.h]"] == pytest.approx(
        material * design.cell.active_capacity, rel=1e-12
    )
    own = document(name)["Parameterisation"]["User-defined"]
    assert own["Isolated active material volume fraction"] == pytest.approx(0.01)


def test_one_particle_has_the_diffusion_loss_of_all():
    """1 - U = R²/(15 D t) of every class, weighted by volume: 0.4 · 2² + 0.6 · 5² = 16.6 µm²."""
    particle = document("NMC811, two sizes as one")["Parameterisation"]["Positive electrode"]
    assert particle["Particle radius [m]"] == pytest.approx(np.sqrt(16.6) * 1e-6, rel=1e-12)


@pytest.mark.usefixtures("bpx")
@pytest.mark.parametrize("name", COMPLETE)
def test_what_was_written_is_read_back(tmp_path, name):
    design = DESIGNS[name]
    write_bpx(design.electrode, design.cell, tmp_path / "cell.json", particles=design.particles)
    cell, electrode = (
        CellParameters.from_bpx(tmp_path / "cell.json"),
        PorousElectrode.from_bpx(tmp_path / "cell.json", slices=40),
    )
    for field in dataclasses.fields(electrode):
        assert getattr(electrode, field.name) == pytest.approx(
            getattr(design.electrode, field.name), rel=1e-12
        ), field.name
    for field in dataclasses.fields(cell):
        ours, theirs = getattr(design.cell, field.name), getattr(cell, field.name)
        if isinstance(ours, Curve):
            x = np.linspace(0.01, 0.99, 99) * (1.0 if ours.upper <= 1.0 else 3000.0)
            assert theirs(x) == pytest.approx(ours(x), rel=1e-5), field.name
        elif isinstance(ours, float) and not field.name.startswith(("active_cond", "binder")):
            assert theirs == pytest.approx(ours, rel=1e-9), field.name
    rate = 2.0
    back = bpx_round_trip.returned(design, tmp_path / "cell.json", rate)
    assert back == pytest.approx(bpx_round_trip.ours(design, rate), rel=1e-4)


def test_what_cannot_be_written(tmp_path):
    design = DESIGNS["NMC811, one size"]
    blocked = dataclasses.replace(
        design.electrode, transport_efficiency=np.where(np.arange(40) == 7, 0.0, 0.1)
    )
    with pytest.raises(ValueError, match=r"got a transport efficiency of 0\.0 .* delivers nothing"):
        bpx_document(blocked, design.cell)
    with pytest.raises(ValueError, match="electrode_area must be positive and finite, got -1; it is in m2"):
        document("NMC811, one size", electrode_area=-1)
    with pytest.raises(ValueError, match="particles must be 'one' or 'classes', got 'all'"):
        bpx_document(design.electrode, design.cell, particles="all")
    with pytest.raises(FileNotFoundError, match="create it first"):
        write_bpx(design.electrode, design.cell, tmp_path / "none" / "cell.json")


def test_what_cannot_be_read(bpx, tmp_path):
    path = tmp_path / "cell.json"
    path.write_text("[" * 10**5, encoding="utf-8")
    with pytest.raises(ValueError, match="must be a JSON file"):
        CellParameters.from_bpx(path)
    with path.open("wb") as file:
        file.truncate(2**24 + 1)
    with pytest.raises(
        ValueError, match="must be at most 16777216 bytes, got 16777217; is it the right file"
    ):
        CellParameters.from_bpx(path)
    assert bpx.__version__


def test_without_pybamm_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pybamm", None)
    monkeypatch.setitem(sys.modules, "bpx", sys.modules.get("bpx", json))
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'meso-electrode\[pybamm,bpx\]'"):
        pybamm_parameters(document("NMC811, one size"))
