"""What no electrode of a chemistry can exceed at a demanded utilization, from closed forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from meso.packing import DENSEST
from solvers import attainable_utilization

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from solvers import CellParameters
    from studies.config import ConstraintTable, StudyConfig

LOADINGS = np.geomspace(0.1, 2000.0, 1201)  # [A.h.m-2], steps of 0.8 %
POROSITIES = 121


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """
    The analytic ceiling at one rate.

    Parameters
    ----------
    areal_capacity : float
        Largest loading that the closed forms allow [A.h.m-2]; 0: not attainable.
    largest_radius : float
        Radius that diffusion in spheres allows at this rate, whatever the pores do [m].
    particle_radius : float
        Radius at the ceiling: what the surface allows [m].
    porosity : float
        Porosity at the ceiling.
    """

    areal_capacity: float
    largest_radius: float
    particle_radius: float
    porosity: float

    def to_dict(self) -> dict[str, Any]:
        """
        Return the numbers.

        Returns
        -------
        dict
            In SI units.
        """
        return {
            "areal_capacity": self.areal_capacity,
            "largest_radius": self.largest_radius,
            "particle_radius": self.particle_radius,
            "porosity": self.porosity,
        }


def ceiling_of(
    config: StudyConfig, cell: CellParameters, *, c_rate: float, pores: Literal["straight", "isotropic"]
) -> Ceiling:
    """
    Find the largest loading that closed forms allow under the constraints of a study.

    Parameters
    ----------
    config : StudyConfig
        Its constraints and the least binder and smallest particles of its ranges.
    cell : CellParameters
        Materials and separator.
    c_rate : float
        Discharge rate [1/h].
    pores : {'straight', 'isotropic'}
        Transport efficiency of the pores: that of straight ones, the porosity (Wiener's bound, which no structure beats), or
        2 ε / (3 − ε), which no structure without a preferred direction beats (Hashin and Shtrikman's).

    Returns
    -------
    Ceiling
        The ceiling.

    Notes
    -----
    `solvers.attainable_utilization` for equal spheres (of all size distributions with one surface, equal spheres lose
    least to diffusion), as small as the surface allows. The porosity is the one that allows most. The salt's part is an estimate, not a bound.
    """
    least, smallest = _extremes(config, "binder_fraction")[0], _smallest_radius(config)
    porosity, radius = _candidates(config.constraints, cell, binder=least, smallest=smallest)
    electrolyte, target = porosity + cell.binder_nanoporosity * least, config.frontier.target
    active = 1.0 - porosity - least
    loading = LOADINGS[:, None]
    limits = attainable_utilization(
        cell,
        c_rate=c_rate,
        areal_capacity=loading,
        thickness=loading / (cell.active_capacity * active),
        porosity=electrolyte,
        transport_efficiency=electrolyte if pores == "straight" else 2 * electrolyte / (3 - electrolyte),
        particle_radius=radius,
    )
    highest = np.where(limits.utilization >= target, loading, 0.0).max(axis=0)
    best = int(highest.argmax())
    return Ceiling(
        areal_capacity=float(highest[best]),
        largest_radius=largest_radius(cell, c_rate=c_rate, target=target),
        particle_radius=float(radius[best]),
        porosity=float(porosity[best]),
    )


def largest_radius(cell: CellParameters, *, c_rate: float, target: float) -> float:
    """
    Find the radius of the largest spheres that diffusion lets fill to a utilization, whatever the pores do.

    Parameters
    ----------
    cell : CellParameters
        The active material.
    c_rate : float
        Discharge rate [1/h].
    target : float
        Demanded utilization.

    Returns
    -------
    float
        Radius [m].

    Examples
    --------
    >>> from solvers import CellParameters
    >>> cell = CellParameters.named("nmc811-chen2020")
    >>> round(1e6 * largest_radius(cell, c_rate=1.0, target=0.99), 2)
    1.47
    """
    radii = np.geomspace(1e-8, 1e-4, 4001)
    solid = attainable_utilization(
        cell,
        c_rate=c_rate,
        areal_capacity=1.0,
        thickness=1e-6,
        porosity=0.5,
        transport_efficiency=0.5,
        particle_radius=radii,
    ).solid_diffusion
    return float(np.interp(-target, -solid, radii))


def _candidates(
    constraints: ConstraintTable, cell: CellParameters, *, binder: float, smallest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """List porosities that hold the demanded active material, and the smallest radius that the surface allows in each."""
    demanded = 1e3 * (constraints.minimum_volumetric_capacity_mAh_cm3 or 0.0) / cell.active_capacity
    densest = min(DENSEST, 0.999 - binder)
    active = np.linspace(min(max(demanded, 0.05), densest), densest, POROSITIES)
    most = constraints.maximum_specific_surface_m2_cm3
    radius = np.full_like(active, smallest)
    if most is not None:
        radius = np.maximum(radius, 3.0 * active / (1e6 * most))
    return 1.0 - binder - active, radius


def _smallest_radius(config: StudyConfig) -> float:
    """Radius of the finest particles that the ranges hold [m]."""
    diameter = 1e-6 * _extremes(config, "particle_diameter_um")[0]
    has_fines = _extremes(config, "fine_share")[1] > 0
    return 0.5 * diameter * (_extremes(config, "fine_diameter_ratio")[0] if has_fines else 1.0)


def _extremes(config: StudyConfig, name: str) -> tuple[float, float]:
    """Smallest and largest value of a numerical parameter."""
    values = [float(value) for value in config.electrode.quantity(name).values]
    return min(values), max(values)
