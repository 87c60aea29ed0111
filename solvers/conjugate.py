"""Conjugate gradients that know how far the energy still is from its minimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from solvers._kernels import multigrid as kernels
from solvers._kernels import network as network_kernels
from solvers.multigrid import Graph, build_multigrid, make_graph
from solvers.status import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from solvers.network import VoxelNetwork

    Vector = NDArray[np.float64]

SAFETY = 2.0
"""Factor on the extrapolated tail of the energy, so that the error estimate stays on the safe side."""

ROUNDING = 1e-11
"""Relative error of the energy that rounding leaves."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Solution:
    """
    Potential of a network between inlet (1) and outlet (0), and how well it is known.

    Parameters
    ----------
    potential : ndarray, shape (n0, n1, n2), float64
        Potential of every voxel; NaN where no current can flow.
    error : float
        Estimated relative error of the energy.
    iterations : int
        Iterations made.
    status : Status
        How the iteration ended.
    """

    potential: Vector
    error: float
    iterations: int
    status: Status


def minimise_energy(
    network: VoxelNetwork, carries: NDArray[np.bool_], *, tolerance: float, max_iterations: int
) -> Solution:
    """
    Find the potential of the voxels that carry current.

    Parameters
    ----------
    network : VoxelNetwork
        Conductances.
    carries : ndarray, shape (n0, n1, n2), bool
        Voxels connected to both inlet and outlet.
    tolerance : float
        Relative error of the energy at which to stop.
    max_iterations : int
        Iterations after which to give up.

    Returns
    -------
    Solution
        Potential, error estimate and status.
    """
    if carries.size == 0:
        return Solution(
            potential=np.empty(carries.shape), error=ROUNDING, iterations=0, status=Status.CONVERGED
        )
    graph, inlet, cells = _voxel_graph(network, carries)
    multigrid = build_multigrid(graph, cells, network.spacing)
    potential = 1.0 - (cells[:, 0] + 0.5) / carries.shape[0]
    flow = np.empty_like(potential)
    graph.apply(potential, flow)
    residual = inlet - flow
    energy = inlet.sum() - potential @ (inlet + residual)
    direction = np.zeros_like(potential)
    correction = np.empty_like(potential)
    rz_before = np.inf
    gains: list[float] = []
    error = np.inf
    while error > tolerance and len(gains) < max_iterations:
        multigrid.solve(residual, correction)
        rz = kernels.dot(residual, correction)
        direction *= rz / rz_before
        direction += correction
        graph.apply(direction, flow)
        curvature = kernels.dot(direction, flow)
        if rz <= ROUNDING**2 * energy or curvature <= 0.0:
            error = ROUNDING
            break
        step = rz / curvature
        potential += step * direction
        residual -= step * flow
        rz_before = rz
        gains.append(step * rz)
        energy -= gains[-1]
        error = _tail(gains) / energy + ROUNDING
    everywhere = np.full(carries.shape, np.nan)
    everywhere[tuple(cells.T)] = potential
    status = Status.CONVERGED if error <= tolerance else Status.ITERATION_LIMIT
    return Solution(potential=everywhere, error=error, iterations=len(gains), status=status)


def _tail(gains: list[float]) -> float:
    """Extrapolate what the energy still has to lose, as a geometric series on the safe side."""
    if len(gains) < 2:
        return np.inf
    ratio = max(after / before for before, after in zip(gains[-4:-1], gains[-3:], strict=False))
    if ratio >= 1.0:
        return np.inf
    return SAFETY * gains[-1] * ratio / (1.0 - ratio)


def _voxel_graph(
    network: VoxelNetwork, carries: NDArray[np.bool_]
) -> tuple[Graph, Vector, NDArray[np.int32]]:
    """Graph of the carrying voxels, their conductance to the inlet and their coordinates."""
    number = np.empty(carries.shape, np.int32)
    n_red, count = network_kernels.number_nodes(carries, number)
    indptr = np.empty(count + 1, np.int32)
    indices = np.empty(6 * count, np.int32)
    weights = np.empty(6 * count)
    inlet = np.empty(count)
    outlet = np.empty(count)
    cells = np.empty((count, 3), np.int32)
    network_kernels.voxel_graph(*network.conductances, number, indptr, indices, weights, inlet, outlet, cells)
    links = indptr[-1]
    return make_graph(n_red, indptr, indices[:links], weights[:links], inlet + outlet), inlet, cells
