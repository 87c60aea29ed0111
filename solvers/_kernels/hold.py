"""Kernels of the constant-voltage hold that may follow a constant-current run."""

import numpy as np
from numba import njit

from solvers._kernels.discharge import (
    FINISHED,
    GROWTH,
    LONGEST_STEP,
    SHORTEST_STEP,
    UNFINISHED,
    backward,
    difference,
    error_share,
    extrapolate,
    finish,
    new_state,
    new_work,
    prepare,
)
from solvers._kernels.newton import (
    CONVERGED,
    ITERATIONS,
    assemble,
    cell_voltage,
    damping,
    inside,
    solve_blocks,
    surface_change,
)
from solvers._kernels.particles import shell_mean

FLAGS = {"cache": True, "error_model": "numpy", "nogil": True}

FIRST_STEP = 1e-6  # of the nominal duration
NUDGE = 1e-4  # of an update, and of a unit current, for differences of the voltage


@njit(**FLAGS)
def newton_at_voltage(c, phi, j, tau, current, voltage, chemistry, mesh, work, second, trial):
    """Solve one implicit step in place with the current as one more unknown; the current, NaN without success.

    The balances are linear in the current, so a second right-hand side carries it through the same elimination. The
    voltage is linearised along the two solutions by differences.
    """
    front = mesh.front
    for _ in range(ITERATIONS):
        assemble(c, phi, j, work.base, work.slope, work.past, tau, current + 1.0, chemistry, mesh, *second)
        assemble(
            c,
            phi,
            j,
            work.base,
            work.slope,
            work.past,
            tau,
            current,
            chemistry,
            mesh,
            work.blocks,
            work.rhs,
            work.response,
        )
        per_current = second[1] - work.rhs
        second[0][:] = work.blocks
        solve_blocks(second[0], per_current)
        solve_blocks(work.blocks, work.rhs)
        here = cell_voltage(c, phi, current, chemistry, mesh)
        trial[0][:] = c + NUDGE * work.rhs[:, 0]
        trial[1][:] = phi + NUDGE * work.rhs[front:, 1]
        along = (cell_voltage(trial[0], trial[1], current, chemistry, mesh) - here) / NUDGE
        trial[0][:] = c + NUDGE * per_current[:, 0]
        trial[1][:] = phi + NUDGE * per_current[front:, 1]
        by_current = (cell_voltage(trial[0], trial[1], current + NUDGE, chemistry, mesh) - here) / NUDGE
        move = (voltage - here - along) / by_current
        work.rhs[:] += move * per_current
        share = damping(c, j, work.base, work.slope, work.rhs, work.response, mesh)
        if not share > 1e-6 or not abs(move) < np.inf:
            return np.nan
        change = abs(move / current)
        for i in range(c.size):
            c[i] += share * work.rhs[i, 0]
            change = max(change, abs(work.rhs[i, 0]) / chemistry.salt)
        for s in range(phi.size):
            phi[s] += share * work.rhs[front + s, 1]
            change = max(change, abs(work.rhs[front + s, 1]) / chemistry.thermal)
        for p in range(j.size):
            j[p] += share * work.response[p, 0]
        change = max(change, surface_change(j, work.base, work.slope, work.response))
        current += share * move
        if share == 1.0 and change < CONVERGED:
            return current
    return np.nan


@njit(**FLAGS)
def hold(s0, current, voltage, stop, nominal, tolerance, limit, chemistry, mesh, radial):
    """Keep the voltage from the state s0 on until the current has fallen to `stop`.

    Returns the curve (time, current, charge) (n,) from zero, the last state, the mean contents (p,) and the outcome.
    """
    cells, slices, particles, shells = s0.c.size, s0.phi.size, s0.j.size, s0.x.shape[0]
    s1 = new_state(cells, slices, particles, shells)
    s2 = new_state(cells, slices, particles, shells)
    new = new_state(cells, slices, particles, shells)
    guess = new_state(cells, slices, particles, shells)
    work = new_work(cells, particles, shells)
    curve = np.zeros((limit + 1, 3))
    curve[0, 1] = current
    mean = np.empty(particles)
    second = (np.empty((cells, 3, 2, 2)), np.empty((cells, 2)), np.empty((particles, 3)))
    trial = (np.empty(cells), np.empty(slices))
    dt, dt1, dt2 = FIRST_STEP * nominal, np.inf, np.inf
    taken, outcome = 0, UNFINISHED
    while taken < limit and dt > SHORTEST_STEP * nominal:
        order = min(taken, 2)
        extrapolate(guess, s0, s1, s2, dt, dt1, dt2, order)
        new.c[:] = guess.c
        new.phi[:] = guess.phi
        new.j[:] = guess.j
        tau = prepare(new, s0, s1, dt, dt1, chemistry, mesh, radial, work)
        found = np.nan
        if inside(new.j, work.base, work.slope):
            found = newton_at_voltage(
                new.c, new.phi, new.j, tau, curve[taken, 1], voltage, chemistry, mesh, work, second, trial
            )
        if not abs(found) > 0.0:
            dt *= 0.25
            continue
        finish(new, tau, mesh, radial, work)
        error = difference(new, guess, s0, chemistry) * error_share(dt, dt1, dt2, order) / tolerance
        if error > 1.0 and taken > 0:
            dt *= max(0.2, 0.9 * error ** (-1.0 / 3.0))
            continue
        b, _ = backward(dt, dt1)
        before = curve[max(taken - 1, 0), 2]
        taken += 1
        curve[taken, 0] = curve[taken - 1, 0] + dt
        curve[taken, 1] = found
        curve[taken, 2] = b * curve[taken - 1, 2] + (1.0 - b) * before + tau * found
        s0, s1, s2, new = new, s0, s1, s2
        dt2, dt1 = dt1, dt
        if abs(found) <= stop:
            outcome = FINISHED
            break
        dt = min(dt * min(GROWTH, 0.9 * max(error, 1e-9) ** (-1.0 / 3.0)), 10.0 * LONGEST_STEP * nominal)
    shell_mean(s0.x, radial.volumes, mean)
    return curve[: taken + 1], s0, mean, outcome
