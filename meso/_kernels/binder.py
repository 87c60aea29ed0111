"""Distances to the two nearest particles, and the level sets of binder between them."""

import math

import numba as nb
import numpy as np

from meso._kernels.voxels import depth_in

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

PARTS = 4
"""Squares along the edge of a face that a surface may cross."""

SIDE = PARTS + 1

LANES = 256
"""Faces that are cut at a time: operations on single numbers go in vectors over faces."""

FIRST, WIDTH = 32, 9
"""Rows of their numbers before those of the particles, and rows of each particle."""


@jit
def is_sphere(inverse):
    """Whether S⁻¹ is that of a sphere."""
    return (
        inverse[0, 0] == inverse[1, 1] == inverse[2, 2]
        and inverse[0, 1] == inverse[0, 2] == inverse[1, 2] == 0.0
    )


@jit
def nearest_two(
    low, high, centres, reaches, shapes, inverses, reach, edges, offset, first, second, nearest, follower
):
    """
    Signed distance from the points of planes low…high − 1 of a grid to the nearest and the second nearest particle.

    centres (n, 3), reaches (n,) longest semi-axes, shapes, inverses (n, 3, 3), edges (3,) float64; the points lie at
    (index + offset) × edge. first, second: float32 of the grid's shape, are overwritten, `reach` where a particle is
    farther than that. nearest, follower: int32 of the same shape, receive the indices of the two particles or −1.
    """
    first[low:high], second[low:high] = reach, reach
    nearest[low:high], follower[low:high] = -1, -1
    ny, nx = first.shape[1], first.shape[2]
    hz, hy, hx = edges
    row = np.empty(nx, np.float32)
    for s in range(len(reaches)):
        cz, cy, cx = centres[s, 0] - offset * hz, centres[s, 1] - offset * hy, centres[s, 2] - offset * hx
        far = reaches[s] + reach
        tall, wide = math.sqrt(shapes[s, 0, 0]) + reach, math.sqrt(shapes[s, 1, 1]) + reach
        long = math.sqrt(shapes[s, 2, 2]) + reach
        ball, own = is_sphere(inverses[s]), np.int32(s)
        x, h, radius = np.float32(cx), np.float32(hx), np.float32(reaches[s])
        k0, k1 = max(low, math.ceil((cz - tall) / hz)), min(high - 1, math.floor((cz + tall) / hz))
        for k in range(k0, k1 + 1):
            dz = k * hz - cz
            left = far * far - dz * dz
            ry = min(wide, math.sqrt(max(0.0, left)))
            j0, j1 = max(0, math.ceil((cy - ry) / hy)), min(ny - 1, math.floor((cy + ry) / hy))
            for j in range(j0, j1 + 1):
                dy = j * hy - cy
                rx = min(long, math.sqrt(max(0.0, left - dy * dy)))
                i0, i1 = max(0, math.ceil((cx - rx) / hx)), min(nx - 1, math.floor((cx + rx) / hx))
                if i0 > i1:
                    continue
                if ball:  # no calls: in every row, references to the arrays would be counted
                    square = np.float32(dz * dz + dy * dy)
                    for i in range(i0, i1 + 1):
                        t = np.float32(i) * h - x
                        d = np.float32(math.sqrt(square + t * t)) - radius
                        a, b, p, q = first[k, j, i], second[k, j, i], nearest[k, j, i], follower[k, j, i]
                        before, between = d < a, d < b
                        first[k, j, i] = d if before else a
                        nearest[k, j, i] = own if before else p
                        second[k, j, i] = a if before else (d if between else b)
                        follower[k, j, i] = p if before else (own if between else q)
                else:
                    distances_of_row(inverses[s], dz, dy, i0 * hx - cx, hx, row[: i1 - i0 + 1])
                    rank_row(
                        s,
                        row[: i1 - i0 + 1],
                        first[k, j, i0 : i1 + 1],
                        second[k, j, i0 : i1 + 1],
                        nearest[k, j, i0 : i1 + 1],
                        follower[k, j, i0 : i1 + 1],
                    )


@jit
def distances_of_row(inverse, dz, dy, dx, step, row):
    """Signed distances to an ellipsoid from points along a row: the first at dz, dy, dx from its centre, then by steps."""
    for i in range(len(row)):
        row[i] = depth_in(inverse, dz, dy, dx + i * step)


@jit
def rank_row(s, row, first, second, nearest, follower):
    """Take the distances of particle s into the two smallest; without branches, so that several points go at once."""
    s = np.int32(s)
    for i in range(len(row)):
        d, a, b = row[i], first[i], second[i]
        p, q = nearest[i], follower[i]
        before, between = d < a, d < b
        first[i] = d if before else a
        nearest[i] = s if before else p
        second[i] = a if before else (d if between else b)
        follower[i] = p if before else (s if between else q)


