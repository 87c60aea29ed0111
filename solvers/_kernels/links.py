"""The links between the pieces of conductor in blocks of 2 × 2 × 2 cells, see `blocks`.

The arguments that describe the cells are those of `voxels.link`.
"""

import numpy as np
from numba import njit, prange

from solvers._kernels.blocks import NOWHERE

serial = njit(cache=True, error_model="numpy", fastmath={"contract"})
inlined = njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
parallel = njit(cache=True, error_model="numpy", fastmath={"contract"}, parallel=True)


@parallel
def room_of_rows(counts, nodes, wraps, room):
    """Upper bounds of the number of neighbours of every node, written after the node."""
    m0, m1, m2 = counts.shape
    for bz in prange(m0):
        for by in range(m1):
            for bx in range(m2):
                pieces = counts[bz, by, bx]
                if pieces == 0:
                    continue
                around = pieces - 1
                if bz > 0:
                    around += counts[bz - 1, by, bx]
                if bz + 1 < m0:
                    around += counts[bz + 1, by, bx]
                if by > 0 or wraps[1]:
                    around += counts[bz, by - 1, bx]
                if by + 1 < m1 or wraps[1]:
                    around += counts[bz, (by + 1) % m1, bx]
                if bx > 0 or wraps[2]:
                    around += counts[bz, by, bx - 1]
                if bx + 1 < m2 or wraps[2]:
                    around += counts[bz, by, (bx + 1) % m2]
                for c in range(pieces):
                    room[nodes[bz, by, bx] + c + 1] = around
    room[0] = 0


@inlined
def add_link(node, target, weight, room, length, out_i, out_w):
    """Add a link to the row of a node."""
    at = room[node]
    end = at + length[node]
    while at < end and out_i[at] != target:
        at += 1
    if at == end:
        out_i[at] = target
        out_w[at] = weight
        length[node] += 1
    else:
        out_w[at] += weight


@serial
def face_weight(cell, areas, factors, axis, z, y, x, zz, yy, xx, forward):
    """Conductance of the face between two cells that conduct."""
    weight = factors[axis] if axis > 0 else 1.0
    if areas is not None:
        if axis == 0:
            weight *= float(areas[0][z + forward, y, x])
        elif axis == 1:
            weight *= float(areas[1][z, y + forward, x])
        else:
            weight *= float(areas[2][z, y, x + forward])
    if cell is not None:
        weight *= 2.0 * cell[z, y, x] * cell[zz, yy, xx] / (cell[z, y, x] + cell[zz, yy, xx])
    return weight


@serial
def link_side(
    cell, areas, ends, factors, wraps, piece, nodes, block, side, room, length, out_i, out_w, ground
):
    """Collect the links through one side of a block, half the sum of those between its cells."""
    shape = piece.shape
    axis = side // 2
    forward = side % 2
    own = nodes[block]
    first = (2 * block[0], 2 * block[1], 2 * block[2])
    extent = (
        min(2, shape[0] - first[0]) if axis != 0 else 1,
        min(2, shape[1] - first[1]) if axis != 1 else 1,
        min(2, shape[2] - first[2]) if axis != 2 else 1,
    )
    edge = min(first[axis] + forward, shape[axis] - 1)
    beyond = edge + 2 * forward - 1
    outside = beyond < 0 or beyond == shape[axis]
    if outside and axis > 0:
        if not wraps[axis]:
            return
        beyond %= shape[axis]
    total = 0.0
    main = -1
    if not (outside and axis == 0):
        main = nodes[
            beyond // 2 if axis == 0 else block[0],
            beyond // 2 if axis == 1 else block[1],
            beyond // 2 if axis == 2 else block[2],
        ]
        if main < 0:
            return
    for a in range(extent[0]):
        for b in range(extent[1]):
            for c in range(extent[2]):
                z = edge if axis == 0 else first[0] + a
                y = edge if axis == 1 else first[1] + b
                x = edge if axis == 2 else first[2] + c
                p = piece[z, y, x]
                if p == NOWHERE:
                    continue
                if outside and axis == 0:
                    ground[own + p] += 0.5 * ends[forward, y, x]
                    continue
                zz = beyond if axis == 0 else z
                yy = beyond if axis == 1 else y
                xx = beyond if axis == 2 else x
                q = piece[zz, yy, xx]
                if q == NOWHERE:
                    continue
                weight = 0.5 * face_weight(cell, areas, factors, axis, z, y, x, zz, yy, xx, forward)
                if weight <= 0.0:
                    continue
                if p == 0 and q == 0:
                    total += weight
                else:
                    add_link(own + p, main + q, weight, room, length, out_i, out_w)
    if total > 0.0 and main != own:
        add_link(own, main, total, room, length, out_i, out_w)


@inlined
def link_pair(
    cells, areas, factor, pieces, main, at, delta, stride1, stride2, face, face1, face2, end, out_i, out_w
):
    """Link two blocks of one piece each through the side they share; return the position after the link, if any.

    `at` is the first of four cells `stride1` and `stride2` apart, `delta` leads beyond the side; `face`, `face1` and
    `face2` are the same for the areas. All arrays are flat.
    """
    if main < 0:
        return end
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
        out_i[end] = main
        out_w[end] = np.float32(0.5 * factor) * total
        end += 1
    return end


