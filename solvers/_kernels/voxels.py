"""Voxels as a network: links between cells, labels to cells, connected parts, the plain graph of all cells.

Cells are given in the natural layout, the axis of transport first. `conducts` is 1 where a cell conducts. `cell` holds
conductivities, or is None where all are alike; `areas` holds the open areas of all faces across z, y and x, or is None
where all are open. `ends` (2, n1, n2) are the links of the end layers to inlet and outlet; `factors` multiply the links
along y and x (and tell how much larger than the others the end links are). `wraps` tells for z (never), y and x
whether the block repeats itself.
"""

from numba import njit, prange

serial = njit(cache=True, error_model="numpy", fastmath={"contract"})
parallel = njit(cache=True, error_model="numpy", fastmath={"contract"}, parallel=True)


@serial
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


@parallel
def select_cells(codes, table, conducts, counts):
    """Look up which codes conduct; `counts` (n0, table) receives how often each code occurs in every plane."""
    n0, n1, n2 = codes.shape
    for z in prange(n0):
        for y in range(n1):
            for x in range(n2):
                code = codes[z, y, x]
                conducts[z, y, x] = table[code]
                counts[z, code] += 1


@parallel
def open_cells(areas0, areas1, areas2, conducts):
    """Mark the cells with an open face."""
    n0, n1, n2 = conducts.shape
    for z in prange(n0):
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


@serial
def number_cells(conducts, number):
    """Write numbers for the conducting cells, even coordinate sums first; return (even ones, all)."""
    count = 0
    reds = 0
    n0, n1, n2 = conducts.shape
    number[:] = -1
    for colour in range(2):
        for z in range(n0):
            for y in range(n1):
                for x in range((z + y + colour) % 2, n2, 2):
                    if conducts[z, y, x]:
                        number[z, y, x] = count
                        count += 1
        if colour == 0:
            reds = count
    return reds, count


@serial
def cell_graph(
    conducts, cell, areas, ends, factors, wraps, number, indptr, indices, weights, inlet, outlet, cells
):
    """Write the graph of the numbered cells, their links to inlet and outlet and their coordinates."""
    n0, n1, n2 = number.shape
    indptr[0] = 0
    end = 0
    for colour in range(2):
        for z in range(n0):
            for y in range(n1):
                for x in range((z + y + colour) % 2, n2, 2):
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
                        if weight <= 0.0 or (zz >= 0 and number[zz, yy, xx] == i):
                            continue
                        if zz >= 0:
                            indices[end] = number[zz, yy, xx]
                            weights[end] = weight
                            end += 1
                        elif side == 0:
                            inlet[i] = weight
                        else:
                            outlet[i] = weight
                    indptr[i + 1] = end
