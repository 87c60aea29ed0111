"""How platelets and needles lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso.sizes import SizeClass

SHARPEST = 3000.0
"""Largest concentration of the Watson distribution that is resolved; beyond, all axes are parallel."""


def order_parameter(axes: NDArray[np.float64]) -> float:
    """
    Return the order parameter of axes with respect to the through-plane direction.

    Parameters
    ----------
    axes : ndarray, shape (n, 3), float64
        Unit vectors; axis 0 is through-plane.

    Returns
    -------
    float
        ⟨3 cos²θ − 1⟩/2: 1 all through-plane, 0 at random, −1/2 all in the plane.
    """
    return float(1.5 * np.mean(axes[:, 0] ** 2) - 0.5)


def draw_axes(size_class: SizeClass, count: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
    """
    Draw axes of revolution for a population.

    Parameters
    ----------
    size_class : SizeClass
        Population; its aspect ratio and alignment matter.
    count : int
        Number of particles.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (count, 3), float64
        Unit vectors.

    Notes
    -----
    The angle to the through-plane direction follows the Watson distribution, ∝ exp(κ cos²θ), the most random one of a
    given order parameter (in liquid crystals: Maier & Saupe 1958). One draw from each of `count` equal slices.
    """
    if size_class.aspect_ratio == 1:
        return np.tile(np.array([1.0, 0.0, 0.0]), (count, 1))
    upright = size_class.alignment if size_class.aspect_ratio < 1 else -size_class.alignment
    cosine, below = _watson(upright if upright > 0 else upright / 2)
    quantiles = rng.permutation((np.arange(count) + rng.random(count)) / count)
    through = np.interp(quantiles, below, cosine)
    ring, turn = np.sqrt(np.maximum(0.0, 1 - through**2)), 2 * np.pi * rng.random(count)
    axes = np.stack((through, ring * np.cos(turn), ring * np.sin(turn)), axis=1)
    return np.asarray(axes / np.linalg.norm(axes, axis=1, keepdims=True))


def press_axes(
    axes: NDArray[np.float64], aspect_ratios: NDArray[np.float64], ratio: float
) -> NDArray[np.float64]:
    """
    Turn axes as the medium around them is thinned.

    Parameters
    ----------
    axes : ndarray, shape (n, 3), float64
        Unit vectors.
    aspect_ratios : ndarray, shape (n,), float64
        Aspect ratios [-]; spheres and weakly elongated particles turn less.
    ratio : float
        Thickness after over thickness before [-].

    Returns
    -------
    ndarray, shape (n, 3), float64
        Unit vectors.

    Notes
    -----
    Planes embedded in a medium that deforms affinely turn towards the layers and lines away from its normal (A. March,
    Z. Kristallogr. 81, 285, 1932). Ellipsoids of finite aspect ratio turn by (a² − 1)/(a² + 1) of that (G. B. Jeffery,
    Proc. R. Soc. A 102, 161, 1922).
    """
    rate = (aspect_ratios**2 - 1) / (aspect_ratios**2 + 1)
    turned = axes.copy()
    turned[:, 0] *= ratio**rate
    return np.asarray(turned / np.linalg.norm(turned, axis=1, keepdims=True))


def _watson(order: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cosines 0…1 and the share of the axes below each, for an order parameter."""
    x = np.linspace(0.0, 1.0, 8193)
    cosine = x * x * (3 - 2 * x)  # dense at both ends, where sharp distributions live
    low, high = -SHARPEST, SHARPEST
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = _cumulated(middle, cosine)
        mean = float(np.sum(np.diff(below) * 0.5 * (cosine[1:] ** 2 + cosine[:-1] ** 2)))
        low, high = (middle, high) if 1.5 * mean - 0.5 < order else (low, middle)
    if SHARPEST - abs(middle) < 1:
        end = float(middle > 0)
        return np.array([end, end]), np.array([0.0, 1.0])
    return cosine, _cumulated(middle, cosine)


def _cumulated(concentration: float, cosine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of a Watson distribution below each cosine."""
    exponent = concentration * cosine**2
    density = np.exp(exponent - exponent.max())
    below = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(cosine))))
    return np.asarray(below / below[-1])
