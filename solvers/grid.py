"""Transport on a red–black grid: single precision, a few bytes per voxel, multigrid below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meso.threads import share
from solvers._kernels import blocks, grid, links, redblack
from solvers.coarsen import (
    COLOURS,
    STRENGTH,
    build_multigrid,
    join_tails,
    number_planes,
    seams_of,
)
from solvers.multigrid import Graph, Multigrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from solvers.network import VoxelNetwork

    Single = NDArray[np.float32]
    Index = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Coarse:
    """The way between the grid and the graph of its pieces."""

    multigrid: Multigrid
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
    levels : ndarray, shape (n0,), float64
        Potential of every plane to start from.
    source : ndarray, shape (n0, n1, n2), float32, optional
        Current fed into every cell while inlet and outlet are at potential 0. None: the inlet is at potential 1.
    """

    def __init__(
        self,
        network: VoxelNetwork,
        levels: NDArray[np.float64],
        *,
        source: Single | None = None,
    ) -> None:
        n0, n1, n2 = network.conducts.shape
        width = (n2 + 1) // 2 + 2
        self.size = (n0, n1, width, int(network.wraps[1]), int(network.wraps[2]))
        alike = network.contrast == 1
        self.rows = 2 if alike else 3
        self.work = np.zeros(0, np.float32 if alike else np.float64)
        self.slabs = max(1, min(32, n0 // 16))
        self.network = network
        self._pack()
        self._pack_source(source)
        self.coarse = _coarse_graph(network)
        cells = (n0 + 1) * (n1 + 1) * width
        self.potential, self.residual, self.direction, self.scratch = (
            np.zeros(cells, np.float32) for _ in range(4)
        )
        share(redblack.pack_planes, n0, levels, self.potential, self.black, self.size)
        self.sums = np.zeros((n0, 5))
        self.totals = np.zeros(self.slabs)

    def _pack(self) -> None:
        """Bring degrees and conductances into the red–black layout."""
        network = self.network
        n0, n1, width, _, _ = self.size
        cells = (n0 + 1) * (n1 + 1) * width
        alike = network.contrast == 1
        equal = alike and network.areas is None and network.factors[1:] == (1.0, 1.0)
        self.black, self.red = (np.zeros(cells, np.uint8 if equal else np.float32) for _ in range(2))
        self.faces = None
        if equal:
            image = network.conducts, network.ends, network.wraps
            share(redblack.pack_counts, n0, *image, self.black, self.red, self.size)
            return
        self.faces = np.zeros(6 * cells, np.uint8 if alike else np.float32)
        share(redblack.pack_weights, n0, *network.links, self.black, self.red, self.faces, self.size)

    def _pack_source(self, source: Single | None) -> None:
        """Bring what is fed into the cells, by the inlet at potential 1 or by the source, into the red–black layout."""
        network = self.network
        _, n1, width, _, _ = self.size
        given = network.ends[:1].astype(np.float32) if source is None else source
        self.source = np.zeros((2, len(given) * (n1 + 1) * width), np.float32)
        share(redblack.pack_source, len(given), given, network.conducts, self.source, self.size)
        self.fed = float(self.source.sum(dtype=np.float64))
        self.offset = self.fed if source is None else 0.0

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
            Energy Σ g (Δu)² of the potential, inlet and outlet included, less twice the work of the source if there is one.
        """
        self.sums[:] = 0.0
        self._apply(self.potential, self.residual, self.source, np.zeros(0), self.sums)
        np.negative(self.residual, out=self.residual)
        return float(self.totals.sum() - self.sums[:, 4].sum() + self.offset)

    def _apply(
        self, x: Single, out: Single, source: Single | None, work: NDArray[Any], sums: NDArray[np.float64]
    ) -> None:
        """Apply the operator, in the precision of `work`."""
        share(
            grid.apply_grid, self.slabs, x, out, *self._operator, source, self.size, self.slabs, self.rows, work, sums,
            self.totals,
        )  # fmt: skip

    def precondition(self) -> float:
        """
        Write the preconditioned residual.

        Returns
        -------
        float
            Product of residual and preconditioned residual.
        """
        coarse = self.coarse
        multigrid = coarse.multigrid
        layout = *self._operator, self.size, self.slabs, self.rows, self.work, *coarse.ways
        multigrid.residual.fill(0)
        share(grid.restrict_grid, self.slabs, self.residual, multigrid.residual, *layout)
        multigrid.solve(visits=2)
        share(
            grid.correct_grid,
            self.slabs,
            self.residual,
            multigrid.correction,
            self.scratch,
            *layout,
            self.totals,
        )
        return float(self.totals.sum())

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
        share(grid.combine, self.slabs, self.direction, self.scratch, weight, self.slabs)
        self._apply(self.direction, self.scratch, None, self.work, np.zeros((0, 5)))
        return float(self.totals.sum())

    def step(self, length: float) -> None:
        """
        Move along the search direction.

        Parameters
        ----------
        length : float
            Length of the step.
        """
        vectors = self.potential, self.direction, self.residual, self.scratch
        share(grid.step, self.slabs, *vectors, length, self.slabs)

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
        inflow = self.fed - self.sums[:, 4].sum()
        fluxes = inflow + np.concatenate(([0.0], np.cumsum(self.sums[:, 0])))
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
        layout = *self._operator, self.source, self.size, self.rows
        share(redblack.unpack, len(out), self.potential, *layout, out)
        return out


def _coarse_graph(network: VoxelNetwork) -> _Coarse:
    """Split the blocks into pieces, link them, and remember the way between cells and pieces."""
    n0, n1, n2 = network.conducts.shape
    shape = (n0 + 1) // 2, (n1 + 1) // 2, (n2 + 1) // 2
    piece, counts = np.empty((n0, n1, n2), np.uint8), np.empty(shape, np.uint8)
    table = np.empty((4096, 9), np.uint8)
    blocks.tabulate_pieces(table)
    share(blocks.split_blocks, shape[0], *network.links, STRENGTH, network.is_loose, table, piece, counts)
    seams = seams_of(shape, network.wraps)
    per_plane = np.zeros((shape[0], COLOURS), np.int64)
    share(blocks.count_nodes, shape[0], counts, seams, per_plane)
    numbers, starts = number_planes(per_plane)
    nodes = np.empty(shape, np.int32)
    share(blocks.number_nodes, shape[0], counts, seams, numbers, nodes)
    graph = _link_pieces(network, piece, counts, nodes, starts)
    spare_ptr = np.zeros(n0 * n1 + 1, np.int32)
    share(blocks.count_spare, n0, piece, spare_ptr)
    np.cumsum(spare_ptr, out=spare_ptr)
    spare_at, spare_node = np.empty(spare_ptr[-1], np.int32), np.empty(spare_ptr[-1], np.int32)
    share(blocks.list_spare, n0, piece, nodes, spare_ptr, spare_at, spare_node)
    del piece, counts
    return _Coarse(
        multigrid=build_multigrid(
            graph,
            1.0 / np.sqrt((1.0, *network.factors[1:])),
            network.wraps,
        ),
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
    starts: NDArray[np.int64],
) -> Graph:
    """Link the pieces of neighbouring blocks."""
    count = int(starts[-1, -1]) if starts.size else 0
    cells = np.empty((count, 3), np.int16)
    neighbours, weights = np.empty((count, 6), np.int32), np.empty((count, 6), np.float32)
    ground, diagonal, smoother = (np.empty(count, np.float32) for _ in range(3))
    flat_cell = None if network.cell is None else network.cell.reshape(-1)
    flat_areas = None if network.areas is None else tuple(area.reshape(-1) for area in network.areas)
    parts = share(
        links.link_pieces, len(nodes), network.links, flat_cell, flat_areas, piece, piece.reshape(-1), counts, nodes,
        neighbours, weights, ground, diagonal, smoother, cells,
    )  # fmt: skip
    tail_nodes, tail_weights = join_tails(
        parts,
        neighbours,
        lambda first, last: [slice(low, high) for low, high in zip(starts[first], starts[last], strict=True)],
    )
    return Graph(
        neighbours=neighbours,
        weights=weights,
        tail_nodes=tail_nodes,
        tail_weights=tail_weights,
        ground=ground,
        diagonal=diagonal,
        smoother=smoother,
        starts=starts,
        cells=cells,
        shape=nodes.shape,
        exact=not any(part[4] for part in parts),
        loose=network.is_loose,
    )
