"""Tortuosity factor of a porous electrode: the resistance that its blocking (symmetric) cell shows, dead ends included."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from meso.threads import share
from solvers._kernels import blocking
from solvers.network import VoxelNetwork, build_network, keep_carrying
from solvers.problem import check_options, solve_network
from solvers.status import SolverError, Status

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from meso.structure import Mesostructure
    from solvers.conjugate import Descent

    Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectrodeTortuosity:
    """Answer, status and statistics of one solve for the tortuosity factor of an electrode.

    Parameters
    ----------
    tortuosity_factor : float
        Ionic resistance of the electrode over that of straight pores with the same volume and conductivity; infinite
        where no interface can be reached from the separator.
    effective_conductivity : float
        Sum of conductivity times volume fraction over the phases, divided by the tortuosity factor, in the unit of the
        conductivities given.
    macmullin_number : float
        Largest conductivity of a phase divided by the effective conductivity.
    porosity : float
        Volume fraction of the conducting phases, isolated parts included.
    cut_off_area : float
        Share of the interface that cannot be reached from the separator; it is not charged and does not count.
    error_estimate : float
        Bound on the relative error of `tortuosity_factor` left by the iteration (not by the voxels); the exact discrete
        value is never smaller than the one given (up to rounding).
    iterations : int
        Iterations of the preconditioned conjugate gradients.
    status : Status
        How the solve ended.
    """

    tortuosity_factor: float
    effective_conductivity: float
    macmullin_number: float
    porosity: float
    cut_off_area: float
    error_estimate: float
    iterations: int
    status: Status

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the transport efficiency beside the porosity.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from solvers.figures import draw_efficiencies

        return draw_efficiencies({"blocking cell": (self.macmullin_number, self.porosity)}, axes=axes)

    def _repr_html_(self) -> str:
        """Show the fields in a notebook."""
        from meso.tables import describe

        return describe(self)


def electrode_tortuosity(
    structure: Mesostructure | ArrayLike,
    *,
    conductivity: Mapping[int, float] | None = None,
    onto: Collection[int] | None = None,
    axis: int = 0,
    sides: str | None = None,
    voxel_size: float | tuple[float, ...] | None = None,
    tolerance: float = 1e-4,
    precision: str = "auto",
    max_iterations: int = 200,
    throw: bool = True,
) -> ElectrodeTortuosity:
    """
    Solve for the tortuosity factor of an electrode between separator and current collector, where dead ends count.

    Parameters
    ----------
    structure : Mesostructure or array_like
        Structure, or an image in two or three dimensions: booleans (True conducts with 1) or integer labels. The first
        layer along the axis touches the separator, the last one the current collector. Never modified.
    conductivity : mapping of label to float, optional
        Conductivity of the phases that hold electrolyte, any unit; labels that are missing hold none. By default the
        pore (label 0; True in a boolean image) conducts with 1.
    onto : collection of label, optional
        Phases whose interface with the electrolyte is charged, such as the active material alone. By default all that
        do not conduct.
    axis : int, default 0
        Axis from the separator to the current collector.
    sides : {"insulated", "periodic"}, optional
        What bounds the block laterally. By default what the structure says; arrays are insulated.
    voxel_size : float or tuple of float, optional
        Edges of a voxel; only their ratios matter. By default those of the structure; cubes for arrays.
    tolerance : float, default 1e-4
        Largest relative error of the tortuosity factor that the iteration may leave.
    precision : {"auto", "single", "double"}, default "auto"
        Precision of the vectors, see `solve_transport`.
    max_iterations : int, default 200
        Iterations after which the solve gives up.
    throw : bool, default True
        Whether to raise when the solve ends without an answer, instead of returning its status.

    Returns
    -------
    ElectrodeTortuosity
        The answer. Where the separator reaches no interface the tortuosity factor is infinite and the status
        `Status.CUT_OFF`.

    Raises
    ------
    ValueError
        If an argument makes no sense.
    TypeError
        If the image is neither boolean nor integer.
    SolverError
        If there is no interface or the solve does not converge, and `throw` is set.

    Notes
    -----
    A small alternating current through an electrode without faradaic reaction charges the double layer of the whole
    interface. Towards low frequency the same current q flows off per area everywhere, and the real part of the impedance
    is the heat that the currents dissipate on their way from the separator, over the square of their sum [1]_:

        −∇·(σ∇u) = 0 in the electrolyte,  σ ∂u/∂n = q at the interface,  u = 0 at the separator,  R = ∫ σ |∇u|² / I²

    In straight pores, R is a third of their resistance L/(σ ε A), the R_ion/3 of the transmission line, so that

        τ = 3 R Σ σ_p ε_p A / L

    On N voxels from separator to collector, straight pores dissipate 1 + 1/(2 N²) times as much as continuous ones; this
    is divided out, and they have τ = 1 exactly. The area of the interface is that of the voxel faces, or the length of
    the area vector in every voxel where the structure carries face fractions.

    References
    ----------
    .. [1] T.-T. Nguyen et al., "The electrode tortuosity factor: why the conventional tortuosity factor is not well
       suited for quantifying transport in porous Li-ion battery electrodes and what to use instead", npj Comput. Mater.
       6 (2020) 123.

    Examples
    --------
    >>> import numpy as np
    >>> slits = np.zeros((20, 4, 6), dtype=int) + [1, 0, 1, 1, 0, 1]
    >>> round(electrode_tortuosity(slits).tortuosity_factor, 6)
    1.0
    """
    check_options(tolerance, precision, max_iterations)
    block = build_network(structure, conductivity=conductivity, axis=axis, sides=sides, voxel_size=voxel_size)
    other = None
    if onto is not None:
        chosen = dict.fromkeys(onto, 1.0)
        other = build_network(structure, conductivity=chosen, axis=axis, sides=sides, voxel_size=voxel_size)
        if block.areas is None and np.any(block.conducts & other.conducts):
            raise ValueError(f"onto must name phases that do not conduct, got {sorted(chosen)}")
    source = _interface(block, other)
    whole = float(source.sum(dtype=np.float64))
    closed = block.ends.copy()
    closed[1] = 0.0
    _, network = keep_carrying(replace(block, ends=closed), dead_ends=True)
    source *= network.conducts
    fed = float(source.sum(dtype=np.float64))
    if fed == 0.0:
        return _unreached(block, whole, throw=throw)
    _, descent = solve_network(
        network, _start(network, source), tolerance=tolerance, precision=precision, max_iterations=max_iterations,
        source=source,
    )  # fmt: skip
    if throw and not descent.status.is_answer:
        raise SolverError(descent.status, f"(error estimate {descent.error:.1e})")
    return _summarise(block, descent, fed, 1.0 - fed / whole)


def _interface(block: VoxelNetwork, other: VoxelNetwork | None) -> NDArray[np.float32]:
    """Area of the interface in every conducting cell, in cross-sections of a cell."""
    sides = 1.0, float(np.sqrt(block.factors[1])), float(np.sqrt(block.factors[2]))
    area = np.empty(block.conducts.shape, np.float32)
    if block.areas is None:
        beyond = None if other is None else other.conducts
        share(blocking.count_faces, len(area), block.conducts, beyond, block.wraps, sides, area)
    else:
        others = None if other is None else other.areas
        share(blocking.measure_cuts, len(area), block.conducts, block.areas, others, sides, area)
    return area


def _start(network: VoxelNetwork, source: NDArray[np.float32]) -> Vector:
    """Potentials of the planes if every plane were at one potential."""
    links, fed = np.zeros((2, len(source)))
    share(blocking.sum_planes, len(source), *network.links, source, links, fed)
    flow = np.cumsum(fed[::-1])[::-1]
    return np.cumsum(np.divide(flow, links, out=np.zeros_like(flow), where=links > 0))


def _summarise(block: VoxelNetwork, descent: Descent, fed: float, cut_off_area: float) -> ElectrodeTortuosity:
    """Compare the heat with that in straight pores."""
    section = block.conducts.shape[1] * block.conducts.shape[2]
    straight = block.layers / 3.0 + 1.0 / (6.0 * block.layers)
    resistance = -descent.energy / fed**2 / block.unit
    tau = resistance * block.mean_conductivity * section / straight
    sigma = block.mean_conductivity / tau
    return ElectrodeTortuosity(
        tortuosity_factor=tau,
        effective_conductivity=sigma,
        macmullin_number=block.largest_conductivity / sigma,
        porosity=block.porosity,
        cut_off_area=cut_off_area,
        error_estimate=descent.error,
        iterations=descent.iterations,
        status=descent.status,
    )


def _unreached(block: VoxelNetwork, whole: float, *, throw: bool) -> ElectrodeTortuosity:
    """Answer for an electrode whose interface cannot be reached, or that has none."""
    status = Status.CUT_OFF if whole > 0.0 or block.porosity == 0.0 else Status.NO_INTERFACE
    if throw and not status.is_answer:
        raise SolverError(status)
    cut_off = status is Status.CUT_OFF
    return ElectrodeTortuosity(
        tortuosity_factor=np.inf if cut_off else np.nan,
        effective_conductivity=0.0 if cut_off else np.nan,
        macmullin_number=np.inf if cut_off else np.nan,
        porosity=block.porosity,
        cut_off_area=1.0 if cut_off else 0.0,
        error_estimate=0.0,
        iterations=0,
        status=status,
    )
