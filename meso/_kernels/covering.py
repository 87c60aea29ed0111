"""How much of each voxel face lies below a level of the distances to particles."""

import math

import numba as nb
import numpy as np

from meso._kernels.binder import depth_near, is_sphere

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

PARTS = 4
"""Squares along the edge of a face that a surface may cross."""

SIDE = PARTS + 1

LANES = 512
"""Faces that are cut at a time: operations on single numbers go in vectors over faces."""

FIRST, WIDTH = 4 + 4 * SIDE + 4, 9
"""Rows of their numbers before those of the particles, and rows of each particle."""

BULGE = 0.05
"""Edges by which distances may fall from the corners of a face that is free of particles to its middle."""

FINE, COARSE = 256, 16
"""Steps of the areas and of their growth in 1/255 of a face."""


@jit
def all_balls(inverses):
    """Whether all particles are spheres."""
    count = 0
    for s in range(len(inverses)):
        count += is_sphere(inverses[s])
    return count == len(inverses)


@jit
def negative_area(a, b, c, d):
    """
    Share of a square in which the plane nearest to values a, b, c, d at its corners, in turn, is negative.

    And how fast the share grows as all four values fall.
    """
    half, tiny = np.float32(0.5), np.float32(1e-30)
    middle = np.float32(0.25) * (a + b + c + d)
    along, across = half * abs(b + c - a - d), half * abs(c + d - a - b)
    steep, flat = max(along, across), min(along, across)
    far = abs(middle)
    ends = max(np.float32(0.0), half * (steep + flat) - far)
    slope, steepness = ends / (steep * flat + tiny), np.float32(1.0) / (steep + tiny)
    beyond = far < half * (steep - flat)  # two corners of the square lie beyond, not one
    smaller = half - far * steepness if beyond else half * ends * slope
    growth = steepness if beyond else slope
    return np.float32(1.0) - smaller if middle < np.float32(0.0) else smaller, growth


@jit
def cover_faces(
    begin, end, centres, radii, inverses, reach, bridging, edges, axis, distance, field, above, nearest, follower, active,
    faces, growth,
):  # fmt: skip
    """
    Area of the voxel faces normal to an axis where field < level outside the particles, and its growth with ln level.

    Returns the sums of both.

    field = d1 + bridging·min(d2, reach); distance (d1), field, above (field − level) float32, nearest, follower int32 at
    the voxel corners, (nz + 1, ny + 1, nx + 1); the level is linear along the edges of a face. radii: longest semi-axes.
    active uint8, 255 for all; planes begin…end − 1 of faces uint16, 255·FINE for all, are overwritten, but not their last
    ones along a lateral axis, which repeat the first; growth int16, 255·COARSE for all, zero on entry. Faces that the surface may
    cross are cut into PARTS² squares, at whose corners the distances to the particles known from the voxel corners are
    taken anew. All arrays are contiguous. Faces to be cut are listed until there are LANES of them, for whatever takes an
    array counts references to it: in a call per face that costs more than the face.
    """
    shape = np.array([axis == 1, axis == 2], np.int64)
    rows, length = faces.shape[1] - shape[0], faces.shape[2] - shape[1]
    wide = field.shape[2]
    step = np.array([field.shape[1] * wide, wide, 1], np.int64)
    ou, ov = step[1 if axis == 0 else 0], step[1 if axis == 2 else 2]
    longest = max(edges[0], edges[1], edges[2])
    slack, far = np.float32((1.0 + bridging) * 0.75 * longest), np.float32(bridging * 0.25 * longest)
    bulge = np.float32((1.0 + bridging) * BULGE * longest)
    cut, spots = np.zeros(length, np.uint8), np.empty((6, LANES), np.int64)
    d, v, a = distance.reshape(distance.size), field.reshape(field.size), above.reshape(above.size)
    first, second = nearest.reshape(nearest.size), follower.reshape(follower.size)
    taken, out = active.reshape(active.size), faces.reshape(faces.size)
    rise = growth.reshape(growth.size)
    ball = all_balls(inverses)
    sums = np.zeros(2, np.int64)
    work = np.zeros((FIRST + 8 * WIDTH, LANES), np.float32)
    near = np.empty((9, LANES), np.int32)
    count = np.int64(0)
    for k in range(begin, end):
        for j in range(rows):
            c, f = k * step[0] + j * wide, (k * faces.shape[1] + j) * faces.shape[2]
            # No point of a face is farther than 0.75 edges from a corner, and no distance changes faster than that. From
            # the corners of a face a distance falls towards its middle by a quarter of an edge squared over the one to the
            # particle's centre. Where bridging × the second alone exceeds the level, there is no binder at any first one.
            # Slices, for an index that is a sum might be negative, which keeps the loop from going in vectors.
            a0, a1 = a[c : c + length], a[c + ov : c + ov + length]
            a2, a3 = a[c + ou : c + ou + length], a[c + ou + ov : c + ou + ov + length]
            d0, d1 = d[c : c + length], d[c + ov : c + ov + length]
            d2, d3 = d[c + ou : c + ou + length], d[c + ou + ov : c + ou + ov + length]
            row, covered = out[f : f + length], taken[f : f + length]
            for i in range(length):
                least, most = min(a0[i], a1[i], a2[i], a3[i]), max(a0[i], a1[i], a2[i], a3[i])
                apart = min(a0[i] - d0[i], a1[i] - d1[i], a2[i] - d2[i], a3[i] - d3[i])
                free = covered[i] == 0
                none = (covered[i] == 255) | (apart > far) | (least > slack) | (free & (least > bulge))
                kind = np.uint8(2) if most < np.float32(0.0) else np.uint8(1)
                cut[i] = np.uint8(0) if none else kind
                row[i] = 0
            for i in range(length):
                if cut[i] != 0:
                    spots[0, count], spots[1, count] = f + i, c + i
                    spots[2, count], spots[3, count], spots[4, count] = k, j, i
                    spots[5, count] = cut[i] - 1
                    count += 1
                    if count == LANES:
                        cut_faces(
                            count, spots, ou, ov, axis, ball, centres, radii, inverses, reach, bridging, edges, v, a, first,
                            second, taken, near, work, out, rise, sums,
                        )  # fmt: skip
                        count = np.int64(0)
    if count > 0:
        cut_faces(
            count, spots, ou, ov, axis, ball, centres, radii, inverses, reach, bridging, edges, v, a, first, second, taken,
            near, work, out, rise, sums,
        )  # fmt: skip
    return sums[0], sums[1]


