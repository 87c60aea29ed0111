"""Configurations: what is read, what is refused, and how the refusal reads."""

import tomllib

import pytest

from studies import StudyConfig
from studies.errors import ConfigError
from studies.tables import bundled_names, read_toml

QUICKSTART = read_toml("quickstart")


def changed(path, value):
    """Return the quickstart with one value changed, added or (None) removed."""
    data = tomllib.loads(StudyConfig.from_toml("quickstart").to_toml())
    *tables, key = path.split(".")
    target = data
    for table in tables:
        target = target[table]
    target[key] = value
    if value is None:
        del target[key]
    return data


def test_bundled_quickstart_is_the_promised_job():
    config = StudyConfig.from_toml("quickstart")
    searched = {name for name in config.electrode.model_fields_set if name != "areal_capacity_mAh_cm2"}
    varied = {name for name in searched if not getattr(config.electrode, name).is_fixed}
    assert "quickstart" in bundled_names()
    assert (config.cell.chemistry, config.cell.c_rate) == ("nmc811-chen2020", 2.0)
    assert config.electrode.areal_capacity_mAh_cm2 == 6.0
    assert config.structure.voxels_per_diameter >= 6
    assert config.structure.minimum_voxels >= 24
    assert varied == {
        "porosity",
        "porosity_gradient",
        "particle_diameter_um",
        "particle_spread",
        "binder_fraction",
    }


def test_configuration_survives_its_own_toml(tmp_path):
    config = StudyConfig.from_toml("quickstart")
    file = tmp_path / "copy.toml"
    file.write_text(config.to_toml(), "utf-8")
    assert StudyConfig.from_toml(file) == config


def test_a_number_fixes_what_a_range_searches():
    electrode = StudyConfig.from_dict(changed("electrode.porosity", 0.3)).electrode
    assert electrode.porosity.is_fixed
    assert electrode.porosity.middle == 0.3
    assert not electrode.particle_diameter_um.is_fixed


@pytest.mark.parametrize(
    ("path", "value", "parts"),
    [
        ("electrode.porositty", 0.3, ["electrode.porositty", "unknown key", "did you mean porosity?"]),
        ("colour", "red", ["colour", "unknown key", "'red'"]),
        ("electrode.porosity", 35.0, ["electrode.porosity", "[0.05, 0.9]", "35", "not per cent"]),
        ("electrode.porosity", "dense", ["electrode.porosity", "'dense'", "number"]),
        ("electrode.porosity", {"low": 0.5, "high": 0.3}, ["electrode.porosity", "low ≤ high", "swap them"]),
        ("electrode.porosity", {"low": 0.3, "hihg": 0.4}, ["electrode.porosity.hihg", "did you mean high?"]),
        ("electrode.particle_spread", 0.9, ["electrode.particle_spread", "[1, 3]", "0.9"]),
        ("electrode.porosity_gradient", 0.0, ["porosity_gradient", "differ from 0"]),
        ("electrode.porosity_gradient", {"low": -0.4, "high": 0.4}, ["porosity_gradient", "narrow"]),
        ("cell.chemistry", "unobtainium", ["chemistry", "'unobtainium'", "nmc811-chen2020"]),
        ("cell.c_rate", 0.0, ["cell.c_rate", "greater than 0", "got 0.0"]),
        ("constraints", {}, ["constraints", "at least one"]),
        ("trials", 1, ["trials", "greater than or equal to 2", "got 1"]),
        ("trials", 4.5, ["trials", "integer", "4.5"]),
        ("seed", None, ["seed", "missing"]),
        ("electrode.areal_capacity_mAh_cm2", float("nan"), ["areal_capacity_mAh_cm2", "nan"]),
    ],
)
def test_refusal_names_key_value_rule_and_remedy_in_one_line(path, value, parts):
    with pytest.raises(ConfigError) as caught:
        StudyConfig.from_dict(changed(path, value), label="mine.toml")
    text = str(caught.value)
    assert text.startswith("mine.toml: ")
    assert "\n" not in text
    for part in parts:
        assert part in text


def test_several_mistakes_are_counted():
    data = changed("trials", 1) | {"seed": -4}
    with pytest.raises(ConfigError, match="and 1 more to correct"):
        StudyConfig.from_dict(data)


@pytest.mark.parametrize(
    ("content", "part"),
    [(b"seed = = 3", "not valid TOML"), (b"\xff\xfe", "not UTF-8")],
)
def test_unreadable_files_are_named(tmp_path, content, part):
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=part) as caught:
        StudyConfig.from_toml(file)
    assert str(file) in str(caught.value)


def test_missing_file_lists_the_bundled_studies():
    with pytest.raises(ConfigError, match=r"no-such\.toml: no such file .* quickstart"):
        StudyConfig.from_toml("no-such.toml")
