"""Distances to the two nearest particles, and the level sets of binder between them."""

import math

import numba as nb
import numpy as np

from meso._kernels.voxels import depth_in

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

COARSE, FINE = 2, 4


@jit
def surface_distance(radius, inverse, dz, dy, dx):
    """Signed distance to the surface of a sphere of a radius, or of an ellipsoid if inverse is none of a sphere."""
    if (
        inverse[0, 0] == inverse[1, 1] == inverse[2, 2]
        and inverse[0, 1] == inverse[0, 2] == inverse[1, 2] == 0.0
    ):
        return math.sqrt(dz * dz + dy * dy + dx * dx) - radius
    return depth_in(inverse, dz, dy, dx)


@jit
def nearest_two(
    low, high, centres, reaches, shapes, inverses, reach, edges, offset, first, second, nearest, follower
):
    """
    Signed distance from the points of planes low…high − 1 of a grid to the nearest and the second nearest particle.

    centres (n, 3), reaches (n,) longest semi-axes, shapes, inverses (n, 3, 3), edges (3,) float64; the points lie at
    (index + offset) × edge. first, second: float32 of the grid's shape, hold reach on entry, beyond which nothing is
    looked for. nearest, follower: int32 of the same shape, −1 on entry, receive the indices of the two particles.
    """
    ny, nx = first.shape[1], first.shape[2]
    hz, hy, hx = edges
    for s in range(len(reaches)):
        cz, cy, cx = centres[s, 0] - offset * hz, centres[s, 1] - offset * hy, centres[s, 2] - offset * hx
        far, inverse, radius = reaches[s] + reach, inverses[s], reaches[s]
        tall, wide = math.sqrt(shapes[s, 0, 0]) + reach, math.sqrt(shapes[s, 1, 1]) + reach
        long = math.sqrt(shapes[s, 2, 2]) + reach
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
                for i in range(i0, i1 + 1):
                    distance = np.float32(surface_distance(radius, inverse, dz, dy, i * hx - cx))
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
    faces,
):
    """
    Area of the voxel faces normal to an axis, as uint8 with 255 for all, where field < level outside the particles.

    field = d1 + bridging·min(d2, reach); distance (d1), field, above (field − level) float32, nearest, follower int32 at
    the voxel corners, (nz + 1, ny + 1, nx + 1); the level is linear along the edges of a face. radii: longest semi-axes.
    active, faces: uint8, indexed like the faces; rows begin…end − 1 of faces are overwritten. Faces that the surface may
    cross are cut into COARSE² squares, or FINE² where two particles are within a voxel, at whose corners the distances to
    the particles known from the voxel corners are taken anew.
    """
    du, dv = np.zeros(3, np.int64), np.zeros(3, np.int64)
    du[1 if axis == 0 else 0] = 1
    dv[1 if axis == 2 else 2] = 1
    longest = max(edges[0], edges[1], edges[2])
    slack = (1.0 + bridging) * 0.75 * longest
    near, corner, level = np.empty(8, np.int64), np.empty((2, 2)), np.empty((2, 2))
    value = np.empty((FINE + 1, FINE + 1))
    for k in range(begin, end):
        for j in range(faces.shape[1]):
            for i in range(faces.shape[2]):
                taken = active[k, j, i]
                least, most = math.inf, -math.inf
                if taken < 255:
                    for g in range(2):
                        for h in range(2):
                            kk, jj, ii = k + g * du[0], j + g * du[1] + h * dv[1], i + h * dv[2]
                            least, most = min(least, above[kk, jj, ii]), max(most, above[kk, jj, ii])
                if least > slack or (taken == 0 and least > 0.0):
                    faces[k, j, i] = 0
                elif taken == 0 and most < 0.0:
                    faces[k, j, i] = 255
                else:
                    for g in range(2):
                        for h in range(2):
                            kk, jj, ii = k + g * du[0], j + g * du[1] + h * dv[1], i + h * dv[2]
                            corner[g, h] = min(distance[kk, jj, ii], above[kk, jj, ii])
                            level[g, h] = field[kk, jj, ii] - above[kk, jj, ii]
                    count = list_particles(k, j, i, du, dv, nearest, follower, near)
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
                            inverses,
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
def list_particles(k, j, i, du, dv, nearest, follower, near):
    """List the particles nearest to the four corners of a face in near (8,); returns their number."""
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
def take_values(k, j, i, du, dv, centres, radii, inverses, reach, bridging, edges, level, near, parts, value):
    """
    Evaluate min(d1, field − level) at the corners of the parts² squares of a face, from the particles listed in near.

    level (2, 2): at the corners of the face. value (FINE + 1, FINE + 1): the corners of the face itself are left as they
    are. Returns the smallest d2.
    """
    gap = reach
    for g in range(parts + 1):
        a = g / parts
        z = k + a * du[0]
        for h in range(parts + 1):
            if g % parts == 0 and h % parts == 0:
                continue
            b = h / parts
            y, x = j + a * du[1] + b * dv[1], i + b * dv[2]
            threshold = (1.0 - a) * ((1.0 - b) * level[0, 0] + b * level[0, 1])
            threshold += a * ((1.0 - b) * level[1, 0] + b * level[1, 1])
            first, second = reach, reach
            for q in range(len(near)):
                s = near[q]
                dz, dy, dx = (
                    z * edges[0] - centres[s, 0],
                    y * edges[1] - centres[s, 1],
                    x * edges[2] - centres[s, 2],
                )
                distance = surface_distance(radii[s], inverses[s], dz, dy, dx)
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
