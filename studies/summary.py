"""What a study found, as rows of text that the terminal and the report share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studies.parameters import PARAMETERS, PLAIN, TABLE
from studies.storage import STRUCTURED, UNIFORM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from studies.config import StudyConfig
    from studies.parameter import Value
    from studies.trials import TrialRecord

UNGRADED = "ungraded"
"""The structured winner with its gradient removed: a uniform design that needs no search of its own."""

DESIGN_NAMES = {
    STRUCTURED: "best structured",
    UNIFORM: "best uniform",
    UNGRADED: "gradient removed",
}
"""The designs that are compared, in words."""

LOSS_NAMES = {
    "isolated": "isolated material",
    "solid_diffusion": "solid diffusion",
    "electrolyte": "electrolyte transport",
    "ohmic_kinetic": "ohmic and kinetic",
}
"""Shares of the loss budget in words."""

PARAMETER_NAMES = {parameter.name: parameter.label for parameter in TABLE}
"""Parameters of a design in words."""

UNITS = {parameter.name: parameter.unit for parameter in TABLE if parameter.unit}
_MEASURED = (
    ("thickness", "thickness", "µm", 1e6, 1),
    ("volumetric capacity, theoretical", "volumetric_capacity", "mAh cm⁻³", 1e-3, 0),
    ("specific surface", "specific_surface_area", "m² cm⁻³", 1e-6, 3),
    ("electrolyte fraction", "electrolyte_fraction", "", 1.0, 3),
    ("tortuosity factor", "tortuosity_factor", "", 1.0, 2),
    ("areal capacity, delivered", "delivered_areal_capacity", "mAh cm⁻²", 0.1, 2),
)


ABSENT = "–"
"""What a table shows where no design was feasible."""


@dataclass(frozen=True)
class Row:
    """
    One line of the comparison of winner and control.

    Parameters
    ----------
    name : str
        What it is.
    unit : str
        Its unit, empty for plain numbers.
    values : tuple of str
        One text per design, in the order of `DESIGN_NAMES`; a dash where there is none.
    """

    name: str
    unit: str
    values: tuple[str, ...]


def design_rows(comparison: Mapping[str, Any], config: StudyConfig) -> list[Row]:
    """
    Describe the designs.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.
    config : StudyConfig
        The study; gives the values of fixed parameters.

    Returns
    -------
    list of Row
        Trial number, parameters and measured properties.
    """
    designs = [comparison["designs"][name] for name in DESIGN_NAMES]
    rows = [Row("trial", "", tuple(_trial(design) for design in designs))]
    rows += [
        Row(
            label,
            UNITS.get(name, ""),
            tuple(
                _parameter(design, name, config, is_plain=which != STRUCTURED)
                for which, design in zip(DESIGN_NAMES, designs, strict=True)
            ),
        )
        for name, label in PARAMETER_NAMES.items()
        if _is_of_interest(name, config)
    ]
    return rows + [
        Row(label, unit, tuple(_measured(design, name, factor, decimals) for design in designs))
        for label, name, unit, factor, decimals in _MEASURED
    ]


def utilization_rows(comparison: Mapping[str, Any]) -> list[Row]:
    """
    Describe what works and what stops the rest.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.

    Returns
    -------
    list of Row
        Utilization with its 95 % interval, the losses in the order in which they are switched on, the largest of them.
    """
    designs = [comparison["designs"][name] for name in DESIGN_NAMES]
    names = ("utilization", *LOSS_NAMES)
    labels = ("utilization", *(f"lost: {name}" for name in LOSS_NAMES.values()))
    rows = [
        Row(label, "%", tuple(_percent(design, name) for design in designs))
        for name, label in zip(names, labels, strict=True)
    ]
    limiting = tuple(LOSS_NAMES[design["limiting"]] if design else ABSENT for design in designs)
    return [*rows, Row("limited by", "", limiting)]


def trial_line(record: TrialRecord) -> str:
    """
    Describe a finished trial in one line.

    Parameters
    ----------
    record : TrialRecord
        The trial.

    Returns
    -------
    str
        Search, number, utilization or failure, feasibility and parameters.
    """
    head = f"{record.arm} {record.number}:"
    if record.state == "failed":
        return f"{head} failed: {record.failure}"
    broken = [name for name, value in record.constraints.items() if value > 0]
    note = f" violates {', '.join(broken)}" if broken else ""
    parameters = ", ".join(f"{name} {_short(value)}" for name, value in record.parameters.items())
    return f"{head} utilization {percent(record.utilization)} %{note} ({parameters})"


def best_line(record: TrialRecord | None) -> str:
    """
    Describe the best trial of a search in a few words.

    Parameters
    ----------
    record : TrialRecord or None
        The trial; None where none is feasible.

    Returns
    -------
    str
        Utilization with its standard error over the packings, and the number of the trial.
    """
    if record is None:
        return "no feasible design yet"
    error = "" if math.isnan(record.standard_error) else f" ± {percent(record.standard_error)}"
    return f"{percent(record.utilization)}{error} % (trial {record.number})"


def constraint_texts(config: StudyConfig) -> list[str]:
    """
    Describe what a design must fulfil.

    Parameters
    ----------
    config : StudyConfig
        The study.

    Returns
    -------
    list of str
        One text per constraint, with units.

    Examples
    --------
    >>> from studies import StudyConfig
    >>> constraint_texts(StudyConfig.from_toml("quickstart"))
    ['volumetric capacity at least 880 mAh cm⁻³', 'specific surface at most 0.8 m² cm⁻³']
    """
    constraints = config.constraints
    texts = {
        "volumetric capacity at least {:g} mAh cm⁻³": constraints.minimum_volumetric_capacity_mAh_cm3,
        "specific surface at most {:g} m² cm⁻³": constraints.maximum_specific_surface_m2_cm3,
        "electronic conductivity at least {:g} S m⁻¹": constraints.minimum_electronic_conductivity_S_m,
        "thickness at most {:g} µm": constraints.maximum_thickness_um,
    }
    return [text.format(limit) for text, limit in texts.items() if limit is not None]


def percent(fraction: float) -> str:
    """
    Write a fraction in per cent.

    Parameters
    ----------
    fraction : float
        The fraction.

    Returns
    -------
    str
        Two decimals: packings differ in the second.

    Examples
    --------
    >>> percent(0.87654)
    '87.65'
    """
    # Adding 0 turns −0.0 into 0.0.
    return f"{round(100 * fraction, 2) + 0.0:.2f}"


def _short(value: Value) -> str:
    """Write a parameter in a log line."""
    return value if isinstance(value, str) else f"{value:.4g}"


def _trial(design: Mapping[str, Any] | None) -> str:
    """Write the number of the trial that a design comes from, if any."""
    return ABSENT if design is None or design["trial"] is None else f"{design['trial']}"


def _is_of_interest(name: str, config: StudyConfig) -> bool:
    """Whether a parameter is searched, or fixed at something else than what TOML may leave out."""
    quantity = config.electrode.quantity(name)
    return not quantity.is_fixed or quantity.values[0] != PARAMETERS[name].default


def _parameter(design: Mapping[str, Any] | None, name: str, config: StudyConfig, *, is_plain: bool) -> str:
    """Write a parameter of a design: searched, fixed, or the control's plain value; a dash where it does not matter."""
    if design is None:
        return ABSENT
    quantity = config.electrode.quantity(name)
    fixed = quantity.values[0] if quantity.is_fixed else None
    value = design["parameters"].get(name, PLAIN.get(name, fixed) if is_plain else fixed)
    if value is None:
        return ABSENT
    return value if isinstance(value, str) else f"{value:.{PARAMETERS[name].decimals}f}".replace("-", "−")


def _measured(design: Mapping[str, Any] | None, name: str, factor: float, decimals: int) -> str:
    """Write the mean of a measured number; what has no finite mean is infinite."""
    if design is None:
        return ABSENT
    statistics = design["statistics"].get(name)
    return "∞" if statistics is None else f"{factor * statistics['mean']:.{decimals}f}"


def _percent(design: Mapping[str, Any] | None, name: str) -> str:
    """Write a share with half its 95 % interval."""
    if design is None:
        return ABSENT
    statistics = design["statistics"][name]
    return f"{percent(statistics['mean'])} ± {percent(0.5 * (statistics['high'] - statistics['low']))}"
