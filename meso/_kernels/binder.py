"""Distances to the two nearest particles, and the level sets of binder between them."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, nogil=True, error_model="numpy")


VECTOR = 8
"""Numbers that a processor treats at once."""


@jit
def is_sphere(inverse):
    """Whether S⁻¹ is that of a sphere."""
    return (
        inverse[0, 0] == inverse[1, 1] == inverse[2, 2]
        and inverse[0, 1] == inverse[0, 2] == inverse[1, 2] == 0.0
    )


@jit
def depth_near(dn, du, dv, nn, nu, nv, uu, uv, vv):
    """`depth_in` in single precision, from the distances to the centre and S⁻¹ along any three axes."""
    one, tenth = np.float32(1.0), np.float32(0.1)
    gn, gu, gv = nn * dn + nu * du + nv * dv, nu * dn + uu * du + uv * dv, nv * dn + uv * du + vv * dv
    root, steep = math.sqrt(gn * dn + gu * du + gv * dv), math.sqrt(gn * gn + gu * gu + gv * gv)
    deep = (root - one) / math.sqrt(max(nn, uu, vv))
    return deep if root < tenth else (root - one) * root / steep


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
    d1, d2 = first.reshape(first.size), second.reshape(first.size)
    s1, s2 = nearest.reshape(first.size), follower.reshape(first.size)
    hz, hy, hx = edges
    step = np.float32(hx)
    for s in range(len(reaches)):
        cz, cy, cx = centres[s, 0] - offset * hz, centres[s, 1] - offset * hy, centres[s, 2] - offset * hx
        far = reaches[s] + reach
        tall, wide = math.sqrt(shapes[s, 0, 0]) + reach, math.sqrt(shapes[s, 1, 1]) + reach
        long = math.sqrt(shapes[s, 2, 2]) + reach
        ball, own, radius = is_sphere(inverses[s]), np.int32(s), np.float32(reaches[s])
        zz, zy, zx = (
            np.float32(inverses[s, 0, 0]),
            np.float32(inverses[s, 0, 1]),
            np.float32(inverses[s, 0, 2]),
        )
        yy, yx, xx = (
            np.float32(inverses[s, 1, 1]),
            np.float32(inverses[s, 1, 2]),
            np.float32(inverses[s, 2, 2]),
        )
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
                # In whole vectors: what is farther than reach changes nothing. Unsigned, for an index that might be
                # negative keeps a loop from going in vectors; no calls that take arrays: references would be counted.
                length = min(nx, (i1 - i0 + VECTOR) // VECTOR * VECTOR)
                i0 = min(i0, nx - length)
                begin, start = np.uint64((k * ny + j) * nx + i0), np.float32(i0 * hx - cx)
                z, y, square = np.float32(dz), np.float32(dy), np.float32(dz * dz + dy * dy)
                if ball:
                    for i in range(np.uint64(length)):
                        g, x = begin + i, start + np.float32(np.int32(i)) * step
                        d = np.float32(math.sqrt(square + x * x)) - radius
                        a, b, p, q = ranked(d, own, d1[g], d2[g], s1[g], s2[g])
                        d2[g], s2[g], d1[g], s1[g] = b, q, a, p
                else:
                    for i in range(np.uint64(length)):
                        g, x = begin + i, start + np.float32(np.int32(i)) * step
                        d = depth_near(z, y, x, zz, zy, zx, yy, yx, xx)
                        a, b, p, q = ranked(d, own, d1[g], d2[g], s1[g], s2[g])
                        d2[g], s2[g], d1[g], s1[g] = b, q, a, p


@jit
def ranked(d, own, first, second, nearest, follower):
    """Two smallest distances and whose they are, after a distance d to particle own."""
    before, between = d < first, d < second
    last, other = (d, own) if between else (second, follower)
    if before:
        return d, first, own, nearest
    return first, last, nearest, other


@jit
def count_below(low, high, distance, field, top, counts):
    """
    Histogram of field at the voxel corners outside the particles, plane by plane from low to high − 1.

    distance, field (nz + 1, ny + 1, nx + 1) float32; the last corner of the lateral axes repeats the first and is left
    out. counts (nz + 1, bins) int64, zero on entry: bin b holds values in b…b + 1 over bins of 0…top.
    """
    bins = counts.shape[1]
    for k in range(low, high):
        for j in range(field.shape[1] - 1):
            for i in range(field.shape[2] - 1):
                value = field[k, j, i]
                if distance[k, j, i] >= 0.0 and value < top:
                    counts[k, min(bins - 1, int(max(value, 0.0) / top * bins))] += 1
