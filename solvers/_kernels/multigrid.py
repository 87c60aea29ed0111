"""Graphs of conductances: Gauss–Seidel sweeps by colour, residuals, the cycles of the small levels.

`links` of a graph are (neighbours, weights, tail_nodes, tail_weights, ground). Row i lists up to six neighbours in
``neighbours[i]`` (i itself where there are fewer) and the conductances to them in ``weights[i]``: a row of fixed length
has no loop whose end a processor must guess. Where there are more, the sixth entry is −1 − t, and the others stand in the
tails from position t on, up to a weight of 0. ``ground[i]`` ties node i to a fixed potential.

Nodes are numbered colour by colour and plane by plane: ``starts[p, c]`` is the first node of colour c in plane p or later.
Nodes of one colour are linked inside a block only, and blocks lie within a plane, so that sweeps over planes that are
shared between threads give the same bits. Relaxation divides by the `smoother`, the diagonal plus the links within a
colour: between pieces of one block that only weak links tie, the halved links of the coarse graphs would overshoot.
"""

import numpy as np
from numba import njit

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)


@jit
def excess(low, high, links, r, z, out):
    """Write the currents that are missing at nodes low to high − 1, r − A z, from the differences of z, to the front of `out`.

    The whole loop stands here, and calls nothing: for a function that is called row by row with arrays, references to them
    are counted in every row, a hundred cycles in place of ten.
    """
    neighbours, weights, tail_nodes, tail_weights, ground = links
    base = np.uint64(low)
    for k in range(np.uint64(high - low)):
        i = base + k
        own = z[i]
        total = (
            (
                weights[i, 0] * (z[np.uint64(neighbours[i, 0])] - own)
                + weights[i, 1] * (z[np.uint64(neighbours[i, 1])] - own)
            )
            + (
                weights[i, 2] * (z[np.uint64(neighbours[i, 2])] - own)
                + weights[i, 3] * (z[np.uint64(neighbours[i, 3])] - own)
            )
        ) + weights[i, 4] * (z[np.uint64(neighbours[i, 4])] - own)
        last = neighbours[i, 5]
        if last >= 0:
            total += weights[i, 5] * (z[np.uint64(last)] - own)
        else:
            t = -1 - last
            while tail_weights[t] > 0:
                total += tail_weights[t] * (z[np.uint64(tail_nodes[t])] - own)
                t += 1
        out[k] = total + (r[i] - ground[i] * own)


@jit
def relax(first, last, starts, colour, from_zero, links, smoother, r, z):
    """Bring the nodes of one colour into balance with their neighbours, those of a block at the same time."""
    most = 0
    for p in range(first, last):
        most = max(most, starts[p + 1, colour] - starts[p, colour])
    missing = np.empty(most, z.dtype)
    for p in range(first, last):
        low, high = starts[p, colour], starts[p + 1, colour]
        if from_zero:
            for i in range(np.uint64(low), np.uint64(high)):
                z[i] = r[i] / smoother[i]
        else:
            excess(low, high, links, r, z, missing)
            for k in range(np.uint64(high - low)):
                z[np.uint64(low) + k] += missing[k] / smoother[np.uint64(low) + k]


@jit
def restrict(first, last, starts, colours, links, owner, r, z, coarse):
    """Add the residual of the first colours to the owners of the nodes."""
    most = 0
    for p in range(first, last):
        for colour in range(colours):
            most = max(most, starts[p + 1, colour] - starts[p, colour])
    missing = np.empty(most, z.dtype)
    for p in range(first, last):
        for colour in range(colours):
            low, high = starts[p, colour], starts[p + 1, colour]
            excess(low, high, links, r, z, missing)
            for k in range(np.uint64(high - low)):
                coarse[np.uint64(owner[np.uint64(low) + k])] += missing[k]


@jit
def prolong(first, last, starts, colours, owner, coarse, z):
    """Add the value of the owner to the nodes of the first colours."""
    for p in range(first, last):
        for colour in range(colours):
            for i in range(np.uint64(starts[p, colour]), np.uint64(starts[p + 1, colour])):
                z[i] += coarse[np.uint64(owner[i])]


