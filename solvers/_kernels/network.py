"""Resistor networks of voxels: connected parts and their graph.

Faces carry conductances: ``g0`` of shape (n0 + 1, n1, n2), ``g1`` (n0, n1 + 1, n2), ``g2`` (n0, n1, n2 + 1). Along axis
0 the outer faces tie a voxel to the inlet and the outlet; along the others they are zero, or equal where periodic.
"""

import numpy as np
from numba import njit

serial = njit(cache=True, error_model="numpy", fastmath={"contract"})


@serial
def root(parent, i):
    """Root of the tree of i, halving the path to it."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@serial
def join(parent, i, j):
    """Join two trees under the smaller root."""
    a = root(parent, i)
    b = root(parent, j)
    parent[max(a, b)] = min(a, b)


@serial
def percolating(g0, g1, g2, carries):
    """Mark the voxels whose connected part touches inlet and outlet; return whether there are any."""
    n0, n1, n2 = carries.shape
    parent = np.empty(n0 * n1 * n2, np.int64)
    for i in range(parent.size):
        parent[i] = i
    for z in range(n0):
        for y in range(n1):
            for x in range(n2):
                i = (z * n1 + y) * n2 + x
                if z + 1 < n0 and g0[z + 1, y, x] > 0:
                    join(parent, i, i + n1 * n2)
                if g1[z, y + 1, x] > 0:
                    join(parent, i, i + n2 if y + 1 < n1 else z * n1 * n2 + x)
                if g2[z, y, x + 1] > 0:
                    join(parent, i, i + 1 if x + 1 < n2 else i + 1 - n2)
    touches = np.zeros(parent.size, np.uint8)
    for y in range(n1):
        for x in range(n2):
            if g0[0, y, x] > 0:
                touches[root(parent, y * n2 + x)] |= 1
            if g0[n0, y, x] > 0:
                touches[root(parent, ((n0 - 1) * n1 + y) * n2 + x)] |= 2
    found = False
    for z in range(n0):
        for y in range(n1):
            for x in range(n2):
                carries[z, y, x] = touches[root(parent, (z * n1 + y) * n2 + x)] == 3
                found = found or carries[z, y, x]
    return found


@serial
def number_nodes(carries, number):
    """Write numbers for the carrying voxels, even coordinate sums first; return (even ones, all)."""
    count = 0
    reds = 0
    n0, n1, n2 = carries.shape
    for colour in range(2):
        for z in range(n0):
            for y in range(n1):
                for x in range(n2):
                    if carries[z, y, x]:
                        if (x + y + z) % 2 == colour:
                            number[z, y, x] = count
                            count += 1
                    else:
                        number[z, y, x] = -1
        if colour == 0:
            reds = count
    return reds, count


@serial
def voxel_graph(g0, g1, g2, number, indptr, indices, weights, inlet, outlet, cells):
    """Write the graph of the numbered voxels, their links to inlet and outlet and their coordinates."""
    n0, n1, n2 = number.shape
    indptr[0] = 0
    end = 0
    for colour in range(2):
        for z in range(n0):
            for y in range(n1):
                for x in range(n2):
                    i = number[z, y, x]
                    if i < 0 or (x + y + z) % 2 != colour:
                        continue
                    cells[i, 0] = z
                    cells[i, 1] = y
                    cells[i, 2] = x
                    inlet[i] = g0[0, y, x] if z == 0 else 0.0
                    outlet[i] = g0[n0, y, x] if z == n0 - 1 else 0.0
                    for side in range(6):
                        zz, yy, xx = z, y, x
                        if side == 0:
                            zz, g = z - 1, g0[z, y, x]
                        elif side == 1:
                            zz, g = z + 1, g0[z + 1, y, x]
                        elif side == 2:
                            yy, g = (y - 1 + n1) % n1, g1[z, y, x]
                        elif side == 3:
                            yy, g = (y + 1) % n1, g1[z, y + 1, x]
                        elif side == 4:
                            xx, g = (x - 1 + n2) % n2, g2[z, y, x]
                        else:
                            xx, g = (x + 1) % n2, g2[z, y, x + 1]
                        if g > 0 and 0 <= zz < n0 and (zz, yy, xx) != (z, y, x):
                            indices[end] = number[zz, yy, xx]
                            weights[end] = g
                            end += 1
                    indptr[i + 1] = end
