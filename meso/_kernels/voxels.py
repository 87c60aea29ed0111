"""Spheres on a voxel grid: which voxel lies in which, and how much of each voxel face they cover."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, error_model="numpy")

SCANLINES = 8


@jit
def label_voxels(centres, radii, owner, edges, ids, nearest):
    """
    Write owner[s] + 1 into every voxel whose centre lies deepest in sphere s.

    centres (n, 3), radii (n,) float64; owner (n,) int64; edges (3,) float64 voxel edges; ids (nz, ny, nx) int32, zero
    on entry; nearest (nz, ny, nx) int32 scratch, zero on entry, receives the index of the deepest sphere + 1.
    """
    nz, ny, nx = ids.shape
    for s in range(len(radii)):
        cz, cy, cx = centres[s]
        r = radii[s]
        k0 = max(0, math.ceil((cz - r) / edges[0] - 0.5))
        k1 = min(nz - 1, math.floor((cz + r) / edges[0] - 0.5))
        for k in range(k0, k1 + 1):
            dz = (k + 0.5) * edges[0] - cz
            left = r * r - dz * dz
            if left <= 0.0:
                continue
            ry = math.sqrt(left)
            j0 = max(0, math.ceil((cy - ry) / edges[1] - 0.5))
            j1 = min(ny - 1, math.floor((cy + ry) / edges[1] - 0.5))
            for j in range(j0, j1 + 1):
                dy = (j + 0.5) * edges[1] - cy
                rest = left - dy * dy
                if rest <= 0.0:
                    continue
                rx = math.sqrt(rest)
                i0 = max(0, math.ceil((cx - rx) / edges[2] - 0.5))
                i1 = min(nx - 1, math.floor((cx + rx) / edges[2] - 0.5))
                for i in range(i0, i1 + 1):
                    taken = nearest[k, j, i] - 1
                    if taken >= 0:
                        dx = (i + 0.5) * edges[2] - cx
                        mine = math.sqrt(dz * dz + dy * dy + dx * dx) - r
                        ez = (k + 0.5) * edges[0] - centres[taken, 0]
                        ey = (j + 0.5) * edges[1] - centres[taken, 1]
                        ex = (i + 0.5) * edges[2] - centres[taken, 2]
                        if math.sqrt(ez * ez + ey * ey + ex * ex) - radii[taken] <= mine:
                            continue
                    nearest[k, j, i] = s + 1
                    ids[k, j, i] = owner[s] + 1


@jit
def half_segment(x, radius):
    """Area between a diameter of a disc, the parallel chord at signed distance x, and half of the rim."""
    if x >= radius:
        return 0.25 * math.pi * radius * radius
    if x <= -radius:
        return -0.25 * math.pi * radius * radius
    return 0.5 * (x * math.sqrt(radius * radius - x * x) + radius * radius * math.asin(x / radius))


@jit
def quadrant_area(u, v, su, sv, radius):
    """Area of the disc around 0 below u and below v, given su = half_segment(u) and sv = half_segment(v)."""
    quarter = 0.25 * math.pi * radius * radius
    if u * u + v * v < radius * radius:
        return u * v + su + sv + quarter
    if u > 0.0:
        if v > 0.0:
            return 2.0 * (su + sv)
        return 2.0 * (sv + quarter)
    if v > 0.0:
        return 2.0 * (su + quarter)
    return 0.0


@jit
def add_discs(centres, radii, axis, edges, faces):
    """
    Add the exact area fraction that every sphere cuts out of every voxel face normal to one axis.

    centres (n, 3), radii (n,), edges (3,) float64; faces (planes, nu, nv) float32, axis-first view, is added to. Area of
    disc ∩ rectangle from the area of disc ∩ quadrant at its four corners.
    """
    planes, nu, nv = faces.shape
    au, av = (axis + 1) % 3, (axis + 2) % 3
    if au > av:
        au, av = av, au
    hn, hu, hv = edges[axis], edges[au], edges[av]
    sv = np.empty(nv + 1)
    before = np.empty(nv + 1)
    for s in range(len(radii)):
        cn, cu, cv, r = centres[s, axis], centres[s, au], centres[s, av], radii[s]
        p0 = max(0, math.ceil((cn - r) / hn))
        p1 = min(planes - 1, math.floor((cn + r) / hn))
        for p in range(p0, p1 + 1):
            square = r * r - (p * hn - cn) ** 2
            if square <= 0.0:
                continue
            rho = math.sqrt(square)
            i0 = max(0, math.floor((cu - rho) / hu))
            i1 = min(nu, math.ceil((cu + rho) / hu))
            j0 = max(0, math.floor((cv - rho) / hv))
            j1 = min(nv, math.ceil((cv + rho) / hv))
            if i0 >= i1 or j0 >= j1:
                continue
            for j in range(j0, j1 + 1):
                sv[j] = half_segment(j * hv - cv, rho)
            for i in range(i0, i1 + 1):
                u = i * hu - cu
                su = half_segment(u, rho)
                corner = 0.0
                for j in range(j0, j1 + 1):
                    area = quadrant_area(u, j * hv - cv, su, sv[j], rho)
                    if i > i0 and j > j0:
                        faces[p, i - 1, j - 1] += (area - corner - before[j] + before[j - 1]) / (hu * hv)
                        before[j - 1] = corner
                    elif j > j0:
                        before[j - 1] = corner
                    corner = area
                before[j1] = corner


@jit
def subtract_interval(row, low, high, step, weight):
    """Subtract weight × (share of each cell of a row inside low…high) from the row."""
    j0 = max(0, math.floor(low / step))
    j1 = min(len(row) - 1, math.floor(high / step))
    for j in range(j0, j1 + 1):
        length = min(high, (j + 1) * step) - max(low, j * step)
        if length > 0.0:
            row[j] -= weight * length / step


@jit
def subtract_overlaps(centres, radii, start, partner, axis, edges, faces):
    """
    Take away what `add_discs` counted twice, so that faces hold the union of the spheres.

    start (n + 1,), partner (m,) int64: for sphere s, partner[start[s]:start[s + 1]] are the spheres of lower index that
    it overlaps. Every disc loses its intersection with the union of those, integrated along SCANLINES lines a voxel.
    """
    planes, nu = faces.shape[0], faces.shape[1]
    au, av = (axis + 1) % 3, (axis + 2) % 3
    if au > av:
        au, av = av, au
    hn, hu, hv = edges[axis], edges[au], edges[av]
    most = 0
    for s in range(len(radii)):
        most = max(most, start[s + 1] - start[s])
    low, high, other, rim = np.empty(most), np.empty(most), np.empty(most, np.int64), np.empty(most)
    for s in range(len(radii)):
        if start[s] == start[s + 1]:
            continue
        cn, cu, cv, r = centres[s, axis], centres[s, au], centres[s, av], radii[s]
        p0 = max(0, math.ceil((cn - r) / hn))
        p1 = min(planes - 1, math.floor((cn + r) / hn))
        for p in range(p0, p1 + 1):
            square = r * r - (p * hn - cn) ** 2
            if square <= 0.0:
                continue
            rho = math.sqrt(square)
            first, last, near = nu * hu, 0.0, 0
            for q in range(start[s], start[s + 1]):
                t = partner[q]
                square_t = radii[t] ** 2 - (p * hn - centres[t, axis]) ** 2
                if square_t <= 0.0:
                    continue
                rho_t = math.sqrt(square_t)
                du, dv = centres[t, au] - cu, centres[t, av] - cv
                if du * du + dv * dv >= (rho + rho_t) ** 2:
                    continue
                other[near], rim[near] = t, rho_t
                near += 1
                first = min(first, max(cu - rho, centres[t, au] - rho_t))
                last = max(last, min(cu + rho, centres[t, au] + rho_t))
            if near == 0:
                continue
            i0, i1 = max(0, math.floor(first / hu)), min(nu - 1, math.floor(last / hu))
            for i in range(i0, i1 + 1):
                for line in range(SCANLINES):
                    u = (i + (line + 0.5) / SCANLINES) * hu
                    square_u = rho * rho - (u - cu) ** 2
                    if square_u <= 0.0:
                        continue
                    half = math.sqrt(square_u)
                    count = collect_intervals(u, cv, half, centres, other, rim, near, au, av, low, high)
                    reached = -math.inf
                    for c in range(count):
                        begin = max(low[c], reached)
                        if high[c] > begin:
                            subtract_interval(faces[p, i], begin, high[c], hv, 1.0 / SCANLINES)
                            reached = high[c]


@jit
def collect_intervals(u, cv, half, centres, other, rim, near, au, av, low, high):
    """Cut a scanline of one disc with other discs; intervals sorted by their lower end. Returns their number."""
    count = 0
    for q in range(near):
        t = other[q]
        square = rim[q] ** 2 - (u - centres[t, au]) ** 2
        if square <= 0.0:
            continue
        reach = math.sqrt(square)
        begin, end = max(cv - half, centres[t, av] - reach), min(cv + half, centres[t, av] + reach)
        if end <= begin:
            continue
        c = count
        while c > 0 and low[c - 1] > begin:
            low[c], high[c] = low[c - 1], high[c - 1]
            c -= 1
        low[c], high[c] = begin, end
        count += 1
    return count


@jit
def quantise(fractions, faces):
    """Round area fractions, any float array of three axes, to uint8 with 255 for the whole face."""
    nk, nj, ni = fractions.shape
    for k in range(nk):
        for j in range(nj):
            for i in range(ni):
                value = min(1.0, max(0.0, fractions[k, j, i]))
                faces[k, j, i] = np.uint8(value * 255.0 + 0.5)
