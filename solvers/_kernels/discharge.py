"""Kernels of `solvers.discharge`: constant-current run, second-order backward differences with adaptive steps."""

from typing import NamedTuple

import numpy as np
from numba import njit

from solvers._kernels.newton import cell_voltage, equilibrium, newton
from solvers._kernels.particles import eliminate, link, shell_mean, substitute

FLAGS = {"cache": True, "error_model": "numpy", "nogil": True}

GROWTH = 2.0  # of the step at most; second-order backward differences are stable below 1 + sqrt(2)
INSTANT = 1e-12  # [s] after switching on
FIRST_STEP = 1e-7  # of the nominal duration
LONGEST_STEP = 0.02  # of the nominal duration, so that straight lines between the points draw the curve
SHORTEST_STEP = 1e-14  # of the nominal duration
RESOLUTION = 1e-8  # to which the end is located, of the nominal duration
STEEP = 3.0  # weight of the change in a step beside the scale of the potential
VOLTAGE_TOLERANCE = 1e-5  # of the end [V]

FINISHED, NO_START, UNFINISHED = 0, 1, 2


class State(NamedTuple):
    """One instant: salt (cells,), potential difference (slices,), reaction (p,), surfaces (p,), shells (n, p)."""

    c: np.ndarray
    phi: np.ndarray
    j: np.ndarray
    surface: np.ndarray
    x: np.ndarray


class Work(NamedTuple):
    """Arrays that one step uses and the next overwrites."""

    past: np.ndarray  # (cells,)
    shells: np.ndarray  # (n, p)
    links: np.ndarray  # (n, p)
    drop: np.ndarray  # (p,)
    pivots: np.ndarray  # (n, p)
    load: np.ndarray  # (n, p)
    base: np.ndarray  # (p,)
    slope: np.ndarray  # (p,)
    blocks: np.ndarray  # (cells, 3, 2, 2)
    rhs: np.ndarray  # (cells, 2)
    response: np.ndarray  # (p, 3)


@njit(**FLAGS)
def new_state(cells, slices, particles, shells):
    """State of zeros; the weights of states that do not exist yet are zero, so they must be finite."""
    return State(
        np.zeros(cells),
        np.zeros(slices),
        np.zeros(particles),
        np.zeros(particles),
        np.zeros((shells, particles)),
    )


@njit(**FLAGS)
def new_work(cells, particles, shells):
    """Unset work arrays."""
    return Work(
        np.empty(cells),
        np.empty((shells, particles)),
        np.empty((shells, particles)),
        np.empty(particles),
        np.empty((shells, particles)),
        np.empty((shells, particles)),
        np.empty(particles),
        np.empty(particles),
        np.empty((cells, 3, 2, 2)),
        np.empty((cells, 2)),
        np.empty((particles, 3)),
    )


@njit(**FLAGS)
def backward(dt, dt1):
    """Coefficients of y = b y_n + (1 - b) y_(n-1) + tau y' : (b, tau); after an infinite step they are Euler's."""
    w = dt / dt1
    lead = (1.0 + 2.0 * w) / (1.0 + w)
    return (1.0 + w) / lead, dt / lead


@njit(**FLAGS)
def extrapolate(new, s0, s1, s2, dt, dt1, dt2, order):
    """Predict c, phi, j and the surfaces by the polynomial of degree `order` <= 2 through the last states."""
    w0, w1, w2 = 1.0, 0.0, 0.0
    if order == 1:
        w0, w1 = 1.0 + dt / dt1, -dt / dt1
    if order == 2:
        w0 = (dt + dt1) * (dt + dt1 + dt2) / (dt1 * (dt1 + dt2))
        w1 = -dt * (dt + dt1 + dt2) / (dt1 * dt2)
        w2 = dt * (dt + dt1) / (dt2 * (dt1 + dt2))
    for i in range(new.c.size):
        new.c[i] = max(w0 * s0.c[i] + w1 * s1.c[i] + w2 * s2.c[i], 0.1 * s0.c[i])
    for i in range(new.phi.size):
        new.phi[i] = w0 * s0.phi[i] + w1 * s1.phi[i] + w2 * s2.phi[i]
    for i in range(new.j.size):
        new.j[i] = w0 * s0.j[i] + w1 * s1.j[i] + w2 * s2.j[i]
        new.surface[i] = w0 * s0.surface[i] + w1 * s1.surface[i] + w2 * s2.surface[i]


