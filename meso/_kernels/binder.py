"""Distances to the two nearest particles, and the level sets of binder between them."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, error_model="numpy")

PARTS = 2


@jit
def nearest_two(centres, radii, reach, edges, offset, first, second, nearest, follower):
    """
    Signed distance from the points of a grid to the nearest and the second nearest sphere surface.

    centres (n, 3), radii (n,), edges (3,) float64; the points lie at (index + offset) × edge. first, second: float32 of the
    grid's shape, hold reach on entry, beyond which nothing is looked for. nearest, follower: int32 of the same shape, −1 on
    entry, receive the indices of the two spheres.
    """
    nz, ny, nx = first.shape
    hz, hy, hx = edges
    for s in range(len(radii)):
        cz, cy, cx = centres[s, 0] - offset * hz, centres[s, 1] - offset * hy, centres[s, 2] - offset * hx
        r = radii[s]
        far = r + reach
        k0, k1 = max(0, math.ceil((cz - far) / hz)), min(nz - 1, math.floor((cz + far) / hz))
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


@jit
def cover_faces(centres, radii, reach, bridging, edges, level, axis, above, nearest, follower, active, faces):
    """
    Area of every voxel face, as uint8 with 255 for all of it, where d1 + bridging·min(d2, reach) < level outside spheres.

    level (nz + 1,) float64 in the planes of corners, linear between; above (field − level, float32), nearest, follower
    (int32): axis-first views of arrays at the voxel corners; active, faces: (planes, nu, nv) uint8 views, faces is
    overwritten. Faces that the surface may cross are cut into PARTS² squares, at whose corners the distances to the spheres
    known from the voxel corners are taken anew.
    """
    planes, nu, nv = faces.shape
    au, av = (axis + 1) % 3, (axis + 2) % 3
    if au > av:
        au, av = av, au
    near, value = np.empty(8, np.int64), np.empty((PARTS + 1, PARTS + 1))
    for p in range(planes):
        for u in range(nu):
            for v in range(nv):
                faces[p, u, v] = 0
                a, b = above[p, u, v], above[p, u, v + 1]
                c, d = above[p, u + 1, v], above[p, u + 1, v + 1]
                if active[p, u, v] == 255 or (active[p, u, v] == 0 and min(a, b, c, d) > 0.0):
                    continue
                if active[p, u, v] == 0 and max(a, b, c, d) < 0.0:
                    faces[p, u, v] = 255
                    continue
                count = 0
                for corner in range(4):
                    for rank in range(2):
                        if rank == 0:
                            s = nearest[p, u + corner // 2, v + corner % 2]
                        else:
                            s = follower[p, u + corner // 2, v + corner % 2]
                        known = s < 0
                        for q in range(count):
                            known = known or near[q] == s
                        if not known:
                            near[count] = s
                            count += 1
                for g in range(PARTS + 1):
                    y = u + g / PARTS
                    if axis == 0:
                        threshold = level[p]
                    else:
                        k = min(u, len(level) - 2)
                        threshold = level[k] + (y - k) * (level[k + 1] - level[k])
                    for h in range(PARTS + 1):
                        first, second = reach, reach
                        for q in range(count):
                            s = near[q]
                            square = (
                                (p * edges[axis] - centres[s, axis]) ** 2
                                + (y * edges[au] - centres[s, au]) ** 2
                                + ((v + h / PARTS) * edges[av] - centres[s, av]) ** 2
                            )
                            distance = math.sqrt(square) - radii[s]
                            if distance < first:
                                first, second = distance, first
                            elif distance < second:
                                second = distance
                        value[g, h] = min(first, first + bridging * second - threshold)
                solid = 0.0
                for g in range(PARTS):
                    for h in range(PARTS):
                        solid += negative_area(
                            value[g, h], value[g, h + 1], value[g + 1, h + 1], value[g + 1, h]
                        )
                solid *= 255.0 / PARTS**2
                faces[p, u, v] = np.uint8(max(0.0, solid - active[p, u, v]) + 0.5)


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
