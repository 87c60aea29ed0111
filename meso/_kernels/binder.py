"""Distances to the two nearest particles, and the level sets of binder between them."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, error_model="numpy")
parallel = nb.njit(cache=True, error_model="numpy", parallel=True)

COARSE, FINE = 2, 4
SLAB = 8


@parallel
def nearest_two(centres, radii, reach, edges, offset, first, second, nearest, follower):
    """
    Signed distance from the points of a grid to the nearest and the second nearest sphere surface.

    centres (n, 3), radii (n,), edges (3,) float64; the points lie at (index + offset) × edge. first, second: float32 of the
    grid's shape, hold reach on entry, beyond which nothing is looked for. nearest, follower: int32 of the same shape, −1 on
    entry, receive the indices of the two spheres.
    """
    nz = first.shape[0]
    slabs = (nz + SLAB - 1) // SLAB
    for slab in nb.prange(slabs):
        low = np.int64(slab) * SLAB  # the loop's own index is unsigned
        high = min(nz, low + SLAB) - 1
        approach(centres, radii, reach, edges, offset, low, high, first, second, nearest, follower)


@jit
def approach(centres, radii, reach, edges, offset, low, high, first, second, nearest, follower):
    """Do the work of `nearest_two` for the planes low…high of points."""
    ny, nx = first.shape[1], first.shape[2]
    hz, hy, hx = edges
    for s in range(len(radii)):
        cz, cy, cx = centres[s, 0] - offset * hz, centres[s, 1] - offset * hy, centres[s, 2] - offset * hx
        r = radii[s]
        far = r + reach
        k0, k1 = max(low, math.ceil((cz - far) / hz)), min(high, math.floor((cz + far) / hz))
        for k in range(k0, k1 + 1):
            dz = k * hz - cz
            left = far * far - dz * dz
            if left <= 0.0:
                continue
            ry = math.sqrt(left)
            j0, j1 = max(0, math.ceil((cy - ry) / hy)), min(ny - 1, math.floor((cy + ry) / hy))
            for j in range(j0, j1 + 1):
                dy = j * hy - cy
                rest = left - dy * dy
                if rest <= 0.0:
                    continue
                rx = math.sqrt(rest)
                i0, i1 = max(0, math.ceil((cx - rx) / hx)), min(nx - 1, math.floor((cx + rx) / hx))
                for i in range(i0, i1 + 1):
                    dx = i * hx - cx
                    distance = np.float32(math.sqrt(dz * dz + dy * dy + dx * dx) - r)
                    if distance < first[k, j, i]:
                        second[k, j, i] = first[k, j, i]
                        first[k, j, i] = distance
                        follower[k, j, i] = nearest[k, j, i]
                        nearest[k, j, i] = s
                    elif distance < second[k, j, i]:
                        second[k, j, i] = distance
                        follower[k, j, i] = s


@jit
def negative_share(a, b, c):
    """Share of a triangle in which the linear function with corner values a, b, c is negative."""
    if a > b:
        a, b = b, a
    if b > c:
        b, c = c, b
    if a > b:
        a, b = b, a
    if a >= 0.0:
        return 0.0
    if c <= 0.0:
        return 1.0
    if b >= 0.0:
        return a * a / ((a - b) * (a - c))
    return 1.0 - c * c / ((c - a) * (c - b))


@jit
def negative_area(a, b, c, d):
    """Share of a square in which a function with values a, b, c, d at its corners, in turn, is negative."""
    if min(a, b, c, d) >= 0.0:
        return 0.0
    if max(a, b, c, d) <= 0.0:
        return 1.0
    middle = 0.25 * (a + b + c + d)
    return 0.25 * (
        negative_share(a, b, middle)
        + negative_share(b, c, middle)
        + negative_share(c, d, middle)
        + negative_share(d, a, middle)
    )


@parallel
def cover_faces(
    centres, radii, reach, bridging, edges, level, axis, distance, above, nearest, follower, active, faces
):
    """
    Area of the voxel faces normal to an axis, as uint8 with 255 for all, where field < level outside the spheres.

    field = d1 + bridging·min(d2, reach). level (nz + 1,) float64 in the planes of corners, linear between; distance (d1,
    float32), above (field − level, float32), nearest, follower (int32) at the voxel corners, (nz + 1, ny + 1, nx + 1);
    active, faces: uint8, indexed like the faces; faces is overwritten. Faces that the surface may cross are cut into
    COARSE² squares, or FINE² where two spheres are within a voxel, at whose corners the distances to the spheres known
    from the voxel corners are taken anew.
    """
    du, dv = np.zeros(3, np.int64), np.zeros(3, np.int64)
    du[1 if axis == 0 else 0] = 1
    dv[1 if axis == 2 else 2] = 1
    longest = max(edges[0], edges[1], edges[2])
    slack = (1.0 + bridging) * 0.75 * longest
    for plane in nb.prange(faces.shape[0]):
        k = np.int64(plane)  # the loop's own index is unsigned
        near, corner, value = np.empty(8, np.int64), np.empty((2, 2)), np.empty((FINE + 1, FINE + 1))
        for j in range(faces.shape[1]):
            for i in range(faces.shape[2]):
                least, most = math.inf, -math.inf
                for g in range(2):
                    for h in range(2):
                        kk, jj, ii = k + g * du[0], j + g * du[1] + h * dv[1], i + h * dv[2]
                        least, most = min(least, above[kk, jj, ii]), max(most, above[kk, jj, ii])
                        corner[g, h] = min(distance[kk, jj, ii], above[kk, jj, ii])
                taken = active[k, j, i]
                if taken == 255 or least > slack or (taken == 0 and least > 0.0):
                    faces[k, j, i] = 0
                elif taken == 0 and most < 0.0:
                    faces[k, j, i] = 255
                else:
                    count = list_spheres(k, j, i, du, dv, nearest, follower, near)
                    solid, known = 0.0, near[:count]
                    for parts in (COARSE, FINE):
                        for g in range(2):
                            for h in range(2):
                                value[g * parts, h * parts] = corner[g, h]
                        gap = take_values(
                            k,
                            j,
                            i,
                            du,
                            dv,
                            centres,
                            radii,
                            reach,
                            bridging,
                            edges,
                            level,
                            known,
                            parts,
                            value,
                        )
                        solid = 255.0 * mean_negative_area(value, parts)
                        if gap >= longest or solid == 255.0:
                            break
                    faces[k, j, i] = np.uint8(max(0.0, solid - taken) + 0.5)


@jit
def mean_negative_area(value, parts):
    """Share of a square in which a function, given at the corners of parts² squares, is negative."""
    total = 0.0
    for g in range(parts):
        for h in range(parts):
            total += negative_area(value[g, h], value[g, h + 1], value[g + 1, h + 1], value[g + 1, h])
    return total / parts**2


@jit
def list_spheres(k, j, i, du, dv, nearest, follower, near):
    """List the spheres nearest to the four corners of a face in near (8,); returns their number."""
    count = 0
    for corner in range(4):
        g, h = corner // 2, corner % 2
        kk, jj, ii = k + g * du[0], j + g * du[1] + h * dv[1], i + h * dv[2]
        for rank in range(2):
            if rank == 0:
                s = nearest[kk, jj, ii]
            else:
                s = follower[kk, jj, ii]
            known = s < 0
            for q in range(count):
                known = known or near[q] == s
            if not known:
                near[count] = s
                count += 1
    return count


@jit
def take_values(k, j, i, du, dv, centres, radii, reach, bridging, edges, level, near, parts, value):
    """
    Evaluate min(d1, field − level) at the corners of the parts² squares of a face, from the spheres listed in near.

    value (FINE + 1, FINE + 1): the corners of the face itself are left as they are. Returns the smallest d2.
    """
    gap = reach
    for g in range(parts + 1):
        z = k + g / parts * du[0]
        below = min(k, len(level) - 2)
        threshold = level[below] + (z - below) * (level[below + 1] - level[below])
        for h in range(parts + 1):
            if g % parts == 0 and h % parts == 0:
                continue
            y, x = j + g / parts * du[1] + h / parts * dv[1], i + h / parts * dv[2]
            first, second = reach, reach
            for q in range(len(near)):
                s = near[q]
                dz, dy, dx = (
                    z * edges[0] - centres[s, 0],
                    y * edges[1] - centres[s, 1],
                    x * edges[2] - centres[s, 2],
                )
                distance = math.sqrt(dz * dz + dy * dy + dx * dx) - radii[s]
                if distance < first:
                    first, second = distance, first
                elif distance < second:
                    second = distance
            gap = min(gap, second)
            value[g, h] = min(first, first + bridging * second - threshold)
    return gap


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
