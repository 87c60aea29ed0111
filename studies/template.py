"""A commented study to start from, and a check of one that was edited."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from solvers import CellParameters
from studies.config import MOST_TRIALS
from studies.errors import ConfigError
from studies.objectives import OBJECTIVES
from studies.parameters import TABLE
from studies.samplers import check_sampler
from studies.space import DesignSpace
from studies.storage import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from studies.config import StudyConfig
    from studies.parameter import Parameter

SEARCHED = {
    "areal_capacity_mAh_cm2": "4.0",
    "porosity": "{low = 0.25, high = 0.45}",
    "porosity_gradient": "{low = -0.1, high = 0.2}",
    "particle_diameter_um": "{low = 3.0, high = 12.0, log = true}",
    "binder_fraction": "{low = 0.04, high = 0.10}",
}
"""What the template searches, and what it must fix."""


def template_text() -> str:
    """
    Write a study with every key, what it means and what it may be.

    Returns
    -------
    str
        TOML that is a valid study as it stands.
    """
    text = files("studies").joinpath("templates", "study.toml").read_text("utf-8")
    lines = "\n".join(_line(parameter) for parameter in TABLE)
    for place, content in (
        ("{electrode}", lines),
        ("{chemistries}", ", ".join(CellParameters.names())),
        ("{objectives}", ", ".join(OBJECTIVES)),
    ):
        text = text.replace(place, content)
    return text


def write_template(file: Path) -> None:
    """
    Write the template to a new file.

    Parameters
    ----------
    file : Path
        Where; an existing file is left alone.

    Raises
    ------
    ConfigError
        If the file exists or its folder does not.
    """
    if file.exists():
        raise ConfigError(f"{file}: exists and is left as it is; choose another name")
    if not file.parent.is_dir():
        raise ConfigError(f"{file}: the folder {file.parent} does not exist; create it first")
    write_atomically(file, template_text())


def check_study(config: StudyConfig) -> str:
    """
    Check what only shows when a study starts: cell, packages, a first design.

    Parameters
    ----------
    config : StudyConfig
        A study whose keys and values are valid.

    Returns
    -------
    str
        What it will do, in one line.

    Raises
    ------
    ConfigError
        If it could not run.
    """
    check_sampler(config)
    cell = config.cell.parameters()
    space = DesignSpace.of(config, active_capacity=cell.active_capacity)
    try:
        space.central()
    except ValueError as error:
        raise ConfigError(f"the design in the middle of all ranges: {error}") from None
    ends = [] if config.trials == MOST_TRIALS else [f"{config.trials} trials"]
    ends += [] if config.hours is None else [f"{config.hours:g} h"]
    return (
        f"valid; {' or '.join(ends)} with {config.search.sampler}, {len(space.searched)} parameters searched "
        f"({len(space.uniform.searched)} by the uniform control), maximizes {', '.join(config.objectives.maximize)}"
    )


def _line(parameter: Parameter) -> str:
    """Write one parameter with its meaning and limits."""
    mark = "" if parameter.name in SEARCHED else "# "
    value = SEARCHED.get(parameter.name) or json.dumps(parameter.default)
    # Words are named in the meaning already.
    limits = "" if parameter.words else f" ({parameter.low:g} … {parameter.high:g})"
    return f"{mark}{parameter.name} = {value}".ljust(62) + f"  # {parameter.meaning}{limits}"
