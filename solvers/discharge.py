"""Discharge of a homogenised half-cell: lithium | separator | porous electrode | current collector."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers._kernels.discharge import FINISHED, NO_START, UNFINISHED, run
from solvers._kernels.hold import hold
from solvers._kernels.newton import Chemistry
from solvers.cell import CellParameters
from solvers.constants import FARADAY
from solvers.discretise import Discretisation, chemistry, discretise, radial_mesh
from solvers.electrode import PorousElectrode

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


class DischargeStatus(Enum):
    """How a discharge ended; the value is a text that diagnoses and gives the remedy."""

    CUTOFF_REACHED = "cut-off reached: the voltage met the cut-off, the regular end."
    CANNOT_START = (
        "cannot start: ohmic, kinetic and transport losses take the voltage to the cut-off at once, so nothing is "
        "delivered; lower the rate or raise the conductivities or the surface area."
    )
    NOT_CONNECTED = (
        "not connected: no reacting active material has an ionic path to the separator and an electronic one to the "
        "collector, so nothing is delivered; nothing needs to be repaired unless a path was expected."
    )
    STEP_LIMIT = (
        "not finished: the time step fell below its limit, or the number of steps reached it, above the cut-off; the "
        "capacity is a lower bound. Loosen the tolerance or use more slices."
    )

    @property
    def is_answer(self) -> bool:
        """Whether the numbers that come with this status may be used as they stand."""
        return self is not DischargeStatus.STEP_LIMIT


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DischargeResult:
    """Voltage curve, delivered capacity and final state of a discharge or charge.

    Parameters
    ----------
    time : ndarray, shape (n,), float64
        Accepted time steps; the last one is the cut-off [s].
    voltage : ndarray, shape (n,), float64
        Against lithium [V].
    current : ndarray, shape (n,), float64
        Per electrode area, positive in discharge; constant but for a hold [A.m-2].
    areal_capacity : ndarray, shape (n,), float64
        Charge passed up to each time [A.h.m-2].
    utilization : float
        Delivered over theoretical areal capacity.
    c_rate : float
        Current over the theoretical capacity of the electrode itself [h-1].
    current_density : float
        That of the constant-current part [A.m-2].
    theoretical_areal_capacity : float
        Over all active material [A.h.m-2].
    thickness : float
        Of the electrode, whose slices are equally thick [m].
    status : DischargeStatus
        How it ended.
    salt_positions : ndarray, shape (separator_cells + slices,), float64
        Centres of separator cells and electrode slices, from the lithium [m].
    salt_concentration : ndarray, shape (separator_cells + slices,), float64
        Of the electrolyte, at the end [mol.m-3].
    stoichiometry : ndarray, shape (slices, classes), float64
        Mean lithium content of each size class in each slice, at the end; NaN where there is none.
    surface_stoichiometry : ndarray, shape (slices, classes), float64
        The same at the particles' surface.
    unused_areal_capacity : ndarray, shape (slices, classes), float64
        Capacity that each size class of each slice still has at the end [A.h.m-2].
    isolated_areal_capacity : ndarray, shape (slices,), float64
        Capacity of the isolated material; with the unused one it adds up to what was not delivered [A.h.m-2].
    lithium_mismatch : float
        Lithium gained by the particles against charge passed, relative to the theoretical capacity.
    salt_mismatch : float
        Change of the salt inventory, relative to the inventory.
    steps : int
        Accepted time steps.
    """

    time: Array
    voltage: Array
    current: Array
    areal_capacity: Array
    utilization: float
    c_rate: float
    current_density: float
    theoretical_areal_capacity: float
    thickness: float
    status: DischargeStatus
    salt_positions: Array
    salt_concentration: Array
    stoichiometry: Array
    surface_stoichiometry: Array
    unused_areal_capacity: Array
    isolated_areal_capacity: Array
    lithium_mismatch: float
    salt_mismatch: float
    steps: int

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def delivered_areal_capacity(self) -> float:
        """Charge delivered up to the cut-off [A.h.m-2]."""
        return float(self.areal_capacity[-1])

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the voltage over the capacity.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from solvers.figures import draw_discharge

        return draw_discharge(self, axes=axes)

    def plot_unused(self, axes: "Axes | None" = None) -> "Axes":
        """Draw where in the electrode capacity is left at the end.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from solvers.figures import draw_unused

        return draw_unused(self, axes=axes)

    def _repr_html_(self) -> str:
        """Show the fields in a notebook."""
        from meso.tables import describe

        return describe(self)


STEP_LIMIT = 5000

