"""Passes over a red–black grid: operator, restriction, correction and vector updates.

The red cells are eliminated: a red potential is the mean of its black neighbours. Vectors therefore hold black cells only,
and the operator is x − mean(mean(x)), the residual divided by the degree of the cell. See `rows` for the layout. Slabs of
planes are fixed, so that the bits do not depend on the number of threads.
"""

import numpy as np
from numba import njit

from solvers._kernels.rows import average_plane, dot_plane, plane_length, planes_around, ring_around

RED = 1
BLACK = 0

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)


@jit
def slab_bounds(slab, slabs, n0):
    """First plane and plane after the last of a slab; always even, so that blocks are not cut."""
    pairs = (n0 + 1) // 2
    return 2 * (slab * pairs // slabs), min(n0, 2 * ((slab + 1) * pairs // slabs))


@jit
def clear(ring, base, length):
    """Empty one plane of a ring."""
    for k in range(length):
        ring[base + k] = 0


@jit
def apply_grid(first, last, x, out, red, black, faces, factors, source, size, slabs, rows, work, sums, total):
    """Write x − mean(mean(x)), with the currents of the `source` if it is given; Σ degree·x·out of every slab to `total`.

    The precision of `work` is that of the means in between; `rows` is the number of scratch rows. Rows of `sums` receive,
    plane by plane, Σ degree·out, Σ degree·x·out, Σ degree·potential, Σ degree and Σ source·potential, if there are any.
    """
    n0, n1, width, _, _ = size
    length = plane_length(size)
    for slab in range(first, last):
        low, high = slab_bounds(slab, slabs, n0)
        ring = np.zeros(3 * length, work.dtype)
        mean = np.zeros(length, work.dtype)
        scratch = np.zeros((rows, width), work.dtype)
        ones = np.ones(length, work.dtype)
        zero = np.uint64(0)
        energy = 0.0
        for t in range(low - 1, high + 1):
            base = (t + 3) % 3 * length
            if 0 <= t < n0:
                average_plane(
                    ring, base, x, planes_around(t, size), t, RED, red, faces, factors, source, size, scratch
                )
            else:
                clear(ring, base, length)
            z = t - 1
            if z < low:
                continue
            average_plane(
                mean, 0, ring, ring_around(z, size), z, BLACK, black, faces, factors, source, size, scratch
            )
            for y in range(n1):
                row = y * width
                here = z * length + row
                for k in range(np.uint64(width)):
                    mean[np.uint64(row) + k] = x[np.uint64(here) + k] - mean[np.uint64(row) + k]
                    out[np.uint64(here) + k] = mean[np.uint64(row) + k]
            here = np.uint64(z * length)
            gain = dot_plane(mean, zero, x, here, black, here, size)
            energy += gain
            if sums.shape[0] == n0:
                r = np.uint64(ring_around(z, size)[1])
                sums[z, 0] += dot_plane(mean, zero, ones, zero, black, here, size)
                sums[z, 1] += gain
                sums[z, 2] += dot_plane(ones, zero, x, here, black, here, size)
                sums[z, 2] += dot_plane(ring, r, ones, zero, red, here, size)
                sums[z, 3] += dot_plane(ones, zero, ones, zero, black, here, size)
                sums[z, 3] += dot_plane(ones, zero, ones, zero, red, here, size)
                if source is not None and z * length < source.shape[1]:
                    sums[z, 4] += dot_plane(ones, zero, x, here, source[BLACK], here, size)
                    sums[z, 4] += dot_plane(ring, r, ones, zero, source[RED], here, size)
        total[slab] = energy


@jit
def restrict_grid(
    first, last, r, coarse, red, black, faces, factors, size, slabs, rows, work, nodes, spare_ptr, spare_at, spare_node
):  # fmt: skip
    """Relax black and red cells on zero and sum the residual over the nodes of the coarse graph.

    `nodes` holds the node of the first component of every block, −1 for none; the black cells of further components are
    listed row by row in `spare_at`, with their node in `spare_node`.
    """
    n0, n1, width, _, _ = size
    length = plane_length(size)
    n = width - 2
    for slab in range(first, last):
        low, high = slab_bounds(slab, slabs, n0)
        ring = np.zeros(3 * length, work.dtype)
        mean = np.zeros(length, work.dtype)
        scratch = np.zeros((rows, width), work.dtype)
        summed = np.zeros((nodes.shape[1], n), work.dtype)
        for t in range(low - 1, high + 1):
            base = (t + 3) % 3 * length
            if 0 <= t < n0:
                average_plane(
                    ring, base, r, planes_around(t, size), t, RED, red, faces, factors, None, size, scratch
                )
            else:
                clear(ring, base, length)
            z = t - 1
            if z < low:
                continue
            average_plane(
                mean, 0, ring, ring_around(z, size), z, BLACK, black, faces, factors, None, size, scratch
            )
            for y in range(n1):
                row = np.uint64(y * width + 1)
                here = np.uint64(z * length + y * width + 1)
                for k in range(np.uint64(n)):
                    mean[row + k] *= work.dtype.type(black[here + k])
                for s in range(spare_ptr[z * n1 + y], spare_ptr[z * n1 + y + 1]):
                    coarse[spare_node[s]] += mean[row + np.uint64(spare_at[s])]
                    mean[row + np.uint64(spare_at[s])] = 0
                target = summed[y // 2]
                if z % 2 == 0 and y % 2 == 0:
                    target[:] = 0
                for k in range(np.uint64(n)):
                    target[k] += mean[row + k]
            if z % 2 == 1 or z == n0 - 1:
                for b in range(summed.shape[0]):
                    for k in range(n):
                        node = nodes[z // 2, b, k]
                        if node >= 0:
                            coarse[node] += summed[b, k]


@jit
def add_coarse(out, base, r, coarse, black, size, z, nodes, expanded, spare_ptr, spare_at, spare_node):
    """Write r plus the coarse correction into one plane of a ring."""
    _, n1, width, _, wraps = size
    n = width - 2
    for y in range(n1):
        if y % 2 == 0:
            for k in range(n):
                node = nodes[z // 2, y // 2, k]
                expanded[k] = coarse[node] if node >= 0 else 0
        o = np.uint64(base + y * width + 1)
        here = np.uint64(z * plane_length(size) + y * width + 1)
        zero = out.dtype.type(0)
        for k in range(np.uint64(n)):
            out[o + k] = r[here + k] + expanded[k] if black[here + k] > 0 else zero
        for s in range(spare_ptr[z * n1 + y], spare_ptr[z * n1 + y + 1]):
            k = np.uint64(spare_at[s])
            out[o + k] = r[here + k] + coarse[spare_node[s]]
        if wraps:
            out[o - np.uint64(1)] = out[o + np.uint64(n - 1)]
            out[o + np.uint64(n)] = out[o]


@jit
def correct_grid(
    first, last, r, coarse, out, red, black, faces, factors, size, slabs, rows, work, nodes, spare_ptr, spare_at,
    spare_node, total,
):  # fmt: skip
    """Add the coarse correction, relax red and black cells; write the preconditioned residual z, Σ degree·r·z to `total`."""
    n0, n1, width, _, _ = size
    length = plane_length(size)
    for slab in range(first, last):
        low, high = slab_bounds(slab, slabs, n0)
        start = np.zeros(3 * length, work.dtype)
        ring = np.zeros(3 * length, work.dtype)
        mean = np.zeros(length, work.dtype)
        scratch = np.zeros((rows, width), work.dtype)
        expanded = np.zeros(width, r.dtype)
        product = 0.0
        for s in range(low - 2, high + 2):
            base = (s + 3) % 3 * length
            if 0 <= s < n0:
                add_coarse(
                    start, base, r, coarse, black, size, s, nodes, expanded, spare_ptr, spare_at, spare_node
                )
            else:
                clear(start, base, length)
            t = s - 1
            if t < low - 1:
                continue
            base = (t + 3) % 3 * length
            if 0 <= t < n0:
                average_plane(
                    ring, base, start, ring_around(t, size), t, RED, red, faces, factors, None, size, scratch
                )
            else:
                clear(ring, base, length)
            z = t - 1
            if z < low:
                continue
            average_plane(
                mean, 0, ring, ring_around(z, size), z, BLACK, black, faces, factors, None, size, scratch
            )
            for y in range(n1):
                row = np.uint64(y * width)
                here = np.uint64(z * length + y * width)
                for k in range(np.uint64(width)):
                    out[here + k] = r[here + k] + mean[row + k]
            here = np.uint64(z * length)
            product += dot_plane(r, here, out, here, black, here, size)
        total[slab] = product


@jit
def combine(first, last, p, z, beta, slabs):
    """Turn p into z + β p."""
    factor = p.dtype.type(beta)
    for slab in range(first, last):
        for k in range(np.uint64(slab * p.size // slabs), np.uint64((slab + 1) * p.size // slabs)):
            p[k] = z[k] + factor * p[k]


@jit
def step(first, last, x, p, r, q, alpha, slabs):
    """Add α p to x and take α q off r."""
    forward = x.dtype.type(alpha)
    back = r.dtype.type(alpha)
    for slab in range(first, last):
        for k in range(np.uint64(slab * x.size // slabs), np.uint64((slab + 1) * x.size // slabs)):
            x[k] += forward * p[k]
            r[k] -= back * q[k]
