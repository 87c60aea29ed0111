"""The design space: units, loading, gradient, control, and designs that recipes alone rule out."""

import pytest
from optuna.trial import FixedTrial

from meso import ElectrodeDesign, Profile, SizeClass
from solvers import CellParameters
from studies import DesignSpace, StudyConfig
from studies.errors import ConfigError
from studies.evaluation import resolution
from studies.trials import measured_violations, recipe_violations

CONFIG = StudyConfig.from_toml("quickstart")
CELL = CellParameters.named(CONFIG.cell.chemistry)
SPACE = DesignSpace.of(CONFIG, active_capacity=CELL.active_capacity)
VALUES = {
    "porosity": 0.18,
    "porosity_gradient": 0.06,
    "particle_diameter_um": 5.0,
    "particle_spread": 1.25,
    "binder_fraction": 0.06,
}


def test_suggest_reads_the_units_of_the_names():
    design = SPACE.suggest(FixedTrial(VALUES))
    assert design.median_diameter == pytest.approx(5e-6, rel=1e-12)
    assert design.size_classes[0].spread == 1.25
    assert design.binder_fraction == 0.06
    assert design.porosity_profile(0.0) == pytest.approx(0.21)
    assert design.porosity_profile(1.0) == pytest.approx(0.15)


def test_every_design_carries_the_loading():
    # 6 mAh cm-2 are 60 A h m-2; thickness × active fraction × capacity of the active material must give them.
    for design in (SPACE.design(VALUES), SPACE.central(), SPACE.uniform.central()):
        loading = design.thickness * design.active_fraction.mean() * CELL.active_capacity
        assert loading == pytest.approx(60.0, rel=1e-12)


def test_uniform_space_is_the_same_without_gradient():
    assert set(SPACE.searched) - set(SPACE.uniform.searched) == {"porosity_gradient"}
    values = {name: value for name, value in VALUES.items() if name != "porosity_gradient"}
    assert SPACE.uniform.design(values).porosity_profile == Profile.constant(0.18)


def test_a_missing_parameter_is_not_made_up():
    values = {name: value for name, value in VALUES.items() if name != "porosity_gradient"}
    with pytest.raises(ValueError, match="none for porosity_gradient"):
        SPACE.design(values)


def test_central_design_takes_the_geometric_middle_of_a_logarithmic_range():
    middle = CONFIG.electrode.particle_diameter_um
    assert middle.log
    assert SPACE.central().median_diameter == pytest.approx((middle.low * middle.high) ** 0.5 * 1e-6)


def test_recipe_violations_by_hand():
    design = ElectrodeDesign(
        thickness=80e-6,
        porosity=Profile.linear(separator=0.3, collector=0.1),
        binder_fraction=0.05,
        size_classes=(SizeClass(diameter=5e-6),),
    )
    # 0.75 of active material with 1 A h cm-3 are 750 mAh cm-3; the densest slice asks for 0.85 where 0.80 can be packed.
    violations = recipe_violations(design, constraints=CONFIG.constraints, active_capacity=1e6)
    assert violations["minimum_volumetric_capacity_mAh_cm3"] == pytest.approx(1 - 750 / 880)
    assert violations["packing"] == pytest.approx(0.85 / 0.80 - 1)


def test_measured_violations_by_hand():
    packings = [
        {"specific_surface_area": 0.9e6, "status": "CUTOFF_REACHED"},
        {"specific_surface_area": 1.1e6, "status": "NOT_CONNECTED"},
    ]
    violations = measured_violations(packings, constraints=CONFIG.constraints)
    assert violations["maximum_specific_surface_m2_cm3"] == pytest.approx(1.0 / 0.8 - 1)
    assert violations["percolation"] == 1.0


@pytest.mark.parametrize(("diameter", "spread"), [(4.0, 1.1), (8.0, 1.4), (15.0, 1.6), (20.0, 2.4)])
def test_resolution_keeps_its_promises(diameter, spread):
    design = SPACE.design({**VALUES, "particle_diameter_um": diameter, "particle_spread": spread})
    voxel_size, width = resolution(design, voxels_per_diameter=10, width_diameters=6.4, minimum_voxels=64)
    assert design.median_diameter / voxel_size >= 10 * (1 - 1e-12)
    assert design.thickness / voxel_size >= 64 * (1 - 1e-12)
    assert width / voxel_size >= 64 * (1 - 1e-12)
    # `generate` finds whole voxels there, an even number across, and no particle meets its own periodic image.
    assert design.thickness / voxel_size == pytest.approx(round(design.thickness / voxel_size))
    assert width / (2 * voxel_size) == pytest.approx(round(width / (2 * voxel_size)))
    assert width > 2 * design.size_classes[0].largest_diameter


def drilled(**changes):
    """Return the quickstart with channels to search."""
    data = CONFIG.to_dict()
    data["electrode"] |= {
        "channel_pattern": "lines",
        "channel_pitch_um": 60.0,
        "channel_width_um": {"low": 0.0, "high": 30.0},
        "channel_depth": 0.8,
    } | changes
    return data


def test_channels_are_searched_on_and_off_at_the_same_loading():
    space = DesignSpace.of(StudyConfig.from_dict(drilled()), active_capacity=CELL.active_capacity)
    assert "channel_width_um" in space.searched
    with_channels = space.design(VALUES | {"channel_width_um": 12.0})
    without = space.design(VALUES | {"channel_width_um": 4.9})  # narrower than a particle of 5 µm
    assert without.channels is None
    assert with_channels.channels.pattern == "lines"
    # A groove of 12 µm every 60 µm over 0.8 of the thickness takes 0.16 of the coating.
    solid = with_channels.active_fraction.mean()
    assert with_channels.mean_fraction("active") == pytest.approx(solid * 0.84, rel=0.02)
    for design in (with_channels, without):
        loading = design.thickness * design.mean_fraction("active") * CELL.active_capacity
        assert loading == pytest.approx(60.0, rel=1e-12)
    assert space.uniform.central().channels is None
    assert not {name for name in space.uniform.searched if name.startswith("channel")}
    settings = {"voxels_per_diameter": 10.0, "width_diameters": 6.4, "minimum_voxels": 64}
    assert resolution(with_channels, **settings)[1] == pytest.approx(60e-6)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"channel_pattern": "none"}, "must both ask for channels or neither"),
        ({"channel_width_um": 70.0}, "widen the pitch"),
        ({"channel_depth": 40.0}, "relative to the thickness"),
    ],
)
def test_contradicting_channels_are_refused(changes, rule):
    with pytest.raises(ConfigError, match=rule):
        StudyConfig.from_dict(drilled(**changes))
