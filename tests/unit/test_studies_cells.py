"""The chemistry of a study: by name or BPX file, cut-offs, and several rates on one structure."""

import json

import numpy as np
import pytest

from solvers import CellParameters, PorousElectrode, simulate_discharge
from studies import StudyConfig, evaluate
from studies.errors import ConfigError
from studies.evaluation import delivered

BASE = StudyConfig.from_toml("quickstart").to_dict()


def config(**cell):
    """Return the quickstart with another cell."""
    return StudyConfig.from_dict(BASE | {"cell": {"chemistry": "nmc811-chen2020", "c_rate": 2.0} | cell})


def test_cutoffs_overrule_those_of_the_chemistry():
    narrow = config(lower_cutoff_V=3.0, upper_cutoff_V=4.1).cell.parameters()
    whole = CellParameters.named("nmc811-chen2020")
    assert (narrow.lower_cutoff_voltage, narrow.upper_cutoff_voltage) == (3.0, 4.1)
    assert narrow.active_capacity < whole.active_capacity
    # The first lithium of a discharge to 3 V is that at 4.1 V.
    assert float(narrow.open_circuit_potential(narrow.minimum_stoichiometry)) == pytest.approx(4.1, abs=1e-6)


def test_rates_are_a_number_or_a_list():
    several = config(c_rate=[2.0, 0.5])
    assert (several.cell.c_rate, several.cell.c_rates) == (2.0, (2.0, 0.5))
    assert several.to_dict()["cell"]["c_rate"] == [2.0, 0.5]
    assert config().to_dict()["cell"]["c_rate"] == 2.0
    assert StudyConfig.from_dict(several.to_dict()) == several


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ({"c_rate": [1.0, 1.0]}, ["c_rate", "different rates"]),
        ({"c_rate": []}, ["cell.c_rate", "at least 1"]),
        ({"c_rate": [1.0, -1.0]}, ["cell.c_rate.1", "greater than 0"]),
        ({"c_rates": 1.0}, ["cell.c_rates", "did you mean c_rate?"]),
        ({"bpx_electrode": "anode"}, ["cell.bpx_electrode", "positive"]),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(cell, parts):
    with pytest.raises(ConfigError) as caught:
        config(**cell)
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "part"),
    [
        ({"lower_cutoff_V": 4.5}, "upper_cutoff_voltage must exceed"),
        ({"chemistry": "", "bpx": "missing.json"}, r"cell.bpx = 'missing.json'"),
    ],
)
def test_an_impossible_cell_is_named_when_it_is_read(cell, part):
    with pytest.raises(ConfigError, match=part) as caught:
        config(**cell).cell.parameters()
    assert "\n" not in str(caught.value)


def test_a_bpx_file_is_found_beside_the_toml(tmp_path):
    pytest.importorskip("bpx")
    text = StudyConfig.from_dict(BASE).to_toml()
    text = text.replace('chemistry = "nmc811-chen2020"', 'bpx = "cell.json"')
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    (tmp_path / "cell.json").write_text(json.dumps({"not": "BPX"}), "utf-8")
    mine = StudyConfig.from_toml(tmp_path / "mine.toml")
    assert mine.cell.bpx == str(tmp_path / "cell.json")
    assert mine.cell.chemistry == "cell"
    assert StudyConfig.from_dict(mine.to_dict()) == mine
    with pytest.raises(ConfigError, match=r"cell\.json"):
        mine.cell.parameters()


def test_energy_is_charge_times_voltage():
    cell = CellParameters.named("lfp-prada2013")
    electrode = PorousElectrode.uniform(
        thickness=20e-6, porosity=0.4, active_fraction=0.5, particle_radius=0.1e-6
    )
    result = simulate_discharge(electrode, cell, c_rate=0.01)
    numbers = delivered(result)
    charge = numbers["delivered_volumetric_capacity"]
    assert charge == pytest.approx(result.delivered_areal_capacity / 20e-6, rel=1e-9)
    # A slow discharge of LFP runs along its plateau of 3.4 V.
    assert numbers["energy_density"] / charge == pytest.approx(3.4, abs=0.04)


def test_rates_share_one_structure():
    space_config = config(c_rate=[2.0, 0.2])
    cell = space_config.cell.parameters()
    from studies import DesignSpace

    design = DesignSpace.of(space_config, active_capacity=cell.active_capacity).central()
    both = evaluate(
        design, cell, c_rate=(2.0, 0.2), seed=5, voxels_per_diameter=4, width_diameters=4, minimum_voxels=8
    )
    fast, slow = both.to_dict()["rates"]
    assert (fast["c_rate"], slow["c_rate"]) == pytest.approx((2.0, 0.2))
    assert fast["utilization"] < slow["utilization"] <= 1
    assert both.utilization == fast["utilization"]
    assert both.mean_utilization == pytest.approx(np.mean([fast["utilization"], slow["utilization"]]))
    for rate in (fast, slow):
        losses = sum(rate[name] for name in ("isolated", "solid_diffusion", "electrolyte", "ohmic_kinetic"))
        assert rate["utilization"] + losses == pytest.approx(1, abs=1e-12)
    # Resistance takes voltage, so the slow discharge has more energy per charge.
    assert (
        slow["energy_density"] / slow["delivered_volumetric_capacity"]
        > fast["energy_density"] / fast["delivered_volumetric_capacity"]
    )
