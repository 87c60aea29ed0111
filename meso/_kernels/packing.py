"""Relaxation of overlapping particles to a packing, and the area it covers plane by plane."""

import math

import numba as nb
import numpy as np

from meso._kernels.neighbours import contact
from meso._kernels.voxels import section

jit = nb.njit(cache=True, nogil=True, error_model="numpy")

LINES = 12

LISTED = 4.0
"""Steps, as long as the last one, for which pairs that might come to touch are listed."""


@jit
def relax(
    centres, radii, wide, shapes, lengths, walls, first, second, balls, velocity, state, limit, room, steps
):
    """
    Push overlapping particles apart: FIRE on soft particles in a box that wraps in all directions.

    centres, velocity (n, 3), radii (n,), wide (n,): half extent along axis 0, shapes (n, 3, 3), lengths (3,) float64; walls:
    whether the faces normal to axis 0 hold particles back; first, second (m,) int64 pairs, of which the first `balls` are of
    two spheres (shapes may be empty when all are); state (5,) float64 holds time step, mixing, number of downhill steps,
    steps until the energy is looked at again and what it was. Stops when no depth exceeds limit × smaller diameter or
    the energy falls by less than 3 % in 50 steps (a jammed packing), when a centre has moved by room (the pair list is
    then stale), or after the given steps. Of the pairs of spheres only those are looked at that have come close, until the
    longest steps since add up to the gap. centres, velocity and state change in place. Returns steps done, whether
    to go on and the farthest that a centre moved. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006).
    """
    n, m = len(radii), len(first)
    force, place, origin = np.empty((n, 3)), np.empty((n, 4)), centres.copy()
    place[:, :3], place[:, 3] = centres, radii
    turns, image, guess = np.empty((27, 3)), np.empty(m, np.uint8), np.empty(m - balls)
    close = np.empty(balls, np.int32), np.empty(balls, np.int32), np.empty(balls, np.uint8)
    count, left = 0, 0.0
    for k in range(27):
        turns[k, 0], turns[k, 1], turns[k, 2] = k // 9 - 1, k // 3 % 3 - 1, k % 3 - 1
    turns *= lengths
    for q in range(m):
        s, t = first[q], second[q]
        code = 0
        for axis in range(3):
            d = centres[t, axis] - centres[s, axis]
            code = 3 * code + 1 - math.floor(d / lengths[axis] + 0.5)
        image[q] = code
        if q >= balls:
            guess[q - balls] = radii[s] / (radii[s] + radii[t])
    moved, pace = 0.0, 0.1 * room
    for step in range(steps):
        force[:] = 0.0
        if left <= 0.0:
            left = min(LISTED * pace, room)
            count = select_close(place, first, second, balls, image, turns, 2.0 * left, close)
        over, energy = push_balls(place, close[0], close[1], count, close[2], turns, limit, force)
        if balls < m:
            beyond, more = push(place, shapes, first, second, balls, image, turns, guess, limit, force)
            over, energy = max(over, beyond), energy + more
        if walls:
            beyond, more = hold_back(place, wide, lengths[0], limit, force)
            over, energy = max(over, beyond), energy + more
        if over <= 0.0:
            break
        state[3] -= 1.0
        if state[3] <= 0.0:
            if energy > 0.97 * state[4]:
                break
            state[3], state[4] = 50.0, energy
        farthest, fastest = advance(place, force, velocity, origin, state)
        moved, pace = math.sqrt(farthest), math.sqrt(fastest)
        left -= pace
        if moved > room:
            centres[:] = place[:, :3]
            return step + 1, True, moved
    else:
        step = steps
    centres[:] = place[:, :3]
    return step, False, moved


@jit
def advance(place, force, velocity, origin, state):
    """Take a step of FIRE; returns the largest squared distance from the origin and of the step."""
    n = len(force)
    pz, py, px, vz, vy, vx, fz, fy, fx = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for s in range(n):
        z, y, x = force[s, 0], force[s, 1], force[s, 2]
        a, b, c = velocity[s, 0], velocity[s, 1], velocity[s, 2]
        pz, py, px = pz + z * a, py + y * b, px + x * c
        vz, vy, vx = vz + a * a, vy + b * b, vx + c * c
        fz, fy, fx = fz + z * z, fy + y * y, fx + x * x
    keep, turn = 0.0, 0.0
    if pz + py + px > 0.0:
        keep, turn = 1.0 - state[1], state[1] * math.sqrt((vz + vy + vx) / max(fz + fy + fx, 1e-300))
        state[2] += 1.0
        if state[2] > 5.0:
            state[0] = min(0.6, state[0] * 1.1)
            state[1] *= 0.99
    else:
        state[0], state[1], state[2] = max(0.05, state[0] * 0.5), 0.1, 0.0
    dt = state[0]
    push_by, farthest, fastest = turn + dt, 0.0, 0.0
    for s in range(n):
        square, speed = 0.0, 0.0
        for axis in range(3):
            v = keep * velocity[s, axis] + push_by * force[s, axis]
            velocity[s, axis] = v
            place[s, axis] += dt * v
            square += (place[s, axis] - origin[s, axis]) ** 2
            speed += v * v
        farthest, fastest = max(farthest, square), max(fastest, speed)
    return farthest, dt * dt * fastest


