"""Conjugate gradients that know how far the energy still is from its minimum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from solvers.status import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

SAFETY = 0.5
"""Factor on the smallest Ritz value, so that it stays below the smallest eigenvalue while it still sinks towards it."""


RESTARTS = 3
"""Times that the iteration begins, with a fresh residual, before rounding is said to have stopped it."""


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
        Bound on the relative error of the energy.
    iterations : int
        Iterations made.
    status : Status
        How the iteration ended.
    """

    energy: float
    error: float
    iterations: int
    status: Status


def minimise_energy(
    problem: Problem, *, tolerance: float, rounding: float, slowest: float, max_iterations: int
) -> Descent:
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
    slowest : float
        Eigenvalue of the preconditioned operator below which none is expected; only Ritz values may lower it.
    max_iterations : int
        Iterations after which to give up.

    Returns
    -------
    Descent
        Energy, error estimate and status.

    Notes
    -----
    The square of the error, in the norm of the energy, is an integral over the spectrum of the preconditioned operator that
    the coefficients of the iteration know how to integrate. With a node below the smallest eigenvalue the quadrature
    bounds what is still to come from above [1]_. The node is `slowest`, for slow modes may take some iterations to show, or
    lies below the smallest Ritz value, the further the faster that still sinks. At the end the energy is computed afresh: where it has fallen less than the coefficients say, the
    difference counts as error, or the fresh residual tells, and the iteration begins again if need be.

    References
    ----------
    .. [1] G. Meurant and P. Tichý, "On computing quadrature-based bounds for the A-norm of the error in conjugate
       gradients", Numer. Algorithms 62 (2013) 163–191.
    """
    iterations = 0
    for _ in range(RESTARTS):
        descent, node = _descend(problem, tolerance, rounding, slowest, max_iterations - iterations)
        iterations += descent.iterations
        reached = problem.start()
        error = descent.error + max(0.0, reached - descent.energy) / abs(reached)
        if tolerance < error < np.inf:
            error = min(error, _relative(abs(problem.precondition()) / node, reached) + rounding)
        if error <= tolerance or iterations >= max_iterations:
            break
    status = Status.CONVERGED if error <= tolerance else Status.PRECISION_LIMIT
    if error > tolerance and iterations >= max_iterations:
        status = Status.ITERATION_LIMIT
    return Descent(energy=reached, error=error, iterations=iterations, status=status)


def _descend(
    problem: Problem, tolerance: float, rounding: float, slowest: float, max_iterations: int
) -> tuple[Descent, float]:
    """Iterate until the bound on the error meets the tolerance; return the bound on the eigenvalues, too."""
    energy = problem.start()
    products: list[float] = []
    lengths: list[float] = []
    error, node = np.inf, slowest
    while error > tolerance and len(lengths) < max_iterations:
        product = problem.precondition()
        if abs(product) <= rounding**2 * abs(energy):
            error = rounding
        if product <= rounding**2 * abs(energy):
            break
        curvature = problem.turn(product / products[-1] if products else 0.0)
        problem.step(product / curvature)
        products.append(product)
        lengths.append(product / curvature)
        energy -= product**2 / curvature
        if len(lengths) > 1:
            node = min(slowest, _below_ritz_values(np.array(products), np.array(lengths)))
            error = _relative(_remainder(products, lengths, node), energy) + rounding
    descent = Descent(energy=energy, error=error, iterations=len(lengths), status=Status.CONVERGED)
    return descent, node


def _relative(remainder: float, energy: float) -> float:
    """Divide what the energy may still lose by the least that its minimum can be in size."""
    least = energy - remainder if energy > 0.0 else -energy
    return remainder / least if least > 0.0 else np.inf


def _remainder(products: list[float], lengths: list[float], node: float) -> float:
    """Bound what the energy still has to lose, by a Gauss–Radau quadrature with a node below the eigenvalues."""
    excess = 1.0 / node - lengths[0]
    for k in range(1, len(lengths)):
        excess = excess / (node * excess + products[k] / products[k - 1]) - lengths[k]
    return excess * products[-1] if excess > 0.0 else np.inf


def _below_ritz_values(products: Vector, lengths: Vector) -> float:
    """Stay below the smallest Ritz value, the further the faster it sinks."""
    smallest = _smallest_ritz_value(products, lengths)
    before = _smallest_ritz_value(products[:-1], lengths[:-1])
    return SAFETY * smallest * (smallest / before) ** 2


def _smallest_ritz_value(products: Vector, lengths: Vector) -> float:
    """Smallest eigenvalue of the tridiagonal matrix that the iteration has built."""
    ratios = products[1:] / products[:-1]
    diagonal = 1.0 / lengths
    diagonal[1:] += ratios / lengths[:-1]
    beside = np.sqrt(ratios) / lengths[:-1]
    matrix = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    return float(np.linalg.eigvalsh(matrix)[0])
