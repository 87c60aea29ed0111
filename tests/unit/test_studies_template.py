"""`meso init` and `meso validate`: a template that is valid, complete, and says the truth about defaults."""

import re
import tomllib
from typing import get_args

import pytest
from pydantic import BaseModel

from studies import StudyConfig
from studies.errors import ConfigError
from studies.parameters import TABLE
from studies.template import check_study, template_text

KEY = re.compile(r"^(# )?([a-zA-Z_][\w]*) = (.*)$", re.MULTILINE)
TABLE_NAME = re.compile(r"^(?:# )?\[(\w+)\]$")
ALTERNATIVES = {"cell.bpx", "cell.bpx_electrode"}
"""Not together with a chemistry by name."""


def keys_of(model, prefix=""):
    """List all keys of a configuration, dotted."""
    found = set()
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        kinds = [field.annotation, *get_args(field.annotation)]
        tables = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        # What a parameter of the electrode may be is a table as well, but of a value.
        found |= keys_of(tables[0], f"{key}.") if tables and not prefix else {key}
    return found


def uncommented():
    """Return the template with every key switched on, as dotted keys."""
    table, found = "", {}
    for line in template_text().splitlines():
        if match := TABLE_NAME.match(line):
            table = f"{match[1]}."
        elif match := KEY.match(line):
            found[f"{table}{match[2]}"] = tomllib.loads(f"value = {match[3]}")["value"]
    return found


def test_template_is_a_valid_study():
    config = StudyConfig.from_dict(tomllib.loads(template_text()))
    assert check_study(config).startswith("valid; 200 trials with tpe, 4 parameters searched (3 by")


def test_template_has_every_key():
    assert set(uncommented()) == keys_of(StudyConfig)


def test_commented_values_are_the_defaults_where_there_are_any():
    default = StudyConfig.from_dict(tomllib.loads(template_text())).to_dict()
    for parameter in TABLE:
        written = uncommented()[f"electrode.{parameter.name}"]
        assert isinstance(written, dict) or written == default["electrode"][parameter.name]
    for key, value in uncommented().items():
        table, _, name = key.rpartition(".")
        stored = default.get(table, {}) if table else default
        if name in stored and name != "description" and not isinstance(value, dict):
            assert stored[name] == value, key


def test_template_still_holds_with_every_key_switched_on():
    data = {}
    for key, value in uncommented().items():
        table, _, name = key.rpartition(".")
        if key not in ALTERNATIVES:
            (data.setdefault(table, {}) if table else data)[name] = value
    assert check_study(StudyConfig.from_dict(data))


def test_a_study_that_could_not_run_is_refused(monkeypatch):
    data = tomllib.loads(template_text()) | {"search": {"sampler": "gp"}}
    monkeypatch.setattr("studies.samplers.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="torch"):
        check_study(StudyConfig.from_dict(data))
