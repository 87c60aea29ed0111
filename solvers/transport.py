"""Steady transport through a voxel structure: effective conductivity, tortuosity factor, profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from solvers.conjugate import Descent
from solvers.flux import map_currents
from solvers.network import VoxelNetwork, build_network, count_carrying_only, fix_at_centres, keep_carrying
from solvers.problem import DOUBLE_ROUNDING, check_options, length_between_ends, ramp, sides_of, solve_network
from solvers.status import SolverError, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from meso.structure import Mesostructure

    Vector = NDArray[np.float64]
    Single = NDArray[np.float32]


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
        Bound on the relative error of `effective_conductivity` left by the iteration (not by the voxels).
    upper_bound : float
        Energy of the computed field, which the exact discrete effective conductivity cannot exceed
        (up to rounding), in the unit of the conductivities.
    iterations : int
        Iterations of the preconditioned conjugate gradients.
    status : Status
        How the solve ended.
    field : ndarray or None
        Potential in every voxel, 1 at the first face and 0 at the last along the axis, NaN where no current
        can flow; same shape as the structure, float32. None unless asked for.
    flux : ndarray or None
        Magnitude of the current density in every voxel for a mean gradient of the potential of 1, in the unit of the
        conductivities; same shape as the structure, float32. None unless asked for.
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
    flux: NDArray[np.float32] | None = None

    @property
    def maps(self) -> dict[str, NDArray[np.float32]]:
        """Maps that were asked for, under names with units, as `meso.save` takes them."""
        maps = {"potential [1]": self.field, "current_density [1]": self.flux}
        return {name: values for name, values in maps.items() if values is not None}

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the MacMullin number over the depth.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from solvers.figures import draw_transport

        return draw_transport(self, axes=axes)

    def plot_map(self, name: str = "potential [1]", axes: Axes | None = None) -> Axes:
        """Draw a cut through the middle of a map.

        Parameters
        ----------
        name : str, default "potential [1]"
            One of `maps`.
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.

        Raises
        ------
        ValueError
            If there is no such map.
        """
        from solvers.figures import draw_map

        if name not in self.maps:
            raise ValueError(
                f"name must be one of {list(self.maps)}, got {name!r}; ask for it with field=True or flux=True"
            )
        return draw_map(self.maps[name], name, axes=axes)

    def _repr_html_(self) -> str:
        """Show the fields in a notebook."""
        from meso.tables import describe

        return describe(self)


def solve_transport(
    structure: Mesostructure | ArrayLike,
    *,
    conductivity: Mapping[int, float] | None = None,
    axis: int = 0,
    sides: str | None = None,
    convention: str = "face",
    surface: str = "voxels",
    voxel_size: float | tuple[float, ...] | None = None,
    tolerance: float = 1e-4,
    precision: str = "auto",
    max_iterations: int = 200,
    field: bool = False,
    flux: bool = False,
    throw: bool = True,
) -> TransportResult:
    """
    Solve for the steady transport through a structure and its effective conductivity.

    Parameters
    ----------
    structure : Mesostructure or array_like
        Structure, or an image in two or three dimensions: booleans (True conducts with 1) or integer labels.
        Never modified.
    conductivity : mapping of label to float, optional
        Conductivity of the phases, any unit; labels that are missing do not conduct. By default the pore (label 0;
        True in a boolean image) conducts with 1.
    axis : int, default 0
        Axis along which the difference of potential is applied; 0 is through-plane.
    sides : {"insulated", "periodic"}, optional
        What bounds the block laterally. By default what the structure says; arrays are insulated.
    convention : {"face", "porespy", "openimpala", "pumapy"}, default "face"
        Where the potential is fixed and what length and porosity enter, see Notes.
    surface : {"voxels", "smooth"}, default "voxels"
        Surface of the conductor in a segmented image: "smooth" opens every voxel face in part, as the voxels around it
        suggest (`meso.smoothing.smooth_faces`), which removes most of the stair-case bias. Structures that carry face fractions need no reconstruction.
    voxel_size : float or tuple of float, optional
        Edges of a voxel; only their ratios matter. By default those of the structure; cubes for arrays.
    tolerance : float, default 1e-4
        Largest relative error of the effective conductivity that the iteration may leave.
    precision : {"auto", "single", "double"}, default "auto"
        Precision of the vectors. Single precision takes some 20 bytes per voxel and serves tolerances down to 1e-6;
        double precision takes several hundred bytes per conducting voxel. "auto" takes what the tolerance needs.
    max_iterations : int, default 200
        Iterations after which the solve gives up.
    field : bool, default False
        Whether to return the potential.
    flux : bool, default False
        Whether to return the magnitude of the current density, see `current_density`.
    throw : bool, default True
        Whether to raise when the solve ends without an answer, instead of returning its status.

    Returns
    -------
    TransportResult
        The answer. A structure that does not percolate has effective conductivity 0 and an infinite
        tortuosity factor.

    Raises
    ------
    ValueError
        If an argument makes no sense.
    TypeError
        If the image is neither boolean nor integer.
    SolverError
        If the solve does not converge and `throw` is set.

    Notes
    -----
    Cell-centred finite volumes of ∇·(σ∇u) = 0 with harmonic means on the inner faces. Conjugate gradients,
    preconditioned by a multigrid cycle, minimise the energy Σ g (Δu)², whose minimum is the effective conductivity. Every
    iteration lowers the energy by a known amount; a quadrature bounds the amounts still to come [1]_.

    "face" fixes u = 1 and u = 0 on the outer faces of the block. The others fix it at the centres of the first and the
    last layer: "porespy" and "pumapy" take the length N − 1, "openimpala" N; "porespy" and "openimpala" count the
    percolating part only in the porosity of τ; "pumapy" is periodic unless `sides` says otherwise.

    References
    ----------
    .. [1] G. Meurant and P. Tichý, "On computing quadrature-based bounds for the A-norm of the error in conjugate
       gradients", Numer. Algorithms 62 (2013) 163–191.

    Examples
    --------
    >>> import numpy as np
    >>> layers = np.repeat([0, 1], 4)[:, None, None] * np.ones((8, 4, 4), dtype=int)
    >>> result = solve_transport(layers, conductivity={0: 1.0, 1: 0.5})
    >>> round(result.effective_conductivity, 6), round(result.tortuosity_factor, 6)
    (0.666667, 1.125)
    """
    check_options(tolerance, precision, max_iterations)
    sides = sides_of(convention, sides)
    block = build_network(
        structure, conductivity=conductivity, axis=axis, sides=sides, voxel_size=voxel_size, surface=surface
    )
    length = length_between_ends(convention, block.layers)
    percolates, network = keep_carrying(block)
    if convention in {"porespy", "openimpala"}:
        block = count_carrying_only(block, network)
    if convention != "face":
        percolates, network = keep_carrying(fix_at_centres(block))
    wanted = _Wanted(axis=axis, convention=convention, field=field, flux=flux)
    if not percolates:
        return _blocked(block, wanted)
    if network.conducts.shape[0] == 0:
        return _two_layers(block, network.ends, length, wanted)
    problem, descent = solve_network(
        network, ramp(network), tolerance=tolerance, precision=precision, max_iterations=max_iterations
    )
    if throw and not descent.status.is_answer:
        raise SolverError(descent.status, f"(error estimate {descent.error:.1e})")
    maps = wanted.draw(block, problem.unpack)
    return _summarise(block, descent, problem.planes(), length, maps)


def _summarise(
    block: VoxelNetwork,
    descent: Descent,
    planes: tuple[Vector, Vector],
    length: int,
    maps: dict[str, NDArray[np.float32]],
) -> TransportResult:
    """Read the effective conductivity off the energy, and the profile off the mean potentials."""
    means, fluxes = planes
    section = block.conducts.shape[1] * block.conducts.shape[2]
    sigma = descent.energy * block.unit * length / section
    macmullin = block.largest_conductivity / sigma
    if means.size < block.layers:
        means = np.concatenate(([1.0], means, [0.0]))
    drops = -np.diff(np.concatenate(([1.0], 0.5 * (means[:-1] + means[1:]), [0.0])))
    return TransportResult(
        effective_conductivity=sigma,
        tortuosity_factor=block.mean_conductivity / sigma,
        macmullin_number=macmullin,
        porosity=block.porosity,
        percolates=True,
        profile=macmullin * block.layers * drops,
        flux_mismatch=float(np.abs(fluxes / fluxes.mean() - 1.0).max()),
        error_estimate=descent.error,
        upper_bound=sigma,
        iterations=descent.iterations,
        status=descent.status,
        **maps,
    )


def _two_layers(block: VoxelNetwork, ends: Vector, length: int, wanted: _Wanted) -> TransportResult:
    """Answer for two layers that are themselves inlet and outlet: the links between them."""
    energy = float(ends[0].sum())
    descent = Descent(energy=energy, error=DOUBLE_ROUNDING, iterations=0, status=Status.CONVERGED)
    maps = wanted.draw(block, lambda: np.empty((0, *ends.shape[1:]), np.float32))
    return _summarise(block, descent, (np.empty(0), np.full(1, energy)), length, maps)


def _blocked(block: VoxelNetwork, wanted: _Wanted) -> TransportResult:
    """Answer for a structure without a path."""
    return TransportResult(
        effective_conductivity=0.0,
        tortuosity_factor=np.inf,
        macmullin_number=np.inf,
        porosity=block.porosity,
        percolates=False,
        profile=np.full(block.layers, np.inf),
        flux_mismatch=0.0,
        error_estimate=0.0,
        upper_bound=0.0,
        iterations=0,
        status=Status.NOT_PERCOLATING,
        **wanted.draw(block, lambda: np.full(block.conducts.shape, np.nan, np.float32)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which maps are to be returned."""

    axis: int
    convention: str
    field: bool
    flux: bool

    def draw(self, block: VoxelNetwork, unpack: Callable[[], Single]) -> dict[str, Single]:
        """Draw them from the potential between the ends, in the layout of the image."""
        if not (self.field or self.flux):
            return {}
        potential = _with_ends(unpack(), block)
        maps = {"field": potential} if self.field else {}
        if self.flux:
            maps["flux"] = map_currents(block, potential, self.convention)
        return {name: self._as_given(block, values) for name, values in maps.items()}

    def _as_given(self, block: VoxelNetwork, values: Single) -> Single:
        """Bring a map of the network into the layout of the image."""
        if block.dimensions == 2:
            values = values[:, 0, :]
        return np.ascontiguousarray(np.moveaxis(values, 0, self.axis))


def _with_ends(potential: Single, block: VoxelNetwork) -> Single:
    """Add the end layers where they are inlet and outlet."""
    if potential.shape[0] == block.layers:
        return potential
    conducts = block.conducts[[0, -1]] > 0
    ends = np.where(conducts, np.array([[[1.0]], [[0.0]]]), np.nan).astype(np.float32)
    return np.concatenate((ends[:1], potential, ends[1:]))
