"""Discharge of a homogenised half-cell: lithium | separator | porous electrode | current collector."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

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
    """Voltage curve, delivered capacity and final state of a constant-current discharge or charge.

    Parameters
    ----------
    time : ndarray, shape (n,), float64
        Accepted time steps; the last one is the cut-off [s].
    voltage : ndarray, shape (n,), float64
        Against lithium [V].
    areal_capacity : ndarray, shape (n,), float64
        Charge passed up to each time [A.h.m-2].
    utilization : float
        Delivered over theoretical areal capacity.
    c_rate : float
        Current over the theoretical capacity of the electrode itself [h-1].
    current_density : float
        Per electrode area, positive in discharge [A.m-2].
    theoretical_areal_capacity : float
        Over all active material [A.h.m-2].
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
    lithium_mismatch : float
        Lithium gained by the particles against charge passed, relative to the theoretical capacity.
    salt_mismatch : float
        Change of the salt inventory, relative to the inventory.
    steps : int
        Accepted time steps.
    """

    time: Array
    voltage: Array
    areal_capacity: Array
    utilization: float
    c_rate: float
    current_density: float
    theoretical_areal_capacity: float
    status: DischargeStatus
    salt_positions: Array
    salt_concentration: Array
    stoichiometry: Array
    surface_stoichiometry: Array
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
