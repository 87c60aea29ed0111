"""Kernels of the particles: implicit spherical diffusion of all of them, condensed to their surfaces.

Arrays run (radius, particle), so that the loops over particles vectorise. Radii are relative to the particle's.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from solvers._kernels.curves import lookup

FLAGS = {"cache": True, "error_model": "numpy", "nogil": True, "fastmath": {"contract", "reassoc", "arcp"}}


class Radial(NamedTuple):
    """Radial mesh: `volumes` of the shells (n,), `faces` squared outer radii (n,), `gaps` from each centre outwards (n,)."""

    volumes: np.ndarray
    faces: np.ndarray
    gaps: np.ndarray


@njit(**FLAGS)
def link(x, radii, diffusivity, radial, links, surface):
    """Fill conductances between shells `links` (n, p) and from the last centre to the surface (p,)."""
    n, p = x.shape
    for i in range(n - 1):
        for k in range(p):
            d = lookup(0.5 * (x[i, k] + x[i + 1, k]), diffusivity)[0]
            links[i, k] = d * radial.faces[i] / radial.gaps[i]
    for k in range(p):
        links[n - 1, k] = 0.0
        surface[k] = radii[k] * radial.gaps[n - 1] / lookup(x[n - 1, k], diffusivity)[0]


@njit(**FLAGS)
def eliminate(past, tau, radii, gain, radial, links, surface, pivots, load, base, slope):
    """Forward elimination of (x - past) / tau = div D grad x, centre to surface.

    Afterwards the surface stoichiometry is ``base + slope j`` for the reaction current density j (p,).
    """
    n, p = past.shape
    for k in range(p):
        m = radial.volumes[0] * radii[k] * radii[k] / tau
        pivots[0, k] = 1.0 / (m + links[0, k])
        load[0, k] = m * past[0, k]
    for i in range(1, n):
        for k in range(p):
            m = radial.volumes[i] * radii[k] * radii[k] / tau
            w = links[i - 1, k] * pivots[i - 1, k]
            pivots[i, k] = 1.0 / (m + links[i, k] + links[i - 1, k] * (1.0 - w))
            load[i, k] = m * past[i, k] + w * load[i - 1, k]
    for k in range(p):
        base[k] = load[n - 1, k] * pivots[n - 1, k]
        slope[k] = -gain[k] * (radii[k] * pivots[n - 1, k] + surface[k])


@njit(**FLAGS)
def substitute(j, tau, past, radii, gain, radial, links, pivots, load, x):
    """Back substitution: the shells' stoichiometries x (n, p) for the reaction current densities j (p,).

    The mean is then set to what the surface let through: in tiny particles rounding would add up to more.
    """
    n, p = x.shape
    balance = np.empty(p)
    total = radial.volumes.sum()
    for k in range(p):
        x[n - 1, k] = (load[n - 1, k] - gain[k] * radii[k] * j[k]) * pivots[n - 1, k]
        balance[k] = -gain[k] * j[k] * tau / radii[k] + radial.volumes[n - 1] * (past[n - 1, k] - x[n - 1, k])
    for i in range(n - 2, -1, -1):
        for k in range(p):
            x[i, k] = (load[i, k] + links[i, k] * x[i + 1, k]) * pivots[i, k]
            balance[k] += radial.volumes[i] * (past[i, k] - x[i, k])
    for i in range(n):
        for k in range(p):
            x[i, k] += balance[k] / total


@njit(**FLAGS)
def shell_mean(x, volumes, mean):
    """Volume mean of x (n, p) into mean (p,)."""
    n, p = x.shape
    total = volumes.sum()
    mean[:] = 0.0
    for i in range(n):
        for k in range(p):
            mean[k] += volumes[i] / total * x[i, k]