@jit
def negative_area(a, b, c, d):
    """Share of a square in which the plane nearest to values a, b, c, d at its corners, in turn, is negative."""
    half = np.float32(0.5)
    middle = np.float32(0.25) * (a + b + c + d)
    along, across = half * abs(b + c - a - d), half * abs(c + d - a - b)
    steep, flat = (across, along) if across > along else (along, across)
    far = abs(middle)
    ends = half * (steep + flat) - far
    ends = max(np.float32(0.0), ends)
    tiny = np.float32(1e-30)
    smaller = half * ends * ends / (steep * flat + tiny)  # two corners of the square or one lie beyond
    smaller = half - far / (steep + tiny) if far < half * (steep - flat) else smaller
    return np.float32(1.0) - smaller if middle < np.float32(0.0) else smaller


@jit
def cover_faces(
    begin,
    end,
    centres,
    radii,
    inverses,
    reach,
    bridging,
    edges,
    axis,
    distance,
    field,
    above,
    nearest,
    follower,
    active,
    stride,
    faces,
):
    """
    Area of the voxel faces normal to an axis, as uint8 with 255 for all, where field < level outside the particles.

    field = d1 + bridging·min(d2, reach); distance (d1), field, above (field − level) float32, nearest, follower int32 at
    the voxel corners, (nz + 1, ny + 1, nx + 1); the level is linear along the edges of a face. radii: longest semi-axes.
    active, faces: uint8, indexed like the faces; rows begin…end − 1 of faces are overwritten, of them only every
    stride-th, but not the last faces along a lateral axis, which repeat the first. Faces that the surface may cross are
    cut into PARTS² squares, at whose corners the distances to the particles known from the voxel corners are taken anew.
    All arrays are contiguous. Faces to be cut are listed until there are LANES of them, for whatever takes an array
    counts references to it: in a call per face that costs more than the face.
    """
    shape = np.array([axis == 1, axis == 2], np.int64)
    rows, length = faces.shape[1] - shape[0], faces.shape[2] - shape[1]
    wide = field.shape[2]
    step = np.array([field.shape[1] * wide, wide, 1], np.int64)
    ou, ov = step[1 if axis == 0 else 0], step[1 if axis == 2 else 2]
    longest = max(edges[0], edges[1], edges[2])
    slack, far = np.float32((1.0 + bridging) * 0.75 * longest), np.float32(bridging * 0.25 * longest)
    cut, spots = np.zeros(length, np.uint8), np.empty((6, LANES), np.int64)
    d, v, a = distance.reshape(distance.size), field.reshape(field.size), above.reshape(above.size)
    first, second = nearest.reshape(nearest.size), follower.reshape(follower.size)
    taken, out = active.reshape(active.size), faces.reshape(faces.size)
    ball = True
    for s in range(len(radii)):
        ball = ball and is_sphere(inverses[s])
    work = np.zeros((FIRST + 8 * WIDTH, LANES), np.float32)
    near = np.empty((9, LANES), np.int32)
    count = 0
    for k in range(begin, end):
        for j in range(k % stride, rows, stride):
            c, f = k * step[0] + j * wide, (k * faces.shape[1] + j) * faces.shape[2]
            # No point of a face is farther than 0.75 edges from a corner, and no distance changes faster than that. A
            # second distance is hardly less inside than at the corners: where bridging times it alone exceeds the level
            # there, there is no binder at any first one.
            for i in range(length):
                p, covered = c + i, taken[f + i]
                a0, a1, a2, a3 = a[p], a[p + ov], a[p + ou], a[p + ou + ov]
                least, most = min(min(a0, a1), min(a2, a3)), max(max(a0, a1), max(a2, a3))
                apart = min(min(a0 - d[p], a1 - d[p + ov]), min(a2 - d[p + ou], a3 - d[p + ou + ov]))
                free = covered == 0
                none = (covered == 255) | (apart > far) | (least > slack) | (free & (least > np.float32(0.0)))
                whole = free & (most < np.float32(0.0))
                cut[i] = np.uint8(0) if none | whole else (np.uint8(2) if most < np.float32(0.0) else np.uint8(1))
                out[f + i] = np.uint8(255) if whole and not none else np.uint8(0)
            for i in range(length):
                if cut[i] != 0:
                    spots[0, count], spots[1, count] = f + i, c + i
                    spots[2, count], spots[3, count], spots[4, count] = k, j, i
                    spots[5, count] = cut[i] - 1
                    count += 1
                    if count == LANES:
                        cut_faces(
                            count, spots, ou, ov, axis, ball, centres, radii, inverses, reach, bridging, edges, v, a, first,
                            second, taken, near, work, out,
                        )  # fmt: skip
                        count = 0
    if count > 0:
        cut_faces(
            count, spots, ou, ov, axis, ball, centres, radii, inverses, reach, bridging, edges, v, a, first, second, taken,
            near, work, out,
        )  # fmt: skip


