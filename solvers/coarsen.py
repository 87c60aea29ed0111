"""From a graph of conductances to the hierarchy of graphs between aggregates of its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meso.threads import share
from solvers._kernels import coarsen as kernels
from solvers._kernels import multigrid as cycles
from solvers.multigrid import SERIAL_SIZE, Graph, Level, Multigrid, SmallLevels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Vector = NDArray[np.floating[Any]]
    Index = NDArray[np.int32]
    Flags = tuple[bool, bool, bool]

STRENGTH = 0.02
"""Share of the larger diagonal from which on a link joins two nodes; weaker ones would tie clusters together."""

SLOWEST_COARSENING = 0.7
"""Largest ratio of two graph sizes; where strong links do not get there, weaker ones join nodes, too."""

RELAXED = 3.0
"""Factor between the strengths that are tried one after another."""

WEAKEST_LINK = 1e-12
"""Strength below which the search for more links to join along ends."""

DIRECT_SIZE = 200
"""Graphs up to this size are solved by a dense inverse."""

COLOURS = 8
"""Colours that a block may have: two, times two for each seam where an odd number of blocks repeats itself."""


def build_multigrid(graph: Graph, spacing: NDArray[np.float64], wraps: Flags) -> Multigrid:
    """
    Coarsen a graph of voxels until it can be solved directly.

    Parameters
    ----------
    graph : Graph
        Finest graph; every part of it must be tied to a fixed potential.
    spacing : ndarray, shape (3,), float64
        Voxel size along the axes, in any unit.
    wraps : tuple of bool
        Whether the block repeats itself along the axes.

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
    graphs, owners, ranges = [graph], [], []
    while graphs[-1].size > DIRECT_SIZE:
        halved = _axes_to_halve(graphs[-1].shape, spacing)
        owner, coarse = _coarsen(graphs[-1], halved, wraps)
        spacing = spacing * np.where(halved, 2.0, 1.0)
        ranges.append(planes_of_blocks(graphs[-1].starts, halved=bool(halved[0])))
        owners.append(owner)
        graphs.append(coarse)
    return _stack(graphs, owners, ranges)


def planes_of_blocks(starts: NDArray[np.int64], *, halved: bool) -> NDArray[np.int64]:
    """
    First nodes of every colour and plane of blocks.

    Parameters
    ----------
    starts : ndarray, shape (planes + 1, colours), int64
        First nodes of every plane of cells.
    halved : bool
        Whether two planes of cells make one of blocks.

    Returns
    -------
    ndarray, shape (blocks + 1, colours), int64
        First nodes of every plane of blocks.
    """
    if not halved:
        return starts
    return np.concatenate((starts[:-1:2], starts[-1:]))


