"""How much a curved wall makes the flux through a cut face smaller than its open area says."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

FLATTEST, MOST = 0.4, 0.4

FILLED = 0.75 * 255
"""Cover of a face from which on binder between two particles is a bridge, not a film of either."""


@jit
def voxels_beside(axis):
    """Offsets (18, 3) from a face to its two voxels, and then to the sixteen beside these."""
    beside = np.empty((18, 3), np.int64)
    for c in range(18):
        place = (c // 2 + 4) % 9
        u, v, behind = place // 3 - 1, place % 3 - 1, (c & 1) - 1
        beside[c, 0] = behind if axis == 0 else u
        beside[c, 1] = behind if axis == 1 else (u if axis == 0 else v)
        beside[c, 2] = behind if axis == 2 else v
    return beside


@jit
def list_candidates(k, j, beside, active, area, ids, face, at, particle):
    """
    List the cut faces of a row, at (m,) int64, with the particles that may cut them, particle (m,) int64; returns how many.

    They are those of the two voxels of a face, or else of the sixteen `beside` these; a face stands in as many entries.
    Faces that more than particles cut are left out. face (row + 1,) int64 is scratch.

    Every branch that a processor would have to guess is a sum: it would guess wrong at every third face.
    """
    nz, ny, nx = ids.shape
    cut = 0
    for i in range(area.shape[2]):
        covered, left = int(active[k, j, i]), int(area[k, j, i])
        face[cut] = i
        cut += (covered > 0) & (left > 0) & (covered + left == 255)
    count = 0
    for f in range(cut):
        i = face[f]
        begin = count
        for c in range(18):
            if c == 2 and count > begin:
                break
            a, b, d = k + beside[c, 0], j + beside[c, 1], i + beside[c, 2]
            b += ny if b < 0 else (-ny if b >= ny else 0)
            d += nx if d < 0 else (-nx if d >= nx else 0)
            inside = (a >= 0) & (a < nz)
            s = ids[min(max(a, 0), nz - 1), b, d] - 1
            at[count], particle[count] = i, s
            known = (count > begin) & (s == particle[max(count - 1, 0)])
            count += inside & (s >= 0) & (not known)
    return count


@jit
def look_at_particles(count, place, step, at, particle, centres, inverses, half, edges, axis, far, change):
    """
    Distances far (m,) of the surfaces of particles from the middles of faces, to first order, and what each would change.

    The middle of a face is place (3,) plus its position in the row times step along x; half (3,) of the lengths of the
    laterally periodic box; change (m,) is the relative change of the open area for a covered share of 1.
    """
    for e in range(np.uint64(count)):
        s = np.uint64(particle[e])
        dz, dy = place[0] - centres[s, 0], place[1] - centres[s, 1]
        dx = place[2] + at[e] * step - centres[s, 2]
        dy -= 2.0 * half[1] if dy > half[1] else (-2.0 * half[1] if dy < -half[1] else 0.0)
        dx -= 2.0 * half[2] if dx > half[2] else (-2.0 * half[2] if dx < -half[2] else 0.0)
        zz, zy, zx = inverses[s, 0, 0], inverses[s, 0, 1], inverses[s, 0, 2]
        yy, yx, xx = inverses[s, 1, 1], inverses[s, 1, 2], inverses[s, 2, 2]
        gz, gy, gx = zz * dz + zy * dy + zx * dx, zy * dz + yy * dy + yx * dx, zx * dz + yx * dy + xx * dx
        root, steep = math.sqrt(gz * dz + gy * dy + gx * dx), math.sqrt(gz * gz + gy * gy + gx * gx)
        steep = max(steep, 1e-300)
        far[e] = abs(root - 1.0) * root / steep
        gz, gy, gx = gz / steep, gy / steep, gx / steep
        n = gz if axis == 0 else (gy if axis == 1 else gx)
        across = max(1.0 - n * n, 1e-6)
        tz, ty, tx = (axis == 0) - n * gz, (axis == 1) - n * gy, (axis == 2) - n * gx
        bent = (
            tz * (zz * tz + 2.0 * zy * ty) + ty * (yy * ty + 2.0 * yx * tx) + tx * (xx * tx + 2.0 * zx * tz)
        )
        wide = (gz * edges[0]) ** 2 + (gy * edges[1]) ** 2 + (gx * edges[2]) ** 2 - (n * edges[axis]) ** 2
        offset = 0.5 * math.sqrt(max(0.0, wide) / across)
        change[e] = -bent / (across * steep) * offset * (1.0 - 2.0 * n * n) / max(math.sqrt(across), FLATTEST)


@jit
def bend_faces(first, last, axis, active, ids, centres, inverses, lengths, edges, area):
    """
    Correct the open area of cut faces for the curvature of the particle that cuts them, in place.

    active, area uint8, shapes of the faces normal to an axis, 255 for the whole face: covered by particles, and open; faces
    cut by anything else are left alone. ids (nz, ny, nx) int32: particle + 1; centres (n, 3), inverses S⁻¹ (n, 3, 3),
    lengths (3,) of the laterally periodic box, edges (3,) float64. Planes first…last − 1 of array axis 0. Of several
    particles that whose surface passes nearest to the middle of the face counts.
    """
    room = 18 * area.shape[2]
    at, particle = np.empty(room, np.int64), np.empty(room, np.int64)
    face = np.empty(area.shape[2] + 1, np.int64)
    far, change = np.empty(room), np.empty(room)
    place, half, beside = np.empty(3), 0.5 * lengths, voxels_beside(axis)
    farthest = 0.87 * max(edges[0], edges[1], edges[2])
    for k in range(first, last):
        for j in range(area.shape[1]):
            place[0] = (k + (0.0 if axis == 0 else 0.5)) * edges[0]
            place[1] = (j + (0.0 if axis == 1 else 0.5)) * edges[1]
            place[2] = (0.0 if axis == 2 else 0.5) * edges[2]
            count = list_candidates(k, j, beside, active, area, ids, face, at, particle)
            look_at_particles(
                count, place, edges[2], at, particle, centres, inverses, half, edges, axis, far, change
            )
            e = 0
            while e < count:
                best, i = e, at[e]
                e += 1
                while e < count and at[e] == i:
                    best = e if far[e] < far[best] else best
                    e += 1
                if far[best] <= farthest:
                    factor = 1.0 + min(MOST, max(-MOST, change[best] * (active[k, j, i] / 255.0)))
                    area[k, j, i] = np.uint8(min(255.0, max(1.0, area[k, j, i] * factor + 0.5)))


@jit
def mix_faces(first, last, active, binder, bent, table, rounds, area):
    """
    Add up what the phases on faces conduct: area, 255 for a face that is filled with a conductivity of 1.

    active, binder uint8: what they cover, 255 for the whole face. bent uint8: what `bend_faces` leaves open of 255 − active
    at curved walls, or None. table (3,) float64: conductivities of pore,
    active material and binder. Rounded to whole numbers, what is open stays so.
    """
    pore, solid, glue = table
    for k in range(first, last):
        for j in range(area.shape[1]):
            for i in range(area.shape[2]):
                a, b = float(active[k, j, i]), float(binder[k, j, i])
                value = pore * (255.0 - a - b) + solid * a + glue * b
                if bent is not None:
                    value *= float(bent[k, j, i]) / max(1.0, 255.0 - a)
                if rounds:
                    value = max(1.0, math.floor(value + 0.5)) if value > 0.0 else 0.0
                area[k, j, i] = value


@jit
def part_films(first, last, axis, active, binder, owner, periodic, glue, area):
    """
    Take away what binder conducts through faces between two particles that it does not bridge, in place.

    active, binder uint8 as in `mix_faces`, owner (nz, ny, nx) int32: the nearest particle, −1 for none; glue: conductivity
    of binder. A film that ends in a voxel of another particle does not touch that one's film.
    """
    nz, ny, nx = owner.shape
    for k in range(first, last):
        for j in range(area.shape[1]):
            for i in range(area.shape[2]):
                a, b = float(active[k, j, i]), float(binder[k, j, i])
                if b == 0.0 or a + b >= FILLED:
                    continue
                n = nz if axis == 0 else (ny if axis == 1 else nx)
                after = k if axis == 0 else (j if axis == 1 else i)
                before = after - 1
                if before < 0 or after == n:
                    if axis == 0 or not periodic:
                        continue
                    before, after = n - 1, 0
                if axis == 0:
                    one, other = owner[before, j, i], owner[after, j, i]
                elif axis == 1:
                    one, other = owner[k, before, i], owner[k, after, i]
                else:
                    one, other = owner[k, j, before], owner[k, j, after]
                if one >= 0 and other >= 0 and one != other:
                    area[k, j, i] = max(0.0, area[k, j, i] - glue * b)
