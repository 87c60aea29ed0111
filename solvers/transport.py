"""Steady transport through a voxel structure: what a solve returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.status import Status


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TransportResult:
    """Answer, status and statistics of one steady transport solve.

    Parameters
    ----------
    effective_conductivity : float
        Effective conductivity of the whole block along the axis, in the unit of the conductivities given.
    tortuosity_factor : float
        Sum of conductivity times volume fraction over the phases, divided by the effective conductivity;
        infinite when the structure does not percolate.
    macmullin_number : float
        Largest conductivity of a phase divided by the effective conductivity.
    porosity : float
        Volume fraction of the conducting phases, isolated parts included.
    percolates : bool
        Whether a path of conducting voxels joins the two electrodes.
    profile : ndarray, shape (n,), float64
        MacMullin number of every slice along the axis; its mean is `macmullin_number`.
    flux_mismatch : float
        Largest relative deviation of the flux through a plane from the mean flux.
    error_estimate : float
        Estimated relative error of `effective_conductivity` left by the iteration (not by the voxels).
    upper_bound : float
        Energy of the computed field, which the exact discrete effective conductivity cannot exceed
        (up to rounding), in the unit of the conductivities.
    iterations : int
        Iterations of the preconditioned conjugate gradients.
    status : Status
        How the solve ended.
    field : ndarray or None
        Potential in every voxel, 1 at the first face and 0 at the last along the axis, NaN where nothing
        conducts; same shape as the structure, float32. None unless asked for.
    """

    effective_conductivity: float
    tortuosity_factor: float
    macmullin_number: float
    porosity: float
    percolates: bool
    profile: NDArray[np.float64]
    flux_mismatch: float
    error_estimate: float
    upper_bound: float
    iterations: int
    status: Status
    field: NDArray[np.float32] | None = None
