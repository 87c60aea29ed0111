"""The choice between the two ways to hold a network, and the solve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from solvers.conjugate import Descent, minimise_energy
from solvers.graph import GraphProblem
from solvers.grid import Grid
from solvers.status import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from solvers.network import VoxelNetwork

    Vector = NDArray[np.float64]

CONVENTIONS = ("face", "porespy", "openimpala", "pumapy")
"""Where other programs fix the potential, and what they take for the length."""

SINGLE_ROUNDING = 1e-7
"""Relative error of the energy that single precision leaves."""

CONTRAST_ROUNDING = 4e-12
"""The same times the smallest over the largest conductivity."""

DOUBLE_ROUNDING = 1e-12
"""The same for double precision."""

SLOWEST_MODE = 0.1
"""Eigenvalue of the preconditioned operator below which none was found where all links are alike (0.145 in 329 images)."""

SLOWEST_CUT_MODE = 0.05
"""The same for links through cut faces (0.25 in packings, 0.018 in 72 blocks of random faces, with hardly any weight)."""

HARMLESS_CONTRAST = 0.01
"""Smallest over largest conductivity down to which `SLOWEST_MODE` holds; beyond, it falls with the power 2/3.

In 117 images of noise with contrasts of 1e3 to 1e5, a slower mode than that hid from the Ritz values in one of 460 solves, and
the error was three times its estimate.
"""

LARGEST_ASPECT = 1.6
"""Ratio of voxel edges up to which cubic blocks of voxels make a good coarse grid."""


def solve_network(
    network: VoxelNetwork,
    levels: Vector,
    *,
    tolerance: float,
    precision: str,
    max_iterations: int,
    source: NDArray[np.float32] | None = None,
) -> tuple[Grid | GraphProblem, Descent]:
    """
    Minimise the energy of a network.

    Parameters
    ----------
    network : VoxelNetwork
        Network of which every cell carries current.
    levels : ndarray, shape (n0,), float64
        Potential of every plane to start from.
    tolerance : float
        Relative error of the energy that the iteration may leave.
    precision : {"auto", "single", "double"}
        Precision of the vectors.
    max_iterations : int
        Iterations after which to give up.
    source : ndarray, shape (n0, n1, n2), float32, optional
        Current fed into every cell; None: the inlet is at potential 1.

    Returns
    -------
    problem : Grid or GraphProblem
        Holds the solution.
    descent : Descent
        Energy, error and status.
    """
    for lean in (True, False):
        rounding = _rounding(network, tolerance, precision) if lean else DOUBLE_ROUNDING
        kind = GraphProblem if rounding == DOUBLE_ROUNDING else Grid
        problem = kind(network, levels, source=source)
        descent = minimise_energy(
            problem,
            tolerance=tolerance,
            rounding=rounding,
            slowest=_slowest_mode(network),
            max_iterations=max_iterations,
        )
        if descent.status is not Status.PRECISION_LIMIT or precision != "auto":
            break
    return problem, descent


def _rounding(network: VoxelNetwork, tolerance: float, precision: str) -> float:
    """Tell the relative error that rounding leaves in the leanest problem that serves."""
    _, n1, n2 = network.conducts.shape
    odd = (network.wraps[1] and n1 % 2 == 1) or (network.wraps[2] and n2 % 2 == 1)
    stretched = max(network.factors[1:]) > LARGEST_ASPECT**2 or min(network.factors[1:]) < LARGEST_ASPECT**-2
    rounding = max(SINGLE_ROUNDING, CONTRAST_ROUNDING / network.contrast)
    wants_double = precision == "double" or (precision == "auto" and tolerance < 10 * rounding)
    return DOUBLE_ROUNDING if odd or stretched or wants_double else rounding


def _slowest_mode(network: VoxelNetwork) -> float:
    """Tell which eigenvalue of the preconditioned operator to expect at least."""
    largest = SLOWEST_MODE if network.areas is None else SLOWEST_CUT_MODE
    return largest * float(min(1.0, network.contrast / HARMLESS_CONTRAST) ** (2 / 3))


def ramp(network: VoxelNetwork) -> Vector:
    """
    Potentials of the planes of an open block.

    Parameters
    ----------
    network : VoxelNetwork
        Any network.

    Returns
    -------
    ndarray, shape (n0,), float64
        Linear ramp between inlet (1) and outlet (0).
    """
    count = network.conducts.shape[0]
    inset = 0.5 if network.factors[0] == 2.0 else 1.0
    return np.asarray(1.0 - (np.arange(count) + inset) / (count - 1 + 2 * inset))


def length_between_ends(convention: str, layers: int) -> int:
    """
    Tell how many voxels lie between inlet and outlet.

    Parameters
    ----------
    convention : {"face", "porespy", "openimpala", "pumapy"}
        Where the potential is fixed, see `solve_transport`.
    layers : int
        Number of layers of the image.

    Returns
    -------
    int
        Length that enters the effective conductivity.

    Raises
    ------
    ValueError
        If the convention is unknown.
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"convention must be one of {CONVENTIONS}, got {convention!r}")
    return layers if convention in {"face", "openimpala"} else layers - 1


def sides_of(convention: str, sides: str | None) -> str | None:
    """
    Tell what bounds the block laterally.

    Parameters
    ----------
    convention : str
        Where the potential is fixed, see `solve_transport`.
    sides : {"insulated", "periodic"} or None
        What the caller says.

    Returns
    -------
    {"insulated", "periodic"} or None
        The same, or what the convention implies.
    """
    return "periodic" if sides is None and convention == "pumapy" else sides


def check_options(tolerance: float, precision: str, max_iterations: int) -> None:
    """
    Refuse options of the iteration that make no sense.

    Parameters
    ----------
    tolerance : float
        Relative error.
    precision : str
        Precision of the vectors.
    max_iterations : int
        Iterations.

    Raises
    ------
    ValueError
        If one of them makes no sense.
    """
    if not 0.0 < tolerance < 1.0:
        raise ValueError(
            f"tolerance must lie in (0, 1), got {tolerance}; it is a relative error of the conductivity"
        )
    if precision not in {"auto", "single", "double"}:
        raise ValueError(f"precision must be 'auto', 'single' or 'double', got {precision!r}")
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1, got {max_iterations}")
