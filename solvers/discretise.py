"""From the nouns of the half-cell to the arrays of the kernels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers._kernels.newton import Chemistry, Mesh
from solvers._kernels.particles import Radial
from solvers.cell import CellParameters
from solvers.constants import FARADAY
from solvers.curves import combine
from solvers.electrode import PorousElectrode

Array = NDArray[np.float64]

# Shells thin out towards the surface, where the content changes first and fastest.
GRADING = 4.0

# A slice without any path keeps this transport property, so that its rows stay regular; nothing reacts there.
BLOCKED = 1e-9


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Discretisation:
    """Mesh of a half-cell and where each of its particles sits.

    Parameters
    ----------
    mesh : Mesh
        Arrays of the kernels.
    places : tuple of ndarray, shape (particles,), int
        Slice and size class of each particle.
    volumes : ndarray, shape (particles,), float64
        Volume of active material that each particle stands for, per electrode area [m].
    """

    mesh: Mesh
    places: tuple[NDArray[np.intp], NDArray[np.intp]]
    volumes: Array


def chemistry(cell: CellParameters) -> Chemistry:
    """Collect what the kernels need to know about the materials.

    Parameters
    ----------
    cell : CellParameters
        The half-cell.

    Returns
    -------
    Chemistry
        Numbers and tables.
    """
    transference, factor = cell.transference_number, cell.thermodynamic_factor
    at_rest = float(transference(cell.initial_salt_concentration))
    return Chemistry(
        salt=float(cell.initial_salt_concentration),
        thermal=float(cell.thermal_voltage),
        salt_per_charge=(1.0 - at_rest) / FARADAY,
        exchange=FARADAY * cell.reaction_rate_constant * cell.maximum_concentration,
        lithium_exchange=float(cell.lithium_exchange_current_density),
        lithium_order=float(cell.lithium_reaction_order),
        potential=cell.open_circuit_potential.table,
        diffusivity=cell.particle_diffusivity.table,
        salt_diffusivity=cell.electrolyte_diffusivity.table,
        conductivity=cell.electrolyte_conductivity.table,
        migration=combine(lambda t: (t - at_rest) / FARADAY, transference).table,
        junction=combine(lambda t, f: 2.0 * cell.thermal_voltage * (1.0 - t) * f, transference, factor).table,
    )


def reachable(electrode: PorousElectrode) -> NDArray[np.bool_]:
    """Tell which slices have an ionic path to the separator and an electronic one to the collector.

    Parameters
    ----------
    electrode : PorousElectrode
        The electrode; a transport property of zero blocks a slice and all behind it.

    Returns
    -------
    ndarray, shape (slices,), bool
        Whether reactions can happen there.
    """
    ionic = np.logical_and.accumulate(electrode.transport_efficiency > 0.0)
    electronic = np.logical_and.accumulate(electrode.electronic_conductivity[::-1] > 0.0)[::-1]
    return np.asarray(ionic & electronic)


def discretise(electrode: PorousElectrode, cell: CellParameters, *, separator_cells: int) -> Discretisation:
    """Lay out cells from the lithium to the collector and the particles in them.

    Parameters
    ----------
    electrode : PorousElectrode
        Its slices are the cells of the electrode.
    cell : CellParameters
        Gives the separator.
    separator_cells : int
        Number of cells in the separator.

    Returns
    -------
    Discretisation
        Finite volumes; resistances between centres add up half a cell from each side.
    """
    width = electrode.thickness / electrode.slices
    front = cell.separator_thickness / separator_cells
    efficiency = np.maximum(electrode.transport_efficiency, BLOCKED)
    half = np.concatenate(
        (
            np.full(separator_cells, 0.5 * front / cell.separator_transport_efficiency),
            0.5 * width / efficiency,
        )
    )
    ionic = half.copy()
    ionic[1:] += half[:-1]
    half_solid = 0.5 * width / np.maximum(electrode.electronic_conductivity, BLOCKED)
    solid = half_solid.copy()
    solid[:-1] += half_solid[1:]
    reacts = (electrode.active_fractions > 0.0) & (electrode.specific_surface_areas > 0.0)
    reacts &= reachable(electrode)[:, None]
    inside, member = np.nonzero(reacts)
    places = (inside, member)
    radii = electrode.particle_radii[member]
    areas, fractions = electrode.specific_surface_areas[places], electrode.active_fractions[places]
    mesh = Mesh(
        front=separator_cells,
        storage=np.concatenate(
            (
                np.full(separator_cells, cell.separator_porosity * front),
                np.maximum(electrode.porosity, BLOCKED) * width,
            )
        ),
        ionic=ionic,
        solid=solid,
        first=np.concatenate(([0], np.cumsum(reacts.sum(axis=1)))),
        area=areas * width,
        radii=radii,
        # The area that reacts need not be that of the spheres; the flux is spread over all of the sphere.
        gain=areas * radii / (3.0 * fractions * FARADAY * cell.maximum_concentration),
    )
    return Discretisation(mesh=mesh, places=places, volumes=fractions * width)


def radial_mesh(shells: int) -> Radial:
    """Divide the unit sphere into shells that thin out towards the surface.

    Parameters
    ----------
    shells : int
        Number of shells.

    Returns
    -------
    Radial
        Volumes over 4 pi, squared outer radii, and effective distances from each shell to the next or to the surface.

    Notes
    -----
    The distances make the flux exact for the parabola that a constant flux settles into: with the mean of r² over a
    shell, dx/dr = 2 r dx/d(r²) at each face.
    """
    edges = 1.0 - np.sinh(GRADING * (1.0 - np.arange(shells + 1) / shells)) / np.sinh(GRADING)
    squares = np.append(0.6 * np.diff(edges**5) / np.diff(edges**3), 1.0)
    return Radial(
        volumes=np.diff(edges**3) / 3.0, faces=edges[1:] ** 2, gaps=0.5 * np.diff(squares) / edges[1:]
    )
