"""Graphs of conductances: coarsening by aggregation, red–black smoothing, residuals and sums.

A graph holds its nodes colour by colour (first `n_red` red ones). Row i lists its neighbours
``indices[indptr[i]:indptr[i + 1]]`` and the conductances to them; ``ground[i]`` ties node i to a fixed potential.
Every pass runs over fixed slabs of rows, so that the bits do not depend on the number of threads.
"""

import numpy as np
from numba import njit, prange

serial = njit(cache=True, error_model="numpy", fastmath={"contract"})
inlined = njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
parallel = njit(cache=True, error_model="numpy", fastmath={"contract"}, parallel=True)
SLABS = 64


@inlined
def root(parent, i):
    """Root of the tree of i, halving the path to it."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@inlined
def same_block(blocks, i, j):
    """Whether two nodes lie in the same parent block."""
    return blocks[i, 0] == blocks[j, 0] and blocks[i, 1] == blocks[j, 1] and blocks[i, 2] == blocks[j, 2]


@serial
def aggregate(indptr, indices, weights, diagonal, blocks, strength, owner):
    """Join nodes of one block along strong links; write the aggregate of every node, red ones first.

    A link is strong when it carries at least `strength` of the larger of the two diagonals. Returns (number of red
    aggregates, number of aggregates).
    """
    n = diagonal.size
    parent = np.empty(n, np.int32)
    for i in range(n):
        parent[i] = i
    for i in range(n):
        for t in range(indptr[i], indptr[i + 1]):
            j = indices[t]
            if j < i and weights[t] >= strength * max(diagonal[i], diagonal[j]) and same_block(blocks, i, j):
                a = root(parent, i)
                b = root(parent, j)
                parent[max(a, b)] = min(a, b)
    count = 0
    reds = 0
    for colour in range(2):
        for i in range(n):
            if parent[i] == i and (blocks[i, 0] + blocks[i, 1] + blocks[i, 2]) % 2 == colour:
                owner[i] = count
                count += 1
        if colour == 0:
            reds = count
    for i in range(n):
        owner[i] = owner[root(parent, i)]
    return reds, count


@serial
def list_members(owner, member_ptr, members):
    """List the nodes of every aggregate (counting sort)."""
    member_ptr[:] = 0
    for i in range(owner.size):
        member_ptr[owner[i] + 1] += 1
    for c in range(member_ptr.size - 1):
        member_ptr[c + 1] += member_ptr[c]
    for i in range(owner.size):
        c = owner[i]
        members[member_ptr[c]] = i
        member_ptr[c] += 1
    for c in range(member_ptr.size - 1, 0, -1):
        member_ptr[c] = member_ptr[c - 1]
    member_ptr[0] = 0


@inlined
def coarse_row(c, indptr, indices, weights, owner, blocks, member_ptr, members, scale, start, out_i, out_w):
    """Collect the links of aggregate c from position `start` on; return the position after the last one.

    `scale[a]` is the factor of links along axis a (½ where the blocks are two cells long), `scale[3]` that of links
    inside a block.
    """
    end = start
    first = members[member_ptr[c]]
    alike = scale[0] == scale[3] and scale[1] == scale[3] and scale[2] == scale[3]
    for m in range(member_ptr[c], member_ptr[c + 1]):
        i = members[m]
        for t in range(indptr[i], indptr[i + 1]):
            j = indices[t]
            target = owner[j]
            if target == c:
                continue
            factor = scale[3]
            if not alike:
                for axis in range(3):
                    if blocks[j, axis] != blocks[first, axis]:
                        factor = scale[axis]
            position = start
            while position < end and out_i[position] != target:
                position += 1
            if position == end:
                out_i[position] = target
                out_w[position] = 0.0
                end += 1
            out_w[position] += factor * weights[t]
    return end


@parallel
def coarse_rows(
    indptr, indices, weights, owner, blocks, member_ptr, members, scale, room, length, out_i, out_w
):
    """Collect the links of every aggregate into its own room of the scratch arrays; write the row lengths."""
    n = length.size
    for slab in prange(SLABS):
        for c in range(slab * n // SLABS, (slab + 1) * n // SLABS):
            start = room[c]
            end = coarse_row(
                c, indptr, indices, weights, owner, blocks, member_ptr, members, scale, start, out_i, out_w
            )
            length[c] = end - start


@serial
def room_for_rows(indptr, member_ptr, members, room):
    """Upper bounds of the row lengths of the aggregates, summed up."""
    room[0] = 0
    for c in range(member_ptr.size - 1):
        total = 0
        for m in range(member_ptr[c], member_ptr[c + 1]):
            total += indptr[members[m] + 1] - indptr[members[m]]
        room[c + 1] = room[c] + total


@parallel
def compact_rows(room, out_i, out_w, indptr, indices, weights):
    """Move the rows from their rooms into a compact graph."""
    n = indptr.size - 1
    for slab in prange(SLABS):
        for c in range(slab * n // SLABS, (slab + 1) * n // SLABS):
            shift = room[c] - indptr[c]
            for t in range(indptr[c], indptr[c + 1]):
                indices[t] = out_i[t + shift]
                weights[t] = out_w[t + shift]


@parallel
def diagonals(indptr, indices, weights, ground, n_red, diagonal, smoother):
    """Row sums, and the smoother's diagonal: links between equal colours count twice (the l1 rule)."""
    n = ground.size
    for slab in prange(SLABS):
        for i in range(slab * n // SLABS, (slab + 1) * n // SLABS):
            total = ground[i]
            same = 0.0 * total
            for t in range(indptr[i], indptr[i + 1]):
                total += weights[t]
                if (indices[t] < n_red) == (i < n_red):
                    same += weights[t]
            diagonal[i] = total
            smoother[i] = total + same


@parallel
def smooth_from_zero(indptr, indices, weights, smoother, n_red, r, z):
    """One red–black sweep on z = 0."""
    n = r.size
    for slab in prange(SLABS):
        for i in range(slab * n_red // SLABS, (slab + 1) * n_red // SLABS):
            z[i] = r[i] / smoother[i]
    n_black = n - n_red
    for slab in prange(SLABS):
        for i in range(n_red + slab * n_black // SLABS, n_red + (slab + 1) * n_black // SLABS):
            total = r[i]
            for t in range(indptr[i], indptr[i + 1]):
                if indices[t] < n_red:
                    total += weights[t] * z[indices[t]]
            z[i] = total / smoother[i]


@parallel
def apply_graph(indptr, indices, weights, ground, z, q):
    """Write q = A z, as a sum over differences."""
    n = z.size
    for slab in prange(SLABS):
        for i in range(slab * n // SLABS, (slab + 1) * n // SLABS):
            total = ground[i] * z[i]
            for t in range(indptr[i], indptr[i + 1]):
                total += weights[t] * (z[i] - z[indices[t]])
            q[i] = total


@parallel
def restrict(indptr, indices, weights, ground, n_red, alternating, member_ptr, members, r, z, coarse):
    """Sum the residual r − A z over the members of every aggregate.

    After `smooth_from_zero` on an alternating graph (no links between equal colours) only red rows leave a residual.
    """
    n = coarse.size
    for slab in prange(SLABS):
        for c in range(slab * n // SLABS, (slab + 1) * n // SLABS):
            total = 0.0 * r[0]
            for m in range(member_ptr[c], member_ptr[c + 1]):
                i = members[m]
                if alternating:
                    if i >= n_red:
                        break
                    for t in range(indptr[i], indptr[i + 1]):
                        total += weights[t] * z[indices[t]]
                else:
                    total += r[i] - ground[i] * z[i]
                    for t in range(indptr[i], indptr[i + 1]):
                        total -= weights[t] * (z[i] - z[indices[t]])
            coarse[c] = total


@parallel
def prolong(member_ptr, members, coarse, z):
    """Add the value of every aggregate to its members."""
    n = coarse.size
    for slab in prange(SLABS):
        for c in range(slab * n // SLABS, (slab + 1) * n // SLABS):
            for m in range(member_ptr[c], member_ptr[c + 1]):
                z[members[m]] += coarse[c]


@inlined
def settle_row(i, indptr, indices, weights, diagonal, r, z):
    """Value of node i in balance with its neighbours."""
    total = r[i]
    for t in range(indptr[i], indptr[i + 1]):
        total += weights[t] * z[indices[t]]
    return total / diagonal[i]


@inlined
def relax_row(i, indptr, indices, weights, ground, smoother, n_red, r, old, new):
    """Value of node i after relaxation: equal colours enter old, the other colour new."""
    total = r[i] - ground[i] * old[i]
    for t in range(indptr[i], indptr[i + 1]):
        j = indices[t]
        other = old[j] if (j < n_red) == (i < n_red) else new[j]
        total -= weights[t] * (old[i] - other)
    return old[i] + total / smoother[i]


@parallel
def smooth_back(indptr, indices, weights, ground, smoother, n_red, alternating, r, z, q):
    """One black–red sweep on z, the mirror image of `smooth_from_zero`; q is scratch."""
    n = r.size
    n_black = n - n_red
    if alternating:
        for slab in prange(SLABS):
            for i in range(n_red + slab * n_black // SLABS, n_red + (slab + 1) * n_black // SLABS):
                z[i] = settle_row(i, indptr, indices, weights, smoother, r, z)
        for slab in prange(SLABS):
            for i in range(slab * n_red // SLABS, (slab + 1) * n_red // SLABS):
                z[i] = settle_row(i, indptr, indices, weights, smoother, r, z)
        return
    for slab in prange(SLABS):
        for i in range(slab * n_red // SLABS, (slab + 1) * n_red // SLABS):
            q[i] = z[i]
    for slab in prange(SLABS):
        for i in range(n_red + slab * n_black // SLABS, n_red + (slab + 1) * n_black // SLABS):
            q[i] = relax_row(i, indptr, indices, weights, ground, smoother, n_red, r, z, q)
    for slab in prange(SLABS):
        for i in range(slab * n_red // SLABS, (slab + 1) * n_red // SLABS):
            q[i] = relax_row(i, indptr, indices, weights, ground, smoother, n_red, r, z, q)
    for slab in prange(SLABS):
        for i in range(slab * n // SLABS, (slab + 1) * n // SLABS):
            z[i] = q[i]


@parallel
def dot(a, b):
    """Scalar product with fixed slabs, in double precision."""
    n = a.size
    partial = np.zeros(SLABS)
    for slab in prange(SLABS):
        total = 0.0
        for i in range(slab * n // SLABS, (slab + 1) * n // SLABS):
            total += a[i] * b[i]
        partial[slab] = total
    total = 0.0
    for slab in range(SLABS):  # `partial.sum()` would itself be split among the threads
        total += partial[slab]
    return total


@serial
def apply_dense(matrix, r, z):
    """Matrix times vector, always in the same order (BLAS looks at the alignment)."""
    for i in range(z.size):
        total = 0.0 * r[0]
        for j in range(r.size):
            total += matrix[i, j] * r[j]
        z[i] = total


@serial
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
