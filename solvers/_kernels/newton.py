"""Kernels of one implicit step: the coupled salt and charge balances, solved by Newton's method.

Unknown in each cell are the salt concentration c and, in the electrode, the potential difference phi between solid
and electrolyte. The ionic current follows from both at each face, the solid carries the rest of the current, and the
particles enter through the linear response of their surfaces. So the Jacobian is block tridiagonal with 2 x 2 blocks.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from solvers._kernels.curves import lookup

FLAGS = {"cache": True, "error_model": "numpy", "nogil": True}

ITERATIONS = 30
CONVERGED = 1e-4  # largest update, of the concentration at rest and the thermal voltage
NEARLY = 0.01  # weight of the relative update of the free (or filled) sites at a surface
KEEP = 0.1  # share of its distance from zero or saturation that a variable keeps in one update


EDGE = 1e-6  # stoichiometry from the ends at which the potential has moved by a volt


class Chemistry(NamedTuple):
    """Numbers and tables: SI units, tables as in `solvers.curves`."""

    salt: float  # initial concentration
    thermal: float  # R T / F
    salt_per_charge: float  # (1 - t+) / F at the initial concentration
    exchange: float  # F k c_max
    lithium_exchange: float
    lithium_order: float
    potential: np.ndarray
    diffusivity: np.ndarray
    salt_diffusivity: np.ndarray
    conductivity: np.ndarray
    migration: np.ndarray  # what t+ / F gains over its value at the initial concentration
    junction: np.ndarray  # 2 R T / F (1 - t+) (1 + d ln f / d ln c)


class Mesh(NamedTuple):
    """Cells from the lithium to the collector; the first `front` are separator, the others electrode slices."""

    front: int
    storage: np.ndarray  # porosity x width (cells,)
    ionic: np.ndarray  # width / B between centres, [0] from the lithium to the first centre (cells,)
    solid: np.ndarray  # width / sigma between centres of slices, last: to the collector (slices,)
    first: np.ndarray  # index of each slice's first particle (slices + 1,)
    area: np.ndarray  # specific surface area x slice width, per particle (p,)
    radii: np.ndarray  # (p,)
    gain: np.ndarray  # stoichiometry flux into the particle per reaction current density (p,)


@njit(**FLAGS)
def equilibrium(x, potential):
    """Open-circuit potential and its slope, with the fall to minus infinity that full sites bring about.

    Measured curves end at finite values; the added term is a tenth of a nanovolt a tenth away from the ends.
    """
    u, du = lookup(x, potential)
    empty, full = EDGE / x, EDGE / (1.0 - x)
    return u + empty * empty - full * full, du - 2.0 * (empty * empty / x + full * full / (1.0 - x))


@njit(**FLAGS)
def react(phi, c, j, base, slope, chemistry):
    """Linearise the reaction: change of j towards equilibrium of the charge transfer, and per change of phi and c."""
    xs = base + slope * j
    i0 = chemistry.exchange * math.sqrt(c * xs * (1.0 - xs))
    z = 0.5 * j / i0
    root = math.sqrt(1.0 + z * z)
    u, du = equilibrium(xs, chemistry.potential)
    residual = phi - u - 2.0 * chemistry.thermal * math.asinh(z)
    by_c = chemistry.thermal * z / (root * c)
    crowding = 0.5 * (1.0 / xs - 1.0 / (1.0 - xs))
    by_j = -du * slope - 2.0 * chemistry.thermal / root * (0.5 / i0 - z * crowding * slope)
    # A rising stretch of the open-circuit potential must not turn the response round.
    by_j = min(by_j, -0.1 * chemistry.thermal / (root * i0))
    return -residual / by_j, -1.0 / by_j, -by_c / by_j


@njit(**FLAGS)
def ionic_current(phi0, phi1, c0, c1, ionic, solid, current, chemistry):
    """Ionic current through a face of the electrode, and its derivatives by phi (jump), c0 and c1."""
    k, dk = lookup(0.5 * (c0 + c1), chemistry.conductivity)
    junction, by_salt = lookup(0.5 * (c0 + c1), chemistry.junction)
    ratio = math.log(c1 / c0)
    total = 1.0 / (solid + ionic / k)
    i = (phi1 - phi0 + current * solid + junction * ratio) * total
    by_k = 0.5 * (dk * i * ionic / (k * k) + by_salt * ratio) * total
    return i, total, by_k - junction / c0 * total, by_k + junction / c1 * total


@njit(**FLAGS)
def transfer(blocks, rhs, i, row, flux, by_c0, by_c1, by_phi):
    """Move a flux from cell i to the next one in one of the two balances, and its derivatives into the Jacobian."""
    rhs[i, row] -= flux
    rhs[i + 1, row] += flux
    blocks[i, 1, row, 0] += by_c0
    blocks[i, 2, row, 0] += by_c1
    blocks[i + 1, 0, row, 0] -= by_c0
    blocks[i + 1, 1, row, 0] -= by_c1
    blocks[i, 1, row, 1] -= by_phi
    blocks[i, 2, row, 1] += by_phi
    blocks[i + 1, 0, row, 1] += by_phi
    blocks[i + 1, 1, row, 1] -= by_phi


@njit(**FLAGS)
def assemble(c, phi, j, base, slope, past, tau, current, chemistry, mesh, blocks, rhs, response):
    """Fill the block tridiagonal system for the updates of (c, phi), with j condensed into `response` (p, 3).

    Fluxes of salt are relative to the share of the current that cations carry at the initial concentration.
    """
    cells = c.size
    front = mesh.front
    blocks[:] = 0.0
    for i in range(cells):
        blocks[i, 1, 0, 0] = mesh.storage[i] / tau
        rhs[i, 0] = -mesh.storage[i] / tau * (c[i] - past[i])
        rhs[i, 1] = 0.0
        if i < front:
            blocks[i, 1, 1, 1] = 1.0
    rhs[0, 0] += chemistry.salt_per_charge * current
    rhs[front, 1] += current
    for i in range(cells - 1):
        ie, by_phi, by_c0, by_c1 = current, 0.0, 0.0, 0.0
        if i >= front:
            s = i - front
            ie, by_phi, by_c0, by_c1 = ionic_current(
                phi[s], phi[s + 1], c[i], c[i + 1], mesh.ionic[i + 1], mesh.solid[s], current, chemistry
            )
            transfer(blocks, rhs, i, 1, ie, by_c0, by_c1, by_phi)
        d, dd = lookup(0.5 * (c[i] + c[i + 1]), chemistry.salt_diffusivity)
        m, dm = lookup(0.5 * (c[i] + c[i + 1]), chemistry.migration)
        g = d / mesh.ionic[i + 1]
        by_both = 0.5 * (dm * ie - dd / mesh.ionic[i + 1] * (c[i + 1] - c[i]))
        flux = m * ie - g * (c[i + 1] - c[i])
        transfer(blocks, rhs, i, 0, flux, m * by_c0 + g + by_both, m * by_c1 - g + by_both, m * by_phi)
    for s in range(cells - front):
        i = front + s
        for p in range(mesh.first[s], mesh.first[s + 1]):
            a = mesh.area[p]
            move, by_phi, by_c = react(phi[s], c[i], j[p], base[p], slope[p], chemistry)
            response[p, 0] = move
            response[p, 1] = by_phi
            response[p, 2] = by_c
            rhs[i, 0] += chemistry.salt_per_charge * a * (j[p] + move)
            rhs[i, 1] += a * (j[p] + move)
            blocks[i, 1, 0, 0] -= chemistry.salt_per_charge * a * by_c
            blocks[i, 1, 0, 1] -= chemistry.salt_per_charge * a * by_phi
            blocks[i, 1, 1, 0] -= a * by_c
            blocks[i, 1, 1, 1] -= a * by_phi


@njit(**FLAGS)
def solve_blocks(blocks, rhs):
    """Solve the block tridiagonal system in place: blocks (n, 3, 2, 2) lower, diagonal, upper; rhs (n, 2)."""
    n = rhs.shape[0]
    for i in range(n):
        a, b, c, d = blocks[i, 1, 0, 0], blocks[i, 1, 0, 1], blocks[i, 1, 1, 0], blocks[i, 1, 1, 1]
        r0, r1 = rhs[i, 0], rhs[i, 1]
        if i > 0:
            for row in range(2):
                l0, l1 = blocks[i, 0, row, 0], blocks[i, 0, row, 1]
                u00 = l0 * blocks[i - 1, 2, 0, 0] + l1 * blocks[i - 1, 2, 1, 0]
                u01 = l0 * blocks[i - 1, 2, 0, 1] + l1 * blocks[i - 1, 2, 1, 1]
                r = l0 * rhs[i - 1, 0] + l1 * rhs[i - 1, 1]
                if row == 0:
                    a, b, r0 = a - u00, b - u01, r0 - r
                else:
                    c, d, r1 = c - u00, d - u01, r1 - r
        inverse = 1.0 / (a * d - b * c)
        rhs[i, 0] = (d * r0 - b * r1) * inverse
        rhs[i, 1] = (a * r1 - c * r0) * inverse
        if i < n - 1:
            for column in range(2):
                u0, u1 = blocks[i, 2, 0, column], blocks[i, 2, 1, column]
                blocks[i, 2, 0, column] = (d * u0 - b * u1) * inverse
                blocks[i, 2, 1, column] = (a * u1 - c * u0) * inverse
    for i in range(n - 2, -1, -1):
        rhs[i, 0] -= blocks[i, 2, 0, 0] * rhs[i + 1, 0] + blocks[i, 2, 0, 1] * rhs[i + 1, 1]
        rhs[i, 1] -= blocks[i, 2, 1, 0] * rhs[i + 1, 0] + blocks[i, 2, 1, 1] * rhs[i + 1, 1]


@njit(**FLAGS)
def damping(c, j, base, slope, rhs, response, mesh):
    """Largest share of the update that keeps concentrations above zero and surfaces between empty and full."""
    share = 1.0
    for i in range(c.size):
        if c[i] + rhs[i, 0] < KEEP * c[i]:
            share = min(share, (KEEP - 1.0) * c[i] / rhs[i, 0])
    for s in range(mesh.first.size - 1):
        i = mesh.front + s
        for p in range(mesh.first[s], mesh.first[s + 1]):
            response[p, 0] += response[p, 1] * rhs[i, 1] + response[p, 2] * rhs[i, 0]
            xs = base[p] + slope[p] * j[p]
            move = slope[p] * response[p, 0]
            if xs + move < KEEP * xs:
                share = min(share, (KEEP - 1.0) * xs / move)
            elif 1.0 - xs - move < KEEP * (1.0 - xs):
                share = min(share, (1.0 - KEEP) * (1.0 - xs) / move)
    return share


@njit(**FLAGS)
def inside(j, base, slope):
    """Move the starting values of j to where every surface is between empty and full; whether that is possible."""
    for p in range(j.size):
        xs = base[p] + slope[p] * j[p]
        if not (xs > 0.0 and xs < 1.0):
            if not (base[p] > 0.0 and base[p] < 1.0):
                return False
            xs = 0.5 * (base[p] + (1.0 if xs >= 1.0 else 0.0))
            j[p] = (xs - base[p]) / slope[p]
    return True


@njit(**FLAGS)
def surface_change(j, base, slope, response):
    """Largest change of a surface, relative to its distance from empty or full, in the measure of `CONVERGED`."""
    change = 0.0
    for p in range(j.size):
        xs = base[p] + slope[p] * j[p]
        change = max(change, abs(slope[p] * response[p, 0]) / min(xs, 1.0 - xs))
    return NEARLY * change


@njit(**FLAGS)
def newton(c, phi, j, base, slope, past, tau, current, chemistry, mesh, blocks, rhs, response):
    """Solve one implicit step in place from the values in c, phi and j; iterations used, negative without success.

    Each update keeps the linear balances: salt and charge are conserved to rounding, however early the iteration ends.
    """
    if not inside(j, base, slope):
        return -1
    for iteration in range(1, ITERATIONS + 1):
        assemble(c, phi, j, base, slope, past, tau, current, chemistry, mesh, blocks, rhs, response)
        solve_blocks(blocks, rhs)
        share = damping(c, j, base, slope, rhs, response, mesh)
        if not share > 1e-6:
            return -iteration
        change = 0.0
        for i in range(c.size):
            c[i] += share * rhs[i, 0]
            change = max(change, abs(rhs[i, 0]) / chemistry.salt)
        for s in range(phi.size):
            phi[s] += share * rhs[mesh.front + s, 1]
            change = max(change, abs(rhs[mesh.front + s, 1]) / chemistry.thermal)
        for p in range(j.size):
            j[p] += share * response[p, 0]
        change = max(change, surface_change(j, base, slope, response))
        if not change < np.inf:
            return -iteration
        if share == 1.0 and change < CONVERGED:
            return iteration
    return -ITERATIONS


@njit(**FLAGS)
def cell_voltage(c, phi, current, chemistry, mesh):
    """Potential of the collector against the lithium metal."""
    front = mesh.front
    d = lookup(c[0], chemistry.salt_diffusivity)[0]
    uncommon = chemistry.salt_per_charge - lookup(c[0], chemistry.migration)[0]
    at_lithium = c[0] + uncommon * current * mesh.ionic[0] / d
    if not at_lithium > 0.0:
        return -np.inf if current > 0.0 else np.inf
    i0 = chemistry.lithium_exchange * (at_lithium / chemistry.salt) ** chemistry.lithium_order
    voltage = -2.0 * chemistry.thermal * math.asinh(0.5 * current / i0)
    last = at_lithium
    for i in range(front + 1):
        middle = 0.5 * (last + c[i])
        voltage -= current * mesh.ionic[i] / lookup(middle, chemistry.conductivity)[0]
        voltage += lookup(middle, chemistry.junction)[0] * math.log(c[i] / last)
        last = c[i]
    voltage += phi[0]
    for s in range(phi.size - 1):
        i = front + s
        ie = ionic_current(
            phi[s], phi[s + 1], c[i], c[i + 1], mesh.ionic[i + 1], mesh.solid[s], current, chemistry
        )[0]
        voltage -= (current - ie) * mesh.solid[s]
    return voltage - current * mesh.solid[phi.size - 1]
