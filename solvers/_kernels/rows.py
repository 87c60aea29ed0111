"""Rows and planes of a red–black grid: the inner loops, one pass over contiguous memory each.

A grid of n0 × n1 × n2 cells is held colour by colour: cells with an even sum of coordinates are black, the others red.
Row (z, y) of a colour holds every second cell, `width − 2` of them between two ghosts; plane n0 and row n1 of every
plane are empty, so that what lies outside reads zero. `size` is (n0, n1, width, wraps along y, wraps along x).

Weighted grids have `faces`, the conductances of the faces of the red cells, side by side (6, cells) in the order up,
down, north, south, west, east; those of black cells to inlet and outlet stand in the empty plane, under down and up.
`factors` multiply them: on the faces of inlet and outlet, along y and along x. Grids of equal conductances have None for
faces and count open ones. A degree is the sum of a cell's conductances.

Positions are offsets into flat arrays, as unsigned integers: a signed index would be tested for wrapping around, and the
loops would not vectorise. A loop reads at most eight streams beside the one it writes: with more, LLVM gives up proving
that they do not overlap.
"""

import numpy as np
from numba import njit

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)
sums = njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"}, nogil=True)


@jit
def plane_length(size):
    """Length of one plane of one colour."""
    return (size[1] + 1) * size[2]


@jit
def planes_around(z, size):
    """Offsets of the planes z − 1, z and z + 1 of a whole array."""
    length = plane_length(size)
    return (z - 1 if z > 0 else size[0]) * length, z * length, (z + 1) * length


@jit
def ring_around(z, size):
    """Offsets of the planes z − 1, z and z + 1 of a ring of three planes."""
    length = plane_length(size)
    return (z + 2) % 3 * length, (z + 3) % 3 * length, (z + 4) % 3 * length


@jit
def neighbours(planes, y, offset, size):
    """Offsets of the six neighbours of the first cell of row y, whose colour starts at x = offset."""
    up, here, down = planes
    n1, width = size[1], size[2]
    row = y * width + 1
    north = y - 1 if y > 0 else (n1 - 1 if size[3] else n1)
    south = y + 1 if y + 1 < n1 else (0 if size[3] else n1)
    return (
        np.uint64(up + row),
        np.uint64(down + row),
        np.uint64(here + north * width + 1),
        np.uint64(here + south * width + 1),
        np.uint64(here + row + offset - 1),
        np.uint64(here + row + offset),
    )


@jit
def close_row(out, first, size):
    """Fill the ghosts at both ends of a row where the grid wraps around."""
    n = size[2] - 2
    if size[4]:
        out[first - 1] = out[first + n - 1]
        out[first + n] = out[first]


@jit
def face_offsets(z, y, colour, size):
    """Offsets of the six faces of the first cell of a row: red cells own theirs, black ones look at their neighbours."""
    whole = planes_around(z, size)
    at = neighbours(whole, y, (z + y + colour) & 1, size)
    cells = np.uint64((size[0] + 1) * plane_length(size))
    own = np.uint64(whole[1] + y * size[2] + 1)
    red = colour == 1
    return (
        own if red else at[0] + cells,
        own + cells if red else at[1],
        (own if red else at[2] + cells) + cells * np.uint64(2),
        (own + cells if red else at[3]) + cells * np.uint64(2),
        (own if red else at[4] + cells) + cells * np.uint64(4),
        (own + cells if red else at[5]) + cells * np.uint64(4),
    )


@jit
def lift_row(out, o, source, i, degree, d, n):
    """Add what the currents fed into the cells contribute to their potentials."""
    real = out.dtype.type
    for k in range(np.uint64(n)):
        if degree[d + k] > 0:
            out[o + k] += real(source[i + k]) / real(degree[d + k])


