"""Transport on the plain graph of all conducting cells: double precision, any grid, some hundred bytes per cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meso.threads import share
from solvers._kernels import blocks, voxels
from solvers._kernels import multigrid as kernels
from solvers.coarsen import COLOURS, build_multigrid, number_planes, seams_of
from solvers.multigrid import Graph, dot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from solvers.network import VoxelNetwork

    Vector = NDArray[np.float64]


class GraphProblem:
    """
    Potential, residual and search direction of a network, node by node.

    Parameters
    ----------
    network : VoxelNetwork
        Network of which every cell carries current.
    levels : ndarray, shape (n0,), float64
        Potential of every plane to start from.
    source : ndarray, shape (n0, n1, n2), float32, optional
        Current fed into every cell while inlet and outlet are at potential 0. None: the inlet is at potential 1.
    """

    def __init__(
        self,
        network: VoxelNetwork,
        levels: Vector,
        *,
        source: NDArray[np.float32] | None = None,
    ) -> None:
        self.network = network
        self.graph, self.source = _graph_of_cells(network)
        self.offset = float(self.source.sum()) if source is None else 0.0
        spacing = 1.0 / np.sqrt((1.0, *network.factors[1:]))
        self.multigrid = build_multigrid(self.graph, spacing, network.wraps)
        self.cells = self.graph.cells
        if source is not None:
            self.source = source[tuple(self.cells.T)].astype(np.float64)
        self.potential = levels[self.cells[:, 0]]
        self.residual, self.correction = self.multigrid.residual, self.multigrid.correction
        self.flow, self.direction, self.nothing = (np.zeros(self.graph.size) for _ in range(3))

    def _apply(self, values: NDArray[Any], out: NDArray[Any]) -> None:
        """Write the currents that leave every node."""
        share(kernels.apply_graph, self.graph.size, self.graph.links, self.nothing, values, out)

    def start(self) -> float:
        """
        Compute the residual of the potential afresh.

        Returns
        -------
        float
            Energy Σ g (Δu)² of the potential, inlet and outlet included, less twice the work of the source if there is one.
        """
        self._apply(self.potential, self.residual)
        np.subtract(self.source, self.residual, out=self.residual)
        return float(self.offset - dot(self.source, self.potential) - dot(self.potential, self.residual))

    def precondition(self) -> float:
        """
        Write the preconditioned residual.

        Returns
        -------
        float
            Product of residual and preconditioned residual.
        """
        self.multigrid.solve(visits=1)
        return dot(self.residual, self.correction)

    def turn(self, weight: float) -> float:
        """
        Turn the search direction into the preconditioned residual plus `weight` times itself.

        Parameters
        ----------
        weight : float
            Share of the old direction.

        Returns
        -------
        float
            Curvature of the energy along the direction.
        """
        self.direction *= weight
        self.direction += self.correction
        self._apply(self.direction, self.flow)
        return dot(self.direction, self.flow)

    def step(self, length: float) -> None:
        """
        Move along the search direction.

        Parameters
        ----------
        length : float
            Length of the step.
        """
        self.potential += length * self.direction
        self.residual -= length * self.flow

    def planes(self) -> tuple[Vector, Vector]:
        """
        Mean potentials and fluxes, from the residual of the last `start`.

        Returns
        -------
        means : ndarray, shape (n0,), float64
            Mean potential of every plane, weighted with the conductances of the cells.
        fluxes : ndarray, shape (n0 + 1,), float64
            Current through every plane of faces.
        """
        layers = self.network.conducts.shape[0]
        plane = self.cells[:, 0]
        weight = np.bincount(plane, weights=self.graph.diagonal, minlength=layers)
        means = np.bincount(plane, weights=self.graph.diagonal * self.potential, minlength=layers) / weight
        lost = np.bincount(plane, weights=self.residual, minlength=layers)
        return means, dot(self.source, 1.0 - self.potential) - np.concatenate(([0.0], np.cumsum(lost)))

    def unpack(self) -> NDArray[np.float32]:
        """
        Potential of all cells.

        Returns
        -------
        ndarray, shape (n0, n1, n2), float32
            Potential, NaN where nothing conducts.
        """
        out = np.full(self.network.conducts.shape, np.nan, np.float32)
        out[tuple(self.cells.T)] = self.potential
        return out


def _graph_of_cells(network: VoxelNetwork) -> tuple[Graph, Vector]:
    """Give numbers to the conducting cells and link them; return the graph and the links to the inlet."""
    planes = len(network.conducts)
    seams = seams_of(network.conducts.shape, network.wraps)
    counts = np.zeros((planes, COLOURS), np.int64)
    share(blocks.count_nodes, planes, network.conducts, seams, counts)
    numbers, starts = number_planes(counts)
    number = np.empty(network.conducts.shape, np.int32)
    share(blocks.number_nodes, planes, network.conducts, seams, numbers, number)
    count = int(counts.sum())
    neighbours, weights = np.empty((count, 6), np.int32), np.empty((count, 6))
    inlet, outlet = np.empty(count), np.empty(count)
    cells = np.empty((count, 3), np.int16)
    share(voxels.link_cells, planes, *network.links, number, neighbours, weights, inlet, outlet, cells)
    ground = inlet + outlet
    diagonal = weights.sum(axis=1) + ground
    graph = Graph(
        neighbours=neighbours,
        weights=weights,
        tail_nodes=np.empty(0, np.int32),
        tail_weights=np.empty(0),
        ground=ground,
        diagonal=diagonal,
        smoother=diagonal,
        starts=starts,
        cells=cells,
        shape=network.conducts.shape,
        exact=True,
        loose=network.is_loose,
    )
    return graph, inlet
