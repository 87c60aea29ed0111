"""Spheres filled by a constant current until their surfaces are full, in closed form."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solvers.curves import Curve

Array = NDArray[np.float64]

# Until this number of diffusion times a sphere has not felt its centre; with that many to fill it, the flux settles.
EARLY, LONG = 0.002, 5.0

NODES = 16  # of the inverse Laplace transform
CANDIDATES = 50  # times tried at once


def sphere_utilization(diffusion_times: ArrayLike) -> Array:
    """Fill a sphere by a constant flux until its surface is full.

    Parameters
    ----------
    diffusion_times : array_like
        S = D t / R² with the time t that filling would take at uniform content.

    Returns
    -------
    ndarray, shape of `diffusion_times`, float64
        Share that is filled by then.

    Notes
    -----
    The content of the surface after the time T = S U is g(T) / (3 S), where g(T) = 3 T + 1/5 - 2 sum exp(-q² T) / q²
    over the roots of tan q = q, and exp(T) (1 + erf T^(1/2)) - 1 as long as the centre is out of reach (Crank, The
    Mathematics of Diffusion, 1975, section 6.3.3). For large S it is 1 - 1 / (15 S).

    Examples
    --------
    >>> sphere_utilization([0.02, 0.1, 1.0]).round(4).tolist()
    [0.129, 0.4686, 0.9333]
    """
    s = np.asarray(diffusion_times, dtype=np.float64)
    bounded = np.clip(s, 1e-6, LONG)
    middle = _filling_curve()(np.log(bounded)) * bounded
    return np.asarray(
        np.where(s > LONG, 1.0 - 1.0 / (15.0 * np.maximum(s, LONG)), np.minimum(middle, 2.25 * np.pi * s))
    )


@lru_cache(maxsize=1)
def _filling_curve() -> Curve:
    """Tabulate U / S over ln S."""
    from scipy.special import erf

    n = np.arange(1, 81)
    q = (n + 0.5) * np.pi
    for _ in range(6):
        q = (n + 0.5) * np.pi - np.arctan(1.0 / q)

    def surface(times: Array) -> Array:
        with np.errstate(over="ignore"):
            early = np.exp(np.minimum(times, 1.0)) * (1.0 + erf(np.sqrt(times))) - 1.0
        series = np.sum(np.exp(-np.multiply.outer(times, q**2)) / q**2, axis=-1)
        return np.asarray(np.where(times < EARLY, early, 3.0 * times + 0.2 - 2.0 * series))

    def filling(logarithm: Array) -> Array:
        s = np.exp(logarithm)
        low, high = np.zeros_like(s), s.copy()
        for _ in range(60):
            middle = 0.5 * (low + high)
            full = surface(middle) > 3.0 * s
            low, high = np.where(full, low, middle), np.where(full, middle, high)
        return np.asarray(0.5 * (low + high) / s**2)

    return Curve.from_function(filling, lower=float(np.log(1e-6)), upper=float(np.log(LONG)))


def mixture_utilization(diffusion_times: ArrayLike, volumes: ArrayLike) -> float:
    """Fill spheres of several sizes by one constant current until their common surface is full.

    Parameters
    ----------
    diffusion_times : array_like, shape (classes,)
        S = D t / R² of each size with the time t that filling all of them would take at uniform content.
    volumes : array_like, shape (classes,)
        Share of each size, in any unit.

    Returns
    -------
    float
        Share that is filled by then.

    Notes
    -----
    Without resistance all surfaces have one content x(t). The mean of a sphere follows its surface with the transfer
    function 3 (q coth q - 1) / q², q² = p R² / D (Crank, The Mathematics of Diffusion, 1975, section 6.3), and the volume
    mean of all grows evenly, so the transform of x is 1 / (p² sum v G). It is inverted numerically by the method of Talbot
    in the form of Abate and Valkó, Int. J. Numer. Meth. Eng. 60, 979 (2004).

    Examples
    --------
    >>> round(mixture_utilization([1.0], [1.0]), 4)
    0.9333
    >>> round(mixture_utilization([10.0, 0.1], [0.5, 0.5]), 4)
    0.7585
    """
    times, shares = np.asarray(diffusion_times, dtype=np.float64), np.asarray(volumes, dtype=np.float64)
    times, shares = times[shares > 0.0], shares[shares > 0.0] / shares.sum()
    if len(times) == 1:
        return float(sphere_utilization(times[0]))
    low, high = 0.0, 1.0
    for _ in range(3):
        moments = low + (high - low) * (np.arange(CANDIDATES) + 1.0) / CANDIDATES
        full = _common_surface(moments, times, shares) >= 1.0
        first = int(np.argmax(full)) if full.any() else CANDIDATES - 1
        low, high = (low if first == 0 else float(moments[first - 1])), float(moments[first])
    return 0.5 * (low + high)


def _common_surface(moments: Array, times: Array, shares: Array) -> Array:
    """Content of the surfaces at moments relative to the time of filling."""
    angle = np.arange(1, NODES) * np.pi / NODES
    cotangent = 1.0 / np.tan(angle)
    node = np.append(0.4 * NODES, 0.4 * NODES * angle * (cotangent + 1j))
    weight = np.append(
        0.5 * np.exp(node[0]), (1.0 + 1j * angle * (1.0 + cotangent**2) - 1j * cotangent) * np.exp(node[1:])
    )
    p = node / moments[:, None]
    square = p[..., None] / times
    q = np.sqrt(square)
    small = np.abs(square) < 1e-3
    safe = np.where(small, 1.0, q)
    follows = np.where(small, 1.0 - square / 15.0, 3.0 * (safe / np.tanh(safe) - 1.0) / safe**2)
    transform = 1.0 / (p**2 * (shares * follows).sum(axis=-1))
    return np.asarray(0.4 / moments * np.sum((weight * transform).real, axis=-1))
