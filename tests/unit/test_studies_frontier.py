"""The largest loading at a demanded utilization against closed forms, and what the comparison of winners adds."""

from dataclasses import replace

import numpy as np
import pytest

from solvers import CellParameters, PorousElectrode, simulate_discharge
from solvers.materials import CRYSTAL_DENSITIES, FORMULA_MASSES, MOLAR_MASSES
from studies.attain import attain, thickness_at
from studies.ceiling import ceiling_of, largest_radius
from studies.config import StudyConfig
from studies.evaluation import delivered
from studies.finer import finer_config, finer_summary
from studies.frontier_search import at_depth, frontier_spaces
from studies.ledger import BASELINE, material_ledger

CELL = CellParameters.named("nmc811-chen2020")


def electrode(radius, *, porosity=0.35, **changes):
    values = {"thickness": 50e-6, "porosity": porosity, "active_fraction": 0.6, "particle_radius": radius}
    return PorousElectrode.uniform(**(values | changes))


@pytest.mark.parametrize("c_rate", [1 / 3, 1.0, 2.0, 4.0])
def test_diffusion_decides_whether_99_percent_is_attainable(c_rate):
    """U = 1 − R² / (15 D t): spheres 2 % larger than that allows never attain 99 %, 5 % smaller ones do when thin."""
    radius = np.sqrt(15 * 0.01 * 4e-15 * 3600 / c_rate)
    assert largest_radius(CELL, c_rate=c_rate, target=0.99) == pytest.approx(radius, rel=2e-3)
    too_coarse = thickness_at(electrode(1.02 * radius), CELL, c_rate=c_rate, target=0.99, thinnest=2e-6)
    assert too_coarse[0] == 0
    assert too_coarse[1] == pytest.approx(1 - 0.01 * 1.02**2, abs=1e-4)
    thickness, _ = thickness_at(electrode(0.95 * radius), CELL, c_rate=c_rate, target=0.99, thinnest=2e-6)
    assert thickness > 20e-6


def test_the_thickness_found_has_the_demanded_utilization():
    graded = replace(electrode(1e-6), transport_efficiency=np.linspace(0.3, 0.15, 20))
    thickness, _ = thickness_at(graded, CELL, c_rate=2.0, target=0.99, thinnest=2e-6)
    there = simulate_discharge(replace(graded, thickness=thickness), CELL, c_rate=2.0)
    beyond = simulate_discharge(replace(graded, thickness=1.2 * thickness), CELL, c_rate=2.0)
    assert there.utilization == pytest.approx(0.99, abs=3e-4)
    assert beyond.utilization < 0.985


def test_the_ceiling_lies_above_what_straight_pores_carry():
    """The best uniform electrode with B = porosity, its radius and porosity those of the ceiling, stays below it."""
    config = StudyConfig.from_toml("frontier-nmc811")
    for c_rate in (1.0, 4.0):
        ceiling = ceiling_of(config, CELL, c_rate=c_rate, pores="straight")
        pores = ceiling.porosity + 0.5 * 0.05
        straight = electrode(
            ceiling.particle_radius,
            porosity=pores,
            active_fraction=1 - ceiling.porosity - 0.05,
            transport_efficiency=pores,
        )
        thickness, _ = thickness_at(straight, CELL, c_rate=c_rate, target=0.99, thinnest=2e-6)
        carried = replace(straight, thickness=thickness).theoretical_areal_capacity(CELL)
        assert 0.5 * ceiling.areal_capacity < carried < 1.02 * ceiling.areal_capacity


def test_the_ceiling_is_zero_where_the_surface_forbids_fine_particles():
    config = StudyConfig.from_toml("frontier-nmc811")
    data = config.to_dict()
    data["constraints"]["maximum_specific_surface_m2_cm3"] = 1.0  # R of 1.8 µm and more
    coarse = StudyConfig.from_dict(data)
    assert ceiling_of(coarse, CELL, c_rate=1.0, pores="straight").areal_capacity == 0
    assert ceiling_of(coarse, CELL, c_rate=1 / 3, pores="straight").areal_capacity > 0


def test_a_thin_structure_tells_what_a_thick_one_carries():
    """Properties by relative depth: made 8 and 24 particles thick, a recipe carries the same within 3 %."""
    config = StudyConfig.from_toml("frontier-nmc811")
    space = frontier_spaces(config, active_capacity=CELL.active_capacity)["structured"]
    values = {"porosity_gradient": -0.1, "particle_diameter_um": 1.6, "fine_share": 0.0}
    design = space.design({name: space.ranges[name].middle for name in space.searched} | values)
    coarse = {"voxels_per_diameter": 8.0, "width_diameters": 4.0, "minimum_voxels": 32}
    found = [
        attain(at_depth(design, diameters=depth), CELL, c_rate=2.0, target=0.99, seed=8117, structure=coarse)
        for depth in (8, 24)
    ]
    assert found[0].areal_capacity == pytest.approx(found[1].areal_capacity, rel=0.03)
    assert found[0].budget.utilization == pytest.approx(0.99, abs=5e-4)
    assert found[0].design.thickness == pytest.approx(found[0].electrode.thickness)


