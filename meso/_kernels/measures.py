"""Areas of sphere unions and the flooding of connected voxels."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, error_model="numpy")

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
def flood(through, along_y, along_x, periodic, from_collector, reached):
    """
    Mark all voxels that hang together with one outer face through open faces.

    through (nz + 1, ny, nx), along_y (nz, ny + 1, nx), along_x (nz, ny, nx + 1) bool; reached (nz, ny, nx) bool, False on
    entry.
    """
    nz, ny, nx = reached.shape
    stack = np.empty(reached.size, np.int64)
    top = 0
    k = nz - 1 if from_collector else 0
    for j in range(ny):
        for i in range(nx):
            if through[nz if from_collector else 0, j, i]:
                reached[k, j, i] = True
                stack[top] = (k * ny + j) * nx + i
                top += 1
    while top > 0:
        top -= 1
        index = stack[top]
        i, j, k = index % nx, (index // nx) % ny, index // (nx * ny)
        for side in range(6):
            kk, jj, ii = k, j, i
            if side == 0:
                kk, open_face = k - 1, through[k, j, i]
            elif side == 1:
                kk, open_face = k + 1, through[k + 1, j, i]
            elif side == 2:
                jj, open_face = j - 1, along_y[k, j, i]
            elif side == 3:
                jj, open_face = j + 1, along_y[k, j + 1, i]
            elif side == 4:
                ii, open_face = i - 1, along_x[k, j, i]
            else:
                ii, open_face = i + 1, along_x[k, j, i + 1]
            if periodic:
                jj, ii = jj % ny, ii % nx
            if not open_face or kk < 0 or kk >= nz or jj < 0 or jj >= ny or ii < 0 or ii >= nx:
                continue
            if not reached[kk, jj, ii]:
                reached[kk, jj, ii] = True
                stack[top] = (kk * ny + jj) * nx + ii
                top += 1
