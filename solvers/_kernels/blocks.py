"""The first coarse graph of a grid: pieces of conductor inside blocks of 2 × 2 × 2 cells.

The arguments that describe the cells are those of `voxels.link`.
"""

import numpy as np
from numba import njit

from solvers._kernels.coarsen import colour_of
from solvers._kernels.voxels import link

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)
inlined = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True, forceinline=True)

NOWHERE = np.uint8(255)


@jit
def degree_of(conducts, cell, areas, ends, factors, wraps, z, y, x):
    """Sum of the conductances of a cell."""
    total = 0.0
    for side in range(6):
        total += link(conducts, cell, areas, ends, factors, wraps, z, y, x, side)[0]
    return total


@jit
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


@inlined
def all_open(conducts, areas, z, y, x):
    """Whether all faces inside a block that is not cut by the borders are open or closed by cells that do not conduct."""
    for a in range(2):
        for b in range(2):
            if (
                conducts[z, y + a, x + b]
                and conducts[z + 1, y + a, x + b]
                and areas[0][z + 1, y + a, x + b] < 255
            ):
                return False
            if (
                conducts[z + a, y, x + b]
                and conducts[z + a, y + 1, x + b]
                and areas[1][z + a, y + 1, x + b] < 255
            ):
                return False
            if (
                conducts[z + a, y + b, x]
                and conducts[z + a, y + b, x + 1]
                and areas[2][z + a, y + b, x + 1] < 255
            ):
                return False
    return True


@jit
def tabulate_pieces(table):
    """Write the labels of the eight cells of a block, and their number, for each of the 256 ways to fill it."""
    conducts = np.zeros((2, 2, 2), np.uint8)
    piece = np.zeros((2, 2, 2), np.uint8)
    ends = np.zeros((2, 2, 2))
    for code in range(256):
        for k in range(8):
            conducts[k // 4, k // 2 % 2, k % 2] = (code >> k) & 1
        table[code, 8] = split_block(
            conducts, None, None, ends, (1.0, 1.0, 1.0), (False, False, False), 0.0, 0, 0, 0, piece
        )
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
    for bz in range(first, last):
        for by in range(counts.shape[1]):
            for bx in range(counts.shape[2]):
                z, y, x = 2 * bz, 2 * by, 2 * bx
                whole = z + 1 < n0 and y + 1 < n1 and x + 1 < n2
                if whole and cell is None and (areas is None or all_open(conducts, areas, z, y, x)):
                    counts[bz, by, bx] = look_up_block(conducts, table, z, y, x, piece)
                else:
                    counts[bz, by, bx] = split_block(
                        conducts, cell, areas, ends, factors, wraps, strength, z, y, x, piece
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