def slow_discharge():
    """Numbers of an electrode that is discharged so slowly that all of it works."""
    thin = electrode(0.5e-6, thickness=20e-6)
    result = simulate_discharge(thin, CELL, c_rate=0.01)
    return {"active_fraction": 0.6, **delivered(result)}, result


def test_metals_per_kilowatt_hour_are_those_of_a_calculation_by_hand():
    """One mole of LiNi0.8Co0.1Mn0.1O2 delivers window × F × mean voltage; 0.8 mol of nickel go with it."""
    numbers, result = slow_discharge()
    window = CELL.maximum_stoichiometry - CELL.minimum_stoichiometry
    mean_voltage = np.trapezoid(result.voltage, result.areal_capacity) / result.areal_capacity[-1]
    per_mole = window * 96485.332 / 3.6e6 * mean_voltage * result.utilization  # kWh
    packings = {"structured": [numbers] * 2, "uniform": [numbers] * 2}
    ledger = material_ledger(packings, cell=CELL, control="uniform")["designs"]["structured"]
    assert ledger["Ni"]["mean"] == pytest.approx(0.8 * 58.6934 / per_mole, rel=2e-3)
    assert ledger["Li"]["mean"] == pytest.approx(6.94 / per_mole, rel=2e-3)


def test_metals_per_kilowatt_hour_agree_with_the_literature():
    """Olivetti et al., Joule 1, 229 (2017), table 1, NMC-811: 0.750 Ni, 0.094 Co, 0.088 Mn, 0.111 Li kg/kWh in full cells.

    A half-cell has the anode's 0.1 to 0.2 V more and loses no lithium in its first cycle, so it needs less, in the same
    proportions.
    """
    numbers, _ = slow_discharge()
    ledger = material_ledger({"structured": [numbers] * 2}, cell=CELL, control=None)["designs"]["structured"]
    published = {"Ni": 750.0, "Co": 94.0, "Mn": 88.0, "Li": 111.0}
    ratios = [ledger[metal]["mean"] / grams for metal, grams in published.items()]
    assert all(0.82 < ratio < 0.95 for ratio in ratios)
    assert max(ratios) / min(ratios) < 1.01


def test_saving_is_that_of_the_energy():
    best = [{"active_fraction": 0.6, "energy_density": e} for e in (2.0e6, 2.0e6)]
    control = [{"active_fraction": 0.6, "energy_density": e} for e in (1.6e6, 1.6e6)]
    packings = {
        "structured": best,
        "uniform": control,
        BASELINE: [{**one, "energy_density": 1e6} for one in best],
    }
    saving = material_ledger(packings, cell=CELL, control="uniform")["saving"]
    assert saving["control"]["mean"] == pytest.approx(0.2)
    assert saving["baseline"]["mean"] == pytest.approx(0.5)


@pytest.mark.parametrize(("name", "words"), [("graphite-chen2020", "none of"), ("my.json", "not known")])
def test_where_nothing_can_be_counted_one_line_says_so(name, words):
    packings = {"structured": [{"active_fraction": 0.6, "energy_density": 1e6}] * 2}
    ledger = material_ledger(packings, cell=replace(CELL, name=name), control=None)
    assert not ledger["designs"]
    assert words in ledger["note"]


def test_molar_masses_add_up():
    """Formula masses: LiNi0.8Co0.1Mn0.1O2 97.28, LiFePO4 157.76 g/mol; 191.6 mAh/g in the window of Chen et al.'s set."""
    metals = {"Li": 1.0, "Ni": 0.8, "Co": 0.1, "Mn": 0.1}
    mass = sum(atoms * MOLAR_MASSES[metal] for metal, atoms in metals.items()) + 2 * 15.999e-3
    assert mass == pytest.approx(FORMULA_MASSES["nmc811-chen2020"], rel=1e-4)
    assert 4650 < CRYSTAL_DENSITIES["nmc811-chen2020"] < 4850  # [kg.m-3], published 4.7 to 4.8 g/cm3


def test_finer_voxels_are_compared_in_pairs():
    config = StudyConfig.from_toml("frontier-nmc811")
    finer = finer_config(config)
    assert finer.structure.voxels_per_diameter == pytest.approx(10.2)
    assert finer.structure.minimum_voxels == 65
    coarse = {"structured": [0.90, 0.92, 0.94], "uniform": [0.89, 0.91, 0.93]}
    fine = {"structured": [0.91, 0.93, 0.95], "uniform": [0.89, 0.91, 0.93]}
    summary = finer_summary(coarse, fine, control="uniform", voxels_per_diameter=14.0)
    assert summary["designs"]["structured"]["change"]["low"] == pytest.approx(0.01)
    assert summary["difference"]["mean"] == pytest.approx(0.02)
    assert "beats the control" in summary["verdict"]