@jit
def average_plane(out, base, a, planes, z, colour, degree, faces, factors, source, size, scratch):
    """Write the weighted mean of the neighbours for the cells of one colour in plane z.

    `base` and `planes` are offsets into `out` and `a`. The potential beyond inlet and outlet is 0. `source` (2, planes),
    the currents fed into the black and red cells of the first planes, counts if it is not None. `scratch` holds two rows, or three where
    the weights differ by orders of magnitude: their sum must then be that of the very weights used, not a rounded one.

    The mean is a[ref] + Σ w (a − a[ref]) / Σ w, exactly a[ref] where all neighbours agree on it. Rows are not given to
    functions: for a call in every row, references to the arrays would be counted, half the time where rows are short.
    """
    real = out.dtype.type
    zero = real(0)
    n = np.uint64(size[2] - 2)
    here = z * plane_length(size)
    first = real(factors[0]) if z == 0 else real(1)
    last = real(factors[0]) if z == size[0] - 1 else real(1)
    f1, f2 = real(factors[1]), real(factors[2])
    part, other, weight = scratch[0], scratch[1], scratch[scratch.shape[0] - 1]
    own_sum = scratch.shape[0] == 3
    for y in range(size[1]):
        up, down, north, south, west, east = neighbours(planes, y, (z + y + colour) & 1, size)
        o = np.uint64(base + y * size[2] + 1)
        d = np.uint64(here + y * size[2] + 1)
        if faces is None:
            for k in range(n):
                total = (
                    (real(a[up + k]) + real(a[down + k]))
                    + (real(a[north + k]) + real(a[south + k]))
                    + (real(a[west + k]) + real(a[east + k]))
                )
                count = real(degree[d + k])
                out[o + k] = total / count if count > zero else zero
        else:
            wu, wd, wn, ws, ww, we = face_offsets(z, y, colour, size)
            ref = np.uint64(planes[1] + y * size[2] + 1)
            for k in range(n):
                centre = real(a[ref + k])
                part[k] = (
                    first * real(faces[wu + k]) * (real(a[up + k]) - centre)
                    + f1 * real(faces[wn + k]) * (real(a[north + k]) - centre)
                    + f2 * real(faces[ww + k]) * (real(a[west + k]) - centre)
                )
            for k in range(n):
                centre = real(a[ref + k])
                other[k] = (
                    last * real(faces[wd + k]) * (real(a[down + k]) - centre)
                    + f1 * real(faces[ws + k]) * (real(a[south + k]) - centre)
                    + f2 * real(faces[we + k]) * (real(a[east + k]) - centre)
                )
            if own_sum:
                for k in range(n):
                    weight[k] = (
                        (first * real(faces[wu + k]) + last * real(faces[wd + k]))
                        + f1 * (real(faces[wn + k]) + real(faces[ws + k]))
                        + f2 * (real(faces[ww + k]) + real(faces[we + k]))
                    )
                for k in range(n):
                    total = weight[k]
                    out[o + k] = real(a[ref + k]) + (part[k] + other[k]) / total if total > zero else zero
            else:
                for k in range(n):
                    total = real(degree[d + k])
                    out[o + k] = real(a[ref + k]) + (part[k] + other[k]) / total if total > zero else zero
        if source is not None and here < source.shape[1]:
            if faces is not None and own_sum:
                lift_row(out, o, source[colour], d, weight, np.uint64(0), n)
            else:
                lift_row(out, o, source[colour], d, degree, d, n)
        if size[4]:
            out[o - np.uint64(1)] = out[o + n - np.uint64(1)]
            out[o + n] = out[o]


@sums
def dot_plane(a, i, b, j, degree, d, size):
    """Sum degree·a·b over a plane whose rows begin at the offsets, the ghosts before the first cells."""
    total = 0.0
    for y in range(size[1]):
        row = np.uint64(y * size[2] + 1)
        part = a.dtype.type(0)
        for k in range(np.uint64(size[2] - 2)):
            part += a[i + row + k] * b[j + row + k] * a.dtype.type(degree[d + row + k])
        total += part
    return total