@jit
def select_close(place, first, second, balls, image, turns, gap, close):
    """List the pairs of spheres that are nearer than a gap: close, the two particles and the image of each; their number."""
    one, other, turned = close
    count = 0
    for q in range(balls):
        s, t, k = np.uint64(first[q]), np.uint64(second[q]), image[q]
        dz = place[t, 0] - place[s, 0] + turns[k, 0]
        dy = place[t, 1] - place[s, 1] + turns[k, 1]
        dx = place[t, 2] - place[s, 2] + turns[k, 2]
        reach = place[s, 3] + place[t, 3] + gap
        one[count], other[count], turned[count] = s, t, k  # counted if it is one, in any case written
        count += dz * dz + dy * dy + dx * dx < reach * reach
    return count


@jit
def hold_back(place, wide, length, limit, force):
    """Add the forces of walls at 0 and length of axis 0; returns as `push_balls`."""
    over, energy = -1.0, 0.0
    for s in range(len(wide)):
        low, high = wide[s] - place[s, 0], place[s, 0] + wide[s] - length
        depth = max(0.0, low) - max(0.0, high)
        force[s, 0] += 2.0 * depth
        energy += 2.0 * depth * depth
        over = max(over, abs(depth) - limit * 2.0 * place[s, 3])
    return over, energy


@jit
def push_balls(place, first, second, balls, image, turns, limit, force):
    """
    Add the forces of pairs of spheres; returns by how much a depth exceeds limit × smaller diameter, and the energy.

    place (n, 4) float64: centre and radius; image (m,) uint8: row of turns (27, 3), what to add to the second's place. The
    energy of a pair is half of the squared depth. No branch: which pairs touch cannot be foretold. The second of a pair
    is not the larger one.
    """
    over, energy = -1.0, 0.0
    for q in range(balls):
        s, t, k = np.uint64(first[q]), np.uint64(second[q]), image[q]  # unsigned: none counts from the end
        dz = place[t, 0] - place[s, 0] + turns[k, 0]
        dy = place[t, 1] - place[s, 1] + turns[k, 1]
        dx = place[t, 2] - place[s, 2] + turns[k, 2]
        small = place[t, 3]
        near = place[s, 3] + small
        distance = math.sqrt(dz * dz + dy * dy + dx * dx)
        depth = max(0.0, near - distance)
        over = max(over, depth - limit * 2.0 * small)
        energy += depth * depth
        scale = depth / max(distance, 1e-12 * near)
        force[s, 0] -= scale * dz
        force[s, 1] -= scale * dy
        force[s, 2] -= scale * dx
        force[t, 0] += scale * dz
        force[t, 1] += scale * dy
        force[t, 2] += scale * dx
    return over, energy


@jit
def push(place, shapes, first, second, balls, image, turns, guess, limit, force):
    """
    Add the forces of the pairs from number `balls` on, ellipsoids; returns as `push_balls`.

    The energy of a pair is half of (R (1 − μ))², μ being the factor of `contact` and R the sum of the radii: for two
    spheres half the squared depth. guess (m − balls,): λ of every pair, is improved.
    """
    over, energy = -1.0, 0.0
    out = np.empty(5)
    for q in range(balls, len(first)):
        s, t, k = first[q], second[q], image[q]
        dz = place[t, 0] - place[s, 0] + turns[k, 0]
        dy = place[t, 1] - place[s, 1] + turns[k, 1]
        dx = place[t, 2] - place[s, 2] + turns[k, 2]
        near = place[s, 3] + place[t, 3]
        out[1] = guess[q - balls]
        contact(dz, dy, dx, shapes[s], shapes[t], out)
        guess[q - balls] = out[1]
        if out[0] >= 1.0:
            continue
        mu = math.sqrt(max(out[0], 1e-24))
        depth = near * (1.0 - mu)
        over = max(over, depth - limit * 2.0 * min(place[s, 3], place[t, 3]))
        energy += depth * depth
        scale = depth * near / mu * out[1] * (1.0 - out[1])
        force[s, 0] -= scale * out[2]
        force[s, 1] -= scale * out[3]
        force[s, 2] -= scale * out[4]
        force[t, 0] += scale * out[2]
        force[t, 1] += scale * out[3]
        force[t, 2] += scale * out[4]
    return over, energy


