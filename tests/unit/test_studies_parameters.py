"""Every field of a design can be searched: units, steps, populations, what matters when, and what the control has."""

import dataclasses

import numpy as np
import optuna
import pytest
from optuna.trial import FixedTrial

from meso import ElectrodeDesign
from solvers import CellParameters
from studies import DesignSpace, StudyConfig
from studies.errors import ConfigError
from studies.evaluation import make_structure
from studies.parameters import PLAIN, TABLE
from studies.space import graded

CELL = CellParameters.named("nmc811-chen2020")
BASE = {
    "name": "wide",
    "seed": 8117,
    "trials": 2,
    "cell": {"chemistry": "nmc811-chen2020", "c_rate": 2.0},
    "electrode": {
        "areal_capacity_mAh_cm2": 3.0,
        "porosity": {"low": 0.3, "high": 0.4},
        "porosity_gradient": {"low": -0.1, "high": 0.1},
        "particle_diameter_um": 8.0,
        "binder_fraction": 0.06,
    },
    "constraints": {"minimum_volumetric_capacity_mAh_cm3": 100.0},
}


def config(**electrode):
    """Return the base study with other electrode keys."""
    return StudyConfig.from_dict(BASE | {"electrode": BASE["electrode"] | electrode})


def space(**electrode):
    """Return its space."""
    return DesignSpace.of(config(**electrode), active_capacity=CELL.active_capacity)


WIDE = {
    "porosity_gradient": 0.1,
    "particle_spread": {"low": 1.0, "high": 1.5},
    "aspect_ratio": {"low": 0.3, "high": 1.0},
    "alignment": {"low": -1.0, "high": 1.0},
    "fine_share": {"choices": [0.0, 0.25]},
    "fine_diameter_ratio": {"low": 0.3, "high": 0.5},
    "fine_share_gradient": {"low": -1.0, "high": 1.0},
    "binder_gradient": {"low": -0.02, "high": 0.02},
    "binder_bridging": {"low": 0.0, "high": 1.0},
    "binder_morphology": {"low": 0.0, "high": 1.0},
    "layers": {"choices": [0, 2, 3]},
    "channel_pattern": {"choices": ["none", "holes", "lines"]},
    "channel_width_um": {"low": 0.0, "high": 30.0},
    "channel_pitch_um": {"low": 50.0, "high": 90.0},
    "channel_depth": {"low": 0.3, "high": 1.0},
    "channel_taper": {"low": 0.0, "high": 1.0},
    "calendering_strain": {"low": 0.0, "high": 0.3},
    "calendering_rearrangement": {"low": 0.0, "high": 0.5},
    "separator_face": {"choices": ["cut", "wall"]},
    "collector_face": "wall",
}


