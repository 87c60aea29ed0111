"""Design, profile and structure: validation, derived numbers, round trips."""

import json
import math

import numpy as np
import pytest

from meso import ElectrodeDesign, Mesostructure, ParticlePacking, Phase, Profile, SizeClass

SIZES = (SizeClass(diameter=6e-6, spread=1.3),)


def recipe(**changes):
    given = {"thickness": 80e-6, "porosity": 0.35, "binder_fraction": 0.1, "size_classes": SIZES} | changes
    return ElectrodeDesign(**given)


def test_profile_mean_is_the_integral_of_its_segments():
    bilayer = Profile((0.0, 0.4, 0.5, 1.0), (0.5, 0.5, 0.3, 0.2))
    assert bilayer.mean() == pytest.approx(0.5 * 0.4 + 0.4 * 0.1 + 0.25 * 0.5, abs=1e-15)
    assert (bilayer.minimum(), bilayer.maximum()) == (0.2, 0.5)
    assert bilayer([0.0, 0.45, 1.0]).tolist() == pytest.approx([0.5, 0.4, 0.2])


@pytest.mark.parametrize(
    ("positions", "values", "rule"),
    [
        ((0.0,), (1.0,), "at least two"),
        ((0.0, 1.0), (1.0, 2.0, 3.0), "as many values"),
        ((0.0, 0.5, 0.5, 1.0), (1.0, 1.0, 1.0, 1.0), "increase strictly"),
        ((0.1, 1.0), (1.0, 1.0), "from 0"),
        ((0.0, 1.0), (1.0, math.nan), "finite"),
    ],
)
def test_profile_refuses(positions, values, rule):
    with pytest.raises(ValueError, match=rule):
        Profile(positions, values)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"thickness": 80.0}, "micrometres"),
        ({"porosity": 35.0}, "percent"),
        ({"porosity": 0.0}, r"porosity must lie in \(0, 1\)"),
        ({"binder_fraction": -0.1}, "binder_fraction must lie"),
        (
            {"porosity": Profile.linear(separator=0.4, collector=0.95)},
            "relative depth 1; keep binder_fraction below 0.05",
        ),
        ({"binder_bridging": 1.5}, "binder_bridging"),
        ({"size_classes": ()}, "at least one"),
        ({"size_classes": SIZES * 2}, "divide each by 2"),
    ],
)
def test_design_refuses_with_rule_and_remedy(changes, rule):
    with pytest.raises(ValueError, match=rule):
        recipe(**changes)


@pytest.mark.parametrize(("field", "value"), [("diameter", 6.0), ("spread", 0.9), ("share", 0.0)])
def test_size_class_refuses(field, value):
    with pytest.raises(ValueError, match=field):
        SizeClass(**({"diameter": 6e-6} | {field: value}))


def test_active_fraction_is_what_porosity_and_binder_leave_at_every_depth():
    design = recipe(
        porosity=Profile((0.0, 0.3, 1.0), (0.5, 0.3, 0.3)),
        binder_fraction=Profile.linear(separator=0.2, collector=0.0),
    )
    depth = np.linspace(0, 1, 37)
    total = design.active_fraction(depth) + design.porosity_profile(depth) + design.binder_profile(depth)
    assert total == pytest.approx(1.0, abs=1e-15)


def test_thickness_for_capacity_holds_the_loading():
    porosity = Profile.linear(separator=0.5, collector=0.2)
    design = ElectrodeDesign.for_capacity(
        60.0, 9e5, porosity=porosity, binder_fraction=0.1, size_classes=SIZES
    )
    assert 9e5 * design.active_fraction.mean() * design.thickness == pytest.approx(60.0, rel=1e-14)
    with pytest.raises(ValueError, match="areal_capacity"):
        ElectrodeDesign.for_capacity(-1.0, 9e5, porosity=0.3, binder_fraction=0.1, size_classes=SIZES)


