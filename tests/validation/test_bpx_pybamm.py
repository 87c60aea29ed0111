"""Exported half-cells run by PyBaMM 26.10 (Sulzer et al., J. Open Res. Softw. 9, 14, 2021) from the BPX file itself.

Stored capacities of all designs (``benchmarks/bpx_round_trip.py`` writes them); where PyBaMM is installed, it runs some here.
"""

import dataclasses
import json

import pytest

from benchmarks import bpx_round_trip
from solvers import bpx_document, pybamm_parameters, simulate_discharge, write_bpx
from solvers.curves import Curve

DESIGNS = bpx_round_trip.designs()
STORED = json.loads(bpx_round_trip.STORED.read_text(encoding="utf-8"))
COMPLETE = [name for name, design in DESIGNS.items() if design.complete]


@pytest.mark.parametrize("name", COMPLETE)
def test_capacity_of_the_exported_file(name):
    for c_rate, theirs in zip(STORED["rates"], STORED["capacities"][name], strict=True):
        assert bpx_round_trip.ours(DESIGNS[name], c_rate) == pytest.approx(theirs, rel=5e-3), c_rate


@pytest.mark.parametrize("name", [name for name in DESIGNS if name not in COMPLETE])
def test_capacity_where_bpx_cannot_say_all(name):
    """Sizes and profiles are averaged; up to 1C that costs less than a hundredth."""
    for c_rate, theirs in zip(STORED["rates"], STORED["capacities"][name], strict=True):
        if c_rate <= 1.0:
            assert bpx_round_trip.ours(DESIGNS[name], c_rate) == pytest.approx(theirs, rel=1e-2), c_rate


@pytest.fixture(scope="module")
def pybamm():
    pytest.importorskip("bpx", reason="install the extra bpx")
    return pytest.importorskip("pybamm", reason="install the extra pybamm to run PyBaMM itself")


@pytest.mark.usefixtures("pybamm")
@pytest.mark.parametrize("name", ["NMC532, one size", "NMC811, two sizes as a blend"])
def test_live(tmp_path, name):
    design = DESIGNS[name]
    write_bpx(design.electrode, design.cell, tmp_path / "cell.json", particles=design.particles)
    delivered = bpx_round_trip.theirs(tmp_path / "cell.json", (1.0,))[0]
    assert bpx_round_trip.ours(design, 1.0) == pytest.approx(delivered, rel=5e-3)


def test_live_with_a_thermodynamic_factor(pybamm):
    """What BPX has no word for reaches PyBaMM all the same: here it is worth some per cent of the capacity."""
    design = DESIGNS["NMC532, one size"]
    factor = Curve.from_function(lambda c: 0.8 + 7e-4 * c, lower=0.0, upper=4000.0)
    cell = dataclasses.replace(design.cell, thermodynamic_factor=factor)
    parameters = pybamm_parameters(bpx_document(design.electrode, cell), c_rate=3.0)
    simulation = pybamm.Simulation(
        pybamm.lithium_ion.DFN({"working electrode": "positive"}),
        parameter_values=parameters,
        var_pts=bpx_round_trip.MESH,
    )
    charge = simulation.solve([0.0, 1440.0])["Discharge capacity [A.h]"].entries[-1] * 1e4
    result = simulate_discharge(design.electrode, cell, c_rate=3.0)
    assert result.delivered_areal_capacity == pytest.approx(charge, rel=5e-3)
    assert abs(bpx_round_trip.ours(design, 3.0) / charge - 1.0) > 5e-3


def test_a_blend_of_three_is_refused(pybamm):
    design = DESIGNS["NMC811, graded, three sizes as one"]
    document = bpx_document(design.electrode, design.cell, particles="classes")
    with pytest.raises(ValueError, match="two size classes at most, got 3; write with particles='one'"):
        pybamm_parameters(document)
    assert pybamm.__version__