@njit(**FLAGS)
def prepare(new, s0, s1, dt, dt1, chemistry, mesh, radial, work):
    """Combine the past and eliminate the particles for a step of dt; the implicit weight tau."""
    b, tau = backward(dt, dt1)
    for i in range(new.c.size):
        work.past[i] = b * s0.c[i] + (1.0 - b) * s1.c[i]
    w = dt / dt1
    for i in range(new.x.shape[0]):
        for p in range(new.x.shape[1]):
            work.shells[i, p] = b * s0.x[i, p] + (1.0 - b) * s1.x[i, p]
            # The diffusivity is taken at the extrapolated contents, which keeps second order and a linear balance.
            new.x[i, p] = (1.0 + w) * s0.x[i, p] - w * s1.x[i, p]
    link(new.x, mesh.radii, chemistry.diffusivity, radial, work.links, work.drop)
    eliminate(
        work.shells,
        tau,
        mesh.radii,
        mesh.gain,
        radial,
        work.links,
        work.drop,
        work.pivots,
        work.load,
        work.base,
        work.slope,
    )
    return tau


@njit(**FLAGS)
def finish(new, tau, mesh, radial, work):
    """Fill the particles' contents once the reaction is known."""
    substitute(
        new.j, tau, work.shells, mesh.radii, mesh.gain, radial, work.links, work.pivots, work.load, new.x
    )
    for p in range(new.j.size):
        new.surface[p] = work.base[p] + work.slope[p] * new.j[p]


