"""Which conducting cells are connected to both inlet and outlet: runs of cells along x, joined by union and find."""

from numba import njit

jit = njit(cache=True, error_model="numpy", fastmath={"contract"}, nogil=True)


@jit
def root(parent, i):
    """Root of the tree of i, halving the path to it."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@jit
def join(parent, i, j):
    """Join two trees under the smaller root."""
    a = root(parent, i)
    b = root(parent, j)
    if a < b:
        parent[b] = a
    else:
        parent[a] = b


@jit
def count_runs(first, last, conducts, areas, row_ptr):
    """Count the runs of every row."""
    _, n1, n2 = conducts.shape
    for z in range(first, last):
        for y in range(n1):
            total = 0
            before = False
            for x in range(n2):
                now = conducts[z, y, x] != 0
                if now and (not before or (areas is not None and areas[2][z, y, x] == 0)):
                    total += 1
                before = now
            row_ptr[z * n1 + y + 1] = total


@jit
def list_runs(first, last, conducts, areas, row_ptr, starts, ends, parent):
    """List first cell and cell after the last of every run, each its own tree."""
    _, n1, n2 = conducts.shape
    for z in range(first, last):
        for y in range(n1):
            at = row_ptr[z * n1 + y] - 1
            before = False
            for x in range(n2):
                now = conducts[z, y, x] != 0
                if now:
                    if not before or (areas is not None and areas[2][z, y, x] == 0):
                        at += 1
                        starts[at] = x
                        parent[at] = at
                    ends[at] = x + 1
                before = now


@jit
def join_rows(a, b, row_ptr, starts, ends, parent, area):
    """Join the runs of two neighbouring rows that touch through an open face."""
    i = row_ptr[a]
    j = row_ptr[b]
    while i < row_ptr[a + 1] and j < row_ptr[b + 1]:
        low = max(starts[i], starts[j])
        high = min(ends[i], ends[j])
        if low < high:
            if area is None:
                join(parent, i, j)
            else:
                for x in range(low, high):
                    if area[x] > 0:
                        join(parent, i, j)
                        break
        if ends[i] < ends[j]:
            i += 1
        else:
            j += 1


@jit
def join_slabs(first, last, areas, wraps, row_ptr, starts, ends, parent, n0, n1, n2, slabs):
    """Join all touching runs within slabs of planes."""
    for slab in range(first, last):
        for z in range(slab * n0 // slabs, (slab + 1) * n0 // slabs):
            for y in range(n1):
                row = z * n1 + y
                if y > 0:
                    area = None if areas is None else areas[1][z, y]
                    join_rows(row, row - 1, row_ptr, starts, ends, parent, area)
                if z > slab * n0 // slabs:
                    area = None if areas is None else areas[0][z, y]
                    join_rows(row, row - n1, row_ptr, starts, ends, parent, area)
                first, last = row_ptr[row], row_ptr[row + 1] - 1
                wrapped = wraps[2] and last >= first and starts[first] == 0 and ends[last] == n2
                if wrapped and (areas is None or areas[2][z, y, 0] > 0):
                    join(parent, first, last)
            if wraps[1] and n1 > 1:
                area = None if areas is None else areas[1][z, 0]
                join_rows(z * n1, z * n1 + n1 - 1, row_ptr, starts, ends, parent, area)


@jit
def join_borders(areas, row_ptr, starts, ends, parent, n0, n1, slabs):
    """Join all touching runs across the borders of slabs."""
    for slab in range(1, slabs):
        z = slab * n0 // slabs
        for y in range(n1):
            area = None if areas is None else areas[0][z, y]
            join_rows(z * n1 + y, (z - 1) * n1 + y, row_ptr, starts, ends, parent, area)


@jit
def touch_ends(links, row_ptr, starts, ends, parent, touches, n0, n1):
    """Mark the trees that touch the inlet (1) and the outlet (2)."""
    for end in range(2):
        z = end * (n0 - 1)
        for y in range(n1):
            for i in range(row_ptr[z * n1 + y], row_ptr[z * n1 + y + 1]):
                for x in range(starts[i], ends[i]):
                    if links[end, y, x] > 0:
                        touches[root(parent, i)] |= 1 + end
                        break


@jit
def clear_idle_runs(first, last, conducts, row_ptr, starts, ends, parent, keeps):
    """Clear the cells of all trees that are not to be kept."""
    n1 = conducts.shape[1]
    for z in range(first, last):
        for y in range(n1):
            for i in range(row_ptr[z * n1 + y], row_ptr[z * n1 + y + 1]):
                top = i
                while parent[top] != top:
                    top = parent[top]
                if not keeps[top]:
                    for x in range(starts[i], ends[i]):
                        conducts[z, y, x] = 0
