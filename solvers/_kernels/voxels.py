"""Voxels as a network: links between cells, labels to cells, connected parts, the plain graph of all cells.

Cells are given in the natural layout, the axis of transport first. `conducts` is 1 where a cell conducts. `cell` holds
conductivities, or is None where all are alike; `areas` holds the open areas of all faces across z, y and x, or what they
conduct, and is None where all are open. `ends` (2, n1, n2) are the links of the end layers to inlet and outlet; `factors` multiply the links
along y and x (and tell how much larger than the others the end links are). `wraps` tells for z (never), y and x
whether the block repeats itself.
"""

from numba import njit

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)


@jit
def link(conducts, cell, areas, ends, factors, wraps, z, y, x, side):
    """Conductance of one face of a cell and the cell beyond it; its z is −1 for inlet and outlet.

    Sides are numbered up, down, north, south, west, east.
    """
    n0, n1, n2 = conducts.shape
    forward = side % 2
    zz, yy, xx = z, y, x
    area = 1.0
    if side < 2:
        zz += 2 * forward - 1
        if zz < 0 or zz == n0:
            return ends[forward, y, x], -1, y, x
        if areas is not None:
            area = float(areas[0][z + forward, y, x])
    elif side < 4:
        yy += 2 * forward - 1
        area = factors[1]
        if areas is not None:
            area *= float(areas[1][z, y + forward, x])
        if yy < 0 or yy == n1:
            yy = yy % n1
            if not wraps[1]:
                return 0.0, z, yy, x
    else:
        xx += 2 * forward - 1
        area = factors[2]
        if areas is not None:
            area *= float(areas[2][z, y, x + forward])
        if xx < 0 or xx == n2:
            xx = xx % n2
            if not wraps[2]:
                return 0.0, z, y, xx
    if conducts[zz, yy, xx] == 0:
        return 0.0, zz, yy, xx
    if cell is not None:
        area *= 2.0 * cell[z, y, x] * cell[zz, yy, xx] / (cell[z, y, x] + cell[zz, yy, xx])
    return area, zz, yy, xx


@jit
def link_row(conducts, cell, areas, ends, factors, wraps, z, y, out):
    """Write the conductances of the faces of a row of cells, as `link` gives them, to `out` (6, n2).

    Calls nothing: for a call in every cell, references to the arrays would be counted, most of its cost.
    """
    n0, n1, n2 = conducts.shape
    if areas is not None:
        areas0, areas1, areas2 = areas
    for side in range(4):
        forward = side % 2
        zz = z + 2 * forward - 1 if side < 2 else z
        yy = y + 2 * forward - 1 if side >= 2 else y
        if zz < 0 or zz == n0:
            for x in range(n2):
                out[side, x] = ends[forward, y, x] if conducts[z, y, x] else 0.0
            continue
        closed = (yy < 0 or yy == n1) and not wraps[1]
        yy = n1 - 1 if yy < 0 else (0 if yy == n1 else yy)
        factor = 0.0 if closed else (1.0 if side < 2 else factors[1])
        if areas is None:
            for x in range(n2):
                out[side, x] = factor
        elif side < 2:
            for x in range(n2):
                out[side, x] = factor * float(areas0[z + forward, y, x])
        else:
            for x in range(n2):
                out[side, x] = factor * float(areas1[z, y + forward, x])
        if cell is None:
            for x in range(n2):
                out[side, x] *= float(conducts[z, y, x] & conducts[zz, yy, x])
        else:
            for x in range(n2):
                one, other = cell[z, y, x], cell[zz, yy, x]
                link = out[side, x] * (2.0 * one * other / (one + other))
                out[side, x] = link if conducts[z, y, x] & conducts[zz, yy, x] else 0.0
    for x in range(n2):
        west = n2 - 1 if x == 0 else x - 1
        area = factors[2] if x > 0 or wraps[2] else 0.0
        if areas is not None:
            area *= float(areas2[z, y, x])
        if not (conducts[z, y, x] & conducts[z, y, west]):
            area = 0.0
        elif cell is not None:
            area *= 2.0 * cell[z, y, x] * cell[z, y, west] / (cell[z, y, x] + cell[z, y, west])
        out[4, x] = area
    for x in range(n2 - 1):
        out[5, x] = out[4, x + 1]
    out[5, n2 - 1] = out[4, 0]


@jit
def select_cells(first, last, codes, table, conducts, counts):
    """Look up which codes conduct; `counts` (n0, table) receives how often each code occurs in every plane."""
    _, n1, n2 = codes.shape
    for z in range(first, last):
        for y in range(n1):
            for x in range(n2):
                code = codes[z, y, x]
                conducts[z, y, x] = table[code]
                counts[z, code] += 1


@jit
def open_cells(first, last, areas0, areas1, areas2, conducts):
    """Mark the cells with an open face."""
    _, n1, n2 = conducts.shape
    for z in range(first, last):
        for y in range(n1):
            for x in range(n2):
                conducts[z, y, x] = (
                    areas0[z, y, x] > 0
                    or areas0[z + 1, y, x] > 0
                    or areas1[z, y, x] > 0
                    or areas1[z, y + 1, x] > 0
                    or areas2[z, y, x] > 0
                    or areas2[z, y, x + 1] > 0
                )


@jit
def link_cells(
    first,
    last,
    conducts,
    cell,
    areas,
    ends,
    factors,
    wraps,
    number,
    neighbours,
    weights,
    inlet,
    outlet,
    cells,
):
    """Write the rows of the graph of all cells (see `multigrid`), their links to inlet and outlet and their coordinates."""
    _, n1, n2 = number.shape
    for z in range(first, last):
        for y in range(n1):
            for x in range(n2):
                i = number[z, y, x]
                if i < 0:
                    continue
                cells[i, 0] = z
                cells[i, 1] = y
                cells[i, 2] = x
                inlet[i] = 0.0
                outlet[i] = 0.0
                for side in range(6):
                    weight, zz, yy, xx = link(conducts, cell, areas, ends, factors, wraps, z, y, x, side)
                    neighbours[i, side] = i
                    weights[i, side] = 0.0
                    if weight <= 0.0:
                        continue
                    if zz < 0 and side == 0:
                        inlet[i] = weight
                    elif zz < 0:
                        outlet[i] = weight
                    elif number[zz, yy, xx] != i:
                        neighbours[i, side] = number[zz, yy, xx]
                        weights[i, side] = weight