def test_design_survives_json():
    design = recipe(porosity=Profile.linear(separator=0.5, collector=0.2), binder_bridging=0.9)
    assert ElectrodeDesign.from_dict(json.loads(json.dumps(design.to_dict()))) == design
    with pytest.raises(ValueError, match="unknown \\['colour'\\] and missing \\['thickness'\\]"):
        ElectrodeDesign.from_dict(
            {k: v for k, v in design.to_dict().items() if k != "thickness"} | {"colour": 1}
        )


def test_median_diameter_halves_the_volume_of_a_mixture():
    fine, coarse = (
        SizeClass(diameter=3e-6, spread=1.4, share=0.4),
        SizeClass(diameter=9e-6, spread=1.2, share=0.6),
    )
    median = recipe(size_classes=(fine, coarse)).median_diameter
    assert 0.4 * fine.volume_below(median) + 0.6 * coarse.volume_below(median) == pytest.approx(0.5, abs=1e-9)
    assert recipe(size_classes=(SizeClass(diameter=3e-6, share=0.4), coarse)).median_diameter < 9e-6


def test_structure_without_faces_counts_voxels():
    labels = np.zeros((4, 5, 6), dtype=np.int64)
    labels[0, :, :3], labels[1] = 1, 2
    structure = Mesostructure(labels, voxel_size=(2e-6, 1e-6, 1e-6))
    assert structure.fraction_profile(Phase.ACTIVE).tolist() == [0.5, 0, 0, 0]
    assert structure.volume_fraction(Phase.BINDER) == 0.25
    assert structure.volume_fraction(Phase.PORE) == pytest.approx(0.625)
    assert structure.thickness == 8e-6
    assert not structure.labels.flags.writeable


@pytest.mark.parametrize(
    ("labels", "keywords", "rule"),
    [
        (np.zeros((3, 3), int), {}, "three-dimensional"),
        (np.zeros((0, 3, 3), int), {}, "non-empty"),
        (np.zeros((3, 3, 3)), {}, "integers"),
        (np.full((3, 3, 3), 7), {}, r"got \[7\]"),
        (np.zeros((3, 3, 3), int), {"voxel_size": -1e-6}, "voxel_size"),
        (np.zeros((3, 3, 3), int), {"particle_ids": np.zeros((3, 3, 2))}, "particle_ids"),
        (
            np.zeros((3, 3, 3), int),
            {"face_fractions": {Phase.ACTIVE: (np.zeros((3, 3, 3), np.uint8),) * 3}},
            "shapes",
        ),
        (
            np.zeros((3, 3, 3), int),
            {"face_fractions": {Phase.ACTIVE: (np.zeros((3, 3, 3)),) * 3}},
            "must be uint8",
        ),
    ],
)
def test_structure_refuses(labels, keywords, rule):
    with pytest.raises(ValueError, match=rule):
        Mesostructure(labels, **({"voxel_size": 1e-6} | keywords))


def test_packing_refuses_contradictions():
    centres = np.zeros((2, 3))
    with pytest.raises(ValueError, match="must have shape"):
        ParticlePacking(centres=centres, radii=np.ones(3), domain=(9.0, 9.0, 9.0))
    with pytest.raises(ValueError, match="positive"):
        ParticlePacking(centres=centres, radii=np.array([1.0, 0.0]), domain=(9.0, 9.0, 9.0))
    with pytest.raises(ValueError, match="periodic width"):
        ParticlePacking(centres=centres, radii=np.ones(2), domain=(9.0, 1.5, 9.0))


def test_phases_that_cover_more_than_a_face_are_refused():
    shapes = [(3, 2, 2), (2, 3, 2), (2, 2, 3)]
    active, binder = (tuple(np.full(shape, value, np.uint8) for shape in shapes) for value in (200, 56))
    with pytest.raises(ValueError, match="add up to at most 255, got more on 12 faces across axis 0"):
        Mesostructure(
            np.zeros((2, 2, 2), np.uint8),
            voxel_size=1e-6,
            face_fractions={Phase.ACTIVE: active, Phase.BINDER: binder},
        )
