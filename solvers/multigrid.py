"""Multigrid on graphs of conductances, the preconditioner of the transport solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import get_num_threads, set_num_threads

from solvers._kernels import multigrid as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.floating[Any]]
    Index = NDArray[np.int32]

STRENGTH = 0.02
"""Share of the larger diagonal from which on a link joins two nodes; weaker ones would tie clusters together."""

SLOWEST_COARSENING = 0.7
"""Largest ratio of two graph sizes; where strong links do not get there, weaker ones join nodes, too."""

WEAKEST_LINK = 1e-12
"""Strength below which the search for more links to join along ends."""

SERIAL_SIZE = 50_000
"""Graphs up to this size are worked on by one thread: waking a second one costs more than it saves."""

DIRECT_SIZE = 200
"""Graphs up to this size are solved by a dense inverse."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Graph:
    """A network of conductances between nodes, red nodes first.

    Parameters
    ----------
    n_red : int
        Number of red nodes.
    indptr : ndarray, shape (n + 1,), int32
        Where the row of every node starts.
    indices : ndarray, shape (nnz,), int32
        Neighbours.
    weights : ndarray, shape (nnz,), float64
        Conductances of the links.
    ground : ndarray, shape (n,), float64
        Conductances to fixed potentials.
    diagonal : ndarray, shape (n,), float64
        Row sums of `weights` plus `ground`.
    smoother : ndarray, shape (n,), float64
        The diagonal the smoother divides by.
    alternating : bool
        Whether all links join a red and a black node.
    """

    n_red: int
    indptr: Index
    indices: Index
    weights: Vector
    ground: Vector
    diagonal: Vector
    smoother: Vector
    alternating: bool

    @property
    def size(self) -> int:
        """Number of nodes."""
        return self.ground.size

    def apply(self, values: Vector, out: Vector) -> None:
        """
        Write the currents that leave every node.

        Parameters
        ----------
        values : ndarray, shape (n,), float64
            Potentials.
        out : ndarray, shape (n,), float64
            Receives the currents.
        """
        kernels.apply_graph(self.indptr, self.indices, self.weights, self.ground, values, out)


