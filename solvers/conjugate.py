"""Conjugate gradients that know how far the energy still is from its minimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from solvers.status import Status

SAFETY = 2.0
"""Factor on the extrapolated tail of the energy, so that the error estimate stays on the safe side."""


class Problem(Protocol):
    """A quadratic energy with a preconditioner, and the vectors that minimise it."""

    def start(self) -> float:
        """Compute the residual afresh and return the energy."""

    def precondition(self) -> float:
        """Precondition the residual and return the product of the two."""

    def turn(self, weight: float) -> float:
        """Turn the direction into preconditioned residual plus weight times direction; return the curvature."""

    def step(self, length: float) -> None:
        """Move along the direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """
    How the energy came down.

    Parameters
    ----------
    energy : float
        Energy reached.
    error : float
        Estimated relative error of the energy.
    iterations : int
        Iterations made.
    status : Status
        How the iteration ended.
    """

    energy: float
    error: float
    iterations: int
    status: Status


def minimise_energy(problem: Problem, *, tolerance: float, rounding: float, max_iterations: int) -> Descent:
    """
    Minimise the energy to a relative tolerance.

    Parameters
    ----------
    problem : Problem
        Energy, preconditioner and vectors; holds the solution afterwards.
    tolerance : float
        Relative error of the energy at which to stop.
    rounding : float
        Relative error that rounding leaves.
    max_iterations : int
        Iterations after which to give up.

    Returns
    -------
    Descent
        Energy, error estimate and status.
    """
    energy = problem.start()
    gains: list[float] = []
    before = np.inf
    error = np.inf
    while error > tolerance and len(gains) < max_iterations:
        product = problem.precondition()
        if product <= rounding**2 * energy:
            error = rounding
            break
        curvature = problem.turn(product / before)
        problem.step(product / curvature)
        before = product
        gains.append(product**2 / curvature)
        energy -= gains[-1]
        error = _tail(gains) / energy + rounding
    status = Status.CONVERGED if error <= tolerance else Status.ITERATION_LIMIT
    return Descent(energy=problem.start(), error=error, iterations=len(gains), status=status)


def _tail(gains: list[float]) -> float:
    """Extrapolate what the energy still has to lose, as a geometric series on the safe side."""
    if len(gains) < 2:
        return np.inf
    ratio = max(after / before for before, after in zip(gains[-4:-1], gains[-3:], strict=False))
    if ratio >= 1.0:
        return np.inf
    return SAFETY * gains[-1] * ratio / (1.0 - ratio)