@jit
def apply_graph(first, last, links, zero, z, out):
    """Write A z; `zero` is a vector of zeros."""
    excess(first, last, links, zero, z, out[first:last])
    for i in range(np.uint64(first), np.uint64(last)):
        out[i] = -out[i]


@jit
def descend(level, fresh, starts, exact, links, smoother, owner, r, z):
    """Relax one of the small levels and restrict what is left."""
    colours = starts.shape[2]
    base = starts[level, 0, 0]
    if fresh:
        z[base : starts[level, 1, colours - 1]] = 0
    for colour in range(colours):
        if colour > 0 or fresh or not exact[level]:
            from_zero = fresh and colour == 0 and exact[level]
            relax(0, 1, starts[level], colour, from_zero, links, smoother, r, z)
    below = starts[level + 1, 0, 0]
    r[below : starts[level + 1, 1, colours - 1]] = 0
    restrict(0, 1, starts[level], colours - exact[level], links, owner, r, z, r)


@jit
def ascend(level, starts, exact, links, smoother, owner, r, z):
    """Correct one of the small levels from the one below and relax again, in the opposite order."""
    colours = starts.shape[2]
    prolong(0, 1, starts[level], colours - exact[level], owner, z, z)
    for colour in range(colours - 1, -1, -1):
        relax(0, 1, starts[level], colour, False, links, smoother, r, z)


@jit
def cycle_small(visits, starts, exact, links, smoother, owner, inverse, r, z):
    """Solve the small levels by W-cycles, a number of them on the first; one thread.

    The levels, the last of which the dense `inverse` solves, stand one after another in all arrays.
    """
    depth = starts.shape[0] - 1
    left = np.full(depth + 1, 2)
    left[0] = visits
    fresh = np.ones(depth + 1, np.bool_)
    level = 0
    while level >= 0:
        if level == depth:
            base = starts[depth, 0, 0]
            for i in range(inverse.shape[0]):
                total = r.dtype.type(0)
                for j in range(inverse.shape[0]):
                    total += inverse[i, j] * r[base + j]
                z[base + i] = total
        elif left[level] > 0:
            descend(level, fresh[level], starts, exact, links, smoother, owner, r, z)
            level += 1
            left[level] = 2
            fresh[level] = True
            continue
        level -= 1
        if level >= 0:
            ascend(level, starts, exact, links, smoother, owner, r, z)
            left[level] -= 1
            fresh[level] = False


@jit
def dot(first, last, a, b, length, partial):
    """Write the scalar products of slabs of a length, in double precision."""
    for slab in range(first, last):
        total = 0.0
        for i in range(slab * length, min(a.size, (slab + 1) * length)):
            total += a[i] * b[i]
        partial[slab] = total


@jit
def fill_matrix(neighbours, weights, tail_nodes, tail_weights, ground, matrix):
    """Take the conductances of all links off a matrix that holds the diagonal."""
    for i in range(ground.size):
        last = neighbours[i, 5]
        for s in range(6 if last >= 0 else 5):
            if weights[i, s] > 0:
                matrix[i, neighbours[i, s]] -= weights[i, s]
        t = -1 - last
        while last < 0 and tail_weights[t] > 0:
            matrix[i, tail_nodes[t]] -= tail_weights[t]
            t += 1


@jit
def invert(matrix):
    """Invert a symmetric positive definite matrix in place (Gauss–Jordan; LAPACK's bits depend on threads)."""
    n = matrix.shape[0]
    for k in range(n):
        pivot = 1.0 / matrix[k, k]
        matrix[k, k] = 1.0
        for j in range(n):
            matrix[k, j] *= pivot
        for i in range(n):
            if i != k:
                factor = matrix[i, k]
                matrix[i, k] = 0.0
                for j in range(n):
                    matrix[i, j] -= factor * matrix[k, j]
