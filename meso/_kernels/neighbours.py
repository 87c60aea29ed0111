"""Which particles are near each other, and how far two ellipsoids are from touching."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

ROUNDS = 12


@jit
def sort_bins(centres, radii, lengths, bins, start, order, place):
    """
    Sort particles by bin, axis 2 running fastest: start (bins + 1,) int64 where each bin begins, order (n,) int64 particles.

    centres (n, 3) float64 within 0…lengths (3,) (clamped if outside); bins (3,) int64 bins per axis. place (n, 4) float64:
    centre and radius in the new order.
    """
    bin_of = np.empty(len(centres), np.int64)
    start[:] = 0
    for s in range(len(centres)):
        index = 0
        for axis in range(3):
            k = math.floor(centres[s, axis] / lengths[axis] * bins[axis])
            index = index * bins[axis] + min(bins[axis] - 1, max(0, k))
        bin_of[s] = index
        start[index] += 1
    for k in range(1, len(start)):
        start[k] += start[k - 1]
    for s in range(len(centres) - 1, -1, -1):
        start[bin_of[s]] -= 1
        k = start[bin_of[s]]
        order[k] = s
        place[k, 0], place[k, 1], place[k, 2], place[k, 3] = (
            centres[s, 0],
            centres[s, 1],
            centres[s, 2],
            radii[s],
        )


@jit
def find_pairs(centres, radii, skin, lengths, bins, start, order, place, periodic, first, second):
    """
    List all pairs nearer than the sum of their radii + skin; the larger of two finds the smaller.

    start, order, place: of `sort_bins`; periodic: whether the box of edges lengths (3,) wraps in all three directions
    (nearest image). first, second (m,) int64 are filled as far as they reach, except for the last place, which is spare.
    Returns the number of pairs, which may exceed m − 1: enlarge and call again.
    """
    found, spare = 0, len(first) - 1
    low, count = np.empty(3, np.int64), np.empty(3, np.int64)
    lz, ly, lx = lengths[0], lengths[1], lengths[2]
    # What a distance is multiplied with to count how often it wraps: never in a box that does not.
    wz, wy, wx = (1.0 / lz, 1.0 / ly, 1.0 / lx) if periodic else (0.0, 0.0, 0.0)
    for s in range(len(radii)):
        radius = radii[s]
        for axis in range(3):
            reach, per = 2.0 * radius + skin, bins[axis] / lengths[axis]
            begin, end = (
                np.floor((centres[s, axis] - reach) * per),
                np.floor((centres[s, axis] + reach) * per),
            )
            if not periodic:
                begin, end = min(bins[axis] - 1.0, max(0.0, begin)), max(0.0, min(bins[axis] - 1.0, end))
            low[axis], count[axis] = int(begin) % bins[axis], min(bins[axis], int(end - begin) + 1)
        z, y, x = centres[s, 0], centres[s, 1], centres[s, 2]
        last = min(bins[2], low[2] + count[2])
        beyond = low[2] + count[2] - last
        for a in range(low[0], low[0] + count[0]):
            plane = (a - bins[0] if a >= bins[0] else a) * bins[1]
            for b in range(low[1], low[1] + count[1]):
                row = (plane + (b - bins[1] if b >= bins[1] else b)) * bins[2]
                # The bins of a row are one stretch of the list, two where it wraps.
                for part in range(1 + (beyond > 0)):
                    begin, end = (
                        (start[row], start[row + beyond])
                        if part
                        else (start[row + low[2]], start[row + last])
                    )
                    for k in range(np.uint64(begin), np.uint64(end)):
                        dz, dy, dx = place[k, 0] - z, place[k, 1] - y, place[k, 2] - x
                        dz -= lz * np.floor(dz * wz + 0.5)
                        dy -= ly * np.floor(dy * wy + 0.5)
                        dx -= lx * np.floor(dx * wx + 0.5)
                        near, t = radius + place[k, 3] + skin, order[k]
                        # Written in any case and counted if it is one: a branch here is a coin toss.
                        slot = np.uint64(min(found, spare))
                        first[slot], second[slot] = s, t
                        smaller = (place[k, 3] < radius) | ((place[k, 3] == radius) & (t < s))
                        found += smaller & (dz * dz + dy * dy + dx * dx < near * near)
    return found


@jit
def contact(dz, dy, dx, shape_s, shape_t, out):
    """
    Factor by which two ellipsoids, centres apart by dz, dy, dx, must both be scaled to touch.

    shape_s, shape_t (3, 3) float64: S. out (5,) float64: the square of the factor, the parameter λ that attains it (on
    entry a guess) and y = C⁻¹ d with C = (1 − λ) S_s + λ S_t. The square is the maximum over λ of λ (1 − λ) dᵀ C⁻¹ d
    (Perram & Wertheim, J. Comput. Phys. 58, 409, 1985); every λ gives a lower bound, so that a value of 1 or more proves
    that they are apart, and the search ends there.
    """
    lam = out[1]
    for _turn in range(ROUNDS):
        a, b = 1.0 - lam, lam
        zz = a * shape_s[0, 0] + b * shape_t[0, 0]
        zy = a * shape_s[0, 1] + b * shape_t[0, 1]
        zx = a * shape_s[0, 2] + b * shape_t[0, 2]
        yy = a * shape_s[1, 1] + b * shape_t[1, 1]
        yx = a * shape_s[1, 2] + b * shape_t[1, 2]
        xx = a * shape_s[2, 2] + b * shape_t[2, 2]
        c0, c1, c2 = yy * xx - yx * yx, zx * yx - zy * xx, zy * yx - zx * yy
        det = zz * c0 + zy * c1 + zx * c2
        y0 = (c0 * dz + c1 * dy + c2 * dx) / det
        y1 = (c1 * dz + (zz * xx - zx * zx) * dy + (zx * zy - zz * yx) * dx) / det
        y2 = (c2 * dz + (zx * zy - zz * yx) * dy + (zz * yy - zy * zy) * dx) / det
        out[0], out[1], out[2], out[3], out[4] = a * b * (y0 * dz + y1 * dy + y2 * dx), lam, y0, y1, y2
        if out[0] >= 1.0:
            return
        ps, pt = width(shape_s, y0, y1, y2), width(shape_t, y0, y1, y2)
        # Stationary where (1 − λ)² yᵀ S_s y = λ² yᵀ S_t y; exact at once for two spheres.
        wanted = ps / (ps + pt)
        if abs(wanted - lam) < 1e-4:
            return
        lam = wanted


@jit
def width(shape, y0, y1, y2):
    """√(yᵀ S y)."""
    return math.sqrt(
        y0 * (shape[0, 0] * y0 + 2.0 * (shape[0, 1] * y1 + shape[0, 2] * y2))
        + y1 * (shape[1, 1] * y1 + 2.0 * shape[1, 2] * y2)
        + y2 * y2 * shape[2, 2]
    )


@jit
def gaps(centres, shapes, lengths, periodic, first, second, gap):
    """
    Signed distance between the surfaces of pairs along the line of their centres; negative where they overlap.

    centres (n, 3), shapes (n, 3, 3), lengths (3,) float64; first, second (m,) int64; gap (m,) float64 is overwritten: the
    centres' distance times 1 − 1/factor of `contact`. For two spheres it is the distance of the surfaces. Where a pair
    is apart it is a lower bound.
    """
    out, d = np.empty(5), np.empty(3)
    for q in range(len(first)):
        s, t = first[q], second[q]
        square = 0.0
        for axis in range(3):
            d[axis] = centres[t, axis] - centres[s, axis]
            if periodic:
                d[axis] -= lengths[axis] * math.floor(d[axis] / lengths[axis] + 0.5)
            square += d[axis] * d[axis]
        out[1] = math.sqrt(shapes[s, 0, 0]) / (math.sqrt(shapes[s, 0, 0]) + math.sqrt(shapes[t, 0, 0]))
        contact(d[0], d[1], d[2], shapes[s], shapes[t], out)
        if out[0] > 0.0:
            gap[q] = math.sqrt(square) * (1.0 - 1.0 / math.sqrt(out[0]))
        else:
            gap[q] = -(math.sqrt(shapes[s, 0, 0]) + math.sqrt(shapes[t, 0, 0]))
