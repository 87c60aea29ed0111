"""Half-cells in the words of others: BPX 1.x documents, and parameters of PyBaMM made from them."""

from __future__ import annotations

import copy
import json
import warnings
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from meso.file_checks import check_text
from meso.io import replace_file
from solvers.chemistries import MAXIMUM_SALT, lithium_exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from solvers.cell import CellParameters
    from solvers.curves import Curve
    from solvers.electrode import PorousElectrode

    Array = NDArray[np.float64]

VERSION = "1.1.0"
POINTS = 2001
"""Rows of a table; PyBaMM interpolates linearly between them."""

# What BPX has no words for, kept in its section for such things.
EXCHANGE = "Lithium exchange-current density [A.m-2]"
ORDER = "Lithium reaction order"
ISOLATED = "Isolated active material volume fraction"
FACTOR = "Electrolyte thermodynamic factor"

# Of lithium metal, which hardly matter: it conducts well and is not used up.
LITHIUM = {
    "Lithium metal partial molar volume [m3.mol-1]": 1.3e-5,
    "Negative electrode conductivity [S.m-1]": 1.08e7,
    "Negative electrode thickness [m]": 7e-4,
}


def bpx_document(
    electrode: PorousElectrode,
    cell: CellParameters,
    *,
    particles: Literal["one", "classes"] = "one",
    electrode_area: float = 1e-4,
) -> dict[str, Any]:
    """
    Describe a half-cell as a BPX document with the model "Partial".

    Parameters
    ----------
    electrode : PorousElectrode
        The electrode; it becomes the positive one, which it is against lithium.
    cell : CellParameters
        Materials, electrolyte and separator.
    particles : {"one", "classes"}, default "one"
        Whether all size classes become one particle or a blend with one particle a class. PyBaMM takes two classes at most.
    electrode_area : float, default 1e-4
        Area of the electrode [m2].

    Returns
    -------
    dict
        What a BPX file holds.

    Raises
    ------
    ValueError
        If the electrode is blocked somewhere, so that BPX cannot describe it, or the area is not positive.

    Notes
    -----
    BPX has one value where an electrode has a profile, and spheres where it has surfaces:

    - porosity and active fractions are means over the thickness, transport efficiency B and conductivity harmonic means, which
      keep the resistances through the whole; both are written as effective numbers;
    - the particle radius R of several classes is the root of the volume-weighted mean of R², which keeps what solid diffusion
      leaves behind at constant current, 1 − U = R²/(15 D t);
    - the area is a = 3 ε/R, so that a R/3, from which BPX tools take the active fraction, is the reacting fraction ε. What of
      the spheres' surface is covered by binder is lost;
    - isolated material is left out of the particles and counts in the nominal capacity, so that C-rates mean the same current;
    - the transference number is that of the electrolyte at rest.

    Isolated fraction, kinetics of the lithium and thermodynamic factor are kept under "User-defined".
    """
    if not 0.0 < electrode_area < np.inf:
        raise ValueError(f"electrode_area must be positive and finite, got {electrode_area}; it is in m2")
    if particles not in {"one", "classes"}:
        raise ValueError(f"particles must be 'one' or 'classes', got {particles!r}")
    mean = electrode.refined(1)
    efficiency, conductivity = float(mean.transport_efficiency[0]), float(mean.electronic_conductivity[0])
    if not (efficiency > 0.0 and conductivity > 0.0):
        raise ValueError(
            f"electrode must conduct ions and electrons in every slice, got a transport efficiency of {efficiency} and a "
            f"conductivity of {conductivity} S.m-1; a blocked electrode delivers nothing in any program"
        )
    material = _material(cell)
    porous: dict[str, Any] = {
        "Thickness [m]": electrode.thickness,
        "Porosity": float(mean.porosity[0]),
        "Transport efficiency": efficiency,
        "Conductivity [S.m-1]": conductivity,
    }
    fractions, radii = mean.active_fractions[0], electrode.particle_radii
    present = fractions > 0.0
    if particles == "classes" and present.sum() > 1:
        classes = zip(fractions[present].tolist(), radii[present].tolist(), strict=True)
        spheres = [_sphere(*entry) for entry in classes]
        porous["Particle"] = {f"Class {n}": sphere | material for n, sphere in enumerate(spheres, start=1)}
    else:
        total = float(fractions.sum())
        porous |= _sphere(total, float(np.sqrt(fractions @ radii**2 / total))) | material
    capacity = electrode.theoretical_areal_capacity(cell) * electrode_area
    return _document(cell, porous, capacity, electrode_area, float(mean.isolated_fractions[0]))


