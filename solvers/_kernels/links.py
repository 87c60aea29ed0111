"""The links between the pieces of conductor in blocks of 2 × 2 × 2 cells, see `blocks`.

The arguments that describe the cells are those of `voxels.link`. Rows of links are those of `multigrid`.
"""

import numpy as np
from numba import njit

from solvers._kernels.coarsen import lengthen
from solvers._kernels.voxels import link_row as link_cells_of_row

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)

MOST_LINKS = 32
"""More than the links of a piece: eight cells have 24 faces outward, and there are seven other pieces in the block."""


@jit
def link_row(
    bz, by, cells, areas, factors, pieces, shape, counts, nodes, neighbours, weights, ground, diagonal, smoother, single
):  # fmt: skip
    """Write the rows of those blocks of a row, away from the borders, that have one piece and neighbours of at most one.

    Which ones they are stands in `single`; the links are half the sums of those between the cells. `cells`, `areas` and
    `pieces` are flat. Nothing is called, for a call in every row of links would count references.
    """
    m0, m1, m2 = counts.shape
    _, n1, n2 = shape
    plane = n1 * n2
    single[:] = False
    if not (0 < bz < m0 - 1 and 0 < by < m1 - 1):
        return
    if areas is not None:
        areas0, areas1, areas2 = areas
    for bx in range(1, m2 - 1):
        most = max(counts[bz, by, bx], counts[bz - 1, by, bx], counts[bz + 1, by, bx])
        most = max(most, counts[bz, by - 1, bx], counts[bz, by + 1, bx])
        most = max(most, counts[bz, by, bx - 1], counts[bz, by, bx + 1])
        single[bx] = most == 1
        if most != 1 or counts[bz, by, bx] == 0:
            continue
        node = np.uint64(nodes[bz, by, bx])
        length = 0
        sum_of_links = 0.0
        for side in range(6):
            axis, step = side % 3, side // 3
            to = 2 * step - 1
            z, y, x = 2 * bz, 2 * by, 2 * bx
            if axis == 0:
                target = nodes[bz + to, by, bx]
                at, delta, stride1, stride2 = (z + step) * plane + y * n2 + x, to * plane, n2, 1
                face, face1, face2 = at + step * plane, n2, 1
            elif axis == 1:
                target = nodes[bz, by + to, bx]
                at, delta, stride1, stride2 = z * plane + (y + step) * n2 + x, to * n2, plane, 1
                face, face1, face2 = (z * (n1 + 1) + y + 2 * step) * n2 + x, plane + n2, 1
            else:
                target = nodes[bz, by, bx + to]
                at, delta, stride1, stride2 = z * plane + y * n2 + x + step, to, plane, n2
                face, face1, face2 = (z * n1 + y) * (n2 + 1) + x + 2 * step, plane + n1, n2 + 1
            if target < 0:
                continue
            total = np.float32(0)
            for a in range(2):
                for b in range(2):
                    i = np.uint64(at + a * stride1 + b * stride2)
                    j = np.uint64(at + a * stride1 + b * stride2 + delta)
                    weight = np.float32((pieces[i] | pieces[j]) == 0)
                    if areas is not None:
                        f = np.uint64(face + a * face1 + b * face2)
                        weight *= np.float32(
                            areas0[f] if axis == 0 else (areas1[f] if axis == 1 else areas2[f])
                        )
                    if cells is not None:
                        both = cells[i] + cells[j]
                        weight *= np.float32(2.0 * cells[i] * cells[j] / both if both > 0 else 0.0)
                    total += weight
            if total > 0:
                total *= np.float32(0.5 * factors[axis] if axis > 0 else 0.5)
                neighbours[node, length] = target
                weights[node, length] = total
                sum_of_links += total
                length += 1
        for k in range(length, 6):
            neighbours[node, k] = node
            weights[node, k] = 0
        ground[node] = 0
        diagonal[node] = smoother[node] = sum_of_links


