"""TOML in and out, and one-line explanations of what is wrong with it."""

from __future__ import annotations

import difflib
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import tomlkit
from pydantic import BaseModel

from studies.errors import ConfigError
from studies.ranges import TAGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails


def bundled_names() -> tuple[str, ...]:
    """
    List the studies that come with the package.

    Returns
    -------
    tuple of str
        Names that `StudyConfig.from_toml` and ``meso run`` accept.

    Examples
    --------
    >>> bundled_names()
    ('frontier-nmc811', 'quickstart')
    """
    names = (entry.name for entry in files("studies").joinpath("configs").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def read_toml(source: str | Path) -> dict[str, Any]:
    """
    Read a TOML file, or a bundled study by its name.

    Parameters
    ----------
    source : str or Path
        Path of a file, or a name from `bundled_names`; a file of that name goes first.

    Returns
    -------
    dict
        Content, not validated.

    Raises
    ------
    ConfigError
        If there is no such file, or it is no TOML.
    """
    path, names = Path(source), bundled_names()
    try:
        if str(source) in names and not path.is_file():
            text = files("studies").joinpath("configs", f"{source}.toml").read_text("utf-8")
        else:
            text = path.read_text("utf-8")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(
            f"{source}: no such file and no bundled study of that name; give a TOML file or one of: {', '.join(names)}"
        ) from None
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read ({error.strerror}); give a readable TOML file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{source}: is not UTF-8 text; give a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: is not valid TOML ({error}); correct the file at that place") from None


def flatten(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """
    Turn nested tables into dotted keys.

    Parameters
    ----------
    data : dict
        Nested dictionaries.
    prefix : str, default ""
        Put before every key.

    Returns
    -------
    dict
        One entry per value.

    Examples
    --------
    >>> flatten({"cell": {"c_rate": 2.0}, "seed": 8117})
    {'cell.c_rate': 2.0, 'seed': 8117}
    """
    flat: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def explain(errors: Sequence[ErrorDetails], model: type[BaseModel]) -> str:
    """
    Put the first problem of a validation, and the number of others, in one line.

    Parameters
    ----------
    errors : sequence of pydantic_core.ErrorDetails
        What pydantic found.
    model : type
        What was validated.

    Returns
    -------
    str
        Key, value, rule and remedy.
    """
    # An unknown key is usually the cause of a missing one.
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    where = ".".join(str(part) for part in first["loc"] if part not in TAGS)
    others = f" (and {len(errors) - 1} more to correct)" if len(errors) > 1 else ""
    return _explain_one(first, where, model) + others


def _explain_one(error: ErrorDetails, where: str, model: type[BaseModel]) -> str:
    """Say which key, which value, which rule and what to do."""
    value, text = error["input"], error["msg"]
    if error["type"] == "extra_forbidden":
        allowed = _keys_at(model, error["loc"][:-1])
        near = difflib.get_close_matches(str(error["loc"][-1]), allowed, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"allowed here: {', '.join(allowed)}"
        return f"unknown key {where} = {value!r}; {remedy}"
    if error["type"] == "missing":
        return f"{where} is missing; add it"
    if error["type"] == "value_error":
        return f"{where} {text.removeprefix('Value error, ')}".strip()
    if error["type"] == "model_type":
        return f"{where} must be a number or a table, got {value!r}; write {where} = {{low = …, high = …}}"
    rule = text.replace("Input should be a valid", "must be a").replace("Input should", "must")
    return f"{where} {rule[0].lower()}{rule[1:]}, got {value!r}; change it and run again"


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """List the keys that are allowed in a table of the configuration."""
    for part in location:
        if part in TAGS:
            model = TAGS[str(part)]
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        annotation = fields[str(part)].annotation if part in fields else None
        # A table that may be left out is one of two types.
        for kind in get_args(annotation) or (annotation,):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                model = kind
    return [field.alias or name for name, field in model.model_fields.items()]


def write_toml(data: Mapping[str, Any]) -> str:
    """
    Write nested dictionaries as TOML, one line per value.

    Parameters
    ----------
    data : mapping
        Plain values, tables of plain values, and ranges inside these.

    Returns
    -------
    str
        TOML.

    Examples
    --------
    >>> print(write_toml({"seed": 8117, "electrode": {"porosity": {"low": 0.3, "high": 0.4}}}))
    seed = 8117
    <BLANKLINE>
    [electrode]
    porosity = {low = 0.3, high = 0.4}
    <BLANKLINE>
    """
    document = tomlkit.document()
    for key, value in data.items():
        if not isinstance(value, dict):
            document.add(key, tomlkit.item(value))
            continue
        table = tomlkit.table()
        for name, entry in value.items():
            if isinstance(entry, dict):
                inline = tomlkit.inline_table()
                inline.update(entry)
                table.add(name, inline)
            else:
                table.add(name, entry)
        document.add(key, table)
    return tomlkit.dumps(document)