@njit(**FLAGS)
def step(new, s0, s1, dt, dt1, current, chemistry, mesh, radial, work):
    """Advance by dt into `new`, which holds the prediction; Newton iterations, negative without success."""
    tau = prepare(new, s0, s1, dt, dt1, chemistry, mesh, radial, work)
    iterations = newton(
        new.c,
        new.phi,
        new.j,
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
    if iterations > 0:
        finish(new, tau, mesh, radial, work)
    return iterations


@njit(**FLAGS)
def difference(new, guess, last, chemistry):
    """Largest departure from the prediction: of c at rest, of a stoichiometry, of four thermal voltages.

    Where the potential falls steeply its own change in the step counts as well: there it is time that must be right.
    """
    worst = 0.0
    for i in range(new.c.size):
        worst = max(worst, abs(new.c[i] - guess.c[i]) / chemistry.salt)
    for i in range(new.phi.size):
        scale = 4.0 * chemistry.thermal + STEEP * abs(new.phi[i] - last.phi[i])
        worst = max(worst, abs(new.phi[i] - guess.phi[i]) / scale)
    for i in range(new.j.size):
        worst = max(worst, abs(new.surface[i] - guess.surface[i]))
    return worst


@njit(**FLAGS)
def error_share(dt, dt1, dt2, order):
    """Share of the departure from the prediction that is the error of the step."""
    if order < 2:
        return 0.5
    corrector = dt * (dt + dt1) / (2.0 * dt + dt1)
    return corrector / (corrector + dt + dt1 + dt2)


@njit(**FLAGS)
def start(state, x0, current, chemistry, mesh, radial, work):
    """Set the state the instant after the current is switched on, raising it in stages; whether that succeeded."""
    state.c[:] = chemistry.salt
    state.phi[:] = equilibrium(x0, chemistry.potential)[0]
    state.j[:] = 0.0
    state.surface[:] = x0
    state.x[:] = x0
    stage, done = 1.0, 0.0
    guess = new_state(state.c.size, state.phi.size, state.j.size, state.x.shape[0])
    while done < 1.0:
        guess.c[:] = state.c
        guess.phi[:] = state.phi
        for p in range(guess.j.size):
            guess.j[p] = (
                state.j[p] * (done + stage) / done if done > 0.0 else -stage * current / mesh.area.sum()
            )
        used = step(
            guess, state, state, INSTANT, np.inf, (done + stage) * current, chemistry, mesh, radial, work
        )
        if used > 0:
            done += stage
            state.phi[:] = guess.phi
            state.j[:] = guess.j
            state.surface[:] = guess.surface
        else:
            stage *= 0.25
            if stage < 1e-4:
                return False
        stage = min(stage, 1.0 - done)
    return True


@njit(**FLAGS)
def run(current, cutoff, x0, nominal, tolerance, limit, chemistry, mesh, radial):
    """Run from rest to the cut-off.

    Returns the curve (time, voltage) (n,), the last state, the particles' mean contents (p,) and the outcome.
    """
    cells, slices, particles, shells = mesh.storage.size, mesh.solid.size, mesh.radii.size, radial.gaps.size
    states = (
        new_state(cells, slices, particles, shells),
        new_state(cells, slices, particles, shells),
        new_state(cells, slices, particles, shells),
        new_state(cells, slices, particles, shells),
    )
    guess = new_state(cells, slices, particles, shells)
    s0, s1, s2, new = states
    work = new_work(cells, particles, shells)
    curve = np.empty((limit + 2, 2))
    mean = np.full(particles, x0)
    sign = 1.0 if current > 0.0 else -1.0
    if not start(s0, x0, current, chemistry, mesh, radial, work):
        curve[0, 0], curve[0, 1] = 0.0, cutoff
        return curve[:1], s0, mean, NO_START
    margin = sign * (cell_voltage(s0.c, s0.phi, current, chemistry, mesh) - cutoff)
    curve[0, 0], curve[0, 1] = 0.0, cutoff + sign * max(margin, -10.0)
    if not margin > 0.0:
        return curve[:1], s0, mean, NO_START
    dt, dt1, dt2 = FIRST_STEP * nominal, np.inf, np.inf
    beyond, excess = np.inf, 0.0  # a step known to end past the cut-off, and how far
    taken, outcome = 0, UNFINISHED
    while taken < limit and dt > SHORTEST_STEP * nominal:
        if dt < RESOLUTION * nominal and beyond < np.inf:
            outcome = FINISHED
            break
        order = min(taken, 2)
        extrapolate(new, s0, s1, s2, dt, dt1, dt2, order)
        guess.c[:] = new.c
        guess.phi[:] = new.phi
        guess.surface[:] = new.surface
        if step(new, s0, s1, dt, dt1, current, chemistry, mesh, radial, work) < 0:
            dt *= 0.25
            continue
        error = difference(new, guess, s0, chemistry) * error_share(dt, dt1, dt2, order) / tolerance
        if error > 1.0 and taken > 0 and dt > RESOLUTION * nominal:
            dt = max(dt * max(0.2, 0.9 * error ** (-1.0 / 3.0)), RESOLUTION * nominal)
            continue
        ahead = sign * (cell_voltage(new.c, new.phi, current, chemistry, mesh) - cutoff)
        if not ahead >= -VOLTAGE_TOLERANCE:
            beyond, excess = dt, -ahead
            dt *= min(max(margin / (margin + excess), 0.1), 0.98)
            continue
        taken += 1
        curve[taken, 0] = curve[taken - 1, 0] + dt
        curve[taken, 1] = cutoff + sign * ahead
        s0, s1, s2, new = new, s0, s1, s2
        margin = ahead
        dt2, dt1 = dt1, dt
        if margin < VOLTAGE_TOLERANCE:
            outcome = FINISHED
            break
        dt *= min(GROWTH, 0.9 * max(error, 1e-9) ** (-1.0 / 3.0))
        dt = min(max(dt, RESOLUTION * nominal), LONGEST_STEP * nominal)
        if beyond < np.inf:
            beyond -= dt1
            dt = min(dt, beyond * max(margin / (margin + excess), 0.1))
    if outcome == FINISHED and margin > VOLTAGE_TOLERANCE:
        taken += 1
        curve[taken, 0] = curve[taken - 1, 0]
        curve[taken, 1] = cutoff
    shell_mean(s0.x, radial.volumes, mean)
    return curve[: taken + 1], s0, mean, outcome
