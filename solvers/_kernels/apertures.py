"""How much a curved wall makes the flux through a cut face smaller than its open area says."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

FLATTEST, MOST = 0.4, 0.4


@jit
def look_at(s, place, centres, inverses, lengths, x, near):
    """
    Look at a particle from a point; returns whether its surface is nearer than that of the particle looked at before.

    If so, near (5,) float64 receives the distance to the surface, to first order, half the gradient of q = xᵀ S⁻¹ x, and
    the length of that. x (3,) float64 is scratch; lengths (3,) float64 of the laterally periodic box.
    """
    for a in range(3):
        x[a] = place[a] - centres[s, a]
        if a > 0:
            x[a] -= lengths[a] * math.floor(x[a] / lengths[a] + 0.5)
    gz = inverses[s, 0, 0] * x[0] + inverses[s, 0, 1] * x[1] + inverses[s, 0, 2] * x[2]
    gy = inverses[s, 1, 0] * x[0] + inverses[s, 1, 1] * x[1] + inverses[s, 1, 2] * x[2]
    gx = inverses[s, 2, 0] * x[0] + inverses[s, 2, 1] * x[1] + inverses[s, 2, 2] * x[2]
    root, steep = math.sqrt(gz * x[0] + gy * x[1] + gx * x[2]), math.sqrt(gz * gz + gy * gy + gx * gx)
    far = abs(root - 1.0) * root / max(steep, 1e-300)
    if far >= near[0]:
        return False
    near[0], near[1], near[2], near[3], near[4] = far, gz, gy, gx, steep
    return True


@jit
def nearest_particle(k, j, i, axis, ids, place, centres, inverses, lengths, x, near):
    """
    Find the particle whose surface passes nearest to a face: of its two voxels, or else of the sixteen beside them.

    Returns its index or −1; place (3,) float64: middle of the face; x and near as in `look_at`.
    """
    nz, ny, nx = ids.shape
    found, near[0] = -1, math.inf
    bz, by, bx = (1 if axis == 0 else 0), (1 if axis == 1 else 0), (1 if axis == 2 else 0)
    for ring in range(2):
        rz, ry, rx = ring * (1 - bz), ring * (1 - by), ring * (1 - bx)
        for dz in range(-rz - bz, rz + 1):
            if k + dz < 0 or k + dz >= nz:
                continue
            for dy in range(-ry - by, ry + 1):
                row = j + dy
                row += ny if row < 0 else (-ny if row >= ny else 0)
                for dx in range(-rx - bx, rx + 1):
                    column = i + dx
                    column += nx if column < 0 else (-nx if column >= nx else 0)
                    s = ids[k + dz, row, column] - 1
                    if s >= 0 and s != found and look_at(s, place, centres, inverses, lengths, x, near):
                        found = s
        if found >= 0:
            return found
    return -1


@jit
def bend_faces(first, last, axis, active, ids, centres, inverses, lengths, edges, area):
    """
    Correct the open area of cut faces for the curvature of the particle that cuts them, in place.

    active, area uint8, shapes of the faces normal to an axis, 255 for the whole face: covered by particles, and open; faces
    cut by anything else are left alone. ids (nz, ny, nx) int32: particle + 1; centres (n, 3), inverses S⁻¹ (n, 3, 3),
    lengths (3,), edges (3,) float64. Planes first…last − 1 of array axis 0.
    """
    au, av = (1 if axis == 0 else 0), (1 if axis == 2 else 2)
    longest = max(edges[0], edges[1], edges[2])
    place, near, x, t = np.empty(3), np.empty(5), np.empty(3), np.empty(3)
    for k in range(first, last):
        place[0] = (k + (0.0 if axis == 0 else 0.5)) * edges[0]
        for j in range(area.shape[1]):
            place[1] = (j + (0.0 if axis == 1 else 0.5)) * edges[1]
            for i in range(area.shape[2]):
                covered, left = int(active[k, j, i]), int(area[k, j, i])
                if covered == 0 or left == 0 or covered + left != 255:
                    continue
                place[2] = (i + (0.0 if axis == 2 else 0.5)) * edges[2]
                s = nearest_particle(k, j, i, axis, ids, place, centres, inverses, lengths, x, near)
                if s < 0 or near[0] > 0.87 * longest:
                    continue
                n, nu, nv = near[1 + axis] / near[4], near[1 + au] / near[4], near[1 + av] / near[4]
                across = max(1.0 - n * n, 1e-6)
                for a in range(3):
                    t[a] = -n * near[1 + a] / near[4]
                t[axis] += 1.0
                bent = 0.0
                for a in range(3):
                    for b in range(3):
                        bent += t[a] * inverses[s, a, b] * t[b]
                curvature = bent / (across * near[4])
                wide = math.sqrt(((nu * edges[au]) ** 2 + (nv * edges[av]) ** 2) / across)
                offset = 0.5 * wide * covered / 255.0
                change = -curvature * offset * (1.0 - 2.0 * n * n) / max(math.sqrt(across), FLATTEST)
                change = min(MOST, max(-MOST, change))
                area[k, j, i] = np.uint8(min(255.0, max(1.0, left * (1.0 + change) + 0.5)))