@jit
def plane_areas(centres, radii, shapes, inverses, ball, lengths, first, second, groups, areas):
    """
    Area that the union of particles covers in equidistant planes normal to axis 0 of a box that wraps.

    first, second (m,) int64: all pairs that overlap. groups (n,) int64: row of areas (groups, planes) float64 that a
    particle adds to; areas is overwritten. Plane p lies at (p + 1/2) / planes of the box. Sections minus what overlapping
    pairs have in common, half from either; where three particles share a point it is taken away twice, a term of second
    order in the overlap.
    """
    planes = areas.shape[1]
    step = lengths[0] / planes
    areas[:] = 0.0
    for s in range(len(radii)):
        full = math.sqrt(shapes[s, 0, 0])
        widest = math.pi * radii[s] ** 3 / full
        for p in range(
            math.ceil((centres[s, 0] - full) / step - 0.5),
            math.floor((centres[s, 0] + full) / step - 0.5) + 1,
        ):
            w = ((p + 0.5) * step - centres[s, 0]) / full
            areas[groups[s], p % planes] += widest * max(0.0, 1.0 - w * w)
    place, one, two = np.zeros((2, 3)), np.empty(5), np.empty(5)
    pair, turned = np.empty((2, 3, 3)), np.empty((2, 3, 3))
    for q in range(len(first)):
        s, t = first[q], second[q]
        square = 0.0
        for axis in range(3):
            d = centres[t, axis] - centres[s, axis]
            place[1, axis] = d - lengths[axis] * math.floor(d / lengths[axis] + 0.5)
            if axis > 0:
                square += place[1, axis] ** 2
        dz = place[1, 0]
        pair[0], pair[1], turned[0], turned[1] = shapes[s], shapes[t], inverses[s], inverses[t]
        rs, rt = math.sqrt(shapes[s, 0, 0]), math.sqrt(shapes[t, 0, 0])
        low, high = centres[s, 0] + max(-rs, dz - rt), centres[s, 0] + min(rs, dz + rt)
        for p in range(math.ceil(low / step - 0.5), math.floor(high / step - 0.5) + 1):
            height = (p + 0.5) * step - centres[s, 0]
            if ball[s] and ball[t]:
                lost = lens_area(rs * rs - height * height, rt * rt - (height - dz) ** 2, math.sqrt(square))
            else:
                lost = 0.0
                if section(0, 0, 1, 2, height, place, pair, turned, one) and section(
                    1, 0, 1, 2, height, place, pair, turned, two
                ):
                    lost = common_area(one, two)
            areas[groups[s], p % planes] -= 0.5 * lost
            areas[groups[t], p % planes] -= 0.5 * lost


@jit
def common_area(one, two):
    """Area that two ellipses, as `section` describes them, have in common, along LINES lines."""
    low, high = max(one[0] - one[2], two[0] - two[2]), min(one[0] + one[2], two[0] + two[2])
    total = 0.0
    for line in range(LINES):
        u = low + (line + 0.5) / LINES * (high - low)
        if high <= low:
            return 0.0
        a, b = u - one[0], u - two[0]
        half_a, half_b = one[2] * one[2] - a * a, two[2] * two[2] - b * b
        if half_a <= 0.0 or half_b <= 0.0:
            continue
        half_a, half_b = one[4] * math.sqrt(half_a), two[4] * math.sqrt(half_b)
        mid_a, mid_b = one[1] + one[3] * a, two[1] + two[3] * b
        total += max(0.0, min(mid_a + half_a, mid_b + half_b) - max(mid_a - half_a, mid_b - half_b))
    return total * (high - low) / LINES


@jit
def lens_area(square_a, square_b, apart):
    """Area that two discs of squared radii square_a, square_b with centres apart have in common."""
    if square_a <= 0.0 or square_b <= 0.0:
        return 0.0
    a, b = math.sqrt(square_a), math.sqrt(square_b)
    if apart >= a + b:
        return 0.0
    if apart <= abs(a - b):
        return math.pi * min(square_a, square_b)
    x = (apart * apart + square_a - square_b) / (2.0 * apart)
    y = math.sqrt(max(0.0, square_a - x * x))
    return (
        square_a * math.acos(min(1.0, max(-1.0, x / a)))
        + square_b * math.acos(min(1.0, max(-1.0, (apart - x) / b)))
        - apart * y
    )