@inlined
def link_single(cells, areas, factors, pieces, shape, nodes, bz, by, bx, start, out_i, out_w):
    """Collect the links through the six sides of a block of one piece, away from the borders; return how many."""
    _, n1, n2 = shape
    plane = n1 * n2
    rows0 = rows1 = rows2 = None
    if areas is not None:
        rows0, rows1, rows2 = areas
    end = start
    for step in range(2):
        to = 2 * step - 1
        main = nodes[bz + to, by, bx]
        at = (2 * bz + step) * plane + 2 * by * n2 + 2 * bx
        face = at + step * plane
        end = link_pair(
            cells, rows0, 1.0, pieces, main, at, to * plane, n2, 1, face, n2, 1, end, out_i, out_w
        )
        main = nodes[bz, by + to, bx]
        at = 2 * bz * plane + (2 * by + step) * n2 + 2 * bx
        face = (2 * bz * (n1 + 1) + 2 * by + 2 * step) * n2 + 2 * bx
        down = plane + n2
        end = link_pair(
            cells, rows1, factors[1], pieces, main, at, to * n2, plane, 1, face, down, 1, end, out_i, out_w
        )
        main = nodes[bz, by, bx + to]
        at = 2 * bz * plane + 2 * by * n2 + 2 * bx + step
        face = (2 * bz * n1 + 2 * by) * (n2 + 1) + 2 * bx + 2 * step
        down = plane + n1
        end = link_pair(
            cells, rows2, factors[2], pieces, main, at, to, plane, n2, face, down, n2 + 1, end, out_i, out_w
        )
    return end - start


@inlined
def all_single(counts, bz, by, bx):
    """Whether a block away from the borders and its six neighbours have at most one piece."""
    m0, m1, m2 = counts.shape
    if not (0 < bz < m0 - 1 and 0 < by < m1 - 1 and 0 < bx < m2 - 1):
        return False
    most = max(counts[bz, by, bx], counts[bz - 1, by, bx], counts[bz + 1, by, bx])
    most = max(most, counts[bz, by - 1, bx], counts[bz, by + 1, bx])
    return max(most, counts[bz, by, bx - 1], counts[bz, by, bx + 1]) == 1


@serial
def link_inside(cell, areas, factors, piece, nodes, block, room, length, out_i, out_w):
    """Collect the weak links between the pieces of one block."""
    n0, n1, n2 = piece.shape
    z0, y0, x0 = 2 * block[0], 2 * block[1], 2 * block[2]
    for z in range(z0, min(z0 + 2, n0)):
        for y in range(y0, min(y0 + 2, n1)):
            for x in range(x0, min(x0 + 2, n2)):
                p = piece[z, y, x]
                for axis in range(3):
                    zz = z - 1 if axis == 0 else z
                    yy = y - 1 if axis == 1 else y
                    xx = x - 1 if axis == 2 else x
                    if zz < z0 or yy < y0 or xx < x0:
                        continue
                    q = piece[zz, yy, xx]
                    if p == q or max(p, q) == NOWHERE:
                        continue
                    weight = 0.5 * face_weight(cell, areas, factors, axis, z, y, x, zz, yy, xx, 0)
                    if weight > 0.0:
                        add_link(nodes[block] + p, nodes[block] + q, weight, room, length, out_i, out_w)
                        add_link(nodes[block] + q, nodes[block] + p, weight, room, length, out_i, out_w)


@parallel
def link_pieces(
    cell, areas, ends, factors, wraps, flat_cell, flat_areas, piece, flat_piece, counts, nodes,
    room, length, out_i, out_w, ground, blocks,
):  # fmt: skip
    """Collect the links between pieces, half the sum of those between their cells, and those to inlet and outlet.

    Arrays called flat are views of the others with one dimension.
    """
    m0, m1, m2 = nodes.shape
    for plane in prange(m0):
        bz = np.int64(plane)
        for by in range(m1):
            for bx in range(m2):
                first = nodes[bz, by, bx]
                if first < 0:
                    continue
                pieces = counts[bz, by, bx]
                for node in range(first, first + pieces):
                    blocks[node, 0] = bz
                    blocks[node, 1] = by
                    blocks[node, 2] = bx
                if all_single(counts, bz, by, bx):
                    length[first] = link_single(
                        flat_cell, flat_areas, factors, flat_piece, piece.shape, nodes, bz, by, bx,
                        room[first], out_i, out_w,
                    )  # fmt: skip
                    continue
                block = (bz, by, bx)
                for side in range(6):
                    link_side(
                        cell, areas, ends, factors, wraps, piece, nodes, block, side, room, length, out_i, out_w, ground,
                    )  # fmt: skip
                if pieces > 1 and (cell is not None or areas is not None):
                    link_inside(cell, areas, factors, piece, nodes, block, room, length, out_i, out_w)
