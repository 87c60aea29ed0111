"""Between the natural layout of cells and the red–black layout of `rows`."""

import numpy as np
from numba import njit

from solvers._kernels.rows import average_plane, close_row, plane_length, planes_around
from solvers._kernels.voxels import link_row

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)


@jit
def count_open(conducts, ends, wraps, z, y, counts):
    """Count the open faces of all cells of a row, and the weights of the links to inlet and outlet."""
    n0, n1, n2 = conducts.shape
    own = conducts[z, y]
    north = conducts[z, y - 1 if y > 0 else n1 - 1]
    south = conducts[z, y + 1 if y + 1 < n1 else 0]
    above = conducts[max(z - 1, 0)]
    below = conducts[min(z + 1, n0 - 1)]
    one = np.uint8(1)
    zero = np.uint8(0)
    weight_up = one if z > 0 else zero
    weight_down = one if z + 1 < n0 else zero
    weight_north = one if y > 0 or wraps[1] else zero
    weight_south = one if y + 1 < n1 or wraps[1] else zero
    up, down = above[y], below[y]
    for x in range(n2):
        counts[x] = own[x] * (up[x] * weight_up + down[x] * weight_down)
    if z == 0 or z + 1 == n0:
        for x in range(n2):
            link = (ends[0, y, x] if z == 0 else 0.0) + (ends[1, y, x] if z + 1 == n0 else 0.0)
            counts[x] += own[x] * np.uint8(link)
    for x in range(n2):
        counts[x] += own[x] * (north[x] * weight_north + south[x] * weight_south)
    for x in range(1, n2):
        counts[x] += own[x] * own[x - 1]
    for x in range(n2 - 1):
        counts[x] += own[x] * own[x + 1]
    if wraps[2]:
        counts[0] += own[0] * own[n2 - 1]
        counts[n2 - 1] += own[n2 - 1] * own[0]


@jit
def pack_counts(first, last, conducts, ends, wraps, black, red, size):
    """Write the numbers of open faces of black and red cells."""
    _, n1, n2 = conducts.shape
    width = size[2]
    for z in range(first, last):
        counts = np.zeros(2 * width, np.uint8)
        for y in range(n1):
            count_open(conducts, ends, wraps, z, y, counts)
            row = z * plane_length(size) + y * width + 1
            odd = (z + y) % 2
            for k in range((n2 + 1) // 2):
                black[row + k] = counts[2 * k + odd]
                red[row + k] = counts[2 * k + 1 - odd]
            close_row(black, row, size)
            close_row(red, row, size)


@jit
def pack_weights(first, last, conducts, cell, areas, ends, factors, wraps, black, red, faces, size):
    """Write the degrees of black and red cells and the conductances of all faces, without the factors."""
    n0, n1, n2 = conducts.shape
    width = size[2]
    cells = (n0 + 1) * plane_length(size)
    plain = (1.0, 1.0, 1.0)
    weights = np.empty((6, n2))
    for z in range(first, last):
        for y in range(n1):
            link_row(conducts, cell, areas, ends, plain, wraps, z, y, weights)
            below = planes_around(n0, size)[1] + y * width + 1
            row = z * plane_length(size) + y * width + 1
            for x in range(n2):
                if not conducts[z, y, x]:
                    continue
                at = row + x // 2
                is_red = (z + y + x) % 2 == 1
                degree = 0.0
                for side in range(6):
                    weight = weights[side, x]
                    end = (side == 0 and z == 0) or (side == 1 and z == n0 - 1)
                    if end:
                        weight /= factors[0]
                    if is_red:
                        faces[side * cells + at] = weight
                    elif end:
                        faces[(1 - side) * cells + below + x // 2] = weight
                    degree += weight * (factors[side // 2] if side > 1 else (factors[0] if end else 1.0))
                if is_red:
                    red[at] = degree
                else:
                    black[at] = degree
            close_row(black, row, size)
            close_row(red, row, size)
            for side in range(6):
                close_row(faces, side * cells + row, size)


@jit
def pack_planes(first, last, levels, x, black, size):
    """Write one potential a plane into the black cells that conduct."""
    length = plane_length(size)
    for z in range(first, last):
        value = x.dtype.type(levels[z])
        for k in range(length):
            x[z * length + k] = value if black[z * length + k] > 0 else 0


@jit
def unpack(first, last, x, red, black, faces, factors, source, size, rows, out):
    """Write the potentials of all cells in the natural layout, NaN where nothing conducts."""
    _, n1, n2 = out.shape
    width = size[2]
    length = plane_length(size)
    for z in range(first, last):
        mean = np.zeros(length, np.float64)
        scratch = np.zeros((rows, width), np.float64)
        average_plane(mean, 0, x, planes_around(z, size), z, 1, red, faces, factors, source, size, scratch)
        for y in range(n1):
            for i in range(n2):
                k = y * width + 1 + i // 2
                out[z, y, i] = np.nan
                if (z + y + i) % 2 == 1:
                    if red[z * length + k] > 0:
                        out[z, y, i] = mean[k]
                elif black[z * length + k] > 0:
                    out[z, y, i] = x[z * length + k]


@jit
def pack_source(first, last, source, conducts, out, size):
    """Write the currents fed into the cells of the first planes, black and red."""
    _, n1, n2 = conducts.shape
    for z in range(first, last):
        for y in range(n1):
            for x in range(n2):
                if conducts[z, y, x]:
                    at = z * plane_length(size) + y * size[2] + 1 + x // 2
                    out[(z + y + x) % 2, at] = source[z, y, x]
