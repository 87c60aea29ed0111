"""Transport on a red–black grid: single precision, a few bytes per voxel, multigrid below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers._kernels import blocks, grid, links, redblack
from solvers._kernels import multigrid as graphs
from solvers.multigrid import STRENGTH, Graph, Multigrid, build_multigrid, make_graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from solvers.network import VoxelNetwork

    Single = NDArray[np.float32]
    Index = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Coarse:
    """The way between the grid and the graph of its pieces."""

    multigrid: Multigrid
    residual: Single
    correction: Single
    nodes: Index
    spare_ptr: Index
    spare_at: Index
    spare_node: Index

    @property
    def ways(self) -> tuple[Any, ...]:
        """The arguments that describe the way to the kernels."""
        return self.nodes, self.spare_ptr, self.spare_at, self.spare_node


class Grid:
    """
    Potential, residual and search direction of a network on a red–black grid.

    Parameters
    ----------
    network : VoxelNetwork
        Network of which every cell carries current.
    """

    def __init__(self, network: VoxelNetwork) -> None:
        n0, n1, n2 = network.conducts.shape
        width = (n2 + 1) // 2 + 2
        self.size = (n0, n1, width, int(network.wraps[1]), int(network.wraps[2]))
        self.rows = 2 if network.cell is None else 3
        self.work = np.zeros(0, np.float32 if network.cell is None else np.float64)
        self.slabs = max(1, min(32, n0 // 16))
        self.network = network
        self._pack()
        self.coarse = _coarse_graph(network)
        cells = (n0 + 1) * (n1 + 1) * width
        self.potential, self.residual, self.direction, self.scratch = (
            np.zeros(cells, np.float32) for _ in range(4)
        )
        inset = 0.5 if network.factors[0] == 2.0 else 1.0
        redblack.pack_ramp(self.potential, self.black, self.size, inset)
        self.sums = np.zeros((n0, 4))

    def _pack(self) -> None:
        """Bring degrees and conductances into the red–black layout."""
        network = self.network
        n0, n1, width, _, _ = self.size
        cells = (n0 + 1) * (n1 + 1) * width
        equal = network.cell is None and network.areas is None and network.factors[1:] == (1.0, 1.0)
        self.black, self.red = (np.zeros(cells, np.uint8 if equal else np.float32) for _ in range(2))
        self.inlet = np.zeros((2, (n1 + 1) * width), np.float32)
        redblack.pack_inlet(network.ends, network.conducts, self.inlet, self.size)
        self.faces = None
        if equal:
            redblack.pack_counts(
                network.conducts, network.ends, network.wraps, self.black, self.red, self.size
            )
            return
        self.faces = np.zeros(6 * cells, np.uint8 if network.cell is None else np.float32)
        redblack.pack_weights(*network.links, self.black, self.red, self.faces, self.size)

    @property
    def _operator(self) -> tuple[Any, ...]:
        """The arguments that describe the grid to the kernels."""
        return self.red, self.black, self.faces, self.network.factors

    def start(self) -> float:
        """
        Compute the residual of the potential afresh, in double precision.

        Returns
        -------
        float
            Energy Σ g (Δu)² of the potential.
        """
        self.sums[:] = 0.0
        product = grid.apply_grid(
            self.potential,
            self.residual,
            *self._operator,
            self.inlet,
            self.size,
            self.slabs,
            self.rows,
            np.zeros(0),
            self.sums,
        )
        np.negative(self.residual, out=self.residual)
        return float(self._inflow() + product)

    def _inflow(self) -> float:
        """Return the current from the inlet."""
        return float(
            redblack.inlet_flow(
                self.potential, self.red, self.faces, self.network.factors, self.inlet, self.size, self.rows
            )
        )

    def precondition(self) -> float:
        """
        Write the preconditioned residual.

        Returns
        -------
        float
            Product of residual and preconditioned residual.
        """
        coarse = self.coarse
        coarse.residual[:] = 0.0
        grid.restrict_grid(
            self.residual,
            coarse.residual,
            *self._operator,
            self.size,
            self.slabs,
            self.rows,
            self.work,
            *coarse.ways,
        )
        coarse.multigrid.solve(coarse.residual, coarse.correction)
        coarse.multigrid.improve(coarse.residual, coarse.correction)
        return float(
            grid.correct_grid(
                self.residual,
                coarse.correction,
                self.scratch,
                *self._operator,
                self.size,
                self.slabs,
                self.rows,
                self.work,
                *coarse.ways,
            )
        )

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
        grid.combine(self.direction, self.scratch, weight, self.slabs)
        return float(
            grid.apply_grid(
                self.direction,
                self.scratch,
                *self._operator,
                None,
                self.size,
                self.slabs,
                self.rows,
                self.work,
                np.zeros((0, 4)),
            )
        )

    def step(self, length: float) -> None:
        """
        Move along the search direction.

        Parameters
        ----------
        length : float
            Length of the step.
        """
        grid.step(self.potential, self.direction, self.residual, self.scratch, length, self.slabs)

    def planes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """
        Mean potentials and fluxes, from the sums of the last `start`.

        Returns
        -------
        means : ndarray, shape (n0,), float64
            Mean potential of every plane, weighted with the conductances of the cells.
        fluxes : ndarray, shape (n0 + 1,), float64
            Current through every plane of faces.
        """
        means = self.sums[:, 2] / self.sums[:, 3]
        fluxes = self._inflow() + np.concatenate(([0.0], np.cumsum(self.sums[:, 0])))
        return means, fluxes

    def unpack(self) -> NDArray[np.float32]:
        """
        Potential of all cells.

        Returns
        -------
        ndarray, shape (n0, n1, n2), float32
            Potential, NaN where nothing conducts.
        """
        out = np.empty(self.network.conducts.shape, np.float32)
        redblack.unpack(self.potential, *self._operator, self.inlet, self.size, self.rows, out)
        return out


def _coarse_graph(network: VoxelNetwork) -> _Coarse:
    """Split the blocks into pieces, link them, and remember the way between cells and pieces."""
    shape = network.conducts.shape
    coarse_shape = tuple((n + 1) // 2 for n in shape)
    piece = np.empty(shape, np.uint8)
    counts = np.empty(coarse_shape, np.uint8)
    table = np.empty((256, 9), np.uint8)
    blocks.tabulate_pieces(table)
    blocks.split_blocks(*network.links, STRENGTH, table, piece, counts)
    nodes = np.empty(coarse_shape, np.int32)
    n_red, count = blocks.number_nodes(counts, nodes, np.empty((2, coarse_shape[0]), np.int64))
    cells = np.empty((count, 3), np.int16)
    graph = _link_pieces(network, piece, counts, nodes, n_red, cells)
    spare_ptr = np.empty(shape[0] * shape[1] + 1, np.int32)
    blocks.count_spare(piece, spare_ptr)
    np.cumsum(spare_ptr, out=spare_ptr)
    spare_at, spare_node = np.empty(spare_ptr[-1], np.int32), np.empty(spare_ptr[-1], np.int32)
    blocks.list_spare(piece, nodes, spare_ptr, spare_at, spare_node)
    del piece, counts
    return _Coarse(
        multigrid=build_multigrid(graph, cells, 1.0 / np.sqrt((1.0, *network.factors[1:]))),
        residual=np.empty(count, np.float32),
        correction=np.empty(count, np.float32),
        nodes=nodes,
        spare_ptr=spare_ptr,
        spare_at=spare_at,
        spare_node=spare_node,
    )


def _link_pieces(
    network: VoxelNetwork,
    piece: NDArray[np.uint8],
    counts: NDArray[np.uint8],
    nodes: Index,
    n_red: int,
    cells: NDArray[np.int16],
) -> Graph:
    """Link the pieces of neighbouring blocks; write the block coordinates of every piece into cells."""
    count = len(cells)
    room = np.empty(count + 1, np.int64)
    links.room_of_rows(counts, nodes, network.wraps, room)
    np.cumsum(room, out=room)
    length = np.zeros(count, np.int32)
    out_i, out_w = np.empty(room[-1], np.int32), np.empty(room[-1], np.float32)
    ground = np.zeros(count, np.float32)
    flat_cell = None if network.cell is None else network.cell.reshape(-1)
    flat_areas = None if network.areas is None else tuple(area.reshape(-1) for area in network.areas)
    links.link_pieces(
        *network.links[1:], flat_cell, flat_areas, piece, piece.reshape(-1), counts, nodes, room, length,
        out_i, out_w, ground, cells,
    )  # fmt: skip
    indptr = np.concatenate(([0], np.cumsum(length))).astype(np.int32)
    indices, weights = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    graphs.compact_rows(room, out_i, out_w, indptr, indices, weights)
    return make_graph(n_red, indptr, indices, weights, ground)