def number_planes(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Give numbers to nodes colour by colour, and plane by plane within a colour.

    Parameters
    ----------
    counts : ndarray, shape (planes, colours), int64
        Number of nodes of every plane and colour.

    Returns
    -------
    numbers : ndarray, shape (planes, colours), int64
        Number of the first node of every plane and colour.
    starts : ndarray, shape (planes + 1, present colours), int64
        The same for the colours that are present, with the node after the last.
    """
    ends = np.cumsum(counts.T.ravel()).reshape(counts.T.shape).T
    numbers = np.ascontiguousarray(ends - counts)
    starts = np.concatenate((numbers, ends[-1:]))
    return numbers, np.ascontiguousarray(starts[:, counts.any(axis=0)])


def seams_of(shape: tuple[int, int, int], wraps: Flags) -> Flags:
    """
    Axes along which blocks are odd in number and repeat themselves.

    Parameters
    ----------
    shape : tuple of int
        Number of blocks.
    wraps : tuple of bool
        Whether the block of all repeats itself.

    Returns
    -------
    tuple of bool
        Whether the last blocks along an axis need colours of their own.
    """
    first, second, third = (bool(wrap) and n % 2 == 1 and n > 1 for n, wrap in zip(shape, wraps, strict=True))
    return first, second, third


def join_tails(
    parts: list[tuple[Any, ...]],
    neighbours: Index,
    rows_of: Callable[[int, int], list[slice]],
) -> tuple[Index, Vector]:
    """
    Join the tails that several threads have written, and count the positions in them through.

    Parameters
    ----------
    parts : list of tuple
        First plane or row and the one after the last, nodes and weights of the tails of every part.
    neighbours : ndarray, shape (n, 6), int32
        Rows, of which the positions are changed in place.
    rows_of : callable
        Tells which rows belong to a range.

    Returns
    -------
    tail_nodes : ndarray, shape (m,), int32
        Further neighbours of all rows.
    tail_weights : ndarray, shape (m,)
        Conductances to them.
    """
    offset = 0
    for first, last, nodes, *_ in parts:
        for rows in rows_of(first, last) if offset > 0 else ():
            ends = neighbours[rows, 5]
            ends[ends < 0] -= offset
        offset += nodes.size
    return np.concatenate([part[2] for part in parts]), np.concatenate([part[3] for part in parts])


def _axes_to_halve(shape: tuple[int, int, int], spacing: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Axes along which cells join: the finely spaced ones among those with more than one cell."""
    long = np.array(shape) > 1
    if not long.any():
        return np.ones(3, dtype=bool)
    return np.asarray(long & (spacing < 1.5 * spacing[long].min()))


def _share(kernel: Callable[..., Any], size: int, count: int, *arguments: Any) -> list[Any]:
    """Share the work on a graph of some size, unless it is small."""
    return share(kernel, count, *arguments) if size > SERIAL_SIZE else [kernel(0, count, *arguments)]


def _coarsen(graph: Graph, halved: NDArray[np.bool_], wraps: Flags) -> tuple[Index, Graph]:
    """Join nodes to aggregates; return the owners of the nodes and the graph between the aggregates."""
    size = graph.size
    n0, n1, n2 = (-(-n // (1 + int(half))) for n, half in zip(graph.shape, halved, strict=True))
    shape = n0, n1, n2
    ranges = planes_of_blocks(graph.starts, halved=bool(halved[0]))
    place = ranges, graph.cells, halved.astype(np.int16), shape, seams_of(shape, wraps)
    owner, parent = np.empty(size, np.int32), np.empty(size, np.int32)
    counts = _join(graph, place, owner, parent)
    count = int(counts.sum())
    numbers, starts = number_planes(counts)
    cells, ground = np.empty((count, 3), np.int16), np.empty(count, graph.ground.dtype)
    _share(kernels.number_owners, size, shape[0], *place, parent, numbers, owner, cells, ground, graph.ground)
    del parent
    scale = np.append(np.where(halved, 0.5, 1.0), 0.5)
    ground *= scale[0]
    return owner, _link(graph, owner, scale, cells, ground, starts, shape)


def _join(graph: Graph, place: tuple[Any, ...], block: Index, parent: Index) -> NDArray[np.int64]:
    """Join the nodes of every block along links as strong as can be; count the aggregates of every plane and colour."""
    ranges, cells, shifts, shape, _ = place
    _share(kernels.locate, graph.size, graph.size, cells, shifts, shape, block)
    alone = np.empty(graph.size, np.bool_)
    strength, lonely = STRENGTH, shape == (1, 1, 1)
    while True:
        counts = np.zeros((shape[0], COLOURS), np.int64)
        nodes = graph.links, graph.diagonal, block
        rule = strength, graph.loose, lonely
        _share(kernels.join_nodes, graph.size, shape[0], ranges, *nodes, *rule, parent, alone)
        _share(kernels.count_owners, graph.size, shape[0], *place, parent, counts)
        if counts.sum() <= SLOWEST_COARSENING * graph.size or strength <= WEAKEST_LINK:
            return counts
        strength /= RELAXED


def _link(
    graph: Graph,
    owner: Index,
    scale: NDArray[np.float64],
    cells: NDArray[np.int16],
    ground: Vector,
    starts: NDArray[np.int64],
    shape: tuple[int, int, int],
) -> Graph:
    """Write the rows of the aggregates."""
    count = len(cells)
    member_ptr, members = np.empty(count + 1, np.int32), np.empty(graph.size, np.int32)
    kernels.list_members(owner, member_ptr, members)
    neighbours = np.empty((count, 6), np.int32)
    weights = np.empty((count, 6), graph.weights.dtype)
    diagonal, smoother = np.empty_like(ground), np.empty_like(ground)
    parts = _share(
        kernels.coarse_rows, graph.size, count, graph.links, owner, scale, member_ptr, members, cells, ground,
        neighbours, weights, diagonal, smoother,
    )  # fmt: skip
    tail_nodes, tail_weights = join_tails(parts, neighbours, lambda first, last: [slice(first, last)])
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
        shape=shape,
        exact=not any(part[4] for part in parts),
        loose=graph.loose,
    )


def _stack(graphs: list[Graph], owners: list[Index], ranges: list[NDArray[np.int64]]) -> Multigrid:
    """Part the levels into large and small ones, and give all of them vectors."""
    large = sum(graph.size > SERIAL_SIZE for graph in graphs[:-1])
    small = _stack_small(graphs[large:], owners[large:])
    first = graphs[large].size
    vectors = [(np.empty_like(graph.ground), np.empty_like(graph.ground)) for graph in graphs[:large]]
    vectors.append((small.residual[:first], small.correction[:first]))
    levels = tuple(
        Level(
            graph=graphs[k],
            ranges=ranges[k],
            owner=owners[k],
            residual=vectors[k + 1][0],
            correction=vectors[k + 1][1],
        )
        for k in range(large)
    )
    return Multigrid(levels=levels, small=small, residual=vectors[0][0], correction=vectors[0][1])


def _stack_small(graphs: list[Graph], owners: list[Index]) -> SmallLevels:
    """Put graphs one after another."""
    inverse = np.diag(graphs[-1].diagonal.astype(np.float64))
    cycles.fill_matrix(*graphs[-1].links, inverse)
    cycles.invert(inverse)
    sizes = [graph.size for graph in graphs]
    bases = np.concatenate(([0], np.cumsum(sizes)))
    tails = np.concatenate(([0], np.cumsum([graph.tail_nodes.size for graph in graphs])))
    starts = np.empty((len(graphs), 2, max(graph.starts.shape[1] for graph in graphs)), np.int64)
    neighbours = np.concatenate([graph.neighbours for graph in graphs])
    for k, graph in enumerate(graphs):
        rows = neighbours[bases[k] : bases[k + 1]]
        rows += np.where(rows >= 0, bases[k], -tails[k]).astype(np.int32)
        starts[k] = bases[k + 1]
        starts[k, :, : graph.starts.shape[1]] = bases[k] + graph.starts[[0, -1]]
    ground = np.concatenate([graph.ground for graph in graphs])
    return SmallLevels(
        starts=starts,
        exact=np.array([graph.exact for graph in graphs], np.int64),
        links=(
            neighbours,
            np.concatenate([graph.weights for graph in graphs]),
            np.concatenate([graph.tail_nodes + bases[k] for k, graph in enumerate(graphs)]).astype(np.int32),
            np.concatenate([graph.tail_weights for graph in graphs]),
            ground,
        ),
        smoother=np.concatenate([graph.smoother for graph in graphs]),
        owner=np.concatenate(
            [owner + bases[k + 1] for k, owner in enumerate(owners)] or [np.empty(0)]
        ).astype(np.int32),
        inverse=inverse.astype(ground.dtype),
        residual=np.zeros_like(ground),
        correction=np.zeros_like(ground),
    )
