"""The first coarse graph of a grid: pieces of conductor inside blocks of 2 × 2 × 2 cells.

The arguments that describe the cells are those of `voxels.link`.
"""

import numpy as np
from numba import njit, prange

from solvers._kernels.voxels import link

serial = njit(cache=True, error_model="numpy", fastmath={"contract"})
parallel = njit(cache=True, error_model="numpy", fastmath={"contract"}, parallel=True)

NOWHERE = np.uint8(255)


@serial
def degree_of(conducts, cell, areas, ends, factors, wraps, z, y, x):
    """Sum of the conductances of a cell."""
    total = 0.0
    for side in range(6):
        total += link(conducts, cell, areas, ends, factors, wraps, z, y, x, side)[0]
    return total


@serial
def split_block(conducts, cell, areas, ends, factors, wraps, strength, z0, y0, x0, piece):
    """Label the strongly connected pieces of one block, 0, 1, …; return how many there are."""
    n0, n1, n2 = conducts.shape
    count = 0
    for z in range(z0, min(z0 + 2, n0)):
        for y in range(y0, min(y0 + 2, n1)):
            for x in range(x0, min(x0 + 2, n2)):
                piece[z, y, x] = NOWHERE
                if conducts[z, y, x] == 0:
                    continue
                own = NOWHERE
                for side in (0, 2, 4):
                    if (z, y, x)[side // 2] == (z0, y0, x0)[side // 2]:
                        continue
                    weight, zz, yy, xx = link(conducts, cell, areas, ends, factors, wraps, z, y, x, side)
                    if weight <= 0.0:
                        continue
                    if cell is not None or areas is not None:
                        larger = max(
                            degree_of(conducts, cell, areas, ends, factors, wraps, z, y, x),
                            degree_of(conducts, cell, areas, ends, factors, wraps, zz, yy, xx),
                        )
                        if weight < strength * larger:
                            continue
                    other = piece[zz, yy, xx]
                    if own == NOWHERE:
                        own = other
                    elif own != other:
                        low, high = min(own, other), max(own, other)
                        own = low
                        for a in range(z0, z + 1):
                            for b in range(y0, min(y0 + 2, n1)):
                                for c in range(x0, min(x0 + 2, n2)):
                                    if (a, b, c) < (z, y, x) and piece[a, b, c] != NOWHERE:
                                        if piece[a, b, c] == high:
                                            piece[a, b, c] = low
                                        elif piece[a, b, c] > high:
                                            piece[a, b, c] -= 1
                        count -= 1
                if own == NOWHERE:
                    own = np.uint8(count)
                    count += 1
                piece[z, y, x] = own
    return count


@serial
def all_open(conducts, areas, z, y, x):
    """Whether a block is full and all faces inside it are open."""
    n0, n1, n2 = conducts.shape
    if z + 1 >= n0 or y + 1 >= n1 or x + 1 >= n2:
        return False
    for a in range(2):
        for b in range(2):
            if not (conducts[z + a, y + b, x] and conducts[z + a, y + b, x + 1]):
                return False
            if areas is not None and (
                areas[0][z + 1, y + a, x + b] < 255
                or areas[1][z + a, y + 1, x + b] < 255
                or areas[2][z + a, y + b, x + 1] < 255
            ):
                return False
    return True


@parallel
def split_blocks(conducts, cell, areas, ends, factors, wraps, strength, piece, counts):
    """Label the pieces in every block and count them."""
    for bz in prange(counts.shape[0]):
        for by in range(counts.shape[1]):
            for bx in range(counts.shape[2]):
                z, y, x = 2 * bz, 2 * by, 2 * bx
                if cell is None and all_open(conducts, areas, z, y, x):
                    counts[bz, by, bx] = 1
                    piece[z : z + 2, y : y + 2, x : x + 2] = 0
                else:
                    counts[bz, by, bx] = split_block(
                        conducts, cell, areas, ends, factors, wraps, strength, z, y, x, piece
                    )


@parallel
def number_nodes(counts, nodes, per_plane):
    """Write numbers for the first pieces of the blocks, those of even coordinate sums first; return (even, all)."""
    planes = counts.shape[0]
    for bz in prange(planes):
        for colour in range(2):
            total = 0
            for by in range(counts.shape[1]):
                for bx in range((bz + by + colour) % 2, counts.shape[2], 2):
                    total += counts[bz, by, bx]
            per_plane[colour, bz] = total
    total = 0
    reds = 0
    for colour in range(2):
        for bz in range(planes):
            start = total
            total += per_plane[colour, bz]
            per_plane[colour, bz] = start
        if colour == 0:
            reds = total
    for bz in prange(planes):
        for colour in range(2):
            node = per_plane[colour, bz]
            for by in range(counts.shape[1]):
                for bx in range((bz + by + colour) % 2, counts.shape[2], 2):
                    nodes[bz, by, bx] = node if counts[bz, by, bx] > 0 else -1
                    node += counts[bz, by, bx]
    return reds, total


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


@serial
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
    cell, areas, ends, factors, wraps, piece, counts, nodes, room, length, out_i, out_w, ground, blocks
):
    """Collect the links between pieces, half the sum of those between their cells, and those to inlet and outlet."""
    m0, m1, m2 = nodes.shape
    for bz in prange(m0):
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
                block = (np.int64(bz), np.int64(by), np.int64(bx))
                for side in range(6):
                    link_side(
                        cell,
                        areas,
                        ends,
                        factors,
                        wraps,
                        piece,
                        nodes,
                        block,
                        side,
                        room,
                        length,
                        out_i,
                        out_w,
                        ground,
                    )
                if pieces > 1 and (cell is not None or areas is not None):
                    link_inside(cell, areas, factors, piece, nodes, block, room, length, out_i, out_w)


@parallel
def count_spare(piece, spare_ptr):
    """Count, row by row, the black cells that are not in the first piece of their block."""
    n0, n1, n2 = piece.shape
    for z in prange(n0):
        for y in range(n1):
            total = 0
            for x in range((z + y) % 2, n2, 2):
                if piece[z, y, x] != NOWHERE and piece[z, y, x] > 0:
                    total += 1
            spare_ptr[z * n1 + y + 1] = total
    spare_ptr[0] = 0


@parallel
def list_spare(piece, nodes, spare_ptr, spare_at, spare_node):
    """List them with the node they belong to."""
    n0, n1, n2 = piece.shape
    for z in prange(n0):
        for y in range(n1):
            at = spare_ptr[z * n1 + y]
            for x in range((z + y) % 2, n2, 2):
                if piece[z, y, x] != NOWHERE and piece[z, y, x] > 0:
                    spare_at[at] = x // 2
                    spare_node[at] = nodes[z // 2, y // 2, x // 2] + piece[z, y, x]
                    at += 1
