"""Steady transport along all axes of a structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from solvers.transport import TransportResult, solve_transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from meso.structure import Mesostructure

    Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TensorResult:
    """Answers of one steady transport solve per axis.

    Parameters
    ----------
    axes : tuple of TransportResult
        The full answer for every axis of the structure.
    """

    axes: tuple[TransportResult, ...]

    @property
    def effective_conductivity(self) -> Vector:
        """Diagonal of the conductivity tensor, shape (d,), in the unit of the conductivities given."""
        return np.array([result.effective_conductivity for result in self.axes])

    @property
    def tortuosity_factor(self) -> Vector:
        """Tortuosity factors along the axes, shape (d,); infinite where the structure does not percolate."""
        return np.array([result.tortuosity_factor for result in self.axes])

    @property
    def macmullin_number(self) -> Vector:
        """MacMullin numbers along the axes, shape (d,)."""
        return np.array([result.macmullin_number for result in self.axes])

    @property
    def porosity(self) -> float:
        """Volume fraction of the conducting phases, isolated parts included."""
        return self.axes[0].porosity

    @property
    def anisotropy(self) -> float:
        """Largest over smallest effective conductivity; infinite where only some axes percolate, NaN where none does."""
        sigma = self.effective_conductivity
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(sigma.max() / sigma.min())

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the transport efficiency along the axes.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from solvers.figures import draw_efficiencies

        return draw_efficiencies(
            {f"axis {n}": (r.macmullin_number, r.porosity) for n, r in enumerate(self.axes)}, axes=axes
        )

    def _repr_html_(self) -> str:
        """Show the numbers of all axes in a notebook."""
        from meso.tables import say, table

        names = ("tortuosity_factor", "macmullin_number", "effective_conductivity", "porosity", "anisotropy")
        rows = [(name, ", ".join(say(v) for v in np.atleast_1d(getattr(self, name))), "") for name in names]
        return table("TensorResult", rows)


def solve_tensor(
    structure: Mesostructure | ArrayLike,
    *,
    conductivity: Mapping[int, float] | None = None,
    sides: str | None = None,
    convention: str = "face",
    surface: str = "voxels",
    voxel_size: float | tuple[float, ...] | None = None,
    tolerance: float = 1e-4,
    precision: str = "auto",
    max_iterations: int = 200,
    throw: bool = True,
) -> TensorResult:
    """
    Solve for the steady transport along every axis of a structure.

    Parameters
    ----------
    structure : Mesostructure or array_like
        Structure, or an image in two or three dimensions, see `solve_transport`. Never modified.
    conductivity : mapping of label to float, optional
        Conductivity of the phases, any unit; labels that are missing do not conduct.
    sides : {"insulated", "periodic"}, optional
        What bounds the block across the axis of transport.
    convention : {"face", "porespy", "openimpala", "pumapy"}, default "face"
        Where the potential is fixed and what length and porosity enter.
    surface : {"voxels", "smooth"}, default "voxels"
        Surface of the conductor in a segmented image, see `solve_transport`.
    voxel_size : float or tuple of float, optional
        Edges of a voxel; only their ratios matter.
    tolerance : float, default 1e-4
        Largest relative error of each effective conductivity that the iteration may leave.
    precision : {"auto", "single", "double"}, default "auto"
        Precision of the vectors.
    max_iterations : int, default 200
        Iterations after which a solve gives up.
    throw : bool, default True
        Whether to raise when a solve ends without an answer, instead of returning its status.

    Returns
    -------
    TensorResult
        One answer per axis.

    Raises
    ------
    ValueError
        If an argument makes no sense.
    TypeError
        If the image is neither boolean nor integer.
    SolverError
        If a solve does not converge and `throw` is set.

    Notes
    -----
    Each axis is a solve of its own with the block bounded as `sides` says, so the answers are the diagonal of the tensor
    that relates the mean current to a difference of potential along one axis. Off the diagonal nothing is computed.

    Examples
    --------
    >>> import numpy as np
    >>> layers = np.repeat([0, 1], 4)[:, None, None] * np.ones((8, 4, 4), dtype=int)
    >>> solve_tensor(layers, conductivity={0: 1.0, 1: 0.5}).effective_conductivity.round(6).tolist()
    [0.666667, 0.75, 0.75]
    """
    count = len(getattr(structure, "shape", None) or np.shape(structure))
    return TensorResult(
        axes=tuple(
            solve_transport(
                structure,
                conductivity=conductivity,
                axis=axis,
                sides=sides,
                convention=convention,
                surface=surface,
                voxel_size=voxel_size,
                tolerance=tolerance,
                precision=precision,
                max_iterations=max_iterations,
                throw=throw,
            )
            for axis in range(count)
        )
    )
