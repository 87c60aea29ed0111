"""The links between the pieces of conductor in blocks of 2 × 2 × 2 cells, see `blocks`.

The arguments that describe the cells are those of `voxels.link`. Rows of links are those of `multigrid`.
"""

import numpy as np
from numba import njit

from solvers._kernels.coarsen import add_link, lengthen, write_row
from solvers._kernels.voxels import link

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)
inlined = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True, forceinline=True)


@inlined
def link_pair(
    cells,
    areas,
    factor,
    pieces,
    main,
    at,
    delta,
    stride1,
    stride2,
    face,
    face1,
    face2,
    length,
    row_nodes,
    row_weights,
):
    """Link two blocks of one piece each through the side they share; return how many links there are.

    `at` is the first of four cells `stride1` and `stride2` apart, `delta` leads beyond the side; `face`, `face1` and
    `face2` are the same for the areas. All arrays are flat.
    """
    if main < 0:
        return length
    total = np.float32(0)
    for a in range(2):
        for b in range(2):
            i = at + a * stride1 + b * stride2
            weight = np.float32((pieces[i] | pieces[i + delta]) == 0)
            if areas is not None:
                weight *= np.float32(areas[face + a * face1 + b * face2])
            if cells is not None:
                both = cells[i] + cells[i + delta]
                weight *= np.float32(2.0 * cells[i] * cells[i + delta] / both if both > 0 else 0.0)
            total += weight
    if total > 0:
        row_nodes[length] = main
        row_weights[length] = np.float32(0.5 * factor) * total
        length += 1
    return length


@inlined
def link_single(cells, areas, factors, pieces, shape, nodes, bz, by, bx, row_nodes, row_weights):
    """Collect the links through the six sides of a block of one piece, away from the borders; return how many."""
    _, n1, n2 = shape
    plane = n1 * n2
    rows0 = rows1 = rows2 = None
    if areas is not None:
        rows0, rows1, rows2 = areas
    length = 0
    for step in range(2):
        to = 2 * step - 1
        main = nodes[bz + to, by, bx]
        at = (2 * bz + step) * plane + 2 * by * n2 + 2 * bx
        face = at + step * plane
        length = link_pair(
            cells,
            rows0,
            1.0,
            pieces,
            main,
            at,
            to * plane,
            n2,
            1,
            face,
            n2,
            1,
            length,
            row_nodes,
            row_weights,
        )
        main = nodes[bz, by + to, bx]
        at = 2 * bz * plane + (2 * by + step) * n2 + 2 * bx
        face = (2 * bz * (n1 + 1) + 2 * by + 2 * step) * n2 + 2 * bx
        down = plane + n2
        length = link_pair(
            cells,
            rows1,
            factors[1],
            pieces,
            main,
            at,
            to * n2,
            plane,
            1,
            face,
            down,
            1,
            length,
            row_nodes,
            row_weights,
        )
        main = nodes[bz, by, bx + to]
        at = 2 * bz * plane + 2 * by * n2 + 2 * bx + step
        face = (2 * bz * n1 + 2 * by) * (n2 + 1) + 2 * bx + 2 * step
        down = plane + n1
        length = link_pair(
            cells,
            rows2,
            factors[2],
            pieces,
            main,
            at,
            to,
            plane,
            n2,
            face,
            down,
            n2 + 1,
            length,
            row_nodes,
            row_weights,
        )
    return length


@inlined
def all_single(counts, bz, by, bx):
    """Whether a block away from the borders and its six neighbours have at most one piece."""
    m0, m1, m2 = counts.shape
    if not (0 < bz < m0 - 1 and 0 < by < m1 - 1 and 0 < bx < m2 - 1):
        return False
    most = max(counts[bz, by, bx], counts[bz - 1, by, bx], counts[bz + 1, by, bx])
    most = max(most, counts[bz, by - 1, bx], counts[bz, by + 1, bx])
    return max(most, counts[bz, by, bx - 1], counts[bz, by, bx + 1]) == 1


@jit
def link_any(cells, piece, nodes, bz, by, bx, p, row_nodes, row_weights):
    """Collect half the links of one piece of a block; return how many, and those to inlet and outlet in one sum."""
    n0, n1, n2 = piece.shape
    own = nodes[bz, by, bx] + p
    length = 0
    ground = 0.0
    for z in range(2 * bz, min(2 * bz + 2, n0)):
        for y in range(2 * by, min(2 * by + 2, n1)):
            for x in range(2 * bx, min(2 * bx + 2, n2)):
                if piece[z, y, x] != p:
                    continue
                for side in range(6):
                    weight, zz, yy, xx = link(*cells, z, y, x, side)
                    if weight <= 0.0:
                        continue
                    if zz < 0:
                        ground += 0.5 * weight
                        continue
                    target = nodes[zz // 2, yy // 2, xx // 2] + piece[zz, yy, xx]
                    if target != own:
                        length = add_link(target, 0.5 * weight, row_nodes, row_weights, length)
    return length, ground


@jit
def link_pieces(
    first, last, cells, flat_cell, flat_areas, piece, flat_piece, counts, nodes, neighbours, weights, ground, diagonal,
    smoother, blocks,
):  # fmt: skip
    """Write the rows of pieces, half the links between their cells.

    Returns the range of planes, the tails, counted from 0, and whether pieces of one block are linked. Arrays called flat are views of the others with one dimension.
    """
    _, m1, m2 = nodes.shape
    factors = cells[4]
    row_nodes, row_weights = np.empty(64, np.int32), np.empty(64, np.float64)
    tail_nodes, tail_weights = np.empty(64, np.int32), np.empty(64, weights.dtype)
    used = 0
    inside = False
    for bz in range(first, last):
        for by in range(m1):
            for bx in range(m2):
                single = all_single(counts, bz, by, bx)
                for p in range(counts[bz, by, bx]):
                    node = nodes[bz, by, bx] + p
                    blocks[node, 0] = bz
                    blocks[node, 1] = by
                    blocks[node, 2] = bx
                    tied = 0.0
                    if single:
                        length = link_single(
                            flat_cell, flat_areas, factors, flat_piece, piece.shape, nodes, bz, by, bx, row_nodes,
                            row_weights,
                        )  # fmt: skip
                    else:
                        length, tied = link_any(cells, piece, nodes, bz, by, bx, p, row_nodes, row_weights)
                    within = 0.0
                    for k in range(length if counts[bz, by, bx] > 1 else 0):
                        if 0 <= row_nodes[k] - nodes[bz, by, bx] < counts[bz, by, bx]:
                            within += row_weights[k]
                    inside |= within > 0
                    ground[node] = tied
                    tail_nodes = lengthen(tail_nodes, used + length)
                    tail_weights = lengthen(tail_weights, used + length)
                    rows = (neighbours, weights, tail_nodes, tail_weights)
                    used = write_row(node, row_nodes, row_weights, length, tied, rows, diagonal, used)
                    smoother[node] = diagonal[node] + within
    return first, last, tail_nodes[:used], tail_weights[:used], inside
