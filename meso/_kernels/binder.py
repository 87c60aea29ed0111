"""Distances to the two nearest particles, and the level sets of binder between them."""

import math

import numba as nb
import numpy as np

from meso._kernels.voxels import depth_in

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

PARTS = 4
"""Squares along the edge of a face that a surface may cross."""

POINTS = 32
"""Room for their (PARTS + 1)² corners, in whole vectors."""


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
    stride-th. Faces that the surface may cross are cut into PARTS² squares, at whose corners the distances to the
    particles known from the voxel corners are taken anew.
    """
    au, av = (1 if axis == 0 else 0), (1 if axis == 2 else 2)
    du, dv, order = np.zeros(3, np.int64), np.zeros(3, np.int64), np.array([axis, au, av])
    du[au], dv[av] = 1, 1
    longest = max(edges[0], edges[1], edges[2])
    slack = (1.0 + bridging) * 0.75 * longest
    cut, near, at = np.empty(faces.shape[2], np.int64), np.empty(8, np.int64), np.empty(3)
    grid, work = divide_face(edges[au], edges[av]), np.zeros((3, POINTS), np.float32)
    for k in range(begin, end):
        for j in range(k % stride, faces.shape[1], stride):
            count = 0
            for i in range(faces.shape[2]):
                taken = active[k, j, i]
                if taken == 255:
                    faces[k, j, i] = 0
                    continue
                least, most, apart = math.inf, -math.inf, math.inf
                for corner in range(4):
                    g, h = corner >> 1, corner & 1
                    kk, jj, ii = k + g * du[0], j + g * du[1] + h * dv[1], i + h * dv[2]
                    value = above[kk, jj, ii]
                    least, most = min(least, value), max(most, value)
                    apart = min(apart, value - distance[kk, jj, ii])
                # No point of a face is farther than 0.75 edges from a corner, and no distance changes faster than that:
                # where bridging × d2 alone exceeds the level, there is no binder at any distance d1 ≥ 0.
                if (least > 0.0 and (taken == 0 or least > slack)) or apart > bridging * 0.75 * longest:
                    faces[k, j, i] = 0
                elif taken == 0 and most < 0.0:
                    faces[k, j, i] = 255
                else:
                    cut[count] = i
                    count += 1
            if count > 0:
                at[0], at[1] = k * edges[0], j * edges[1]
                cut_row(
                    k, j, cut[:count], du, dv, at, edges[2], order, centres, radii, inverses, reach, bridging, field, above,
                    nearest, follower, active, near, grid, work, faces,
                )  # fmt: skip


@jit
def cut_row(
    k, j, cut, du, dv, at, edge, order, centres, radii, inverses, reach, bridging, field, above, nearest, follower, active,
    near, grid, work, faces,
):  # fmt: skip
    """
    Write binder's share of those faces of a row, listed in cut, that its surface may cross.

    Arguments are those of `cover_faces`; du, dv (3,) int64: steps to the corners, order (3,): normal of the faces and its
    two directions, at (3,) float64: first corner [m], of which the last part follows the faces, edge apart; near (8,) int64,
    grid and work of `divide_face`: scratch. Calls nothing that takes arrays but for ellipsoids: in every face, references
    to all of them would be counted, most of the cost.
    """
    n, u, v = order[0], order[1], order[2]
    side, bridge = PARTS + 1, np.float32(bridging)
    for face in range(len(cut)):
        i = cut[face]
        at[2] = i * edge
        count = 0
        for corner in range(4):
            g, h = corner >> 1, corner & 1
            kk, jj, ii = k + g * du[0], j + g * du[1] + h * dv[1], i + h * dv[2]
            for rank in range(2):
                s = nearest[kk, jj, ii] if rank == 0 else follower[kk, jj, ii]
                known = s < 0
                for q in range(count):
                    known = known or near[q] == s
                if not known:
                    near[count] = s
                    count += 1
        for p in range(POINTS):
            work[0, p] = reach
            work[1, p] = reach
        for q in range(count):
            s = near[q]
            dn = np.float32(at[n] - centres[s, n])
            y, x = np.float32(at[u] - centres[s, u]), np.float32(at[v] - centres[s, v])
            nn, uu, vv = inverses[s, n, n], inverses[s, u, u], inverses[s, v, v]
            if nn == uu == vv and inverses[s, n, u] == inverses[s, n, v] == inverses[s, u, v] == 0.0:
                square, r = dn * dn, np.float32(radii[s])
                for p in range(POINTS):
                    g, h = y + grid[0, p], x + grid[1, p]
                    work[2, p] = math.sqrt(square + g * g + h * h) - r
            else:
                depths_on_face(inverses[s], n, u, v, dn, y, x, grid, work)
            for p in range(POINTS):
                d, first, second = work[2, p], work[0, p], work[1, p]
                larger = max(d, first)
                work[0, p] = min(first, d)
                work[1, p] = min(second, larger)
        k1, j1 = k + du[0], j + du[1]
        l0 = field[k, j, i] - above[k, j, i]
        l1 = field[k, j + dv[1], i + dv[2]] - above[k, j + dv[1], i + dv[2]] - l0
        l2 = field[k1, j1, i] - above[k1, j1, i] - l0
        l3 = field[k1, j1 + dv[1], i + dv[2]] - above[k1, j1 + dv[1], i + dv[2]] - l0 - l1 - l2
        for p in range(POINTS):
            a, b = grid[2, p], grid[3, p]
            level = l0 + a * l2 + b * l1 + a * b * l3
            work[2, p] = work[0, p] + min(np.float32(0.0), bridge * work[1, p] - level)
        total = np.float32(0.0)
        for p in range(POINTS - 8):
            work[0, p] = grid[4, p] * negative_area(
                work[2, p], work[2, p + 1], work[2, p + side + 1], work[2, p + side]
            )
        for p in range(POINTS - 8):
            total += work[0, p]
        faces[k, j, i] = np.uint8(max(0.0, 255.0 * total - active[k, j, i]) + 0.5)


@jit
def divide_face(length, width):
    """
    Corners of the PARTS² squares of a face, (5, POINTS) float32, as many more repeat the first corner.

    Rows 0 and 1: distances from the first corner; 2 and 3: the same as shares of length and width; 4: share of the face
    that lies in the square of which this is the first corner.
    """
    side = PARTS + 1
    grid = np.zeros((5, POINTS), np.float32)
    for p in range(side * side):
        g, h = p // side, p % side
        grid[0, p], grid[1, p], grid[2, p], grid[3, p] = (
            g / PARTS * length,
            h / PARTS * width,
            g / PARTS,
            h / PARTS,
        )
        if g < PARTS and h < PARTS:
            grid[4, p] = 1.0 / PARTS**2
    return grid


@jit
def depths_on_face(inverse, n, u, v, dn, du, dv, grid, work):
    """`depth_in` at the points of `divide_face`, written to row 2 of work, with the axes in another order."""
    nn, nu, nv = np.float32(inverse[n, n]), np.float32(inverse[n, u]), np.float32(inverse[n, v])
    uu, uv, vv = np.float32(inverse[u, u]), np.float32(inverse[u, v]), np.float32(inverse[v, v])
    deep, one, tenth = np.float32(1.0 / math.sqrt(max(nn, uu, vv))), np.float32(1.0), np.float32(0.1)
    for p in range(POINTS):
        s, t = du + grid[0, p], dv + grid[1, p]
        gn, gu, gv = nn * dn + nu * s + nv * t, nu * dn + uu * s + uv * t, nv * dn + uv * s + vv * t
        root = math.sqrt(gn * dn + gu * s + gv * t)
        steep = math.sqrt(gn * gn + gu * gu + gv * gv)
        work[2, p] = (root - one) * deep if root < tenth else (root - one) * root / steep


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
