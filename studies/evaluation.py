"""One design on one packing: structure, transport, discharge, utilization."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from meso import ElectrodeDesign, generate
from solvers import homogenise, utilization_budget
from studies.fingerprints import fingerprint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from meso import Mesostructure
    from solvers import CellParameters, DischargeResult, PorousElectrode, UtilizationBudget

LOSSES = ("isolated", "solid_diffusion", "electrolyte", "ohmic_kinetic")
"""Shares of the loss budget, in the order in which the mechanisms are switched on."""

TOLERANCE = 2e-2
"""Bound on the relative error of the transport solves, about what packings differ by; the errors found are a fiftieth of it."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Evaluation:
    """
    Everything that is known about a design on one packing.

    Parameters
    ----------
    design : ElectrodeDesign
        What was evaluated.
    seed : numpy.random.SeedSequence
        Seed of the packing.
    volumetric_capacity : float
        Theoretical capacity per volume of electrode, from the design [A.h.m-3].
    electrode : PorousElectrode
        Effective properties by slice.
    budgets : tuple of UtilizationBudget
        Utilization, its losses, and the discharge they were read from, at every rate; the first is the primary one.
    shape : tuple of int
        Voxels on each axis.
    voxel_size : float
        Edge of a voxel [m].
    seconds : mapping of str to float
        Time spent on each step [s].
    versions : mapping of str to str
        Versions of the programs that decide the numbers.
    fingerprint : str
        Of the structure, see `studies.fingerprints.fingerprint`.
    robust_utilization : float, optional
        Mean − k σ of the utilization over the variations of the design, where the study asks for it.
    """

    design: ElectrodeDesign
    seed: np.random.SeedSequence
    volumetric_capacity: float
    electrode: PorousElectrode
    budgets: tuple[UtilizationBudget, ...]
    shape: tuple[int, int, int]
    voxel_size: float
    seconds: Mapping[str, float]
    versions: Mapping[str, str]
    fingerprint: str
    robust_utilization: float | None = None

    @property
    def budget(self) -> UtilizationBudget:
        """Utilization and losses at the primary rate."""
        return self.budgets[0]

    def plot(self, axes: Axes | None = None) -> Axes:
        """
        Draw utilization and losses.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        return self.budget.plot(axes)

    def _repr_html_(self) -> str:
        """Show utilization and losses in a notebook."""
        return self.budget._repr_html_()

    @property
    def utilization(self) -> float:
        """Delivered over theoretical capacity at the primary rate."""
        return float(self.budget.utilization)

    @property
    def mean_utilization(self) -> float:
        """Mean of the utilizations at all rates."""
        return float(np.mean([budget.utilization for budget in self.budgets]))

    @property
    def discharge(self) -> DischargeResult:
        """The discharge of the complete model at the primary rate."""
        return self.budget.discharge

    @property
    def specific_surface_area(self) -> float:
        """Area of connected active material in contact with electrolyte per volume of electrode [m-1]."""
        return float(self.electrode.specific_surface_areas.sum(axis=1).mean())

    @property
    def macmullin_number(self) -> float:
        """Ionic MacMullin number of the whole thickness; infinite where no path leads through."""
        return _series(self.electrode.transport_efficiency)

    @property
    def tortuosity_factor(self) -> float:
        """Electrolyte fraction times `macmullin_number`."""
        return float(self.electrode.porosity.mean()) * self.macmullin_number

    @property
    def electronic_conductivity(self) -> float:
        """Effective electronic conductivity of the whole thickness [S.m-1]."""
        return 1.0 / _series(self.electrode.electronic_conductivity)

    def to_dict(self) -> dict[str, Any]:
        """
        Return all numbers of this evaluation except curves and profiles, in SI units, ready for JSON.

        Returns
        -------
        dict
            Numbers, texts, and dictionaries of them; an infinite number becomes None.
        """
        numbers = {
            "utilization": self.utilization,
            "mean_utilization": self.mean_utilization,
            **({} if self.robust_utilization is None else {"robust_utilization": self.robust_utilization}),
            **{name: getattr(self.budget, name) for name in LOSSES},
            "theoretical_areal_capacity": self.discharge.theoretical_areal_capacity,
            **delivered(self.discharge),
            "volumetric_capacity": self.volumetric_capacity,
            "specific_surface_area": self.specific_surface_area,
            "electrolyte_fraction": float(self.electrode.porosity.mean()),
            "active_fraction": float(self.electrode.active_fraction.mean()),
            "isolated_share": self.electrode.isolated_share,
            "tortuosity_factor": self.tortuosity_factor,
            "macmullin_number": self.macmullin_number,
            "electronic_conductivity": self.electronic_conductivity,
            "thickness": self.electrode.thickness,
            "voxel_size": self.voxel_size,
            "c_rate": self.discharge.c_rate,
        }
        return {
            **{name: value if np.isfinite(value) else None for name, value in numbers.items()},
            "limiting": self.budget.limiting,
            "status": self.discharge.status.name,
            "rates": [_at_rate(budget) for budget in self.budgets],
            "shape": list(self.shape),
            "seed": {"entropy": self.seed.entropy, "spawn_key": list(self.seed.spawn_key)},
            "seconds": dict(self.seconds),
            "versions": dict(self.versions),
            "fingerprint": self.fingerprint,
        }


def evaluate(
    design: ElectrodeDesign,
    cell: CellParameters,
    *,
    c_rate: float | Sequence[float],
    seed: int | np.random.SeedSequence,
    voxels_per_diameter: float = 6.0,
    width_diameters: float = 4.0,
    minimum_voxels: int = 24,
) -> Evaluation:
    """
    Make a structure of a design, discharge it, and say what works and what stops the rest.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    cell : CellParameters
        Chemistry and cut-offs.
    c_rate : float or sequence of float
        Discharge rate [1/h], relative to the structure's own theoretical capacity; of several, the first is the primary
        one. The structure is made and homogenised once.
    seed : int or numpy.random.SeedSequence
        Seed of the packing; the same seed gives the same bits with the same compiled kernels.
    voxels_per_diameter : float, default 6.0
        Voxels across the median particle.
    width_diameters : float, default 4.0
        Lateral extent in median diameters.
    minimum_voxels : int, default 24
        Least number of voxels on every axis.

    Returns
    -------
    Evaluation
        Numbers, effective properties, discharge, timings and versions.

    Notes
    -----
    Pure: no files, no search. A structure without a path for ions or electrons is an answer with utilization 0.
    """
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    started = perf_counter()
    structure = make_structure(
        design,
        seed=sequence,
        voxels_per_diameter=voxels_per_diameter,
        width_diameters=width_diameters,
        minimum_voxels=minimum_voxels,
    )
    made = perf_counter()
    electrode = homogenise(structure, cell, tolerance=TOLERANCE)
    homogenised = perf_counter()
    rates = c_rate if isinstance(c_rate, Sequence) else (c_rate,)
    budgets = tuple(utilization_budget(electrode, cell, c_rate=rate) for rate in rates)
    return Evaluation(
        design=design,
        seed=sequence,
        volumetric_capacity=cell.active_capacity * design.mean_fraction("active"),
        electrode=electrode,
        budgets=budgets,
        shape=structure.shape,
        voxel_size=structure.voxel_size[0],
        seconds={
            "generate": made - started,
            "homogenise": homogenised - made,
            "discharge": perf_counter() - homogenised,
        },
        versions=versions(),
        fingerprint=fingerprint(structure),
    )


def make_structure(
    design: ElectrodeDesign,
    *,
    seed: int | np.random.SeedSequence,
    voxels_per_diameter: float = 6.0,
    width_diameters: float = 4.0,
    minimum_voxels: int = 24,
) -> Mesostructure:
    """
    Generate the structure of a design at a resolution that scales with its particles.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    seed : int or numpy.random.SeedSequence
        Seed of the packing.
    voxels_per_diameter : float, default 6.0
        Voxels across the median particle.
    width_diameters : float, default 4.0
        Lateral extent in median diameters.
    minimum_voxels : int, default 24
        Least number of voxels on every axis.

    Returns
    -------
    Mesostructure
        The structure.

    Examples
    --------
    >>> from meso import SizeClass
    >>> design = ElectrodeDesign(
    ...     thickness=96e-6, porosity=0.35, binder_fraction=0.08, size_classes=(SizeClass(diameter=6e-6),)
    ... )
    >>> make_structure(design, seed=8117, voxels_per_diameter=4, width_diameters=4, minimum_voxels=8).shape
    (64, 16, 16)
    """
    voxel_size, width = resolution(
        design,
        voxels_per_diameter=voxels_per_diameter,
        width_diameters=width_diameters,
        minimum_voxels=minimum_voxels,
    )
    return generate(design, voxel_size=voxel_size, width=width, seed=seed)


def resolution(
    design: ElectrodeDesign, *, voxels_per_diameter: float, width_diameters: float, minimum_voxels: int
) -> tuple[float, float]:
    """
    Choose voxel size and width for a design.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    voxels_per_diameter : float
        Voxels across the median particle, of platelets and needles across their shortest width, and at least half as many
        across the median of every population.
    width_diameters : float
        Lateral extent in median diameters.
    minimum_voxels : int
        Least number of voxels on every axis.

    Returns
    -------
    voxel_size : float
        Edge of a voxel [m].
    width : float
        Lateral extent [m].

    Notes
    -----
    The same number of voxels per particle for every size: at a fixed voxel size, a search over the particle size would
    optimise the discretisation error. Where particles are large against the thickness, voxels become finer to keep
    `minimum_voxels` through it.
    """
    # A second population may be much finer than the median; half as many voxels across it keep the number bearable.
    finest = min(size_class.diameter for size_class in design.size_classes)
    voxel_size = min(
        design.narrowest_width / voxels_per_diameter,
        2 * finest / voxels_per_diameter,
        design.thickness / minimum_voxels,
    )
    # Whole voxels through the thickness; across an even number, faster to solve, so that no particle meets its own image.
    voxel_size = design.thickness / ceil(design.thickness / voxel_size - 1e-9)
    pairs = max(0.5 * width_diameters * design.median_diameter / voxel_size, 0.5 * minimum_voxels)
    apart = ceil(max(one.largest_extent for one in design.size_classes) / voxel_size + 1e-6)
    width = 2 * voxel_size * max(ceil(pairs - 0.1), apart)
    if design.channels is not None:
        width = design.channels.pitch * ceil(width / design.channels.pitch)
    return voxel_size, width


@cache
def versions() -> dict[str, str]:
    """
    Return the versions of the programs that decide the numbers.

    Returns
    -------
    dict
        Name and version.
    """
    packages = ("meso-electrode", "numpy", "scipy", "numba")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def delivered(discharge: DischargeResult) -> dict[str, float]:
    """
    Say what a discharge delivers.

    Parameters
    ----------
    discharge : DischargeResult
        The discharge.

    Returns
    -------
    dict of str to float
        ``delivered_areal_capacity`` [A.h.m-2], ``delivered_volumetric_capacity`` [A.h.m-3] and ``energy_density``
        [W.h.m-3], the last two per volume of electrode. The energy is that against lithium: the integral of the voltage
        over the charge.
    """
    charge = discharge.utilization * discharge.theoretical_areal_capacity
    energy = float(np.trapezoid(discharge.voltage, discharge.areal_capacity))
    # The curve starts with the first time step; the charge before it flows at its voltage.
    energy += float(discharge.voltage[0] * discharge.areal_capacity[0]) if discharge.voltage.size else 0.0
    return {
        "delivered_areal_capacity": charge,
        "delivered_volumetric_capacity": charge / discharge.thickness,
        "energy_density": energy / discharge.thickness,
    }


def _at_rate(budget: UtilizationBudget) -> dict[str, Any]:
    """Return the numbers of one rate."""
    return {
        "c_rate": budget.discharge.c_rate,
        "utilization": budget.utilization,
        **{name: getattr(budget, name) for name in LOSSES},
        **delivered(budget.discharge),
        "limiting": budget.limiting,
        "status": budget.discharge.status.name,
    }


def _series(conductivity: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Return the resistance of slices in series, relative to a conductivity of 1."""
    with np.errstate(divide="ignore"):
        return float(np.mean(1.0 / conductivity))
