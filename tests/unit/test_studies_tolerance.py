"""What variations of material and process do to a recipe: mass is kept where it must be."""

from dataclasses import dataclass

import numpy as np
import pytest

from meso import ElectrodeDesign, Profile, SizeClass
from studies.config import StudyConfig
from studies.packings import evaluate_packing
from studies.variations import (
    AS_DESIGNED,
    VARIATIONS,
    pressed,
    varied,
    with_migrated_binder,
    with_porosity,
    with_sizes,
)

DESIGN = ElectrodeDesign(
    thickness=80e-6,
    porosity=Profile.linear(separator=0.40, collector=0.28),
    binder_fraction=0.06,
    size_classes=(SizeClass(diameter=4e-6, share=0.7), SizeClass(diameter=2e-6, share=0.3)),
)


@dataclass(frozen=True)
class Numbers:
    utilization: float
    robust_utilization: float | None = None


def solids(design):
    return {of: design.thickness * design.mean_fraction(of) for of in ("active", "binder")}


@pytest.mark.parametrize("variation", VARIATIONS, ids=lambda one: one.name)
def test_every_variation_keeps_the_mass_of_active_material_and_binder(variation):
    assert solids(variation.change(DESIGN)) == pytest.approx(solids(DESIGN), rel=1e-12)


def test_pressing_closes_pores_by_what_the_thickness_loses():
    """From 34 % pores, 5 % of the thickness less leaves (0.34 − 0.05) / 0.95 of the new thickness."""
    thinner = pressed(DESIGN, 0.05)
    assert thinner.thickness == pytest.approx(76e-6)
    assert thinner.mean_fraction("pore") == pytest.approx(0.29 / 0.95)


def test_porosity_moves_by_what_was_asked():
    assert with_porosity(DESIGN, 0.01).mean_fraction("pore") == pytest.approx(0.35)
    assert with_porosity(DESIGN, -0.01).mean_fraction("pore") == pytest.approx(0.33)


def test_binder_gathers_at_the_separator_and_active_material_stays():
    moved = with_migrated_binder(DESIGN, 0.25)
    assert moved.binder_fraction([0, 0.5, 1]) == pytest.approx([0.075, 0.06, 0.045])
    assert moved.active_fraction([0, 0.3, 1]) == pytest.approx(DESIGN.active_fraction([0, 0.3, 1]))


def test_sizes_of_measured_powders_move_as_well():
    powder = SizeClass.measured([2e-6, 4e-6, 8e-6], [1, 1])
    larger = with_sizes(ElectrodeDesign(80e-6, 0.35, 0.06, (powder,)), 1.1)
    assert larger.median_diameter == pytest.approx(4.4e-6)
    assert larger.size_classes[0].volume_below(8.8e-6) == pytest.approx(1.0)


def test_what_has_no_pores_left_cannot_be_made():
    dense = ElectrodeDesign(80e-6, 0.04, 0.06, DESIGN.size_classes)
    made = varied(dense)
    assert made["calendering"] is None
    assert made[AS_DESIGNED] is dense
    # As dense as it is, no particles can be packed for the other variations either.
    assert made["larger_particles"] is None


def test_what_is_too_dense_to_be_packed_cannot_be_made():
    """From 21 % pores and 79 % active material, 5 % of the thickness less leaves 83 %: more than can be packed."""
    made = varied(ElectrodeDesign(80e-6, 0.21, 0.0, DESIGN.size_classes))
    assert made["calendering"] is None
    assert made["larger_particles"] is not None


def test_the_robust_objective_reaches_the_search(monkeypatch):
    """Every variation is made on the same packing; mean − k σ of 0.50, 0.51, … as by hand."""
    config = StudyConfig.from_dict(
        StudyConfig.from_toml("quickstart").to_dict()
        | {"objectives": {"maximize": "robust_utilization", "robust_k": 2.0}}
    )
    made = [design for design in varied(DESIGN).values() if design]
    found = {id(design): 0.5 + 0.01 * place for place, design in enumerate(made)}

    def evaluate(design, *_, **__):
        nearest = min(made, key=lambda one: (one != design, found[id(one)]))
        return Numbers(utilization=found[id(nearest)])

    monkeypatch.setattr("studies.packings.evaluate", evaluate)
    result = evaluate_packing(DESIGN, None, config=config, replicate=0)
    values = np.array([found[id(design)] for design in made])
    assert result.robust_utilization == pytest.approx(values.mean() - 2 * values.std())