def write_bpx(
    electrode: PorousElectrode,
    cell: CellParameters,
    path: str | PathLike[str],
    *,
    particles: Literal["one", "classes"] = "one",
    electrode_area: float = 1e-4,
) -> None:
    """
    Write a half-cell as a BPX file; an existing file is replaced at once or not at all.

    Parameters
    ----------
    electrode : PorousElectrode
        The electrode.
    cell : CellParameters
        Materials, electrolyte and separator.
    path : path-like
        JSON file.
    particles : {"one", "classes"}, default "one"
        Whether all size classes become one particle or a blend, see `bpx_document`.
    electrode_area : float, default 1e-4
        Area of the electrode [m2].

    Raises
    ------
    ValueError
        If BPX cannot describe the electrode.
    FileNotFoundError
        If the folder does not exist.
    """
    document = bpx_document(electrode, cell, particles=particles, electrode_area=electrode_area)
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)

    def write(file: BinaryIO) -> None:
        file.write(text.encode())

    replace_file(Path(path), write)


def pybamm_parameters(half_cell: str | PathLike[str] | Mapping[str, Any], *, c_rate: float = 1.0) -> Any:
    """
    Turn a BPX half-cell into parameters for PyBaMM's half-cell models; needs the extra ``pybamm``.

    Parameters
    ----------
    half_cell : path-like or mapping
        File of `write_bpx`, or document of `bpx_document`: of model "Partial" with a positive electrode.
    c_rate : float, default 1.0
        Current over the nominal capacity [h-1], which may be changed later under "Current function [A]".

    Returns
    -------
    pybamm.ParameterValues
        For models with the option ``{"working electrode": "positive"}``, and ``"particle phases": ("1", "2")`` for two size classes,
        at rest at the upper cut-off.

    Raises
    ------
    ValueError
        If the half-cell is not valid BPX, or has more than two size classes.
    ModuleNotFoundError
        If PyBaMM or bpx is not installed.

    Notes
    -----
    PyBaMM reads full cells only, so it is given the positive electrode twice; then the second becomes lithium. It raises the
    porosity to log B / log porosity to arrive at the transport efficiency again.
    """
    try:
        import bpx  # noqa: F401  PyBaMM reads with it
        import pybamm
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"parameters of PyBaMM need the package {error.name}, which is not installed; "
            "pip install 'meso-electrode[pybamm,bpx]'"
        ) from None
    document = _read(half_cell)
    parameterisation = document["Parameterisation"]
    working = parameterisation["Positive electrode"]
    if len(working.get("Particle", {})) > 2:
        raise ValueError(
            f"PyBaMM takes two size classes at most, got {len(working['Particle'])}; write with particles='one'"
        )
    own = parameterisation.pop("User-defined", {})
    document["Header"]["Model"] = "DFN"
    spare = {key: value for key, value in working.items() if key != "Particle"}
    parameterisation["Negative electrode"] = spare | next(iter(working.get("Particle", {"": {}}).values()))
    with warnings.catch_warnings():
        # They concern the state of charge of a full cell.
        warnings.simplefilter("ignore")
        parameters = pybamm.ParameterValues.create_from_bpx_obj(document)
    for name in [name for name in parameters.keys() if name.startswith("Negative")]:  # noqa: SIM118  no iterator
        del parameters[name]
    salt = parameters["Initial concentration in electrolyte [mol.m-3]"]
    capacity = parameters["Nominal cell capacity [A.h]"]
    changes = LITHIUM | {"Current function [A]": c_rate * capacity}
    changes["Exchange-current density for lithium metal electrode [A.m-2]"] = _lithium(own, salt)
    factor = own.get(FACTOR, 1.0)
    if isinstance(factor, dict):
        changes["Thermodynamic factor"] = lambda c, _: pybamm.Interpolant(
            *map(np.array, (factor["x"], factor["y"])), c
        )
    else:
        changes["Thermodynamic factor"] = factor
    parameters.update(changes, check_already_exists=False)
    return parameters


def _read(half_cell: str | PathLike[str] | Mapping[str, Any]) -> dict[str, Any]:
    """Copy a document, or read it from a file that is checked as every BPX file is."""
    if not isinstance(half_cell, (str, PathLike)):
        return copy.deepcopy(dict(half_cell))
    from solvers.bpx_files import electrode_arguments

    check_text(Path(half_cell))
    electrode_arguments(half_cell, electrode="positive", slices=1)
    document: dict[str, Any] = json.loads(Path(half_cell).read_text(encoding="utf-8"))
    if not str(document["Header"]["BPX"]).startswith("1."):
        raise ValueError(
            f"{fspath(half_cell)} must be BPX 1.x, got {document['Header']['BPX']}; convert it first"
        )
    return document