OUTCOMES = {
    FINISHED: DischargeStatus.CUTOFF_REACHED,
    NO_START: DischargeStatus.CANNOT_START,
    UNFINISHED: DischargeStatus.STEP_LIMIT,
}


def simulate_discharge(
    electrode: PorousElectrode,
    cell: CellParameters,
    *,
    c_rate: float,
    direction: Literal["discharge", "charge"] = "discharge",
    hold_until: float | None = None,
    separator_cells: int = 10,
    shells: int = 20,
    tolerance: float = 3e-4,
) -> DischargeResult:
    """Discharge a half-cell at constant current, from equilibrium at one cut-off voltage to the other.

    Parameters
    ----------
    electrode : PorousElectrode
        Its slices are the mesh through the thickness; see `PorousElectrode.refined`.
    cell : CellParameters
        Materials, separator and cut-off voltages.
    c_rate : float
        Current over the electrode's own theoretical capacity, isolated material included [h-1].
    direction : {"discharge", "charge"}, default "discharge"
        Discharge inserts lithium from the upper to the lower cut-off, charge extracts it on the way back.
    hold_until : float, optional
        Rate [h-1] to which the current falls in a constant-voltage hold at the cut-off; no hold when left out.
        Utilization then counts the hold as well.
    separator_cells : int, default 10
        Finite volumes in the separator.
    shells : int, default 20
        Finite volumes in each particle.
    tolerance : float, default 3e-4
        Error allowed in a time step, relative to the salt concentration at rest, to a full stoichiometry and to
        four thermal voltages.

    Returns
    -------
    DischargeResult
        Voltage curve, utilization and end profiles. A cell that cannot start delivers nothing, and says why.

    Raises
    ------
    ValueError
        If a rate, a count or the tolerance is out of range.

    Notes
    -----
    Porous-electrode model of Doyle, Fuller and Newman (J. Electrochem. Soc. 140, 1526, 1993; 141, 1, 1994) with one
    electrode against lithium metal, as written in ``docs/theory.md``: concentrated-solution theory, symmetric
    Butler-Volmer kinetics, spherical diffusion in every size class of every slice. Finite volumes of second order in
    space, backward differences of second order in time, Newton's method on a block tridiagonal system. Left out:
    heat, mechanics, side reactions, double layers, lateral differences.

    Examples
    --------
    >>> cell = CellParameters.named("nmc532-xu2019")
    >>> electrode = PorousElectrode.uniform(
    ...     thickness=42e-6, porosity=0.331, active_fraction=0.518, particle_radius=5.3e-6
    ... )
    >>> result = simulate_discharge(electrode, cell, c_rate=1.0)
    >>> result.status.name, round(result.utilization, 2)
    ('CUTOFF_REACHED', 0.94)
    """
    if not 0.0 < c_rate < np.inf:
        raise ValueError(
            f"c_rate must be positive and finite, got {c_rate}; use direction='charge' to charge"
        )
    if direction not in {"discharge", "charge"}:
        raise ValueError(f"direction must be 'discharge' or 'charge', got {direction!r}")
    if hold_until is not None and not 0.0 < hold_until < c_rate:
        raise ValueError(
            f"hold_until must lie between 0 and c_rate = {c_rate}, got {hold_until}; both are rates"
        )
    if separator_cells < 1 or shells < 2:
        raise ValueError(
            f"separator_cells must be at least 1 and shells at least 2, got {separator_cells} and {shells}"
        )
    if not 0.0 < tolerance <= 0.1:
        raise ValueError(f"tolerance must lie in (0, 0.1], got {tolerance}; 3e-4 is the default")
    layout = discretise(electrode, cell, separator_cells=separator_cells)
    sign = 1.0 if direction == "discharge" else -1.0
    current = sign * c_rate * electrode.theoretical_areal_capacity(cell)
    return run_protocol(
        electrode,
        cell,
        layout,
        chemistry(cell),
        current=current,
        stop=abs(current) if hold_until is None else abs(current) * hold_until / c_rate,
        shells=shells,
        tolerance=tolerance,
    )


