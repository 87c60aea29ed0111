"""Particles on a voxel grid: which voxel lies in which, and how much of each voxel face they cover."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

SCANLINES = 8


@jit
def depth_in(inverse, dz, dy, dx):
    """
    Signed distance to the surface of an ellipsoid, negative inside: exact for a sphere, of first order in the distance.

    inverse (3, 3) float64: S⁻¹; dz, dy, dx from the centre. (√q − 1)·√q / |S⁻¹ x| with q = xᵀ S⁻¹ x (Taubin 1991).
    """
    gz = inverse[0, 0] * dz + inverse[0, 1] * dy + inverse[0, 2] * dx
    gy = inverse[1, 0] * dz + inverse[1, 1] * dy + inverse[1, 2] * dx
    gx = inverse[2, 0] * dz + inverse[2, 1] * dy + inverse[2, 2] * dx
    steep = math.sqrt(gz * gz + gy * gy + gx * gx)
    root = math.sqrt(gz * dz + gy * dy + gx * dx)
    if root < 0.1:  # near the centre the gradient vanishes; any value deeper than all others will do
        return (root - 1.0) / math.sqrt(max(inverse[0, 0], inverse[1, 1], inverse[2, 2]))
    return (root - 1.0) * root / steep


@jit
def label_voxels(first, last, centres, shapes, inverses, owner, edges, inside, ids, labels):
    """
    Write owner[s] + 1 into every voxel of planes first…last − 1 whose centre lies deepest in particle s.

    centres (n, 3), shapes, inverses (n, 3, 3) float64; owner (n,) int64; edges (3,) float64 voxel edges; ids int32,
    labels uint8 (nz, ny, nx) are overwritten: 0, or owner + 1 and the value inside.
    """
    ids[first:last] = 0
    ny, nx = ids.shape[1], ids.shape[2]
    hz, hy, hx = edges
    for s in range(len(owner)):
        cz, cy, cx = centres[s]
        far, a = math.sqrt(shapes[s, 0, 0]), inverses[s]
        wide = math.sqrt(shapes[s, 1, 1])
        k0 = max(first, math.ceil((cz - far) / hz - 0.5))
        k1 = min(last - 1, math.floor((cz + far) / hz - 0.5))
        for k in range(k0, k1 + 1):
            dz = (k + 0.5) * hz - cz
            j0 = max(0, math.ceil((cy - wide) / hy - 0.5))
            j1 = min(ny - 1, math.floor((cy + wide) / hy - 0.5))
            for j in range(j0, j1 + 1):
                dy = (j + 0.5) * hy - cy
                lean = (a[0, 2] * dz + a[1, 2] * dy) / a[2, 2]
                rest = a[0, 0] * dz * dz + 2.0 * a[0, 1] * dz * dy + a[1, 1] * dy * dy - 1.0
                square = lean * lean - rest / a[2, 2]
                if square <= 0.0:
                    continue
                half = math.sqrt(square)
                i0 = max(0, math.ceil((cx - lean - half) / hx - 0.5))
                i1 = min(nx - 1, math.floor((cx - lean + half) / hx - 0.5))
                for i in range(i0, i1 + 1):
                    taken = ids[k, j, i] - 1
                    if taken >= 0:
                        mine = depth_in(a, dz, dy, (i + 0.5) * hx - cx)
                        ez = (k + 0.5) * hz - centres[taken, 0]
                        ey = (j + 0.5) * hy - centres[taken, 1]
                        ex = (i + 0.5) * hx - centres[taken, 2]
                        if depth_in(inverses[taken], ez, ey, ex) <= mine:
                            continue
                    ids[k, j, i] = s + 1
    for k in range(first, last):
        for j in range(ny):
            for i in range(nx):
                s = ids[k, j, i]
                labels[k, j, i] = inside if s > 0 else 0
                if s > 0:
                    ids[k, j, i] = owner[s - 1] + 1


@jit
def half_segment(x, radius):
    """
    Area between a diameter of a disc, the parallel chord at signed distance x, and half of the rim.

    The arc sine is Abramowitz and Stegun's 4.4.46, good to 2e-8: of a face, 1/255 at a radius of 300 voxels.
    """
    u = min(1.0, abs(x) / radius)
    series = -0.0170881256 + u * (0.0066700901 - u * 0.0012624911)
    series = -0.2145988016 + u * (0.0889789874 + u * (-0.0501743046 + u * (0.0308918810 + u * series)))
    root = math.sqrt(1.0 - u)
    area = (
        0.5 * radius * radius * (0.5 * math.pi + root * (u * math.sqrt(1.0 + u) - 1.5707963050 - u * series))
    )
    return area if x >= 0.0 else -area


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
def section(s, axis, au, av, plane, centres, shapes, inverses, cut):
    """
    Ellipse that a plane normal to an axis cuts from a particle; returns whether there is one.

    cut (5,) float64 receives its centre u, v, its half width T along u, and its shear and squeeze: at u + t it reaches
    over v + shear·t ± squeeze·√(T² − t²).
    """
    w = plane - centres[s, axis]
    full = shapes[s, axis, axis]
    level = 1.0 - w * w / full
    if level <= 0.0:
        return False
    uu, uv, vv = inverses[s, au, au], inverses[s, au, av], inverses[s, av, av]
    det = uu * vv - uv * uv
    cut[0] = centres[s, au] + shapes[s, au, axis] / full * w
    cut[1] = centres[s, av] + shapes[s, av, axis] / full * w
    cut[2] = math.sqrt(level * vv / det)
    cut[3] = -uv / vv
    cut[4] = math.sqrt(det) / vv
    return True


@jit
def cover_planes(
    first, last, begin, member, centres, shapes, inverses, start, partner, axis, edges, spread, faces
):
    """
    Area fraction of the voxel faces normal to an axis that the union of the particles covers, 255 for all.

    member[begin[p]:begin[p + 1]] int64: the particles that plane p cuts. start (n + 1,), partner (m,) int64:
    partner[start[s]:start[s + 1]] are the particles listed before s that it overlaps. faces (planes, nu, nv) uint8 view,
    planes first…last − 1 are overwritten. spread: planes whose writing is gathered, for views that are not contiguous.
    """
    au, av = (1 if axis == 0 else 0), (1 if axis == 2 else 2)
    nu, nv = faces.shape[1], faces.shape[2]
    hn, hu, hv = edges[axis], edges[au], edges[av]
    rows = np.empty((nu, nv), np.float32)
    whole = np.empty(
        (spread, nu * nv + 64), np.uint8
    )  # planes a power of two apart would share a few sets of the cache
    most = 1
    for s in range(len(start) - 1):
        most = max(most, start[s + 1] - start[s])
    low, high, other = np.empty(most), np.empty(most), np.empty((most, 5))
    cut, above, before = np.empty(5), np.empty(nv + 1), np.empty(nv + 1)
    for p0 in range(first, last, spread):
        count = min(spread, last - p0)
        for q in range(count):
            p = p0 + q
            rows[:] = 0.0
            for m in range(begin[p], begin[p + 1]):
                s = member[m]
                if not section(s, axis, au, av, p * hn, centres, shapes, inverses, cut):
                    continue
                if cut[3] == 0.0 and abs(cut[4] - 1.0) < 1e-12:
                    add_disc(cut, hu, hv, rows, above, before)
                else:
                    add_ellipse(cut, hu, hv, rows)
                near = 0
                for t in range(start[s], start[s + 1]):
                    if section(partner[t], axis, au, av, p * hn, centres, shapes, inverses, other[near]):
                        near += 1
                if near > 0:
                    subtract_overlaps(cut, other, near, hu, hv, low, high, rows)
            for j in range(nu):
                for i in range(nv):
                    area = min(np.float32(1.0), max(np.float32(0.0), rows[j, i]))
                    whole[q, j * nv + i] = np.uint8(np.int32(area * np.float32(255.0) + np.float32(0.5)))
        if spread == 1:
            faces[p0] = whole[0, : nu * nv].reshape((nu, nv))
            continue
        for j in range(nu):
            for i in range(nv):
                for q in range(count):
                    faces[p0 + q, j, i] = whole[q, j * nv + i]


@jit
def add_disc(cut, hu, hv, rows, above, before):
    """
    Add the exact area fraction that a disc covers of every cell of rows (nu, nv) float32.

    Area of disc ∩ rectangle from the area of disc ∩ quadrant at its four corners; cells wholly inside are known to be.
    above, before (nv + 1,) float64 are scratch.
    """
    nu, nv = rows.shape
    cu, cv, rho = cut[0], cut[1], cut[2]
    i0, i1 = max(0, math.floor((cu - rho) / hu)), min(nu, math.ceil((cu + rho) / hu))
    j0, j1 = max(0, math.floor((cv - rho) / hv)), min(nv, math.ceil((cv + rho) / hv))
    if i0 >= i1 or j0 >= j1:
        return
    for j in range(j0, j1 + 1):
        above[j] = half_segment(j * hv - cv, rho)
        before[j] = quadrant_area(i0 * hu - cu, j * hv - cv, half_segment(i0 * hu - cu, rho), above[j], rho)
    for i in range(i0, i1):
        u, su = (i + 1) * hu - cu, half_segment((i + 1) * hu - cu, rho)
        farthest = max(abs(u), abs(u - hu))
        left = rho * rho - farthest * farthest
        f0, f1 = j1 + 1, j1 + 1
        if left > 0.0:
            half = math.sqrt(left)
            f0, f1 = max(j0, math.ceil((cv - half) / hv)), min(j1, math.floor((cv + half) / hv))
        j = j0
        corner = quadrant_area(u, j0 * hv - cv, su, above[j0], rho)
        while j < j1:
            if j >= f0 and j < f1:
                for full in range(j, f1):
                    rows[i, full] += np.float32(1.0)
                    before[full] = u * (full * hv - cv) + su + above[full] + 0.25 * math.pi * rho * rho
                j = f1
                corner = quadrant_area(u, j * hv - cv, su, above[j], rho)
                continue
            nearer = quadrant_area(u, (j + 1) * hv - cv, su, above[j + 1], rho)
            rows[i, j] += (nearer - corner - before[j + 1] + before[j]) / (hu * hv)
            before[j] = corner
            corner = nearer
            j += 1
        before[j1] = corner


@jit
def add_ellipse(cut, hu, hv, rows):
    """Add the area fraction that an ellipse covers of every cell of rows, along scanlines; twice as many at its ends."""
    nu = rows.shape[0]
    cu, cv, wide, shear, squeeze = cut
    i0, i1 = max(0, math.floor((cu - wide) / hu)), min(nu - 1, math.floor((cu + wide) / hu))
    for i in range(i0, i1 + 1):
        low, high = max(i * hu, cu - wide), min((i + 1) * hu, cu + wide)
        lines = SCANLINES
        if low > i * hu or high < (i + 1) * hu:
            lines = 2 * SCANLINES
        for line in range(lines):
            t = low + (line + 0.5) / lines * (high - low) - cu
            square = wide * wide - t * t
            if square > 0.0:
                half, middle = squeeze * math.sqrt(square), cv + shear * t
                add_interval(rows[i], middle - half, middle + half, hv, (high - low) / (hu * lines))


@jit
def add_interval(row, low, high, step, weight):
    """Add weight × (share of each cell of a row inside low…high) to the row."""
    n = len(row)
    j0, j1 = max(0, math.floor(low / step)), min(n - 1, math.floor(high / step))
    if j0 > j1:
        return
    row[j0] += weight * (min(high, (j0 + 1) * step) - max(low, j0 * step)) / step
    if j1 > j0:
        for j in range(j0 + 1, j1):
            row[j] += weight
        row[j1] += weight * (min(high, (j1 + 1) * step) - j1 * step) / step


@jit
def subtract_overlaps(cut, other, near, hu, hv, low, high, rows):
    """
    Take the intersection of an ellipse with the union of others from rows, along SCANLINES lines a voxel.

    other (≥ near, 5): ellipses as in `section`; low, high: scratch of that length.
    """
    nu = rows.shape[0]
    cu, cv, wide, shear, squeeze = cut
    first, last = math.inf, -math.inf
    for q in range(near):
        begin, end = max(cu - wide, other[q, 0] - other[q, 2]), min(cu + wide, other[q, 0] + other[q, 2])
        if end > begin:
            first, last = min(first, begin), max(last, end)
    if first >= last:
        return
    i0, i1 = max(0, math.floor(first / hu)), min(nu - 1, math.floor(last / hu))
    for i in range(i0, i1 + 1):
        for line in range(SCANLINES):
            u = (i + (line + 0.5) / SCANLINES) * hu
            square = wide * wide - (u - cu) ** 2
            if square <= 0.0:
                continue
            half, middle = squeeze * math.sqrt(square), cv + shear * (u - cu)
            count = collect_intervals(u, middle - half, middle + half, other, near, low, high)
            reached = -math.inf
            for c in range(count):
                begin = max(low[c], reached)
                if high[c] > begin:
                    add_interval(rows[i], begin, high[c], hv, -1.0 / SCANLINES)
                    reached = high[c]


@jit
def collect_intervals(u, begin, end, other, near, low, high):
    """Cut a scanline from begin to end with ellipses; intervals sorted by their lower end. Returns their number."""
    count = 0
    for q in range(near):
        t = u - other[q, 0]
        square = other[q, 2] ** 2 - t * t
        if square <= 0.0:
            continue
        half, middle = other[q, 4] * math.sqrt(square), other[q, 1] + other[q, 3] * t
        a, b = max(begin, middle - half), min(end, middle + half)
        if b <= a:
            continue
        c = count
        while c > 0 and low[c - 1] > a:
            low[c], high[c] = low[c - 1], high[c - 1]
            c -= 1
        low[c], high[c] = a, b
        count += 1
    return count


@jit
def list_members(extents, centres, axis, step, planes, begin, member):
    """
    List the particles that every plane normal to an axis cuts, in their order; returns how many entries that takes.

    extents (n,) float64 half widths along the axis; begin (planes + 1,) int64 is overwritten, member (m,) int64 as far
    as it reaches: enlarge and call again.
    """
    begin[:] = 0
    for s in range(len(extents)):
        p0 = max(0, math.ceil((centres[s, axis] - extents[s]) / step))
        p1 = min(planes - 1, math.floor((centres[s, axis] + extents[s]) / step))
        for p in range(p0, p1 + 1):
            begin[p + 1] += 1
    for p in range(planes):
        begin[p + 1] += begin[p]
    if begin[planes] > len(member):
        return begin[planes]
    free = begin.copy()
    for s in range(len(extents)):
        p0 = max(0, math.ceil((centres[s, axis] - extents[s]) / step))
        p1 = min(planes - 1, math.floor((centres[s, axis] + extents[s]) / step))
        for p in range(p0, p1 + 1):
            member[free[p]] = s
            free[p] += 1
    return begin[planes]