@jit
def link_mixed(
    bz, by, links, piece, counts, nodes, single, neighbours, weights, tail_nodes, tail_weights, ground, diagonal, smoother,
    used,
):  # fmt: skip
    """Write the rows of the pieces of those blocks of a row that are not `single`, half the links between their cells.

    `links` (2, 2, 6, n2) are the conductances of the faces of the rows of cells through the blocks. Returns how much of
    the tails is used, and whether pieces of one block are linked. Nothing is called, as in `link_row`.
    """
    n0, n1, n2 = piece.shape
    row_nodes, row_weights = np.empty(32, np.int32), np.empty(32, np.float64)
    inside = False
    for bx in range(nodes.shape[2]):
        if single[bx]:
            continue
        base, many = nodes[bz, by, bx], counts[bz, by, bx]
        for p in range(many):
            node = base + p
            length = 0
            tied, total, within = 0.0, 0.0, 0.0
            for corner in range(8):
                a, b = corner >> 2, (corner >> 1) & 1
                z, y, x = 2 * bz + a, 2 * by + b, 2 * bx + (corner & 1)
                if z >= n0 or y >= n1 or x >= n2 or piece[z, y, x] != p:
                    continue
                for side in range(6):
                    weight = 0.5 * links[a, b, side, x]
                    if weight <= 0.0:
                        continue
                    to = 2 * (side & 1) - 1
                    zz, yy, xx = z, y, x
                    if side < 2:
                        zz += to
                        if zz < 0 or zz == n0:
                            tied += weight
                            continue
                    elif side < 4:
                        yy = n1 - 1 if y + to < 0 else (0 if y + to == n1 else y + to)
                    else:
                        xx = n2 - 1 if x + to < 0 else (0 if x + to == n2 else x + to)
                    target = nodes[zz >> 1, yy >> 1, xx >> 1] + piece[zz, yy, xx]
                    if target == node:
                        continue
                    total += weight
                    if base <= target < base + many:
                        within += weight
                    k = 0
                    while k < length and row_nodes[k] != target:
                        k += 1
                    if k == length:
                        row_nodes[k] = target
                        row_weights[k] = 0.0
                        length += 1
                    row_weights[k] += weight
            short = length if length <= 6 else 5
            for k in range(6):
                neighbours[node, k] = row_nodes[k] if k < short else node
                weights[node, k] = row_weights[k] if k < short else 0.0
            if length > 6:
                neighbours[node, 5] = -1 - used
                for k in range(5, length):
                    tail_nodes[used] = row_nodes[k]
                    tail_weights[used] = row_weights[k]
                    used += 1
                tail_weights[used] = 0
                used += 1
            inside |= within > 0
            ground[node] = tied
            diagonal[node] = total + tied
            smoother[node] = total + tied + within
    return used, inside


@jit
def link_pieces(
    first, last, cells, flat_cell, flat_areas, piece, flat_piece, counts, nodes, neighbours, weights, ground, diagonal,
    smoother, blocks,
):  # fmt: skip
    """Write the rows of pieces, half the links between their cells.

    Returns the range of planes, the tails, counted from 0, and whether pieces of one block are linked. Arrays called flat
    are views of the others with one dimension.
    """
    n0, n1, n2 = piece.shape
    _, m1, m2 = nodes.shape
    tail_nodes, tail_weights = np.empty(64, np.int32), np.empty(64, weights.dtype)
    single = np.empty(m2, np.bool_)
    links = np.empty((2, 2, 6, n2))
    used = 0
    inside = False
    for bz in range(first, last):
        for by in range(m1):
            link_row(
                bz, by, flat_cell, flat_areas, cells[4], flat_piece, piece.shape, counts, nodes, neighbours, weights,
                ground, diagonal, smoother, single,
            )  # fmt: skip
            mixed = 0
            for bx in range(m2):
                mixed += 0 if single[bx] else counts[bz, by, bx]
                for p in range(counts[bz, by, bx]):
                    node = nodes[bz, by, bx] + p
                    blocks[node, 0] = bz
                    blocks[node, 1] = by
                    blocks[node, 2] = bx
            if mixed == 0:
                continue
            for a in range(min(2, n0 - 2 * bz)):
                for b in range(min(2, n1 - 2 * by)):
                    link_cells_of_row(*cells, 2 * bz + a, 2 * by + b, links[a, b])
            tail_nodes = lengthen(tail_nodes, used + MOST_LINKS * mixed)
            tail_weights = lengthen(tail_weights, used + MOST_LINKS * mixed)
            used, tied = link_mixed(
                bz, by, links, piece, counts, nodes, single, neighbours, weights, tail_nodes, tail_weights, ground,
                diagonal, smoother, used,
            )  # fmt: skip
            inside |= tied
    return first, last, tail_nodes[:used], tail_weights[:used], inside
