"""The first coarse graph of a grid: pieces of conductor inside blocks of 2 × 2 × 2 cells.

The arguments that describe the cells are those of `voxels.link`.
"""

import numpy as np
from numba import njit

from solvers._kernels.coarsen import colour_of
from solvers._kernels.voxels import link_row

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)
inlined = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True, forceinline=True)

NOWHERE = np.uint8(255)


@jit
def join_pieces(piece, z0, y0, x0, one, other):
    """Join two pieces of a block under the smaller label, and move up the labels beyond the larger."""
    n0, n1, n2 = piece.shape
    low, high = min(one, other), max(one, other)
    for z in range(z0, min(z0 + 2, n0)):
        for y in range(y0, min(y0 + 2, n1)):
            for x in range(x0, min(x0 + 2, n2)):
                if piece[z, y, x] == high:
                    piece[z, y, x] = low
                elif piece[z, y, x] != NOWHERE and piece[z, y, x] > high:
                    piece[z, y, x] -= 1


@inlined
def stays_inside(shape, z0, y0, x0, z, y, x, side):
    """Whether the cell beyond a side lies in the same block."""
    axis = side // 2
    first = (z0, y0, x0)[axis]
    return (z, y, x)[axis] - first != side % 2 and first + side % 2 < shape[axis]


@jit
def best_neighbour(links, shape, z0, y0, x0, z, y, x):
    """Return the strongest link of a cell inside its block, its side, and the sum of the links of the cell."""
    most, best, degree = 0.0, -1, 0.0
    for side in range(6):
        weight = links[z - z0, y - y0, side, x]
        degree += weight
        if stays_inside(shape, z0, y0, x0, z, y, x, side) and weight > most:
            most, best = weight, side
    return most, best, degree


@jit
def is_alone(piece, z0, y0, x0, z, y, x):
    """Whether a cell is the only one of its piece."""
    n0, n1, n2 = piece.shape
    count = 0
    for a in range(z0, min(z0 + 2, n0)):
        for b in range(y0, min(y0 + 2, n1)):
            for c in range(x0, min(x0 + 2, n2)):
                count += piece[a, b, c] == piece[z, y, x]
    return count == 1


@jit
def holds_outside(conducts, cell, links, strength, whole, z0, y0, x0, z, y, x):
    """Whether a cell has a strong link to one outside its block, of which the sum of links is at most `whole` times its own."""
    n0, n1, n2 = conducts.shape
    for side in range(6):
        weight = links[z - z0, y - y0, side, x]
        if weight <= 0.0 or stays_inside(conducts.shape, z0, y0, x0, z, y, x, side):
            continue
        to = 2 * (side % 2) - 1
        zz = z + to if side < 2 else z
        yy = (y + to) % n1 if 2 <= side < 4 else y
        xx = (x + to) % n2 if side >= 4 else x
        if zz < 0 or zz == n0 or weight >= strength * whole * (1.0 if cell is None else cell[zz, yy, xx]):
            return True
    return False


@jit
def split_block(conducts, cell, links, strength, whole, z0, y0, x0, piece):
    """Label the strongly connected pieces of one block, 0, 1, …; return how many there are.

    `links` (2, 2, 6, n2) are the conductances of the faces of the rows of cells through the block; their sum over the sides of
    a cell is at most `whole` times its conductivity. A cell without strong links, in the block or out of it, is a sliver: it
    joins the better connected one that it is tied to most, for it follows that one.
    """
    n0, n1, n2 = conducts.shape
    count = 0
    for z in range(z0, min(z0 + 2, n0)):
        for y in range(y0, min(y0 + 2, n1)):
            for x in range(x0, min(x0 + 2, n2)):
                piece[z, y, x] = np.uint8(count) if conducts[z, y, x] else NOWHERE
                count += conducts[z, y, x]
    for alone in range(2):
        for z in range(z0, min(z0 + 2, n0)):
            for y in range(y0, min(y0 + 2, n1)):
                for x in range(x0, min(x0 + 2, n2)):
                    if piece[z, y, x] == NOWHERE or (alone and not is_alone(piece, z0, y0, x0, z, y, x)):
                        continue
                    if alone and holds_outside(conducts, cell, links, strength, whole, z0, y0, x0, z, y, x):
                        continue
                    _, best, degree = best_neighbour(links, piece.shape, z0, y0, x0, z, y, x)
                    for side in range(6):
                        weight = links[z - z0, y - y0, side, x]
                        inside = stays_inside(piece.shape, z0, y0, x0, z, y, x, side)
                        if not inside or weight <= 0.0 or (alone and side != best):
                            continue
                        to = 2 * (side % 2) - 1
                        zz = z + to if side < 2 else z
                        yy = y + to if 2 <= side < 4 else y
                        xx = x + to if side >= 4 else x
                        beyond = best_neighbour(links, piece.shape, z0, y0, x0, zz, yy, xx)[2]
                        joined = degree < beyond if alone else weight >= strength * max(degree, beyond)
                        if joined and piece[zz, yy, xx] != piece[z, y, x]:
                            join_pieces(piece, z0, y0, x0, piece[z, y, x], piece[zz, yy, xx])
                            count -= 1
    return count