@jit
def cut_faces(
    count, spots, ou, ov, axis, ball, centres, radii, inverses, reach, bridging, edges, field, above, nearest, follower,
    active, near, work, faces,
):  # fmt: skip
    """
    Write binder's share of the first count faces of spots (3, LANES) int64, which its surface may cross.

    Other arguments are those of `cover_faces`; near (9, LANES) int32 and work (FIRST + 8 * WIDTH, LANES) float32: scratch.
    """
    sizes, order = np.zeros(9, np.int64), np.empty(LANES, np.int32)
    count = find_near(count, spots, ou, ov, bridging, nearest, follower, active, near, sizes, order, faces)
    if count == 0:
        return
    au, av = (1 if axis == 0 else 0), (1 if axis == 2 else 2)
    place(count, spots, ou, ov, axis, au, av, centres, radii, inverses, edges, field, above, near, sizes, order, ball, work)
    reach, bridge = np.float32(reach), np.float32(bridging)
    level, value, first, second, total = work[:4], work[4:29], work[29], work[30], work[31]
    total[:] = 0.0
    for p in range(SIDE * SIDE):
        g, h = np.float32(p // SIDE) / np.float32(PARTS), np.float32(p % SIDE) / np.float32(PARTS)
        s, t = g * np.float32(edges[au]), h * np.float32(edges[av])
        first[:], second[:] = reach, reach
        for q in range(8):
            row, some = FIRST + WIDTH * q, sizes[q]
            if ball:
                for m in range(some):
                    y, x = work[row + 1, m] + s, work[row + 2, m] + t
                    d = math.sqrt(work[row, m] + y * y + x * x) - work[row + 3, m]
                    a = first[m]
                    larger = max(d, a)
                    first[m] = min(a, d)
                    second[m] = min(second[m], larger)
            else:
                for m in range(some):
                    d = depth_near(
                        work[row, m], work[row + 1, m] + s, work[row + 2, m] + t, work[row + 3, m], work[row + 4, m],
                        work[row + 5, m], work[row + 6, m], work[row + 7, m], work[row + 8, m],
                    )  # fmt: skip
                    a = first[m]
                    larger = max(d, a)
                    first[m] = min(a, d)
                    second[m] = min(second[m], larger)
        for m in range(count):
            height = level[0, m] + g * level[2, m] + h * level[1, m] + g * h * level[3, m]
            value[p, m] = first[m] + min(np.float32(0.0), bridge * second[m] - height)
    for g in range(PARTS):
        for h in range(PARTS):
            p = g * SIDE + h
            for m in range(count):
                total[m] += negative_area(value[p, m], value[p + 1, m], value[p + SIDE + 1, m], value[p + SIDE, m])
    for t in range(count):
        f = spots[0, order[t]]
        share = np.float32(255.0 / PARTS**2) * total[t] - np.float32(active[f])
        faces[f] = np.uint8(max(np.float32(0.0), share) + np.float32(0.5))


@jit
def find_near(count, spots, ou, ov, bridging, nearest, follower, active, near, sizes, order, faces):
    """
    Find the particles that matter in each listed face; returns how many faces are left, those with most particles first.

    ou, ov: steps to the other corners. near (9, LANES) int32 receives the indices and, last, their number; sizes (9,) int64
    how many faces have more than that many; order the faces in the order to take them. Those below the level are written.
    """
    ends = np.zeros(9, np.int64)
    for m in range(count):
        f, c = spots[0, m], spots[1, m]
        p0, p1, p2, p3 = nearest[c], nearest[c + ov], nearest[c + ou], nearest[c + ou + ov]
        q0, q1, q2, q3 = follower[c], follower[c + ov], follower[c + ou], follower[c + ou + ov]
        one = (p1 == p0) & (p2 == p0) & (p3 == p0)
        two = (q1 == q0) & (q2 == q0) & (q3 == q0)
        if (spots[5, m] != 0) & one & (two | (bridging == 0.0)):
            faces[f] = np.uint8(255) - active[f]  # a distance is convex: nowhere larger than at the corners
            near[8, m] = 0
            continue
        near[0, m], near[1, m] = p0, q0
        found = (p0 >= 0) + (q0 >= 0)
        if not (one & two):
            near[found, m] = p1
            found += (p1 >= 0) & (p1 != p0) & (p1 != q0)
            near[found, m] = q1
            found += (q1 >= 0) & (q1 != p0) & (q1 != q0)
            new = (p2 >= 0) & (p2 != p0) & (p2 != q0) & (p2 != p1) & (p2 != q1)
            near[found, m] = p2
            found += new
            new = (q2 >= 0) & (q2 != p0) & (q2 != q0) & (q2 != p1) & (q2 != q1)
            near[found, m] = q2
            found += new
            new = (p3 >= 0) & (p3 != p0) & (p3 != q0) & (p3 != p1) & (p3 != q1) & (p3 != p2) & (p3 != q2)
            near[found, m] = p3
            found += new
            new = (q3 >= 0) & (q3 != p0) & (q3 != q0) & (q3 != p1) & (q3 != q1) & (q3 != p2) & (q3 != q2)
            near[found, m] = q3
            found += new
        near[8, m] = found
        ends[found] += 1
    for q in range(8):
        for more in range(q + 1, 9):
            sizes[q] += ends[more]
    for q in range(9):
        ends[q] = sizes[q]
    for m in range(count):
        found = near[8, m]
        if found > 0:
            order[ends[found]] = m
            ends[found] += 1
    return sizes[0]


@jit
def place(
    count, spots, ou, ov, axis, au, av, centres, radii, inverses, edges, field, above, near, sizes, order, ball, work
):
    """
    Write where the faces of order lie to work: level at the corners, and the particles relative to the first corner.

    Rows 0…3 receive the level at the first corner, its rise along v and u, and what is left at the fourth corner; from
    row FIRST on, WIDTH rows for each particle, receive for a ball the square of its distance from the plane, the first
    corner relative to its centre, and the radius, for an ellipsoid the three parts of that vector and the six of S⁻¹.
    """
    at = np.empty(3)
    for t in range(count):
        m = order[t]
        c = spots[1, m]
        at[0], at[1], at[2] = spots[2, m] * edges[0], spots[3, m] * edges[1], spots[4, m] * edges[2]
        n, u, v = at[axis], at[au], at[av]
        l0 = field[c] - above[c]
        l1 = field[c + ov] - above[c + ov] - l0
        l2 = field[c + ou] - above[c + ou] - l0
        l3 = field[c + ou + ov] - above[c + ou + ov] - l0 - l1 - l2
        work[0, t], work[1, t], work[2, t], work[3, t] = l0, l1, l2, l3
        for q in range(near[8, m]):
            s, row = near[q, m], FIRST + WIDTH * q
            dn, y, x = n - centres[s, axis], u - centres[s, au], v - centres[s, av]
            work[row, t], work[row + 1, t], work[row + 2, t] = dn, y, x
            if ball:
                work[row, t], work[row + 3, t] = np.float32(dn) * np.float32(dn), radii[s]
            else:
                work[row + 3, t], work[row + 4, t] = inverses[s, axis, axis], inverses[s, axis, au]
                work[row + 5, t], work[row + 6, t] = inverses[s, axis, av], inverses[s, au, au]
                work[row + 7, t], work[row + 8, t] = inverses[s, au, av], inverses[s, av, av]


@jit
def depth_near(dn, du, dv, nn, nu, nv, uu, uv, vv):
    """`depth_in` in single precision, with the axes in another order."""
    one, tenth = np.float32(1.0), np.float32(0.1)
    gn, gu, gv = nn * dn + nu * du + nv * dv, nu * dn + uu * du + uv * dv, nv * dn + uv * du + vv * dv
    root, steep = math.sqrt(gn * dn + gu * du + gv * dv), math.sqrt(gn * gn + gu * gu + gv * gv)
    deep = (root - one) / math.sqrt(max(nn, max(uu, vv)))
    return deep if root < tenth else (root - one) * root / steep


@jit
def count_below(distance, field, top, counts):
    """
    Histogram, plane by plane, of field at the voxel corners outside the particles.

    distance, field (nz + 1, ny + 1, nx + 1) float32; the last corner of the lateral axes repeats the first and is left
    out. counts (nz + 1, bins) int64, zero on entry: bin b holds values in b…b + 1 over bins of 0…top.
    """
    bins = counts.shape[1]
    for k in range(field.shape[0]):
        for j in range(field.shape[1] - 1):
            for i in range(field.shape[2] - 1):
                value = field[k, j, i]
                if distance[k, j, i] >= 0.0 and value < top:
                    counts[k, min(bins - 1, int(max(value, 0.0) / top * bins))] += 1
