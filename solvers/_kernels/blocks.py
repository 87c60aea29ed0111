"""The first coarse graph of a grid: pieces of conductor inside blocks of 2 × 2 × 2 cells.

The arguments that describe the cells are those of `voxels.link`.
"""

import numpy as np
from numba import njit

from solvers._kernels.coarsen import colour_of
from solvers._kernels.voxels import link_row

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)
NOWHERE = np.uint8(255)


@jit
def tabulate_pieces(table):
    """
    Write into which pieces the links between the eight cells of a block tie them, for each of the 4096 ways to have some.

    table (4096, 9) uint8: the first cell of the piece of every cell, and a bit for every cell that is a piece of its own.
    Cells are numbered 4 z + 2 y + x. Link 4 a + b ties the b-th of the cells that have one beyond along axis a to it.
    """
    for code in range(4096):
        for k in range(8):
            table[code, k] = k
        for link in range(12):
            step = 4 >> (link // 4)
            low = link % 4
            low += low // step * step  # the cells whose bit of that axis is 0
            if (code >> link) & 1:
                one, other = table[code, low], table[code, low + step]
                for k in range(8):
                    if table[code, k] == max(one, other):
                        table[code, k] = min(one, other)
        table[code, 8] = 0
        for k in range(8):
            alone = True
            for other in range(8):
                alone &= other == k or table[code, other] != table[code, k]
            table[code, 8] |= alone << k


@jit
def sum_links(links, width, degrees):
    """Sum the links (6, n2) of the cells of a row."""
    for x in range(width):
        degrees[x] = ((((links[0, x] + links[1, x]) + links[2, x]) + links[3, x]) + links[4, x]) + links[5, x]


@jit
def split_blocks(
    first, last, conducts, cell, areas, ends, factors, wraps, strength, loose, table, piece, counts
):
    """
    Label the strongly connected pieces in every block, 0, 1, …, and count them.

    Links are strong that carry enough of what the cell with more links has in sum, or that with fewer if `loose`.

    A cell without strong links, in the block or out of it, is a sliver: it joins the better connected one of its block
    that it is tied to most, for it follows that one. Nothing is called for a block but for one with slivers.
    """
    n0, n1, n2 = conducts.shape
    m2 = counts.shape[2]
    plain = cell is None and areas is None
    whole = 4.0 * (1.0 if areas is None else 255.0) * (factors[0] + factors[1] + factors[2])
    links, degrees = np.zeros((2, 2, 6, 2 * m2)), np.zeros((2, 2, 2 * m2))
    label, rank = np.empty(8, np.uint8), np.empty(8, np.uint8)
    for bz in range(first, last):
        for by in range(counts.shape[1]):
            z, y = 2 * bz, 2 * by
            for a in range(2):
                for b in range(2):
                    if not plain and z + a < n0 and y + b < n1:
                        link_row(conducts, cell, areas, ends, factors, wraps, z + a, y + b, links[a, b])
                        sum_links(links[a, b], n2, degrees[a, b])
                    else:
                        links[a, b] = 0.0
            for bx in range(m2):
                x = 2 * bx
                filled = 0
                for k in range(8):
                    a, b, c = k >> 2, (k >> 1) & 1, k & 1
                    if z + a < n0 and y + b < n1 and x + c < n2:
                        filled |= int(conducts[z + a, y + b, x + c]) << k
                if filled == 0:
                    for k in range(8):
                        a, b, c = k >> 2, (k >> 1) & 1, k & 1
                        if z + a < n0 and y + b < n1 and x + c < n2:
                            piece[z + a, y + b, x + c] = NOWHERE
                    counts[bz, by, bx] = 0
                    continue
                up, north, west = filled & (filled >> 4), filled & (filled >> 2), filled & (filled >> 1)
                code = (up & 15) | (north & 3) << 4 | (north & 48) << 2
                code |= (west & 1) << 8 | (west & 4) << 7 | (west & 16) << 6 | (west & 64) << 5
                for link in range(0 if plain else 12):
                    if (code >> link) & 1:
                        step = 4 >> (link // 4)
                        b = link % 4
                        b += b // step * step
                        d = b + step
                        weight = links[b >> 2, (b >> 1) & 1, 2 * (link // 4) + 1, x + (b & 1)]
                        one = degrees[b >> 2, (b >> 1) & 1, x + (b & 1)]
                        other = degrees[d >> 2, (d >> 1) & 1, x + (d & 1)]
                        whose = min(one, other) if loose else max(one, other)
                        if weight <= 0.0 or weight < strength * whose:
                            code &= ~(1 << link)
                for k in range(8):
                    label[k] = table[code, k]
                if not plain and table[code, 8] & filled:
                    join_slivers(
                        conducts,
                        cell,
                        links,
                        degrees,
                        strength,
                        whole,
                        z,
                        y,
                        x,
                        filled,
                        table[code, 8] & filled,
                        label,
                    )
                count = 0
                for k in range(8):
                    a, b, c = k >> 2, (k >> 1) & 1, k & 1
                    if (filled >> k) & 1:
                        if label[k] == k:
                            rank[k] = count
                            count += 1
                        piece[z + a, y + b, x + c] = rank[label[k]]
                    elif z + a < n0 and y + b < n1 and x + c < n2:
                        piece[z + a, y + b, x + c] = NOWHERE
                counts[bz, by, bx] = count


@jit
def join_slivers(conducts, cell, links, degrees, strength, whole, z, y, x, filled, alone, label):
    """
    Join the cells of a block that are alone, a bit each, to others if they are slivers; label (8,) is the first of a piece.

    links (2, 2, 6, n2) are the conductances of the faces of the rows of cells through the block, degrees their sums; the
    sum over the sides of a cell is at most `whole` times its conductivity.
    """
    n0, n1, n2 = conducts.shape
    for k in range(8):
        if not (alone >> k) & 1:
            continue
        a, b, c = k >> 2, (k >> 1) & 1, k & 1
        best, most, held = -1, 0.0, False
        for side in range(6):
            weight = links[a, b, side, x + c]
            if weight <= 0.0:
                continue
            bit, to = 4 >> (side // 2), 2 * (side % 2) - 1
            if ((k & bit) == 0) == (to > 0) and (filled >> (k ^ bit)) & 1:
                if weight > most:
                    best, most = k ^ bit, weight
                continue
            zz = z + a + to if side < 2 else z + a
            yy = (y + b + to) % n1 if 2 <= side < 4 else y + b
            xx = (x + c + to) % n2 if side >= 4 else x + c
            if zz < 0 or zz == n0 or weight >= strength * whole * (1.0 if cell is None else cell[zz, yy, xx]):
                held = True
                break
        if held or best < 0 or degrees[a, b, x + c] >= degrees[best >> 2, (best >> 1) & 1, x + (best & 1)]:
            continue
        one, other = min(label[k], label[best]), max(label[k], label[best])
        for other_cell in range(8):
            if label[other_cell] == other:
                label[other_cell] = one
        alone &= ~(1 << best)


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