@jit
def tabulate_pieces(table):
    """Write the labels of the eight cells of a block, and their number, for each of the 256 ways to fill it."""
    conducts = np.zeros((2, 2, 2), np.uint8)
    piece = np.zeros((2, 2, 2), np.uint8)
    ends = np.zeros((2, 2, 2))
    links = np.empty((2, 2, 6, 2))
    for code in range(256):
        for k in range(8):
            conducts[k // 4, k // 2 % 2, k % 2] = (code >> k) & 1
        for row in range(4):
            link_row(
                conducts, None, None, ends, (1.0, 1.0, 1.0), (False, False, False), row // 2, row % 2,
                links[row // 2, row % 2],
            )  # fmt: skip
        table[code, 8] = split_block(conducts, None, links, 0.0, 0.0, 0, 0, 0, piece)
        for k in range(8):
            table[code, k] = piece[k // 4, k // 2 % 2, k % 2]


@inlined
def look_up_block(conducts, table, z, y, x, piece):
    """Label the pieces of a whole block by its table entry; return how many there are."""
    code = 0
    for k in range(8):
        code |= conducts[z + (k >> 2), y + ((k >> 1) & 1), x + (k & 1)] << k
    for k in range(8):
        piece[z + (k >> 2), y + ((k >> 1) & 1), x + (k & 1)] = table[code, k]
    return table[code, 8]


@jit
def split_blocks(first, last, conducts, cell, areas, ends, factors, wraps, strength, table, piece, counts):
    """Label the pieces in every block and count them."""
    n0, n1, n2 = conducts.shape
    plain = cell is None and areas is None
    enough = strength * 2.0 * 255.0 * (factors[0] + factors[1] + factors[2])
    whole_links = 4.0 * (1.0 if areas is None else 255.0) * (factors[0] + factors[1] + factors[2])
    links = np.empty((2, 2, 6, n2))
    for bz in range(first, last):
        for by in range(counts.shape[1]):
            z, y = 2 * bz, 2 * by
            whole = z + 1 < n0 and y + 1 < n1
            if not (plain and whole and n2 % 2 == 0):
                for a in range(min(2, n0 - z)):
                    for b in range(min(2, n1 - y)):
                        link_row(conducts, cell, areas, ends, factors, wraps, z + a, y + b, links[a, b])
            for bx in range(counts.shape[2]):
                x = 2 * bx
                simple = whole and x + 1 < n2 and cell is None
                if simple and areas is not None:
                    for k in range(8):
                        a, b, c = k >> 2, (k >> 1) & 1, k & 1
                        if conducts[z + a, y + b, x + c]:
                            simple &= not (a and conducts[z, y + b, x + c]) or links[a, b, 0, x + c] >= enough
                            simple &= not (b and conducts[z + a, y, x + c]) or links[a, b, 2, x + c] >= enough
                            simple &= not (c and conducts[z + a, y + b, x]) or links[a, b, 4, x + c] >= enough
                if simple:
                    counts[bz, by, bx] = look_up_block(conducts, table, z, y, x, piece)
                else:
                    counts[bz, by, bx] = split_block(
                        conducts, cell, links, strength, whole_links, z, y, x, piece
                    )


@jit
def count_nodes(first, last, counts, seams, per_plane):
    """Count the pieces of every plane of blocks and colour."""
    for z in range(first, last):
        for y in range(counts.shape[1]):
            for x in range(counts.shape[2]):
                per_plane[z, colour_of(z, y, x, counts.shape, seams)] += counts[z, y, x]


@jit
def number_nodes(first, last, counts, seams, numbers, nodes):
    """Write numbers for the first pieces of the blocks, plane by plane from `numbers` on; −1 where there are none."""
    for z in range(first, last):
        at = numbers[z].copy()
        for y in range(counts.shape[1]):
            for x in range(counts.shape[2]):
                colour = colour_of(z, y, x, counts.shape, seams)
                nodes[z, y, x] = at[colour] if counts[z, y, x] > 0 else -1
                at[colour] += counts[z, y, x]


@jit
def count_spare(first, last, piece, spare_ptr):
    """Count, row by row, the black cells that are not in the first piece of their block."""
    _, n1, n2 = piece.shape
    for z in range(first, last):
        for y in range(n1):
            total = 0
            for x in range((z + y) % 2, n2, 2):
                if piece[z, y, x] != NOWHERE and piece[z, y, x] > 0:
                    total += 1
            spare_ptr[z * n1 + y + 1] = total


@jit
def list_spare(first, last, piece, nodes, spare_ptr, spare_at, spare_node):
    """List them with the node they belong to."""
    _, n1, n2 = piece.shape
    for z in range(first, last):
        for y in range(n1):
            at = spare_ptr[z * n1 + y]
            for x in range((z + y) % 2, n2, 2):
                if piece[z, y, x] != NOWHERE and piece[z, y, x] > 0:
                    spare_at[at] = x // 2
                    spare_node[at] = nodes[z // 2, y // 2, x // 2] + piece[z, y, x]
                    at += 1
