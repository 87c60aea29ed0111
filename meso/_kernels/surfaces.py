"""Areas of unions of spheres and ellipsoids."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

SUBPLANES = 8


@jit
def exposed_areas(centres, radii, own, start, partner, step, areas):
    """
    Add the area of every sphere that no other sphere covers to the slices it lies in.

    centres (n, 3), radii (n,) float64: the first `own` spheres are measured, the others only cover. start (n + 1,), partner
    (m,) int64: all spheres that overlap sphere s. areas (nz,) float64 [m2]; slice k holds depths k·step…(k + 1)·step. A zone
    of height dz carries the area r·angle·dz (Archimedes), angle being what the other spheres leave of the circle.
    """
    nz = len(areas)
    most = 1
    for s in range(own):
        most = max(most, start[s + 1] - start[s])
    low, high = np.empty(2 * most), np.empty(2 * most)
    for s in range(own):
        cz, r = centres[s, 0], radii[s]
        k0, k1 = max(0, math.floor((cz - r) / step)), min(nz - 1, math.floor((cz + r) / step))
        for k in range(k0, k1 + 1):
            begin, end = max(cz - r, k * step), min(cz + r, (k + 1) * step)
            if end <= begin:
                continue
            if start[s + 1] == start[s]:
                areas[k] += 2.0 * math.pi * r * (end - begin)
                continue
            for plane in range(SUBPLANES):
                z = begin + (plane + 0.5) * (end - begin) / SUBPLANES
                angle = 2.0 * math.pi - covered_angle(z, s, centres, radii, start, partner, low, high)
                areas[k] += r * angle * (end - begin) / SUBPLANES


@jit
def covered_angle(z, s, centres, radii, start, partner, low, high):
    """Angle of the circle that plane z cuts from sphere s which lies in other spheres."""
    rho = math.sqrt(max(0.0, radii[s] ** 2 - (z - centres[s, 0]) ** 2))
    count = 0
    for q in range(start[s], start[s + 1]):
        t = partner[q]
        square = radii[t] ** 2 - (z - centres[t, 0]) ** 2
        if square <= 0.0:
            continue
        dy, dx = centres[t, 1] - centres[s, 1], centres[t, 2] - centres[s, 2]
        apart = math.sqrt(dy * dy + dx * dx)
        if rho <= 0.0 or apart <= 0.0:
            if square > rho * rho + apart * apart:
                return 2.0 * math.pi
            continue
        cosine = (apart * apart + rho * rho - square) / (2.0 * apart * rho)
        if cosine >= 1.0:
            continue
        if cosine <= -1.0:
            return 2.0 * math.pi
        half, towards = math.acos(cosine), math.atan2(dy, dx)
        first, last = towards - half, towards + half
        if first < -math.pi:
            count = insert_interval(first + 2.0 * math.pi, math.pi, count, low, high)
            first = -math.pi
        if last > math.pi:
            count = insert_interval(-math.pi, last - 2.0 * math.pi, count, low, high)
            last = math.pi
        count = insert_interval(first, last, count, low, high)
    covered, reached = 0.0, -math.pi
    for c in range(count):
        if high[c] > reached:
            covered += high[c] - max(low[c], reached)
            reached = high[c]
    return covered


@jit
def insert_interval(begin, end, count, low, high):
    """Insert an interval into lists sorted by the lower end; returns their new length."""
    c = count
    while c > 0 and low[c - 1] > begin:
        low[c], high[c] = low[c - 1], high[c - 1]
        c -= 1
    low[c], high[c] = begin, end
    return count + 1


@jit
def sampled_areas(centres, roots, stretch, inverses, directions, start, partner, step, areas):
    """
    Add the area of every ellipsoid that no other one covers to the slices it lies in, from points on its surface.

    roots (own, 3, 3) float64: S^(1/2) of the first particles, which are measured; stretch: det(S^(1/2)) S^(-1/2), the
    length of which, applied to a direction, is the area per solid angle there. directions (m, 3): points on the unit
    sphere. start, partner, step, areas as in `exposed_areas`.
    """
    x = np.empty(3)
    for s in range(len(roots)):
        for p in range(len(directions)):
            square = 0.0
            for a in range(3):
                grown = 0.0
                x[a] = centres[s, a]
                for b in range(3):
                    x[a] += roots[s, a, b] * directions[p, b]
                    grown += stretch[s, a, b] * directions[p, b]
                square += grown * grown
            k = math.floor(x[0] / step)
            if k < 0 or k >= len(areas):
                continue
            free = True
            for q in range(start[s], start[s + 1]):
                t = partner[q]
                value = 0.0
                for a in range(3):
                    for b in range(3):
                        value += (x[a] - centres[t, a]) * inverses[t, a, b] * (x[b] - centres[t, b])
                if value < 1.0:
                    free = False
                    break
            if free:
                areas[k] += 4.0 * math.pi / len(directions) * math.sqrt(square)
