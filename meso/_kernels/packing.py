"""Pairs of spheres, and their relaxation to a packing."""

import math

import numba as nb
import numpy as np

jit = nb.njit(cache=True, error_model="numpy")


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
def relax(centres, radii, lengths, first, second, velocity, state, limit, room, steps):
    """
    Push overlapping spheres apart: FIRE on soft spheres in a box that wraps in all directions.

    centres, velocity (n, 3), radii (n,), lengths (3,) float64; first, second (m,) int64 pairs; state (5,) float64 holds
    time step, mixing, number of downhill steps, steps until the energy is looked at again and what it was. Stops when no
    depth exceeds limit × smaller diameter or the energy falls by less than 3 % in 50 steps (a jammed packing), when a
    centre has moved by room (the pair list is then stale), or after the given steps. centres, velocity and state change
    in place. Returns steps done and whether to go on. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006).
    """
    n = len(radii)
    force, moved = np.empty((n, 3)), np.zeros((n, 3))
    shift = np.empty((len(first), 3))
    for q in range(len(first)):
        for axis in range(3):
            d = centres[second[q], axis] - centres[first[q], axis]
            shift[q, axis] = -lengths[axis] * math.floor(d / lengths[axis] + 0.5)
    for step in range(steps):
        force[:] = 0.0
        worst, energy = 0.0, 0.0
        for q in range(len(first)):
            s, t = first[q], second[q]
            dz = centres[t, 0] - centres[s, 0] + shift[q, 0]
            dy = centres[t, 1] - centres[s, 1] + shift[q, 1]
            dx = centres[t, 2] - centres[s, 2] + shift[q, 2]
            contact = radii[s] + radii[t]
            square = dz * dz + dy * dy + dx * dx
            if square >= contact * contact:
                continue
            distance = math.sqrt(square)
            depth = contact - distance
            worst = max(worst, depth / (2.0 * radii[t]))
            energy += depth * depth
            push = depth / max(distance, 1e-12 * contact)
            force[s, 0] -= push * dz
            force[s, 1] -= push * dy
            force[s, 2] -= push * dx
            force[t, 0] += push * dz
            force[t, 1] += push * dy
            force[t, 2] += push * dx
        if worst <= limit:
            return step, False
        state[3] -= 1.0
        if state[3] <= 0.0:
            if energy > 0.97 * state[4]:
                return step, False
            state[3], state[4] = 50.0, energy
        power, speed, strength = 0.0, 0.0, 0.0
        for s in range(n):
            for axis in range(3):
                power += force[s, axis] * velocity[s, axis]
                speed += velocity[s, axis] ** 2
                strength += force[s, axis] ** 2
        keep, turn = 0.0, 0.0
        if power > 0.0:
            keep, turn = 1.0 - state[1], state[1] * math.sqrt(speed / max(strength, 1e-300))
            state[2] += 1.0
            if state[2] > 5.0:
                state[0] = min(0.6, state[0] * 1.1)
                state[1] *= 0.99
        else:
            state[0], state[1], state[2] = max(0.05, state[0] * 0.5), 0.1, 0.0
        farthest = 0.0
        for s in range(n):
            square = 0.0
            for axis in range(3):
                v = keep * velocity[s, axis] + (turn + state[0]) * force[s, axis]
                velocity[s, axis] = v
                centres[s, axis] += state[0] * v
                moved[s, axis] += state[0] * v
                square += moved[s, axis] ** 2
            farthest = max(farthest, square)
        if farthest > room * room:
            return step + 1, True
    return steps, False


@jit
def plane_areas(centres, radii, lengths, first, second, areas):
    """
    Area that the union of spheres covers in equidistant planes normal to axis 0 of a box that wraps.

    first, second (m,) int64: all pairs that overlap. areas (planes,) float64 is overwritten; plane p lies at
    (p + 1/2) / planes of the box. Discs minus the lenses of overlapping pairs; where three spheres share a point it is
    taken away twice, a term of second order in the overlap.
    """
    planes = len(areas)
    step = lengths[0] / planes
    areas[:] = 0.0
    for s in range(len(radii)):
        r = radii[s]
        for p in range(
            math.ceil((centres[s, 0] - r) / step - 0.5),
            math.floor((centres[s, 0] + r) / step - 0.5) + 1,
        ):
            areas[p % planes] += math.pi * max(0.0, r * r - ((p + 0.5) * step - centres[s, 0]) ** 2)
    for q in range(len(first)):
        s, t = first[q], second[q]
        square = 0.0
        dz = 0.0
        for axis in range(3):
            d = centres[t, axis] - centres[s, axis]
            d -= lengths[axis] * math.floor(d / lengths[axis] + 0.5)
            if axis == 0:
                dz = d
            else:
                square += d * d
        apart = math.sqrt(square)
        low = centres[s, 0] + max(-radii[s], dz - radii[t])
        high = centres[s, 0] + min(radii[s], dz + radii[t])
        for p in range(math.ceil(low / step - 0.5), math.floor(high / step - 0.5) + 1):
            height = (p + 0.5) * step - centres[s, 0]
            areas[p % planes] -= lens_area(
                radii[s] ** 2 - height * height, radii[t] ** 2 - (height - dz) ** 2, apart
            )


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
