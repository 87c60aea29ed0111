"""Half-cells from BPX files: Battery Parameter eXchange of the Faraday Institution, versions 0.x and 1.x."""

import json
import warnings
from collections.abc import Callable, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from meso.file_checks import check_text
from solvers._kernels.newton import equilibrium
from solvers.chemistries import MAXIMUM_SALT, lithium_exchange
from solvers.constants import GAS_CONSTANT, STANDARD_TEMPERATURE
from solvers.curves import Curve
from solvers.expressions import formula

Array = NDArray[np.float64]

ELECTRODES = ("positive", "negative")
SECTIONS = ("Cell", "Electrolyte", "Separator", "Negative electrode", "Positive electrode")

# What the particles of a blend must have in common to be size classes of one material.
CHEMISTRY = (
    "ocp",
    "dudt",
    "diffusivity",
    "diffusivity_activation_energy",
    "maximum_concentration",
    "minimum_stoichiometry",
    "maximum_stoichiometry",
    "reaction_rate_constant",
    "reaction_rate_constant_activation_energy",
)


class _HalfCell(NamedTuple):
    """The sections of a file that a half-cell needs, as the bpx package read them."""

    file: str
    cell: Any
    electrolyte: Any
    separator: Any
    electrode: Any
    particles: Sequence[Any]
    alone: bool
    salt: float
    temperature: float
    reference: float

    def arrhenius(self, activation_energy: float | None) -> float:
        """Factor from the reference temperature to that of the cell."""
        inverse = 1.0 / self.reference - 1.0 / self.temperature
        return float(np.exp((activation_energy or 0.0) / GAS_CONSTANT * inverse))


def cell_arguments(path: str | PathLike[str], *, electrode: str) -> dict[str, Any]:
    """Read what `CellParameters` takes.

    Parameters
    ----------
    path : path-like
        JSON file.
    electrode : {"positive", "negative"}
        Which electrode works against lithium metal.

    Returns
    -------
    dict
        Arguments of `CellParameters`, the name included.

    Raises
    ------
    ValueError
        If the file is not valid BPX, or lacks what a half-cell needs.

    Notes
    -----
    The exchange-current density of BPX is F K (c/c0 · x (1 − x))^(1/2), so k = K / (c_max c0^(1/2)). Properties are taken at
    the initial temperature of the file.
    """
    half = _half_cell(path, electrode)
    particle, electrolyte = half.particles[0], half.electrolyte
    potential = _potential(half, particle)
    low, high = particle.minimum_stoichiometry, particle.maximum_stoichiometry
    cutoffs = (half.cell.lower_voltage_cutoff, half.cell.upper_voltage_cutoff) if half.alone else None
    lower, upper = cutoffs or (equilibrium(x, potential.table)[0] for x in (high, low))
    rate = particle.reaction_rate_constant * half.arrhenius(particle.reaction_rate_constant_activation_energy)
    diffusion = half.arrhenius(particle.diffusivity_activation_energy)
    salt_diffusion = half.arrhenius(electrolyte.diffusivity_activation_energy)
    conduction = half.arrhenius(electrolyte.conductivity_activation_energy)
    return {
        "name": f"{Path(path).stem}, {electrode} electrode",
        "lower_cutoff_voltage": float(lower),
        "upper_cutoff_voltage": float(upper),
        "maximum_concentration": float(particle.maximum_concentration),
        "open_circuit_potential": potential,
        "particle_diffusivity": _curve(half, "Diffusivity [m2.s-1]", particle.diffusivity, 1.0, diffusion),
        "reaction_rate_constant": float(rate / (particle.maximum_concentration * half.salt**0.5)),
        "initial_salt_concentration": half.salt,
        "electrolyte_diffusivity": _over_salt(half, "Diffusivity [m2.s-1]", salt_diffusion),
        "electrolyte_conductivity": _over_salt(half, "Conductivity [S.m-1]", conduction),
        "transference_number": Curve.constant(float(electrolyte.cation_transference_number)),
        "separator_thickness": float(half.separator.thickness),
        "separator_porosity": float(half.separator.porosity),
        "separator_transport_efficiency": float(half.separator.transport_efficiency),
        "lithium_exchange_current_density": lithium_exchange(half.salt),
        "active_conductivity": float(half.electrode.conductivity / (1.0 - half.electrode.porosity) ** 1.5),
        "temperature": half.temperature,
    }


