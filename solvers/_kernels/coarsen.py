"""The graph between aggregates of nodes: which nodes join, how aggregates are numbered, how they are linked.

Graphs and their `links` are those of `multigrid`. Aggregates lie inside blocks of cells: `halved` tells along which axes
two cells make a block, `shape` how many blocks there are, and `seams` along which axes blocks are odd in number and repeat
themselves, so that the last ones need colours of their own.
"""

import numpy as np
from numba import njit

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)
inlined = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True, forceinline=True)


@inlined
def root(parent, i):
    """Root of the tree of i, halving the path to it."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@inlined
def colour_of(z, y, x, shape, seams):
    """Colour of a block, 0 to 7: neighbours never have the same."""
    colour = (z + y + x) & 1
    if seams[1] and y == shape[1] - 1:
        colour += 2
    if seams[2] and x == shape[2] - 1:
        colour += 4
    return colour


@jit
def locate(first, last, cells, halved, shape, block):
    """Write the number of the block of every node."""
    for i in range(first, last):
        z, y, x = cells[i, 0] >> halved[0], cells[i, 1] >> halved[1], cells[i, 2] >> halved[2]
        block[i] = (z * shape[1] + y) * shape[2] + x


@jit
def unite(parent, i, j):
    """Join two trees under the smaller root."""
    a = root(parent, i)
    b = root(parent, j)
    parent[max(a, b)] = min(a, b)


@jit
def join_nodes(first, last, starts, links, diagonal, block, strength, loose, lonely, parent, alone):
    """Join the nodes of every block along links that carry enough of the larger diagonal, or of the smaller if `loose`.

    A node without strong links, in its block or out of it, joins the better connected one that it is tied to most, for it
    follows that one.
    All nodes without links join one another if they are `lonely`. Nothing is called but for links to be joined along:
    the price of a call in every row is the counting of references to its arrays.
    """
    neighbours, weights, tail_nodes, tail_weights, ground = links
    unlinked = -1
    for p in range(first, last):
        for colour in range(starts.shape[1]):
            for i in range(starts[p, colour], starts[p + 1, colour]):
                parent[i] = i
                alone[i] = True
        for colour in range(starts.shape[1]):
            for i in range(starts[p, colour], starts[p + 1, colour]):
                own, most = block[i], diagonal[i]
                tail = -1 - neighbours[i, 5]
                for s in range(6 if tail < 0 else 5):
                    j, weight = neighbours[i, s], weights[i, s]
                    whose = min(most, diagonal[j]) if loose else max(most, diagonal[j])
                    if j < i and block[j] == own and weight >= strength * whose and weight > 0:
                        alone[i] = alone[j] = False
                        unite(parent, i, j)
                while tail >= 0 and tail_weights[tail] > 0:
                    j, weight = tail_nodes[tail], tail_weights[tail]
                    whose = min(most, diagonal[j]) if loose else max(most, diagonal[j])
                    if j < i and block[j] == own and weight >= strength * whose:
                        alone[i] = alone[j] = False
                        unite(parent, i, j)
                    tail += 1
                if lonely and most == ground[i]:
                    if unlinked >= 0:
                        parent[i] = unlinked
                    else:
                        unlinked = i
        for colour in range(starts.shape[1]):
            for i in range(starts[p, colour], starts[p + 1, colour]):
                if not alone[i]:
                    continue
                best, most, tied = i, 0.0, False
                tail = -1 - neighbours[i, 5]
                for s in range(6 if tail < 0 else 5):
                    j, weight = neighbours[i, s], weights[i, s]
                    whose = min(diagonal[i], diagonal[j]) if loose else max(diagonal[i], diagonal[j])
                    tied |= weight > 0 and weight >= strength * whose
                    if block[j] == block[i] and weight > most:
                        best, most = j, weight
                while tail >= 0 and tail_weights[tail] > 0:
                    j, weight = tail_nodes[tail], tail_weights[tail]
                    whose = min(diagonal[i], diagonal[j]) if loose else max(diagonal[i], diagonal[j])
                    tied |= weight >= strength * whose
                    if block[j] == block[i] and weight > most:
                        best, most = j, weight
                    tail += 1
                if diagonal[i] < diagonal[best] and not tied:
                    alone[best] = False
                    unite(parent, i, best)


@jit
def count_owners(first, last, starts, cells, halved, shape, seams, parent, counts):
    """Count the aggregates of every plane and colour."""
    for p in range(first, last):
        for c in range(starts.shape[1]):
            for i in range(starts[p, c], starts[p + 1, c]):
                if parent[i] == i:
                    z, y, x = cells[i, 0] >> halved[0], cells[i, 1] >> halved[1], cells[i, 2] >> halved[2]
                    counts[p, colour_of(z, y, x, shape, seams)] += 1


@jit
def number_owners(
    first,
    last,
    starts,
    cells,
    halved,
    shape,
    seams,
    parent,
    numbers,
    owner,
    coarse_cells,
    coarse_ground,
    ground,
):
    """Write numbers for the aggregates, plane by plane from `numbers` (planes, colours) on; write what they consist of."""
    for p in range(first, last):
        at = numbers[p].copy()
        for c in range(starts.shape[1]):
            for i in range(starts[p, c], starts[p + 1, c]):
                if parent[i] == i:
                    z, y, x = cells[i, 0] >> halved[0], cells[i, 1] >> halved[1], cells[i, 2] >> halved[2]
                    colour = colour_of(z, y, x, shape, seams)
                    owner[i] = at[colour]
                    at[colour] += 1
                    coarse_cells[owner[i], 0] = z
                    coarse_cells[owner[i], 1] = y
                    coarse_cells[owner[i], 2] = x
                    coarse_ground[owner[i]] = 0
        for c in range(starts.shape[1]):
            for i in range(starts[p, c], starts[p + 1, c]):
                owner[i] = owner[root(parent, i)]
                coarse_ground[owner[i]] += ground[i]


@jit
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
def add_link(target, weight, row_nodes, row_weights, length):
    """Add a link to a row; return how many there are."""
    k = 0
    while k < length and row_nodes[k] != target:
        k += 1
    if k == length:
        row_nodes[k] = target
        row_weights[k] = weight
        return length + 1
    row_weights[k] += weight
    return length


@inlined
def lengthen(array, size):
    """Return an array that holds at least so many entries, with the old ones in front."""
    if size <= array.size:
        return array
    longer = np.empty(2 * size, array.dtype)
    longer[: array.size] = array
    return longer


@jit
def write_row(i, row_nodes, row_weights, length, ground, links, diagonal, used):
    """Write the row of a node and its diagonal; return how much of the tails is used."""
    neighbours, weights, tail_nodes, tail_weights = links
    total = 0.0
    short = length if length <= 6 else 5
    for k in range(length):
        total += row_weights[k]
        if k < short:
            neighbours[i, k] = row_nodes[k]
            weights[i, k] = row_weights[k]
        else:
            tail_nodes[used + k - 5] = row_nodes[k]
            tail_weights[used + k - 5] = row_weights[k]
    for k in range(short, 6):
        neighbours[i, k] = i
        weights[i, k] = 0
    diagonal[i] = total + ground
    if length <= 6:
        return used
    neighbours[i, 5] = -1 - used
    tail_weights[used + length - 5] = 0
    return used + length - 4


@inlined
def differing_axis(cells, i, j):
    """First axis along which the cells of two nodes differ, or 3."""
    for axis in range(3):
        if cells[i, axis] != cells[j, axis]:
            return axis
    return 3


@jit
def coarse_rows(
    first,
    last,
    links,
    owner,
    scale,
    member_ptr,
    members,
    cells,
    ground,
    neighbours,
    weights,
    diagonal,
    smoother,
):
    """Write the rows of aggregates; return their range, their tails, counted from 0, and whether any share a cell.

    `scale[a]` is the factor of links along axis a (½ where the blocks are two cells long), `scale[3]` that of links inside
    a block.
    """
    fine, fine_weights, fine_tail, fine_tail_weights, _ = links
    alike = scale[0] == scale[3] and scale[1] == scale[3] and scale[2] == scale[3]
    row_nodes, row_weights = np.empty(64, np.int32), np.empty(64, np.float64)
    tail_nodes, tail_weights = np.empty(64, np.int32), np.empty(64, weights.dtype)
    used = 0
    inside = False
    for c in range(first, last):
        length = 0
        for m in range(member_ptr[c], member_ptr[c + 1]):
            i = members[m]
            tailed = fine[i, 5] < 0
            for s in range(5 if tailed else 6):
                target = owner[fine[i, s]]
                if fine_weights[i, s] > 0 and target != c:
                    length = add_link(target, fine_weights[i, s], row_nodes, row_weights, length)
            t = -1 - fine[i, 5]
            while tailed and fine_tail_weights[t] > 0:
                target = owner[fine_tail[t]]
                if target != c:
                    length = add_link(target, fine_tail_weights[t], row_nodes, row_weights, length)
                t += 1
                row_nodes, row_weights = lengthen(row_nodes, length + 8), lengthen(row_weights, length + 8)
            row_nodes, row_weights = lengthen(row_nodes, length + 8), lengthen(row_weights, length + 8)
        within = 0.0
        for k in range(length):
            axis = differing_axis(cells, c, row_nodes[k])
            row_weights[k] *= scale[3] if alike else scale[axis]
            within += row_weights[k] if axis == 3 else 0.0
        inside |= within > 0
        tail_nodes, tail_weights = lengthen(tail_nodes, used + length), lengthen(tail_weights, used + length)
        rows = (neighbours, weights, tail_nodes, tail_weights)
        used = write_row(c, row_nodes, row_weights, length, ground[c], rows, diagonal, used)
        smoother[c] = diagonal[c] + within
    return first, last, tail_nodes[:used], tail_weights[:used], inside