def make_graph(n_red: int, indptr: Index, indices: Index, weights: Vector, ground: Vector) -> Graph:
    """
    Complete a graph with its diagonals.

    Parameters
    ----------
    n_red : int
        Number of red nodes, which come first.
    indptr : ndarray, shape (n + 1,), int32
        Where the row of every node starts.
    indices : ndarray, shape (nnz,), int32
        Neighbours.
    weights : ndarray, shape (nnz,), float64
        Conductances of the links.
    ground : ndarray, shape (n,), float64
        Conductances to fixed potentials.

    Returns
    -------
    Graph
        The graph.
    """
    diagonal = np.empty_like(ground)
    smoother = np.empty_like(ground)
    kernels.diagonals(indptr, indices, weights, ground, n_red, diagonal, smoother)
    return Graph(
        n_red=n_red,
        indptr=indptr,
        indices=indices,
        weights=weights,
        ground=ground,
        diagonal=diagonal,
        smoother=smoother,
        alternating=bool(np.array_equal(diagonal, smoother)),
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Level:
    """A graph, the way down to the next one, and scratch vectors."""

    graph: Graph
    member_ptr: Index
    members: Index
    residual: Vector
    correction: Vector
    scratch: Vector


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Multigrid:
    """A hierarchy of graphs whose W-cycle approximates the inverse of the finest.

    Parameters
    ----------
    levels : tuple
        Levels with a coarser one below, finest first.
    inverse : ndarray, shape (n, n), float64
        Dense inverse of the coarsest graph.
    """

    levels: tuple[_Level, ...]
    inverse: Vector

    def solve(self, residual: Vector, out: Vector) -> None:
        """
        Write the approximate solution for a residual: one symmetric W-cycle.

        Parameters
        ----------
        residual : ndarray, shape (n,)
            Right-hand side.
        out : ndarray, shape (n,)
            Receives the correction.
        """
        self._cycle(0, residual, out)

    def improve(self, residual: Vector, out: Vector) -> None:
        """
        Improve the approximate solution for a residual by a second W-cycle.

        Parameters
        ----------
        residual : ndarray, shape (n,)
            Right-hand side.
        out : ndarray, shape (n,)
            The solution to improve.
        """
        if self.levels:
            self._cycle_again(0, residual, out)

    def _cycle(self, depth: int, r: Vector, z: Vector) -> None:
        """Write an approximate solution on one level."""
        if depth == len(self.levels):
            kernels.apply_dense(self.inverse, r, z)
            return
        threads = get_num_threads()
        if self.levels[depth].graph.size <= SERIAL_SIZE:
            set_num_threads(1)
        try:
            self._smooth_and_correct(depth, r, z)
        finally:
            set_num_threads(threads)

    def _smooth_and_correct(self, depth: int, r: Vector, z: Vector) -> None:
        """Smooth, correct from below, smooth back."""
        level = self.levels[depth]
        graph, q = level.graph, level.scratch
        links = graph.indptr, graph.indices, graph.weights
        kernels.smooth_from_zero(*links, graph.smoother, graph.n_red, r, z)
        kernels.restrict(
            *links,
            graph.ground,
            graph.n_red,
            graph.alternating,
            level.member_ptr,
            level.members,
            r,
            z,
            level.residual,
        )
        self._cycle(depth + 1, level.residual, level.correction)
        if depth + 1 < len(self.levels):
            self._cycle_again(depth + 1, level.residual, level.correction)
        kernels.prolong(level.member_ptr, level.members, level.correction, z)
        kernels.smooth_back(*links, graph.ground, graph.smoother, graph.n_red, graph.alternating, r, z, q)

    def _cycle_again(self, depth: int, r: Vector, z: Vector) -> None:
        """Improve an approximate solution by a second cycle."""
        remainder, update = np.empty_like(r), np.empty_like(r)
        self.levels[depth].graph.apply(z, remainder)
        np.subtract(r, remainder, out=remainder)
        self._cycle(depth, remainder, update)
        np.add(z, update, out=z)


def build_multigrid(graph: Graph, cells: NDArray[np.int32], spacing: NDArray[np.float64]) -> Multigrid:
    """
    Coarsen a graph of voxels until it can be solved directly.

    Parameters
    ----------
    graph : Graph
        Finest graph; every part of it must be tied to a fixed potential.
    cells : ndarray, shape (n, 3), int32
        Voxel coordinates of the nodes.
    spacing : ndarray, shape (3,), float64
        Voxel size along the axes, in any unit.

    Returns
    -------
    Multigrid
        The hierarchy.

    Notes
    -----
    Nodes join inside blocks of two cells a side, along strong links only, so that clusters of good conductors and
    pores on the two sides of a thin wall stay apart. The conductance between two aggregates is the sum of those between
    their members, times ½ where the blocks are two cells long, for their centres lie twice as far apart [1]_.

    References
    ----------
    .. [1] D. Braess, "Towards algebraic multigrid for elliptic problems of second order", Computing 55 (1995) 379–393.
    """
    levels: list[_Level] = []
    while graph.size > DIRECT_SIZE:
        halved = _directions_to_halve(cells, spacing)
        blocks = cells >> halved.astype(cells.dtype)
        owner = np.empty(graph.size, np.int32)
        strength, count, n_red = STRENGTH, graph.size, 0
        while count > SLOWEST_COARSENING * graph.size and strength > WEAKEST_LINK:
            n_red, count = kernels.aggregate(
                graph.indptr, graph.indices, graph.weights, graph.diagonal, blocks, strength, owner
            )
            strength /= 8.0
        scale = np.append(np.where(halved, 0.5, 1.0), 0.5).astype(graph.ground.dtype)
        level, coarse = _coarsen(graph, owner, n_red, count, blocks, scale)
        cells = np.ascontiguousarray(blocks[level.members[level.member_ptr[:-1]]])
        spacing = spacing * np.where(halved, 2.0, 1.0)
        levels.append(level)
        graph = coarse
    inverse = _dense(graph)
    kernels.invert(inverse)
    return Multigrid(levels=tuple(levels), inverse=inverse.astype(graph.ground.dtype))


def _directions_to_halve(cells: NDArray[np.int32], spacing: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Directions along which cells join: the finely spaced ones among those with more than one cell."""
    long = cells.max(axis=0) > cells.min(axis=0)
    if not long.any():
        return np.ones(3, dtype=bool)
    return np.asarray(long & (spacing < 1.5 * spacing[long].min()))


def _coarsen(
    graph: Graph, owner: Index, n_red: int, count: int, blocks: NDArray[np.int32], scale: Vector
) -> tuple[_Level, Graph]:
    """Build the graph between the aggregates."""
    member_ptr = np.empty(count + 1, np.int32)
    members = np.empty(graph.size, np.int32)
    kernels.list_members(owner, member_ptr, members)
    room = np.empty(count + 1, np.int64)
    kernels.room_for_rows(graph.indptr, member_ptr, members, room)
    length = np.empty(count, np.int32)
    indices = np.empty(room[-1], np.int32)
    weights = np.empty(room[-1], graph.weights.dtype)
    kernels.coarse_rows(
        graph.indptr, graph.indices, graph.weights, owner, blocks, member_ptr, members, scale, room, length,
        indices, weights,
    )  # fmt: skip
    indptr = np.concatenate(([0], np.cumsum(length))).astype(np.int32)
    compact_indices = np.empty(indptr[-1], np.int32)
    compact_weights = np.empty(indptr[-1], graph.weights.dtype)
    kernels.compact_rows(room, indices, weights, indptr, compact_indices, compact_weights)
    ground = scale[0] * np.bincount(owner, weights=graph.ground, minlength=count).astype(graph.ground.dtype)
    level = _Level(
        graph=graph,
        member_ptr=member_ptr,
        members=members,
        residual=np.empty_like(ground),
        correction=np.empty_like(ground),
        scratch=np.empty_like(graph.ground),
    )
    return level, make_graph(n_red, indptr, compact_indices, compact_weights, ground)


def _dense(graph: Graph) -> Vector:
    """Write the matrix of a small graph in full."""
    matrix = np.diag(graph.diagonal.astype(np.float64))
    rows = np.repeat(np.arange(graph.size), np.diff(graph.indptr))
    np.subtract.at(matrix, (rows, graph.indices), graph.weights)
    return matrix
