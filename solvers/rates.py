"""Utilization over the rate: several discharges in one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from solvers.cell import CellParameters
from solvers.discharge import DischargeResult, simulate_discharge
from solvers.electrode import PorousElectrode

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RateSweep:
    """Discharges of one electrode at several rates.

    Parameters
    ----------
    c_rate : ndarray, shape (n,), float64
        Rates [h-1], in the order given.
    utilization : ndarray, shape (n,), float64
        Utilization at each rate.
    results : tuple of DischargeResult, length n
        The runs.
    """

    c_rate: NDArray[np.float64]
    utilization: NDArray[np.float64]
    results: tuple[DischargeResult, ...]

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the utilization over the rate.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from solvers.figures import draw_rates

        return draw_rates(self, axes=axes)

    def _repr_html_(self) -> str:
        """Show the fields in a notebook."""
        from meso.tables import describe

        return describe(self)


def sweep_rates(
    electrode: PorousElectrode,
    cell: CellParameters,
    *,
    c_rates: Sequence[float],
    direction: Literal["discharge", "charge"] = "discharge",
    separator_cells: int = 10,
    shells: int = 20,
    tolerance: float = 3e-4,
) -> RateSweep:
    """Discharge an electrode at several rates, each from equilibrium.

    Parameters
    ----------
    electrode : PorousElectrode
        The electrode.
    cell : CellParameters
        Materials, separator and cut-off voltages.
    c_rates : sequence of float
        Currents over the theoretical capacity [h-1].
    direction : {"discharge", "charge"}, default "discharge"
        Direction of the current.
    separator_cells, shells : int
        Mesh; see `simulate_discharge`.
    tolerance : float, default 3e-4
        Error allowed in a time step; see `simulate_discharge`.

    Returns
    -------
    RateSweep
        Utilization at each rate.

    Examples
    --------
    >>> cell = CellParameters.named("nmc532-xu2019")
    >>> electrode = PorousElectrode.uniform(
    ...     thickness=42e-6, porosity=0.331, active_fraction=0.518, particle_radius=5.3e-6
    ... )
    >>> sweep_rates(electrode, cell, c_rates=(0.2, 1.0, 5.0)).utilization.round(2).tolist()
    [0.99, 0.94, 0.66]
    """
    results = tuple(
        simulate_discharge(
            electrode,
            cell,
            c_rate=c_rate,
            direction=direction,
            separator_cells=separator_cells,
            shells=shells,
            tolerance=tolerance,
        )
        for c_rate in c_rates
    )
    return RateSweep(
        c_rate=np.array(c_rates, dtype=np.float64),
        utilization=np.array([result.utilization for result in results]),
        results=results,
    )
