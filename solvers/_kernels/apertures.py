"""How much a curved wall makes the flux through a cut face smaller than its open area says."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

FLATTEST, MOST = 0.4, 0.4


@jit
def bend_faces(first, last, axis, active, ids, centres, inverses, lengths, edges, area):
    """
    Correct the open area of cut faces for the curvature of the particle that cuts them, in place.

    active, area uint8, shapes of the faces normal to an axis, 255 for the whole face: covered by particles, and open; faces
    cut by anything else are left alone. ids (nz, ny, nx) int32: particle + 1; centres (n, 3), inverses S⁻¹ (n, 3, 3),
    lengths (3,) of the laterally periodic box, edges (3,) float64. Planes first…last − 1 of array axis 0.

    The particle is that whose surface passes nearest to the middle of the face, to first order, among those of its two
    voxels, or else of the sixteen beside them. Nothing is called: for a call in every face references would be counted.
    """
    nz, ny, nx = ids.shape
    longest = max(edges[0], edges[1], edges[2])
    half_y, half_x = 0.5 * lengths[1], 0.5 * lengths[2]
    for k in range(first, last):
        z = (k + (0.0 if axis == 0 else 0.5)) * edges[0]
        for j in range(area.shape[1]):
            y = (j + (0.0 if axis == 1 else 0.5)) * edges[1]
            for i in range(area.shape[2]):
                covered, left = int(active[k, j, i]), int(area[k, j, i])
                if covered == 0 or left == 0 or covered + left != 255:
                    continue
                x = (i + (0.0 if axis == 2 else 0.5)) * edges[2]
                found, nearest, steep = -1, math.inf, 1.0
                gz, gy, gx = 0.0, 0.0, 0.0
                for c in range(18):
                    if c == 2 and found >= 0:
                        break
                    behind, place = (c & 1) - 1, (c // 2 + 4) % 9  # the two voxels of the face come first
                    u, v = place // 3 - 1, place % 3 - 1
                    a = k + (behind if axis == 0 else u)
                    b = j + (behind if axis == 1 else (u if axis == 0 else v))
                    d = i + (behind if axis == 2 else v)
                    if a < 0 or a >= nz:
                        continue
                    b += ny if b < 0 else (-ny if b >= ny else 0)
                    d += nx if d < 0 else (-nx if d >= nx else 0)
                    s = ids[a, b, d] - 1
                    if s < 0 or s == found:
                        continue
                    dz, dy, dx = z - centres[s, 0], y - centres[s, 1], x - centres[s, 2]
                    dy -= lengths[1] if dy > half_y else (-lengths[1] if dy < -half_y else 0.0)
                    dx -= lengths[2] if dx > half_x else (-lengths[2] if dx < -half_x else 0.0)
                    hz = inverses[s, 0, 0] * dz + inverses[s, 0, 1] * dy + inverses[s, 0, 2] * dx
                    hy = inverses[s, 1, 0] * dz + inverses[s, 1, 1] * dy + inverses[s, 1, 2] * dx
                    hx = inverses[s, 2, 0] * dz + inverses[s, 2, 1] * dy + inverses[s, 2, 2] * dx
                    root, length = math.sqrt(hz * dz + hy * dy + hx * dx), math.sqrt(hz * hz + hy * hy + hx * hx)
                    far = abs(root - 1.0) * root / max(length, 1e-300)
                    if far < nearest:
                        found, nearest, steep, gz, gy, gx = s, far, length, hz, hy, hx
                if found < 0 or nearest > 0.87 * longest:
                    continue
                gz, gy, gx = gz / steep, gy / steep, gx / steep
                n = gz if axis == 0 else (gy if axis == 1 else gx)
                across = max(1.0 - n * n, 1e-6)
                tz, ty, tx = (axis == 0) - n * gz, (axis == 1) - n * gy, (axis == 2) - n * gx
                bent = (
                    tz * (inverses[found, 0, 0] * tz + 2.0 * inverses[found, 0, 1] * ty)
                    + ty * (inverses[found, 1, 1] * ty + 2.0 * inverses[found, 1, 2] * tx)
                    + tx * (inverses[found, 2, 2] * tx + 2.0 * inverses[found, 0, 2] * tz)
                )
                wide = (gz * edges[0]) ** 2 + (gy * edges[1]) ** 2 + (gx * edges[2]) ** 2
                wide = math.sqrt(max(0.0, wide - (n * edges[axis]) ** 2) / across)
                offset = 0.5 * wide * covered / 255.0
                change = -bent / (across * steep) * offset * (1.0 - 2.0 * n * n) / max(math.sqrt(across), FLATTEST)
                change = min(MOST, max(-MOST, change))
                area[k, j, i] = np.uint8(min(255.0, max(1.0, left * (1.0 + change) + 0.5)))
