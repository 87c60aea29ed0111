"""The links between the pieces of conductor in blocks of 2 × 2 × 2 cells, see `blocks`.

The arguments that describe the cells are those of `voxels.link`. Rows of links are those of `multigrid`.
"""

import numpy as np
from numba import njit

from solvers._kernels.coarsen import add_link, lengthen, write_row
from solvers._kernels.voxels import link

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)


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

    Returns the range of planes, the tails, counted from 0, and whether pieces of one block are linked. Arrays called flat
    are views of the others with one dimension.
    """
    _, m1, m2 = nodes.shape
    row_nodes, row_weights = np.empty(64, np.int32), np.empty(64, np.float64)
    tail_nodes, tail_weights = np.empty(64, np.int32), np.empty(64, weights.dtype)
    single = np.empty(m2, np.bool_)
    used = 0
    inside = False
    for bz in range(first, last):
        for by in range(m1):
            link_row(
                bz, by, flat_cell, flat_areas, cells[4], flat_piece, piece.shape, counts, nodes, neighbours, weights,
                ground, diagonal, smoother, single,
            )  # fmt: skip
            for bx in range(m2):
                for p in range(counts[bz, by, bx]):
                    node = nodes[bz, by, bx] + p
                    blocks[node, 0] = bz
                    blocks[node, 1] = by
                    blocks[node, 2] = bx
                    if single[bx]:
                        continue
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
