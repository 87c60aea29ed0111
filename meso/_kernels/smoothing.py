"""Surfaces of an image between its voxels: which share of every voxel face lies inside.

`padded` (n0 + 2, n1 + 2, n2 + 2) uint8 holds 1 inside and 0 outside, with one voxel beyond each side of the image. `sides`
has the same shape and holds the open sides of every voxel as bits: 1 up, 2 down (z), 4 north, 8 south (y), 16 west, 32 east (x).
What flows inside may enter a voxel outside through the open sides only, and pass from one to the next beside a side that is
open in both. Rows are taken as slices and combined without branches, so that the loops run on whole vectors of bytes.
"""

from numba import njit, uint8

jit = njit(cache=True, error_model="numpy", nogil=True)

ALL_SIDES = 63
OFFSETS = ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1))
LINES = 8


@jit
def pad_planes(first, last, image, wraps, padded):
    """
    Copy planes of an image into the middle of `padded` and continue them beyond their four sides.

    A direction that wraps goes on with the opposite side, others repeat their last voxel. The outermost planes are left to
    the caller.
    """
    _, n1, n2 = image.shape
    for z in range(first, last):
        for y in range(-1, n1 + 1):
            inner = y % n1 if wraps[1] else min(max(y, 0), n1 - 1)
            row = padded[z + 1, y + 1]
            row[1 : n2 + 1] = image[z, inner]
            row[0] = row[n2] if wraps[2] else row[1]
            row[n2 + 1] = row[1] if wraps[2] else row[n2]


@jit
def sides_of_row(north_up, up, south_up, north, here, south, north_down, down, south_down, sides):
    """
    Find the open sides of the voxels of a row; returns whether some voxels have more neighbours inside than open sides.

    Inside, all sides are open; outside, those that are connected to the first neighbour inside through voxels that share an
    edge with this one. Three rounds find any connection that matters; one missed would close a face, never open one.
    """
    some_missed = uint8(0)
    for i in range(len(sides)):
        u, d = up[i + 1], down[i + 1]
        n, s = north[i + 1], south[i + 1]
        w, e = here[i], here[i + 2]
        un, us, uw, ue = u & n & north_up[i + 1], u & s & south_up[i + 1], u & w & up[i], u & e & up[i + 2]
        dn, ds = d & n & north_down[i + 1], d & s & south_down[i + 1]
        dw, de = d & w & down[i], d & e & down[i + 2]
        nw, ne, sw, se = n & w & north[i], n & e & north[i + 2], s & w & south[i], s & e & south[i + 2]
        ru = u
        rd = d & ~u
        rn = n & ~(u | d)
        rs = s & ~(u | d | n)
        rw = w & ~(u | d | n | s)
        re = e & ~(u | d | n | s | w)
        for _ in range(3):
            ru |= (un & rn) | (us & rs) | (uw & rw) | (ue & re)
            rd |= (dn & rn) | (ds & rs) | (dw & rw) | (de & re)
            rn |= (un & ru) | (dn & rd) | (nw & rw) | (ne & re)
            rs |= (us & ru) | (ds & rd) | (sw & rw) | (se & re)
            rw |= (uw & ru) | (dw & rd) | (nw & rn) | (sw & rs)
            re |= (ue & ru) | (de & rd) | (ne & rn) | (se & rs)
        missed = (u ^ ru) | (d ^ rd) | (n ^ rn) | (s ^ rs) | (w ^ rw) | (e ^ re)
        some_missed |= uint8(missed & ~here[i + 1])
        reached = uint8(ru | (rd << 1) | (rn << 2) | (rs << 3) | (rw << 4) | (re << 5))
        sides[i] = reached | uint8(ALL_SIDES * here[i + 1])
    return some_missed