def electrode_arguments(path: str | PathLike[str], *, electrode: str, slices: int) -> dict[str, Any]:
    """Read what `PorousElectrode` takes.

    Parameters
    ----------
    path : path-like
        JSON file.
    electrode : {"positive", "negative"}
        Which electrode.
    slices : int
        Number of slices.

    Returns
    -------
    dict
        Arguments of `PorousElectrode`; several particles of one material are size classes.

    Raises
    ------
    ValueError
        If the file is not valid BPX, or lacks what a half-cell needs.
    """
    half = _half_cell(path, electrode)
    radii = np.array([particle.particle_radius for particle in half.particles], dtype=np.float64)
    areas = np.array([particle.surface_area_per_unit_volume for particle in half.particles], dtype=np.float64)
    return {
        "thickness": float(half.electrode.thickness),
        "porosity": np.full(slices, half.electrode.porosity),
        "transport_efficiency": np.full(slices, half.electrode.transport_efficiency),
        "electronic_conductivity": np.full(slices, half.electrode.conductivity),
        "particle_radii": radii,
        "active_fractions": np.tile(areas * radii / 3.0, (slices, 1)),
        "specific_surface_areas": np.tile(areas, (slices, 1)),
        "isolated_fractions": np.zeros(slices),
    }


def _half_cell(path: str | PathLike[str], electrode: str) -> _HalfCell:
    """Read a file and pick the sections, refusing what a half-cell cannot use."""
    if electrode not in ELECTRODES:
        raise ValueError(f"electrode must be 'positive' or 'negative', got {electrode!r}")
    file = fspath(path)
    content = _parse(file)
    sections: dict[str, Any] = {
        name: getattr(content.parameterisation, name.lower().replace(" ", "_"), None) for name in SECTIONS
    }
    needed = ("Cell", "Electrolyte", "Separator", f"{electrode.capitalize()} electrode")
    for name in needed:
        if sections[name] is None:
            raise ValueError(
                f"{file} must have the section {name!r} for a half-cell, got none; is it a DFN set?"
            )
    cell, electrolyte, separator, chosen = (sections[name] for name in needed)
    if not hasattr(chosen, "transport_efficiency"):
        raise ValueError(
            f"{file} must describe a porous electrode, got a single-particle one; is it a DFN set?"
        )
    start = getattr(content.state, "initial_conditions", None)
    salt = getattr(start, "initial_electrolyte_concentration", None)
    if salt is None:
        raise ValueError(
            f"{file} must give 'Initial electrolyte concentration [mol.m-3]', got none; add it to 'State'"
        )
    reference = float(cell.reference_temperature or STANDARD_TEMPERATURE)
    others = [sections[f"{name.capitalize()} electrode"] for name in ELECTRODES if name != electrode]
    return _HalfCell(
        file=file,
        cell=cell,
        electrolyte=electrolyte,
        separator=separator,
        electrode=chosen,
        particles=_particles(file, chosen),
        alone=others == [None],
        salt=float(salt),
        temperature=float(getattr(start, "initial_temperature", None) or reference),
        reference=reference,
    )


