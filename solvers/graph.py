"""Transport on the plain graph of all conducting cells: double precision, any grid, some hundred bytes per cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from solvers._kernels import multigrid as kernels
from solvers._kernels import voxels
from solvers.multigrid import build_multigrid, make_graph

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
    """

    def __init__(self, network: VoxelNetwork) -> None:
        self.network = network
        number = np.empty(network.conducts.shape, np.int32)
        n_red, count = voxels.number_cells(network.conducts, number)
        indptr = np.empty(count + 1, np.int32)
        indices, weights = np.empty(6 * count, np.int32), np.empty(6 * count)
        self.inlet, self.outlet = np.empty(count), np.empty(count)
        self.cells = np.empty((count, 3), np.int32)
        voxels.cell_graph(
            *network.links, number, indptr, indices, weights, self.inlet, self.outlet, self.cells
        )
        links = int(indptr[-1])
        self.graph = make_graph(n_red, indptr, indices[:links], weights[:links], self.inlet + self.outlet)
        spacing = 1.0 / np.sqrt((1.0, *network.factors[1:]))
        self.multigrid = build_multigrid(self.graph, self.cells, spacing)
        self.potential = 1.0 - (self.cells[:, 0] + 0.5) / network.conducts.shape[0]
        self.residual, self.correction, self.flow = (np.empty(count) for _ in range(3))
        self.direction = np.zeros(count)

    def start(self) -> float:
        """
        Compute the residual of the potential afresh.

        Returns
        -------
        float
            Energy Σ g (Δu)² of the potential.
        """
        self.graph.apply(self.potential, self.residual)
        np.subtract(self.inlet, self.residual, out=self.residual)
        return float(self._inflow() - kernels.dot(self.potential, self.residual))

    def _inflow(self) -> float:
        """Return the current from the inlet."""
        return float(kernels.dot(self.inlet, 1.0 - self.potential))

    def precondition(self) -> float:
        """
        Write the preconditioned residual.

        Returns
        -------
        float
            Product of residual and preconditioned residual.
        """
        self.multigrid.solve(self.residual, self.correction)
        return float(kernels.dot(self.residual, self.correction))

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
        self.graph.apply(self.direction, self.flow)
        return float(kernels.dot(self.direction, self.flow))

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
        return means, self._inflow() - np.concatenate(([0.0], np.cumsum(lost)))

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