@jit
def larger_group(padded, z, y, x, group):
    """Of the neighbours inside of a voxel outside, the larger group of connected ones; `group` (bits) is one of them."""
    best, left = group, 0
    for side in range(6):
        dz, dy, dx = OFFSETS[side]
        left |= (int(padded[z + dz, y + dy, x + dx]) << side) & ~group
    while count_bits(left) > count_bits(best):
        group = left & -left
        grown = 0
        while grown != group:
            grown = group
            for side in range(6):
                for other in range(6):
                    if side >> 1 == other >> 1 or not (group >> side) & 1 or not (left >> other) & 1:
                        continue
                    dz, dy, dx = OFFSETS[side]
                    ez, ey, ex = OFFSETS[other]
                    if padded[z + dz + ez, y + dy + ey, x + dx + ex]:
                        group |= 1 << other
        if count_bits(group) > count_bits(best):
            best = group
        left &= ~group
    return best


@jit
def count_bits(bits):
    """How many bits are set."""
    count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count


@jit
def mark_sides(first, last, padded, sides):
    """Write the open sides of the voxels of planes of `sides` (n0, n1, n2): all inside, the larger group outside."""
    _, n1, n2 = sides.shape
    for z in range(first, last):
        a, b, c = padded[z], padded[z + 1], padded[z + 2]
        for y in range(n1):
            row, here = sides[z, y], b[y + 1]
            rows = (a[y], a[y + 1], a[y + 2], b[y], here, b[y + 2], c[y], c[y + 1], c[y + 2])
            if not sides_of_row(*rows, row):
                continue
            for x in range(n2):
                if here[x + 1]:
                    continue
                present = a[y + 1, x + 1] | (c[y + 1, x + 1] << 1) | (b[y, x + 1] << 2)
                present |= (b[y + 2, x + 1] << 3) | (here[x] << 4) | (here[x + 2] << 5)
                if present != row[x]:
                    row[x] = larger_group(padded, z + 1, y + 1, x + 1, int(row[x]))


@jit
def aperture(pair, edges, corners):
    """
    Share of a face that lies inside, 255 for the whole, from how many of the voxels around it do.

    `pair` counts the two voxels that share the face, `edges` the eight that share an edge with it, `corners` the eight that
    share a corner: 1/2 + (8 (pair − 1) + 3 (edges − 4) + (corners − 4)) / 32 within [0, 1].
    """
    weight = uint8(8 * pair + 3 * edges + corners)
    steps = uint8(min(max(weight, uint8(8)) - 8, 32))
    return uint8(8 * steps - (steps >= 16))


@jit
def faces_between(near0, near1, near2, far0, far1, far2, near_sides, far_sides, forward, faces):
    """
    Aperture of the faces between two neighbouring rows `near1` and `far1`; the other rows lie beside these two.

    `forward` is the bit of the side of `near1` that is the face.
    """
    ahead, back = uint8(forward), uint8(forward >> 1)
    beside = uint8(ALL_SIDES - ahead - back)
    for i in range(len(faces)):
        pair = uint8(near1[i + 1] + far1[i + 1])
        edges = uint8(near0[i + 1] + near2[i + 1] + far0[i + 1] + far2[i + 1])
        edges = uint8(edges + near1[i] + near1[i + 2] + far1[i] + far1[i + 2])
        corners = uint8(near0[i] + near0[i + 2] + near2[i] + near2[i + 2])
        corners = uint8(corners + far0[i] + far0[i + 2] + far2[i] + far2[i + 2])
        near, far = near_sides[i + 1], far_sides[i + 1]
        through = ((near & ahead) != 0) & ((far & back) != 0)
        joined = through if pair > 0 else (near & far & beside) != 0
        faces[i] = aperture(pair, edges, corners) if joined else uint8(0)


@jit
def faces_within(above0, above1, above2, same0, same1, same2, below0, below1, below2, sides, faces):
    """Aperture of the faces between the voxels of the row `same1`; see `faces_between`."""
    for i in range(len(faces)):
        j = i + 1
        pair = uint8(same1[i] + same1[j])
        edges = uint8(above1[i] + above1[j] + below1[i] + below1[j])
        edges = uint8(edges + same0[i] + same0[j] + same2[i] + same2[j])
        corners = uint8(above0[i] + above0[j] + above2[i] + above2[j])
        corners = uint8(corners + below0[i] + below0[j] + below2[i] + below2[j])
        near, far = sides[i], sides[j]
        through = ((near & 32) != 0) & ((far & 16) != 0)
        joined = through if pair > 0 else (near & far & 15) != 0
        faces[i] = aperture(pair, edges, corners) if joined else uint8(0)