def _lithium(own: Mapping[str, Any], salt: float) -> Callable[..., Any]:
    """Exchange-current density of lithium metal over the salt concentration, as PyBaMM asks for it."""
    density, order = own.get(EXCHANGE, lithium_exchange(salt)), own.get(ORDER, 0.3)

    def exchange(concentration: Any, *_: Any) -> Any:
        return density * (concentration / salt) ** order

    return exchange


def _sphere(fraction: float, radius: float) -> dict[str, float]:
    """Radius and area of spheres of a volume fraction."""
    return {"Particle radius [m]": radius, "Surface area per unit volume [m-1]": 3.0 * fraction / radius}


def _material(cell: CellParameters) -> dict[str, Any]:
    """Describe the active material; BPX normalises the rate by full sites and by the salt at rest."""
    normalised = (
        cell.reaction_rate_constant * cell.maximum_concentration * cell.initial_salt_concentration**0.5
    )
    return {
        "Minimum stoichiometry": cell.minimum_stoichiometry,
        "Maximum stoichiometry": cell.maximum_stoichiometry,
        "Maximum concentration [mol.m-3]": cell.maximum_concentration,
        "Diffusivity [m2.s-1]": _table(cell.particle_diffusivity, 0.0, 1.0),
        "OCP [V]": _table(cell.open_circuit_potential, 0.0, 1.0),
        # The cell is at its own temperature; PyBaMM asks for the coefficient all the same.
        "Entropic change coefficient [V.K-1]": 0.0,
        "Reaction rate constant [mol.m-2.s-1]": normalised,
    }


def _document(
    cell: CellParameters, porous: dict[str, Any], capacity: float, area: float, isolated: float
) -> dict[str, Any]:
    """Put the sections together."""
    return {
        "Header": {
            "BPX": VERSION,
            "Title": f"{cell.name} against lithium",
            "Description": "One porous electrode against lithium metal; the positive electrode is the porous one.",
            "Model": "Partial",
        },
        "Parameterisation": {
            "Cell": _whole(cell, porous["Thickness [m]"], capacity, area),
            "Electrolyte": {
                "Cation transference number": float(
                    cell.transference_number(cell.initial_salt_concentration)
                ),
                "Diffusivity [m2.s-1]": _table(cell.electrolyte_diffusivity, 0.0, MAXIMUM_SALT),
                "Conductivity [S.m-1]": _table(cell.electrolyte_conductivity, 0.0, MAXIMUM_SALT),
            },
            "Positive electrode": porous,
            "Separator": {
                "Thickness [m]": cell.separator_thickness,
                "Porosity": cell.separator_porosity,
                "Transport efficiency": cell.separator_transport_efficiency,
            },
            "User-defined": {
                EXCHANGE: cell.lithium_exchange_current_density,
                ORDER: cell.lithium_reaction_order,
                ISOLATED: isolated,
                FACTOR: _table(cell.thermodynamic_factor, 0.0, MAXIMUM_SALT),
            },
        },
        "State": {
            "Initial conditions": {
                "Initial temperature [K]": cell.temperature,
                "Initial electrolyte concentration [mol.m-3]": cell.initial_salt_concentration,
            },
            "Thermal environment": {"Ambient temperature [K]": cell.temperature},
        },
    }


def _whole(cell: CellParameters, thickness: float, capacity: float, area: float) -> dict[str, Any]:
    """Describe the cell as a whole: a flat piece that is cooled on both sides."""
    return {
        "Electrode area [m2]": area,
        "External surface area [m2]": 2.0 * area,
        "Volume [m3]": area * (thickness + cell.separator_thickness),
        "Number of electrode pairs connected in parallel to make a cell": 1,
        "Lower voltage cut-off [V]": cell.lower_cutoff_voltage,
        "Upper voltage cut-off [V]": cell.upper_cutoff_voltage,
        "Nominal cell capacity [A.h]": capacity,
        "Reference temperature [K]": cell.temperature,
    }


def _table(curve: Curve, lower: float, upper: float) -> float | dict[str, list[float]]:
    """Write a curve as a number where it is one, or as a table."""
    if curve.is_constant:
        return float(curve(lower))
    x = np.linspace(lower, upper, POINTS)
    return {"x": x.tolist(), "y": curve(x).tolist()}
