"""The interface that is charged in a blocking electrode, and what its planes conduct; cells as in `voxels`."""

import numpy as np
from numba import njit

from solvers._kernels.voxels import link

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)


@jit
def count_faces(first, last, conducts, other, wraps, sides, out):
    """Write the area of the faces between every conducting cell and cells that do not conduct, or those of `other` if given.

    `sides` are the areas of a face across z, y and x.
    """
    n0, n1, n2 = conducts.shape
    for z in range(first, last):
        for y in range(n1):
            for x in range(n2):
                total = 0.0
                for side in range(6 if conducts[z, y, x] else 0):
                    step = 2 * (side % 2) - 1
                    zz = z + (step if side < 2 else 0)
                    yy = y + (step if 2 <= side < 4 else 0)
                    xx = x + (step if side >= 4 else 0)
                    if zz < 0 or zz == n0:
                        continue
                    if (yy < 0 or yy == n1) and not wraps[1]:
                        continue
                    if (xx < 0 or xx == n2) and not wraps[2]:
                        continue
                    yy, xx = yy % n1, xx % n2
                    if other is not None:
                        total += sides[side // 2] * other[zz, yy, xx]
                    else:
                        total += sides[side // 2] * (1 - conducts[zz, yy, xx])
                out[z, y, x] = total


@jit
def cut_area(areas, sign, z, y, x, sides, vector):
    """Add the area vector of the surface of what fills the open `areas` of a cell, times a sign."""
    vector[0] += sign * sides[0] * (float(areas[0][z + 1, y, x]) - float(areas[0][z, y, x]))
    vector[1] += sign * sides[1] * (float(areas[1][z, y + 1, x]) - float(areas[1][z, y, x]))
    vector[2] += sign * sides[2] * (float(areas[2][z, y, x + 1]) - float(areas[2][z, y, x]))


@jit
def length_of(vector):
    """Euclidean length of three components."""
    return np.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)


@jit
def measure_cuts(first, last, conducts, areas, other_areas, sides, out):
    """Write the area of the surface in every conducting cell, that shared with the other phases if they are given.

    Of three bodies in a cell whose surfaces have the areas a, b and c, the first two share (a + b − c) / 2.
    """
    _, n1, n2 = conducts.shape
    vector = np.zeros(3)
    for z in range(first, last):
        for y in range(n1):
            for x in range(n2):
                out[z, y, x] = 0.0
                if not conducts[z, y, x]:
                    continue
                vector[:] = 0.0
                cut_area(areas, 1.0, z, y, x, sides, vector)
                own = length_of(vector)
                if other_areas is not None:
                    cut_area(other_areas, 1.0, z, y, x, sides, vector)
                    rest = length_of(vector)
                    vector[:] = 0.0
                    cut_area(other_areas, 1.0, z, y, x, sides, vector)
                    own = max(0.0, 0.5 * (own + length_of(vector) - rest))
                out[z, y, x] = own


@jit
def sum_planes(first, last, conducts, cell, areas, ends, factors, wraps, source, links, fed):
    """Sum, plane by plane, the conductances towards the inlet and the currents fed in."""
    _, n1, n2 = conducts.shape
    for z in range(first, last):
        for y in range(n1):
            for x in range(n2):
                if conducts[z, y, x]:
                    weight, _, _, _ = link(conducts, cell, areas, ends, factors, wraps, z, y, x, 0)
                    links[z] += weight
                    fed[z] += source[z, y, x]
