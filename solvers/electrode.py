"""A porous electrode as the homogenised model sees it: slices from the separator to the current collector."""

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from solvers.cell import CellParameters

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PorousElectrode:
    """Effective properties of an electrode in equally thick slices, index 0 at the separator.

    `homogenise` derives one from a structure; `PorousElectrode.uniform` builds one from numbers.

    Parameters
    ----------
    thickness : float
        Of the electrode [m].
    porosity : ndarray, shape (slices,), float64
        Electrolyte fraction, the nanopores of the carbon-binder domain included; zero in blocked slices at most.
    transport_efficiency : ndarray, shape (slices,), float64
        Effective over free electrolyte conductivity, B = 1 / N_M. Zero: no path through that slice.
    electronic_conductivity : ndarray, shape (slices,), float64
        Effective conductivity of the solid [S.m-1].
    particle_radii : ndarray, shape (classes,), float64
        Radius of the particles of each size class [m].
    active_fractions : ndarray, shape (slices, classes), float64
        Volume fraction of active material that takes part in the reaction.
    specific_surface_areas : ndarray, shape (slices, classes), float64
        Area of that material in contact with electrolyte, per volume of electrode [m-1].
    isolated_fractions : ndarray, shape (slices,), float64
        Volume fraction of active material without an electronic path to the collector or an ionic one to the
        separator. It takes no part in the reaction but counts in the theoretical capacity.

    Raises
    ------
    ValueError
        If shapes disagree, a fraction or its sum in a slice leaves [0, 1], or a number is negative or not finite.
    """

    thickness: float
    porosity: Array
    transport_efficiency: Array
    electronic_conductivity: Array
    particle_radii: Array
    active_fractions: Array
    specific_surface_areas: Array
    isolated_fractions: Array

    def __post_init__(self) -> None:
        """Check the arrays and make them read-only."""
        if not 0.0 < self.thickness < np.inf:
            raise ValueError(f"thickness must be positive and finite, got {self.thickness}; it is in metres")
        slices, classes = len(np.atleast_1d(self.porosity)), len(np.atleast_1d(self.particle_radii))
        shapes = {
            "porosity": (slices,),
            "transport_efficiency": (slices,),
            "electronic_conductivity": (slices,),
            "particle_radii": (classes,),
            "active_fractions": (slices, classes),
            "specific_surface_areas": (slices, classes),
            "isolated_fractions": (slices,),
        }
        for name, shape in shapes.items():
            array = np.array(getattr(self, name), dtype=np.float64, order="C")
            if array.shape != shape or array.size == 0:
                raise ValueError(
                    f"{name} must have shape {shape}, got {array.shape}; PorousElectrode.uniform fills them"
                )
            if not (np.isfinite(array).all() and (array >= 0.0).all()):
                raise ValueError(
                    f"{name} must be finite and not negative, got {array.min()} to {array.max()}; SI units"
                )
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        self._check_values()

    def _check_values(self) -> None:
        """Refuse what no electrode can have."""
        if not self.particle_radii.all():
            raise ValueError("particle_radii must be positive, got 0; leave an empty size class out")
        if not self.porosity[self.transport_efficiency > 0.0].all():
            raise ValueError(
                "porosity must be positive in every slice that conducts ions, got 0; salt needs a place"
            )
        filled = self.porosity + self.active_fraction
        if filled.max() > 1.0 + 1e-9:
            raise ValueError(
                f"porosity plus active fractions must not exceed 1 in a slice, got {filled.max():.6g}; "
                "are all of them fractions of the electrode volume?"
            )
        if self.transport_efficiency.max() > 1.0 + 1e-9:
            raise ValueError(
                f"transport_efficiency must lie in [0, 1], got {self.transport_efficiency.max()}; "
                "it is 1 / N_M, not a tortuosity factor"
            )
        if not self.active_fraction.any():
            raise ValueError(
                "active_fractions must hold some active material, got none; which phase is active?"
            )

    @classmethod
    def uniform(
        cls,
        *,
        thickness: float,
        porosity: float,
        active_fraction: float,
        particle_radius: float,
        transport_efficiency: float | None = None,
        electronic_conductivity: float = 100.0,
        isolated_fraction: float = 0.0,
        slices: int = 20,
    ) -> Self:
        """Build an electrode with the same properties everywhere and spheres of one size.

        Parameters
        ----------
        thickness : float
            Of the electrode [m].
        porosity : float
            Electrolyte fraction.
        active_fraction : float
            Volume fraction of reacting active material.
        particle_radius : float
            Radius of the spheres [m].
        transport_efficiency : float, optional
            Effective over free electrolyte conductivity; porosity to the power 1.5 (Bruggeman) when left out.
        electronic_conductivity : float, default 100.0
            Effective conductivity of the solid [S.m-1].
        isolated_fraction : float, default 0.0
            Volume fraction of active material out of reach.
        slices : int, default 20
            Number of slices; the mesh of the model.

        Returns
        -------
        PorousElectrode
            The electrode, with the surface area 3 active_fraction / particle_radius of spheres.

        Examples
        --------
        >>> electrode = PorousElectrode.uniform(
        ...     thickness=50e-6, porosity=0.3, active_fraction=0.6, particle_radius=3e-6
        ... )
        >>> round(float(electrode.specific_surface_areas[0, 0]))
        600000
        """
        efficiency = porosity**1.5 if transport_efficiency is None else transport_efficiency
        return cls(
            thickness=thickness,
            porosity=np.full(slices, porosity),
            transport_efficiency=np.full(slices, efficiency),
            electronic_conductivity=np.full(slices, electronic_conductivity),
            particle_radii=np.array([particle_radius]),
            active_fractions=np.full((slices, 1), active_fraction),
            specific_surface_areas=np.full((slices, 1), 3.0 * active_fraction / particle_radius),
            isolated_fractions=np.full(slices, isolated_fraction),
        )

    @classmethod
    def from_bpx(cls, path: str | PathLike[str], *, electrode: str = "positive", slices: int = 20) -> Self:
        """Read an electrode from a BPX file (Battery Parameter eXchange); needs the extra ``bpx``.

        Parameters
        ----------
        path : path-like
            JSON file with a porous-electrode (DFN) set.
        electrode : {"positive", "negative"}, default "positive"
            Which electrode.
        slices : int, default 20
            Number of slices; the mesh of the model.

        Returns
        -------
        PorousElectrode
            Particles of one material with several radii are size classes; `CellParameters.from_bpx` reads the rest.

        Raises
        ------
        ValueError
            If the file is not valid BPX, or lacks what a half-cell needs.
        ModuleNotFoundError
            If the package bpx is not installed.
        """
        from solvers.bpx_files import electrode_arguments

        return cls(**electrode_arguments(path, electrode=electrode, slices=slices))

    @property
    def slices(self) -> int:
        """Number of slices."""
        return len(self.porosity)

    @property
    def positions(self) -> Array:
        """Centres of the slices, from the separator, shape (slices,) [m]."""
        return np.asarray((np.arange(self.slices) + 0.5) * (self.thickness / self.slices))

    @property
    def active_fraction(self) -> Array:
        """Volume fraction of all active material, the isolated part included, shape (slices,)."""
        return np.asarray(self.active_fractions.sum(axis=1) + self.isolated_fractions)

    @property
    def isolated_share(self) -> float:
        """Isolated share of the active material."""
        return float(self.isolated_fractions.sum() / self.active_fraction.sum())

    def theoretical_areal_capacity(self, cell: CellParameters) -> float:
        """Charge per area between the equilibrium states at the two cut-offs, over all active material.

        Parameters
        ----------
        cell : CellParameters
            Gives the active material's capacity.

        Returns
        -------
        float
            Theoretical areal capacity [A.h.m-2].
        """
        return cell.active_capacity * float(self.active_fraction.mean()) * self.thickness

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw what varies over the depth.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from solvers.figures import draw_electrode

        return draw_electrode(self, axes=axes)

    def _repr_html_(self) -> str:
        """Show the fields in a notebook."""
        from meso.tables import describe

        return describe(self)

    def refined(self, slices: int) -> Self:
        """Resample to another number of slices, keeping volumes, areas and resistances.

        Parameters
        ----------
        slices : int
            New number of slices.

        Returns
        -------
        PorousElectrode
            The same electrode; transport properties are averaged harmonically, the others arithmetically.
        """

        def mean(values: Array) -> Array:
            edges = np.arange(self.slices + 1) / self.slices
            new = np.linspace(0.0, 1.0, slices + 1)
            total = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0))) / self.slices
            summed = np.stack([np.interp(new, edges, column) for column in total.T], axis=1)
            return np.asarray(np.diff(summed, axis=0) * slices)

        def harmonic(values: Array) -> Array:
            with np.errstate(divide="ignore", invalid="ignore"):
                result = 1.0 / mean(1.0 / values[:, None])[:, 0]
            return np.asarray(np.where(np.isfinite(result), result, 0.0))

        return type(self)(
            thickness=self.thickness,
            porosity=mean(self.porosity[:, None])[:, 0],
            transport_efficiency=harmonic(self.transport_efficiency),
            electronic_conductivity=harmonic(self.electronic_conductivity),
            particle_radii=self.particle_radii,
            active_fractions=mean(self.active_fractions),
            specific_surface_areas=mean(self.specific_surface_areas),
            isolated_fractions=mean(self.isolated_fractions[:, None])[:, 0],
        )
