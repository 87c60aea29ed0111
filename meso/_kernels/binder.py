"""Distances to the two nearest particles, and the level sets of binder between them."""

import math

import numba as nb
import numpy as np

from meso._kernels.voxels import depth_in

jit = nb.njit(cache=True, nogil=True, error_model="numpy")


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
