"""Steady transport through a voxel structure: effective conductivity, tortuosity factor, profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from solvers.conjugate import Solution, minimise_energy
from solvers.network import VoxelNetwork, build_network, count_carrying_only, find_carrying, fix_at_centres
from solvers.status import SolverError, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from meso.structure import Mesostructure

    Vector = NDArray[np.float64]

CONVENTIONS = ("face", "porespy", "openimpala", "pumapy")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TransportResult:
    """Answer, status and statistics of one steady transport solve.

    Parameters
    ----------
    effective_conductivity : float
        Effective conductivity of the whole block along the axis, in the unit of the conductivities given.
    tortuosity_factor : float
        Sum of conductivity times volume fraction over the phases, divided by the effective conductivity;
        infinite when the structure does not percolate.
    macmullin_number : float
        Largest conductivity of a phase divided by the effective conductivity.
    porosity : float
        Volume fraction of the conducting phases, isolated parts included.
    percolates : bool
        Whether a path of conducting voxels joins the two electrodes.
    profile : ndarray, shape (n,), float64
        MacMullin number of every slice along the axis; its mean is `macmullin_number`.
    flux_mismatch : float
        Largest relative deviation of the flux through a plane from the mean flux.
    error_estimate : float
        Estimated relative error of `effective_conductivity` left by the iteration (not by the voxels).
    upper_bound : float
        Energy of the computed field, which the exact discrete effective conductivity cannot exceed
        (up to rounding), in the unit of the conductivities.
    iterations : int
        Iterations of the preconditioned conjugate gradients.
    status : Status
        How the solve ended.
    field : ndarray or None
        Potential in every voxel, 1 at the first face and 0 at the last along the axis, NaN where no current
        can flow; same shape as the structure, float32. None unless asked for.
    """

    effective_conductivity: float
    tortuosity_factor: float
    macmullin_number: float
    porosity: float
    percolates: bool
    profile: NDArray[np.float64]
    flux_mismatch: float
    error_estimate: float
    upper_bound: float
    iterations: int
    status: Status
    field: NDArray[np.float32] | None = None


def solve_transport(
    structure: Mesostructure | ArrayLike,
    *,
    conductivity: Mapping[int, float] | None = None,
    axis: int = 0,
    sides: str | None = None,
    convention: str = "face",
    voxel_size: float | tuple[float, ...] | None = None,
    tolerance: float = 1e-4,
    max_iterations: int = 200,
    field: bool = False,
    throw: bool = True,
) -> TransportResult:
    """
    Solve for the steady transport through a structure and its effective conductivity.

    Parameters
    ----------
    structure : Mesostructure or array_like
        Structure, or an image in two or three dimensions: booleans (True conducts with 1) or integer labels.
        Never modified.
    conductivity : mapping of label to float, optional
        Conductivity of the phases, any unit; labels that are missing do not conduct. By default the pore (label 0;
        True in a boolean image) conducts with 1.
    axis : int, default 0
        Axis along which the difference of potential is applied; 0 is through-plane.
    sides : {"insulated", "periodic"}, optional
        What bounds the block laterally. By default what the structure says; arrays are insulated.
    convention : {"face", "porespy", "openimpala", "pumapy"}, default "face"
        Where the potential is fixed and what length and porosity enter, see Notes.
    voxel_size : float or tuple of float, optional
        Edges of a voxel; only their ratios matter. By default those of the structure; cubes for arrays.
    tolerance : float, default 1e-4
        Largest relative error of the effective conductivity that the iteration may leave.
    max_iterations : int, default 200
        Iterations after which the solve gives up.
    field : bool, default False
        Whether to return the potential.
    throw : bool, default True
        Whether to raise when the solve ends without an answer, instead of returning its status.

    Returns
    -------
    TransportResult
        The answer. A structure that does not percolate has effective conductivity 0 and an infinite
        tortuosity factor.

    Raises
    ------
    ValueError
        If an argument makes no sense.
    TypeError
        If the image is neither boolean nor integer.
    SolverError
        If the solve does not converge and `throw` is set.

    Notes
    -----
    Cell-centred finite volumes of ∇·(σ∇u) = 0 with harmonic means on the inner faces. Conjugate gradients,
    preconditioned by a multigrid cycle, minimise the energy Σ g (Δu)², whose minimum is the effective conductivity. Every
    iteration lowers the energy by a known amount; the error estimate extrapolates the amounts still to come [1]_.

    "face" fixes u = 1 and u = 0 on the outer faces of the block. The others fix it at the centres of the first and the
    last layer: "porespy" and "pumapy" take the length N − 1, "openimpala" N; "porespy" and "openimpala" count the
    percolating part only in the porosity of τ; "pumapy" is periodic unless `sides` says otherwise.

    References
    ----------
    .. [1] Z. Strakoš and P. Tichý, "On error estimation in the conjugate gradient method and why it works in finite
       precision computations", ETNA 13 (2002) 56–80.

    Examples
    --------
    >>> import numpy as np
    >>> layers = np.repeat([0, 1], 4)[:, None, None] * np.ones((8, 4, 4), dtype=int)
    >>> result = solve_transport(layers, conductivity={0: 1.0, 1: 0.5})
    >>> round(result.effective_conductivity, 10), round(result.tortuosity_factor, 10)
    (0.6666666667, 1.125)
    """
    _check(convention, tolerance, max_iterations)
    if sides is None and convention == "pumapy":
        sides = "periodic"
    block = build_network(structure, conductivity=conductivity, axis=axis, sides=sides, voxel_size=voxel_size)
    percolates, carries = find_carrying(block)
    layers = carries.shape[0]
    network = count_carrying_only(block, carries) if convention in {"porespy", "openimpala"} else block
    if convention != "face":
        network = fix_at_centres(network)
        percolates, carries = find_carrying(network)
    if percolates:
        solution = minimise_energy(network, carries, tolerance=tolerance, max_iterations=max_iterations)
    else:
        nowhere = np.full(carries.shape, np.nan)
        solution = Solution(potential=nowhere, error=0.0, iterations=0, status=Status.NOT_PERCOLATING)
    if throw and not solution.status.is_answer:
        raise SolverError(solution.status, f"(error estimate {solution.error:.1e})")
    length = layers if convention in {"face", "openimpala"} else layers - 1
    result = _summarise(network, solution, length, layers)
    if not field:
        return result
    return replace(result, field=_field(block, solution, axis))


def _check(convention: str, tolerance: float, max_iterations: int) -> None:
    """Refuse arguments that make no sense."""
    if convention not in CONVENTIONS:
        raise ValueError(f"convention must be one of {CONVENTIONS}, got {convention!r}")
    if not 0.0 < tolerance < 1.0:
        raise ValueError(
            f"tolerance must lie in (0, 1), got {tolerance}; it is a relative error of the conductivity"
        )
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1, got {max_iterations}")


def _summarise(network: VoxelNetwork, solution: Solution, length: int, layers: int) -> TransportResult:
    """Read the effective conductivity off the energy, and the profile off the mean potentials."""
    potential = np.nan_to_num(solution.potential)
    carrying = ~np.isnan(solution.potential)
    flux, energy = _flux_and_energy(network, potential, carrying)
    section = potential.shape[1] * potential.shape[2]
    sigma = energy * length / section
    percolates = solution.status != Status.NOT_PERCOLATING
    with np.errstate(divide="ignore", invalid="ignore"):
        macmullin = float(np.divide(network.largest_conductivity, sigma))
        tortuosity = float(np.divide(network.mean_conductivity, sigma))
    return TransportResult(
        effective_conductivity=sigma,
        tortuosity_factor=tortuosity if percolates else np.inf,
        macmullin_number=macmullin,
        porosity=network.fraction,
        percolates=percolates,
        profile=macmullin * layers * _drops(network, solution.potential, layers)
        if percolates
        else np.full(layers, np.inf),
        flux_mismatch=float(np.abs(flux / flux.mean() - 1.0).max()) if percolates else 0.0,
        error_estimate=solution.error,
        upper_bound=sigma,
        iterations=solution.iterations,
        status=solution.status,
    )


def _flux_and_energy(
    network: VoxelNetwork, potential: Vector, carrying: NDArray[np.bool_]
) -> tuple[Vector, float]:
    """Flux through every plane of faces, and twice the dissipation Σ g (Δu)²."""
    g0, g1, g2 = network.conductances
    ends = np.ones((1, *carrying.shape[1:]), dtype=bool)
    padded = np.concatenate((1.0 * ends, potential, 0.0 * ends))
    live = np.concatenate((ends, carrying, ends))
    drop = -np.diff(padded, axis=0) * (live[1:] & live[:-1])
    energy = np.sum(g0 * drop**2)
    energy += np.sum(g1[:, :-1] * (potential - np.roll(potential, 1, axis=1)) ** 2)
    energy += np.sum(g2[:, :, :-1] * (potential - np.roll(potential, 1, axis=2)) ** 2)
    return np.sum(g0 * drop, axis=(1, 2)), float(energy)


def _drops(network: VoxelNetwork, potential: Vector, layers: int) -> Vector:
    """Potential drop over every slice, from the conductivity-weighted mean potentials; they add up to 1."""
    weight = np.where(np.isnan(potential), 0.0, network.cell_conductivity)
    mean = np.sum(weight * np.nan_to_num(potential), axis=(1, 2)) / weight.sum(axis=(1, 2))
    if mean.size < layers:
        mean = np.concatenate(([1.0], mean, [0.0]))
    return -np.diff(np.concatenate(([1.0], 0.5 * (mean[:-1] + mean[1:]), [0.0])))


def _field(block: VoxelNetwork, solution: Solution, axis: int) -> NDArray[np.float32]:
    """Potential in the layout of the image."""
    values = solution.potential.astype(np.float32)
    if values.shape[0] < block.cell_conductivity.shape[0]:
        conducts = block.cell_conductivity[[0, -1]] > 0
        ends = np.where(conducts, np.array([[[1.0]], [[0.0]]]), np.nan).astype(np.float32)
        values = np.concatenate((ends[:1], values, ends[1:]))
    if block.dimensions == 2:
        values = values[:, 0, :]
    return np.ascontiguousarray(np.moveaxis(values, 0, axis))
