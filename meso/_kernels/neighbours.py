"""Which particles are near each other, and how far two ellipsoids are from touching."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

ROUNDS = 12


@jit
def fill_bins(centres, lengths, bins, head, following):
    """
    Chain the particles of every bin: head (bins,) int64 first particle, following (n,) int64 next one, −1 at the end.

    centres (n, 3) float64 within 0…lengths (3,) (clamped if outside); bins (3,) int64 bins per axis.
    """
    head[:] = -1
    for s in range(len(centres) - 1, -1, -1):
        index = 0
        for axis in range(3):
            place = math.floor(centres[s, axis] / lengths[axis] * bins[axis])
            index = index * bins[axis] + min(bins[axis] - 1, max(0, place))
        following[s] = head[index]
        head[index] = s


@jit
def find_pairs(centres, radii, skin, lengths, bins, head, following, periodic, first, second):
    """
    List all pairs nearer than the sum of their radii + skin; the larger of two finds the smaller.

    periodic: whether the box of edges lengths (3,) wraps in all three directions (nearest image). first, second (m,)
    int64 are filled as far as they reach. Returns the number of pairs, which may exceed m: enlarge and call again.
    """
    found = 0
    low, count = np.empty(3, np.int64), np.empty(3, np.int64)
    for s in range(len(radii)):
        reach = 2.0 * radii[s] + skin
        for axis in range(3):
            width = lengths[axis] / bins[axis]
            begin = math.floor((centres[s, axis] - reach) / width)
            end = math.floor((centres[s, axis] + reach) / width)
            if periodic:
                low[axis], count[axis] = begin, min(bins[axis], end - begin + 1)
            else:
                begin, end = min(bins[axis] - 1, max(0, begin)), max(0, min(bins[axis] - 1, end))
                low[axis], count[axis] = begin, end - begin + 1
        for a in range(count[0]):
            za = (low[0] + a) % bins[0]
            for b in range(count[1]):
                zb = za * bins[1] + (low[1] + b) % bins[1]
                for c in range(count[2]):
                    t = head[zb * bins[2] + (low[2] + c) % bins[2]]
                    while t >= 0:
                        if radii[t] < radii[s] or (radii[t] == radii[s] and t < s):
                            distance = 0.0
                            for axis in range(3):
                                d = centres[t, axis] - centres[s, axis]
                                if periodic:
                                    d -= lengths[axis] * math.floor(d / lengths[axis] + 0.5)
                                distance += d * d
                            if distance < (radii[s] + radii[t] + skin) ** 2:
                                if found < len(first):
                                    first[found], second[found] = s, t
                                found += 1
                        t = following[t]
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
