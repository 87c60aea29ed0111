"""Multigrid on graphs of conductances, the preconditioner of the transport solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from meso.threads import share
from solvers._kernels import multigrid as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.floating[Any]]
    Index = NDArray[np.int32]

SERIAL_SIZE = 40_000
"""Graphs up to this size are worked on by one thread: waking a second one costs more than it saves."""

DOT_SLAB = 65_536
"""Length of the slabs in which sums are taken, so that their bits do not depend on the number of threads."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Graph:
    """
    A network of conductances between nodes, numbered colour by colour and plane by plane.

    Parameters
    ----------
    neighbours : ndarray, shape (n, 6), int32
        Neighbours of every node, the node itself where it has fewer; longer rows go on in the tails, see the kernels.
    weights : ndarray, shape (n, 6)
        Conductances of the links.
    tail_nodes : ndarray, shape (m,), int32
        Further neighbours.
    tail_weights : ndarray, shape (m,)
        Conductances to them, 0 at the end of a row.
    ground : ndarray, shape (n,)
        Conductances to fixed potentials.
    diagonal : ndarray, shape (n,)
        Row sums of the weights plus `ground`.
    smoother : ndarray, shape (n,)
        The diagonal plus the links within a colour: what relaxation divides by.
    starts : ndarray, shape (planes + 1, colours), int64
        First node of a colour in a plane or a later one.
    cells : ndarray, shape (n, 3), int16
        Coordinates of the nodes.
    shape : tuple of int
        Number of cells along the three axes.
    exact : bool
        Whether no two nodes of a colour are linked.
    loose : bool
        Whether nodes are joined along links that are strong for one of the two.
    """

    neighbours: Index
    weights: Vector
    tail_nodes: Index
    tail_weights: Vector
    ground: Vector
    diagonal: Vector
    smoother: Vector
    starts: NDArray[np.int64]
    cells: NDArray[np.int16]
    shape: tuple[int, int, int]
    exact: bool
    loose: bool

    @property
    def size(self) -> int:
        """Number of nodes."""
        return self.ground.size

    @property
    def links(self) -> tuple[Any, ...]:
        """The arguments that describe the rows to the kernels."""
        return self.neighbours, self.weights, self.tail_nodes, self.tail_weights, self.ground


def dot(a: Vector, b: Vector) -> float:
    """
    Scalar product in double precision, the same bits for any number of threads.

    Parameters
    ----------
    a, b : ndarray, shape (n,)
        Vectors.

    Returns
    -------
    float
        Σ a·b.
    """
    partial = np.zeros(-(-a.size // DOT_SLAB))
    share(kernels.dot, partial.size, a, b, DOT_SLAB, partial)
    return float(partial.sum())


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Level:
    """
    A large graph and the way down to the next one.

    Parameters
    ----------
    graph : Graph
        The graph.
    ranges : ndarray, shape (planes + 1, colours), int64
        Its `starts`, taken over the planes of the blocks.
    owner : ndarray, shape (n,), int32
        Node of the next graph for every node.
    residual, correction : ndarray
        Vectors on the next graph.
    """

    graph: Graph
    ranges: NDArray[np.int64]
    owner: Index
    residual: Vector
    correction: Vector


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SmallLevels:
    """
    The graphs that one thread works on, one after another in all arrays.

    Parameters
    ----------
    starts : ndarray, shape (levels, 2, colours), int64
        First node of every level and colour, and the node after the last.
    exact : ndarray, shape (levels,), int64
        Whether no two nodes of a colour are linked.
    links : tuple of ndarray
        Rows of all graphs.
    smoother : ndarray, shape (n,)
        What relaxation divides by.
    owner : ndarray, shape (n,), int32
        Nodes of the next graph.
    inverse : ndarray, shape (m, m)
        Dense inverse of the last graph.
    residual, correction : ndarray, shape (n,)
        Vectors on all levels.
    """

    starts: NDArray[np.int64]
    exact: NDArray[np.int64]
    links: tuple[Any, ...]
    smoother: Vector
    owner: Index
    inverse: Vector
    residual: Vector
    correction: Vector


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Multigrid:
    """
    A hierarchy of graphs whose W-cycle approximates the inverse of the finest.

    Parameters
    ----------
    levels : tuple of Level
        Large levels, finest first.
    small : SmallLevels
        The others.
    residual, correction : ndarray, shape (n,)
        Right-hand side and solution on the finest graph.
    """

    levels: tuple[Level, ...]
    small: SmallLevels
    residual: Vector
    correction: Vector

    def solve(self, *, visits: int) -> None:
        """
        Write the approximate `correction` for the `residual` by symmetric W-cycles.

        Parameters
        ----------
        visits : int
            Number of cycles.
        """
        self._cycle(0, self.residual, self.correction, visits)

    def _cycle(self, depth: int, r: Vector, z: Vector, visits: int) -> None:
        """Visit a level so many times."""
        if depth == len(self.levels):
            small = self.small
            kernels.cycle_small(
                visits,
                small.starts,
                small.exact,
                small.links,
                small.smoother,
                small.owner,
                small.inverse,
                small.residual,
                small.correction,
            )
            return
        level = self.levels[depth]
        for visit in range(visits):
            _descend(level, r, z, fresh=visit == 0)
            self._cycle(depth + 1, level.residual, level.correction, 2)
            _ascend(level, r, z)


def _descend(level: Level, r: Vector, z: Vector, *, fresh: bool) -> None:
    """Relax colour by colour and restrict what is left; a colour that was relaxed last is in balance already."""
    graph, planes = level.graph, len(level.ranges) - 1
    colours = graph.starts.shape[1]
    if fresh:
        z.fill(0)
    for colour in range(colours):
        from_zero = fresh and colour == 0 and graph.exact
        if colour > 0 or fresh or not graph.exact:
            share(
                kernels.relax,
                planes,
                level.ranges,
                colour,
                from_zero,
                graph.links,
                graph.smoother,
                r,
                z,
            )
    level.residual.fill(0)
    share(
        kernels.restrict,
        planes,
        level.ranges,
        colours - int(graph.exact),
        graph.links,
        level.owner,
        r,
        z,
        level.residual,
    )


def _ascend(level: Level, r: Vector, z: Vector) -> None:
    """Correct from below and relax in the opposite order."""
    graph, planes = level.graph, len(level.ranges) - 1
    colours = graph.starts.shape[1]
    share(kernels.prolong, planes, level.ranges, colours - int(graph.exact), level.owner, level.correction, z)
    for colour in reversed(range(colours)):
        share(kernels.relax, planes, level.ranges, colour, False, graph.links, graph.smoother, r, z)