def _parse(file: str) -> Any:
    """Let the bpx package validate a file; its errors become one line."""
    try:
        with warnings.catch_warnings():
            # It calls pyparsing by names that newer releases call old.
            warnings.simplefilter("ignore", DeprecationWarning)
            import bpx
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "reading BPX files needs the package bpx, which is not installed; pip install 'meso-electrode[bpx]'"
        ) from None
    check_text(Path(file))
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{file} must be a JSON file, got {error}; is it BPX?") from None
    try:
        _check_formulas(content["Parameterisation"])
        with warnings.catch_warnings():
            # They concern the format of older files and the full cell, of which a half-cell takes nothing.
            warnings.simplefilter("ignore")
            return bpx.parse_bpx_obj(content)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"{file} is not valid BPX: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    """Shorten an error of the bpx package: where, what, and how many more."""
    if not hasattr(error, "errors"):
        return f"{type(error).__name__}: {error}".splitlines()[0]
    first, *more = error.errors()
    where = " → ".join(str(step) for step in first["loc"])
    return f"{where or 'file'}: {first['msg']}" + (f" (and {len(more)} more)" if more else "")


def _check_formulas(sections: dict[str, Any]) -> None:
    """Look at every formula before the bpx package does, which runs them as code."""
    pending = [(section, sections.get(section)) for section in SECTIONS]
    while pending:
        where, value = pending.pop()
        if isinstance(value, str):
            try:
                formula(value)
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from None
        elif isinstance(value, dict):
            pending.extend((f"{where} → {key}", entry) for key, entry in value.items())


def _particles(file: str, electrode: Any) -> Sequence[Any]:
    """Particles of an electrode, which must be of one material."""
    blend = getattr(electrode, "particle", None)
    if blend is None:
        return (electrode,)
    particles = tuple(blend.values())
    for name in CHEMISTRY:
        values = [getattr(particle, name) for particle in particles]
        if any(value != values[0] for value in values):
            raise ValueError(
                f"{file} must have one active material in the electrode, got a blend of {', '.join(blend)} that differ in "
                f"{name}; write a file for each"
            )
    return particles


def _function(value: Any) -> Callable[[Array], Array]:
    """Make a function of a number, a formula or a table."""
    if isinstance(value, str):
        return formula(value)
    if isinstance(value, int | float):
        return lambda x: np.full(np.shape(x), float(value))
    order = np.argsort(value.x)
    return Curve.from_points(np.array(value.x)[order], np.array(value.y)[order])


def _curve(half: _HalfCell, name: str, value: Any, upper: float, factor: float) -> Curve:
    """Tabulate a property between zero and `upper`."""
    try:
        if isinstance(value, int | float):
            return Curve.constant(factor * value)
        function = _function(value)
        if isinstance(function, Curve):
            return function.scaled(factor)
        return Curve.from_function(function, lower=0.0, upper=upper).scaled(factor)
    except ValueError as error:
        raise ValueError(f"{half.file}: {name}: {error}") from None


def _potential(half: _HalfCell, particle: Any) -> Curve:
    """Tabulate the open-circuit potential at the temperature of the cell."""
    if particle.dudt is None or half.temperature == half.reference:
        return _curve(half, "OCP [V]", particle.ocp, 1.0, 1.0)
    at_reference, slope = _function(particle.ocp), _function(particle.dudt)
    warmer = half.temperature - half.reference
    return Curve.from_function(lambda x: at_reference(x) + warmer * slope(x), lower=0.0, upper=1.0)


def _over_salt(half: _HalfCell, name: str, factor: float) -> Curve:
    """Tabulate a property of the electrolyte where its formula is positive; beyond, it stays constant."""
    value = getattr(half.electrolyte, name.split(maxsplit=1)[0].lower())
    if not isinstance(value, str):
        return _curve(half, name, value, MAXIMUM_SALT, factor)
    function = formula(value)
    grid = np.unique(np.append(np.linspace(0.0, MAXIMUM_SALT, 401), half.salt))
    usable = function(grid) >= 0.0
    rest = int(np.searchsorted(grid, half.salt))
    if not function(grid[rest]) > 0.0:
        raise ValueError(
            f"{half.file}: {name} of the electrolyte must be positive at {half.salt} mol.m-3, got {value}"
        )
    gaps = np.flatnonzero(~usable)
    first = gaps[gaps < rest].max(initial=-1) + 1
    last = gaps[gaps > rest].min(initial=len(grid)) - 1
    return Curve.from_function(function, lower=grid[first], upper=grid[last]).scaled(factor)