@jit
def open_faces(first, last, padded, sides, faces0, faces1, faces2):
    """
    Write the apertures of the faces of planes first … last.

    The shapes of the faces are (n0 + 1, n1, n2), (n0, n1 + 1, n2) and (n0, n1, n2 + 1); the range is n0 + 1 long.
    """
    n0, n1, _ = faces2.shape
    for z in range(first, last):
        a, b, p = padded[z], padded[z + 1], sides[z]
        for y in range(n1):
            faces_between(
                a[y],
                a[y + 1],
                a[y + 2],
                b[y],
                b[y + 1],
                b[y + 2],
                p[y + 1],
                sides[z + 1, y + 1],
                2,
                faces0[z, y],
            )
        if z == n0:
            continue
        c, q = padded[z + 2], sides[z + 1]
        for y in range(n1 + 1):
            faces_between(a[y], b[y], c[y], a[y + 1], b[y + 1], c[y + 1], q[y], q[y + 1], 8, faces1[z, y])
        for y in range(n1):
            faces_within(
                a[y],
                a[y + 1],
                a[y + 2],
                b[y],
                b[y + 1],
                b[y + 2],
                c[y],
                c[y + 1],
                c[y + 2],
                q[y + 1],
                faces2[z, y],
            )


@jit
def mean_at_corners(first, last, level, corners):
    """Write the mean of the eight adjoining voxels of `level`, padded like an image, to planes of corners of voxels."""
    _, n1, n2 = corners.shape
    for z in range(first, last):
        for y in range(n1):
            a, b, c, d = level[z, y], level[z, y + 1], level[z + 1, y], level[z + 1, y + 1]
            for x in range(n2):
                corners[z, y, x] = 0.125 * (
                    (a[x] + a[x + 1]) + (b[x] + b[x + 1]) + (c[x] + c[x + 1]) + (d[x] + d[x + 1])
                )


@jit
def positive_area(a, b, c, d):
    """Share of a unit square in which the bilinear field with a, b on one side and c, d on the other is positive.

    Summed over lines along which the field changes most.
    """
    if min(a, b, c, d) > 0.0:
        return 1.0
    if max(a, b, c, d) <= 0.0:
        return 0.0
    if abs(c - a) + abs(d - b) > abs(b - a) + abs(d - c):
        b, c = c, b
    area = 0.0
    for line in range(LINES):
        along = (line + 0.5) / LINES
        left = a + (c - a) * along
        right = b + (d - b) * along
        if left > 0.0 and right > 0.0:
            area += 1.0
        elif left > 0.0:
            area += left / (left - right)
        elif right > 0.0:
            area += right / (right - left)
    return area / LINES


@jit
def level_faces(first, last, corners, faces0, faces1, faces2):
    """Replace the apertures of faces that are neither closed nor certainly open by the area where a field is positive.

    A face that `open_faces` left open stays open by 1/255 at least.
    """
    n0, n1, n2 = faces2.shape[0], faces1.shape[1] - 1, faces2.shape[2] - 1
    for z in range(first, last):
        for y in range(n1 + 1):
            for x in range(n2 + 1):
                o = corners[z, y, x]
                if y < n1 and x < n2 and faces0[z, y, x] > 0:
                    area = positive_area(
                        o, corners[z, y, x + 1], corners[z, y + 1, x], corners[z, y + 1, x + 1]
                    )
                    faces0[z, y, x] = uint8(max(1.0, 255.0 * area + 0.5))
                if z < n0 and x < n2 and faces1[z, y, x] > 0:
                    area = positive_area(
                        o, corners[z, y, x + 1], corners[z + 1, y, x], corners[z + 1, y, x + 1]
                    )
                    faces1[z, y, x] = uint8(max(1.0, 255.0 * area + 0.5))
                if z < n0 and y < n1 and faces2[z, y, x] > 0:
                    area = positive_area(
                        o, corners[z, y + 1, x], corners[z + 1, y, x], corners[z + 1, y + 1, x]
                    )
                    faces2[z, y, x] = uint8(max(1.0, 255.0 * area + 0.5))