def test_the_table_reaches_every_field_of_a_design():
    """Whatever a random trial chooses, the union over trials differs from the plain design in every field."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=8117))
    wide = space(**WIDE)
    designs = [wide.suggest(study.ask()) for _ in range(60)]
    plain = space().uniform.central()
    for field in dataclasses.fields(ElectrodeDesign):
        values = {repr(getattr(design, field.name)) for design in designs}
        assert values - {repr(getattr(plain, field.name))}, field.name
    for field in ("diameter", "spread", "share", "aspect_ratio", "alignment"):
        assert len({repr(getattr(design.size_classes[-1], field)) for design in designs}) > 1, field
    for design in designs:
        loading = design.thickness * design.mean_fraction("active") * CELL.active_capacity
        assert loading == pytest.approx(30.0, rel=1e-12)


def test_only_what_matters_is_asked_for():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=977))
    wide = space(**WIDE)
    seen = set()
    for _ in range(80):
        trial = study.ask()
        design = wide.suggest(trial)
        assert ("channel_width_um" in trial.params) == (trial.params["channel_pattern"] != "none")
        assert ("channel_depth" in trial.params) == (design.channels is not None)
        assert ("fine_diameter_ratio" in trial.params) == (len(design.size_classes) == 2)
        assert ("calendering_rearrangement" in trial.params) == (design.calendering is not None)
        # What is stored is enough to make the design again.
        assert wide.design(trial.params) == design
        seen |= set(trial.params)
    assert seen == set(wide.searched)
    # A ball has no direction.
    assert "alignment" not in space(alignment={"low": 0.0, "high": 1.0}).searched


def test_the_control_is_plain():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=5))
    control = space(**WIDE).uniform
    for _ in range(30):
        design = control.suggest(study.ask())
        assert design.channels is None
        profiles = [design.porosity_profile, design.binder_profile]
        profiles += [each.share_profile for each in design.size_classes]
        for profile in profiles:
            assert profile.minimum() == profile.maximum()
    assert not {"layers", "channel_depth", *PLAIN} & set(control.searched)
    # A mixture of sizes is as plain as its parts.
    assert "fine_share" in control.searched


@pytest.mark.parametrize("layers", [2, 3, 5])
def test_layers_are_steps_of_the_same_gradient(layers):
    profile = graded(0.3, 0.12, layers=layers)
    middles = profile((np.arange(layers) + 0.5) / layers)
    assert middles == pytest.approx(np.linspace(0.36, 0.24, layers))
    assert profile.mean() == pytest.approx(0.3, rel=1e-12)
    inside = profile(np.array([0.1, 0.9]) / layers)
    assert inside[0] == inside[1]


def test_fine_particles_gather_where_they_are_sent():
    values = {"porosity": 0.35, "porosity_gradient": 0.0}
    design = space(fine_share=0.3, fine_diameter_ratio=0.25, fine_share_gradient=1.0).design(values)
    coarse, fine = design.size_classes
    assert fine.diameter == pytest.approx(2e-6)
    # The steepest line with mean 0.3 that stays in [0, 1] runs from 0.6 to 0.
    assert fine.share_profile([0.0, 1.0]) == pytest.approx([0.6, 0.0])
    assert coarse.share_profile([0.0, 1.0]) == pytest.approx([0.4, 1.0])
    mostly = space(fine_share=0.8, fine_share_gradient=-1.0).design(values).size_classes[1]
    assert mostly.share_profile([0.0, 1.0]) == pytest.approx([0.6, 1.0])


def test_pressing_conserves_the_solids():
    design = space(calendering_strain=0.2).design({"porosity": 0.3, "porosity_gradient": 0.0})
    # A film that loses a fifth of its thickness at constant solids: 0.7 of solids were 0.56 before.
    assert design.calendering.initial_porosity == pytest.approx(0.44)
    assert design.calendering.strain(0.3) == pytest.approx(0.2)
    assert (
        space(calendering_strain=0.0).design({"porosity": 0.3, "porosity_gradient": 0.0}).calendering is None
    )


def test_a_wide_design_is_made_as_its_numbers_say():
    values = {
        "porosity": 0.36, "aspect_ratio": 0.5, "alignment": 0.6, "particle_spread": 1.1,
        "fine_share": 0.25, "fine_diameter_ratio": 0.5, "fine_share_gradient": 0.5, "binder_gradient": 0.02,
        "binder_bridging": 0.8, "binder_morphology": 0.3, "layers": 2, "channel_pattern": "none",
        "calendering_strain": 0.1, "calendering_rearrangement": 0.1, "separator_face": "wall",
    }  # fmt: skip
    design = space(**WIDE).design(values)
    structure = make_structure(design, seed=8117, voxels_per_diameter=4, width_diameters=4, minimum_voxels=16)
    fractions = [(structure.labels == phase).mean() for phase in (0, 1, 2)]
    assert fractions == pytest.approx([0.36, 0.58, 0.06], abs=0.02)
    half = structure.shape[0] // 2
    front, back = (part == 0 for part in (structure.labels[:half], structure.labels[half:]))
    # A bilayer of 0.41 over 0.31; the wall in front lets more pores in.
    assert front.mean() - back.mean() == pytest.approx(0.10, abs=0.04)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"layers": 1}, ["layers", "0 (continuous)", "choices"]),
        ({"layers": {"low": 0, "high": 4}}, ["layers", "got 1 among them"]),
        ({"layers": 2.5}, ["layers", "whole number"]),
        ({"separator_face": "glued"}, ["separator_face", "cut, wall", "'glued'"]),
        ({"channel_pattern": {"choices": ["none", "dots"]}}, ["channel_pattern", "'dots'"]),
        ({"fine_share": {"choices": [0.0, 30.0]}}, ["fine_share", "[0, 0.95]", "not per cent"]),
        ({"fine_share": {"choices": [0.1, 0.1]}}, ["fine_share", "different choices"]),
        ({"fine_share": {"choises": [0.1]}}, ["fine_share.choises", "unknown key", "low, high, log"]),
        ({"binder_gradient": 0.2}, ["binder_gradient", "narrow", "0.12"]),
        ({"fine_diameter": 2.0}, ["did you mean fine_diameter_ratio?"]),
        (
            {"porosity_gradient": 0.0, "fine_share_gradient": 0.5},
            ["differ from 0", "uniform control"],
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(changes, parts):
    with pytest.raises(ConfigError) as caught:
        config(**changes)
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_any_gradient_or_channel_is_something_to_find():
    flat = {"porosity_gradient": 0.0}
    config(**flat, binder_gradient={"low": 0.0, "high": 0.04})
    config(**flat, fine_share=0.3, fine_share_gradient=1.0)
    config(**flat, channel_pattern="lines", channel_width_um=20.0)


def test_choices_survive_their_own_toml(tmp_path):
    wide = config(**WIDE)
    (tmp_path / "wide.toml").write_text(wide.to_toml(), "utf-8")
    assert StudyConfig.from_toml(tmp_path / "wide.toml") == wide


def test_a_searched_loading_is_searched_by_both():
    searched = BASE["electrode"] | {"areal_capacity_mAh_cm2": {"low": 2.0, "high": 6.0}}
    goals = {"maximize": ["utilization", "areal_capacity"]}
    wide = DesignSpace.of(
        StudyConfig.from_dict(BASE | {"electrode": searched, "objectives": goals}),
        active_capacity=CELL.active_capacity,
    )
    trial = FixedTrial({"areal_capacity_mAh_cm2": 5.0, "porosity": 0.35, "porosity_gradient": 0.0})
    design = wide.suggest(trial)
    assert design.thickness * design.active_fraction.mean() * CELL.active_capacity == pytest.approx(50.0)
    assert "areal_capacity_mAh_cm2" in wide.uniform.searched


def test_every_parameter_comes_after_what_decides_it():
    names = [parameter.name for parameter in TABLE]
    for place, parameter in enumerate(TABLE):
        assert set(parameter.needs) <= set(names[:place])
        assert parameter.default is None or parameter.complaint(parameter.default) is None