def run_protocol(
    electrode: PorousElectrode,
    cell: CellParameters,
    layout: Discretisation,
    materials: Chemistry,
    *,
    current: float,
    stop: float,
    shells: int,
    tolerance: float,
) -> DischargeResult:
    """Run the kernel on arrays that are already laid out.

    Parameters
    ----------
    electrode : PorousElectrode
        Gives the theoretical capacity.
    cell : CellParameters
        Gives the cut-offs.
    layout : Discretisation
        Mesh, perhaps that of a counterfactual electrode.
    materials : Chemistry
        Properties, perhaps counterfactual ones.
    current : float
        Per electrode area, positive in discharge [A.m-2].
    stop : float
        Size of the current at which a hold ends; that of the current itself for none [A.m-2].
    shells : int
        Finite volumes in each particle.
    tolerance : float
        Error allowed in a time step.

    Returns
    -------
    DischargeResult
        The run.
    """
    capacity = electrode.theoretical_areal_capacity(cell)
    nominal = 3600.0 * capacity / abs(current)
    ends = (
        (cell.minimum_stoichiometry, cell.upper_cutoff_voltage),
        (
            cell.maximum_stoichiometry,
            cell.lower_cutoff_voltage,
        ),
    )
    (first, rest), (last, cutoff) = ends if current > 0.0 else ends[::-1]
    currents, limits = (current, stop), (rest, cutoff)
    end = _run(layout, materials, currents, nominal, first, limits, shells=shells, tolerance=tolerance)
    gained = float(np.sum(layout.volumes * (end.mean - first))) * FARADAY * cell.maximum_concentration
    passed = float(end.curve[-1, 3])
    storage = layout.mesh.storage
    share = cell.active_capacity * electrode.thickness / electrode.slices
    contents = _by_slice(layout, electrode, end.mean)
    left = (contents - last) / (first - last)
    time, voltage, flowing, charge = (column.copy() for column in end.curve.T)
    return DischargeResult(
        time=time,
        voltage=voltage,
        current=flowing,
        areal_capacity=np.abs(charge) / 3600.0,
        utilization=abs(passed) / (3600.0 * capacity),
        c_rate=abs(current) / capacity,
        current_density=current,
        theoretical_areal_capacity=capacity,
        thickness=electrode.thickness,
        status=end.status,
        salt_positions=_positions(layout, cell, electrode),
        salt_concentration=end.salt,
        stoichiometry=contents,
        surface_stoichiometry=_by_slice(layout, electrode, end.surface),
        unused_areal_capacity=share * electrode.active_fractions * np.where(np.isnan(left), 1.0, left),
        isolated_areal_capacity=share * electrode.isolated_fractions,
        lithium_mismatch=(gained - passed) / (3600.0 * capacity),
        salt_mismatch=float(np.sum(storage * (end.salt - materials.salt)) / np.sum(storage * materials.salt)),
        steps=len(time) - 1,
    )


class _End(NamedTuple):
    """How a run ended: curve (n, 4) of time, voltage, current and charge, then salt, surfaces, mean contents, status."""

    curve: Array
    salt: Array
    surface: Array
    mean: Array
    status: DischargeStatus


def _run(
    layout: Discretisation,
    materials: Chemistry,
    currents: tuple[float, float],
    nominal: float,
    first: float,
    voltages: tuple[float, float],
    *,
    shells: int,
    tolerance: float,
) -> _End:
    """Call the kernels, or stay at rest where nothing can react."""
    (current, stop), (rest, cutoff) = currents, voltages
    if not layout.volumes.size:
        salt, contents = np.full(len(layout.mesh.storage), materials.salt), np.empty(0)
        curve = np.array([[0.0, rest, current, 0.0]])
        return _End(curve, salt, contents, contents, DischargeStatus.NOT_CONNECTED)
    numbers = (nominal, tolerance, STEP_LIMIT, materials, layout.mesh, radial_mesh(shells))
    steps, state, mean, outcome = run(current, cutoff, first, *numbers)
    time, voltage = steps.T
    curve = np.column_stack((time, voltage, np.full_like(time, current), current * time))
    if outcome != UNFINISHED and stop < abs(current):
        steps, state, mean, outcome = hold(state, current, cutoff, stop, *numbers)
        held = np.full(len(steps), cutoff)
        later = np.column_stack((steps[:, 0] + time[-1], held, steps[:, 1], steps[:, 2] + curve[-1, 3]))
        curve = np.concatenate((curve, later[1:]))
    return _End(curve, state.c, state.surface, mean, OUTCOMES[outcome])


def _positions(layout: Discretisation, cell: CellParameters, electrode: PorousElectrode) -> Array:
    """Centres of all cells from the lithium [m]."""
    front = layout.mesh.front
    slices = len(layout.mesh.solid)
    separator = (np.arange(front) + 0.5) * (cell.separator_thickness / front)
    porous = cell.separator_thickness + (np.arange(slices) + 0.5) * (electrode.thickness / slices)
    return np.concatenate((separator, porous))


def _by_slice(layout: Discretisation, electrode: PorousElectrode, values: Array) -> Array:
    """Spread one value a particle over (slices, classes), NaN where there is no particle."""
    table = np.full((len(layout.mesh.solid), len(electrode.particle_radii)), np.nan)
    table[layout.places] = values
    return table