@jit
def cut_faces(
    count, spots, ou, ov, axis, ball, centres, radii, inverses, reach, bridging, edges, field, above, nearest, follower,
    active, near, work, faces, growth, sums,
):  # fmt: skip
    """
    Write binder's share of the first count faces of spots (3, LANES) int64, which its surface may cross.

    Other arguments are those of `cover_faces`, whose sums (2,) int64 grow; near (9, LANES) int32 and work (FIRST + 8 * WIDTH, LANES) float32: scratch.
    """
    sizes, order = np.zeros(9, np.int64), np.empty(LANES, np.int32)
    count = find_near(
        count, spots, ou, ov, bridging, nearest, follower, active, near, sizes, order, faces, sums
    )
    if count == 0:
        return
    au, av = (1 if axis == 0 else 0), (1 if axis == 2 else 2)
    place(
        count, spots, ou, ov, axis, au, av, centres, radii, inverses, edges, field, above, near, order, ball, work,
    )  # fmt: skip
    reach, bridge = np.float32(reach), np.float32(bridging)
    level, value, lower = work[:4], work[4 : 4 + 2 * SIDE], work[4 + 2 * SIDE : 4 + 4 * SIDE]
    first, second, total, rise = work[FIRST - 4], work[FIRST - 3], work[FIRST - 2], work[FIRST - 1]
    total[:], rise[:] = 0.0, 0.0
    # Where the field is nearly flat, growth lasts for no change.
    most = np.float32(16.0 / max(edges[au], edges[av]))
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
            deep = bridge * second[m] - height
            value[p % (2 * SIDE), m] = first[m] + min(np.float32(0.0), deep)
            lower[p % (2 * SIDE), m] = height if deep < np.float32(0.0) else np.float32(0.0)
        if p >= SIDE and p % SIDE > 0:  # a square is complete
            here, back = p % (2 * SIDE), (p - SIDE) % (2 * SIDE)
            for m in range(count):
                area, more = negative_area(
                    value[back - 1, m], value[back, m], value[here, m], value[here - 1, m]
                )
                total[m] += area
                rise[m] += min(more, most) * (lower[back - 1, m] + lower[here, m])
    for t in range(count):
        f = spots[0, order[t]]
        whole = np.float32(255.0 / PARTS**2)
        share = max(np.float32(0.0), whole * total[t] - np.float32(active[f]))
        faces[f] = np.uint16(share * np.float32(FINE) + np.float32(0.5))
        growth[f] = np.int16(min(np.float32(32767.0), np.float32(0.5 * COARSE) * whole * rise[t]))
        sums[0] += faces[f]
        sums[1] += growth[f]


@jit
def draw_faces(begin, end, faces, growth, change, active, drawn):
    """Faces of `cover_faces` after a small change of ln level, in drawn uint8, 255 for all; planes begin…end − 1."""
    fine, coarse = np.float32(1.0 / FINE), np.float32(change / COARSE)
    first, last = begin * drawn[0].size, end * drawn[0].size
    area, rise = faces.reshape(faces.size)[first:last], growth.reshape(faces.size)[first:last]
    taken, out = active.reshape(faces.size)[first:last], drawn.reshape(faces.size)[first:last]
    for i in range(last - first):
        share = max(np.float32(0.0), np.float32(area[i]) * fine + np.float32(rise[i]) * coarse)
        out[i] = np.uint8(np.int32(min(np.float32(255 - taken[i]), share) + np.float32(0.5)))


@jit
def find_near(count, spots, ou, ov, bridging, nearest, follower, active, near, sizes, order, faces, sums):
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
            faces[f] = np.uint16(FINE) * np.uint16(
                255 - active[f]
            )  # a distance is convex: nowhere larger than at the corners
            sums[0] += faces[f]
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
    count, spots, ou, ov, axis, au, av, centres, radii, inverses, edges, field, above, near, order, ball, work,
):  # fmt: skip
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
