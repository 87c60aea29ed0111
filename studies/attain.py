"""How much capacity an electrode can carry at a demanded utilization: the thickness as the unknown."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers import homogenise, simulate_discharge, utilization_budget
from studies.evaluation import LOSSES, make_structure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meso import ElectrodeDesign
    from solvers import CellParameters, PorousElectrode, UtilizationBudget

THICKEST = 2e-3
"""No electrode is thicker [m]; a capacity found there is a lower bound."""
CLOSE = 0.01
"""A structure this close in thickness to the answer needs no further one."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Attained:
    """
    The largest loading of a recipe at which its utilization is still what is demanded, on one packing.

    Parameters
    ----------
    design : ElectrodeDesign
        The recipe, at the thickness found; at one particle diameter where the demand is not attainable.
    seed : numpy.random.SeedSequence
        Seed of the packing.
    areal_capacity : float
        Theoretical areal capacity at the thickness found [A.h.m-2]; 0: not attainable.
    thin_utilization : float
        Utilization of the electrode as thin as one median particle; below the demand nothing thicker attains it.
    electrode : PorousElectrode
        Effective properties by slice, at that thickness.
    budget : UtilizationBudget
        Utilization and losses there.
    made_at : float
        Thickness of the structure that the properties come from [m].
    structures : int
        How many were made.
    seconds : float
        Time for all of it [s].
    """

    design: ElectrodeDesign
    seed: np.random.SeedSequence
    areal_capacity: float
    thin_utilization: float
    electrode: PorousElectrode
    budget: UtilizationBudget
    made_at: float
    structures: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """
        Return all numbers, in SI units, ready for JSON.

        Returns
        -------
        dict
            Numbers and texts; an infinite number becomes None.
        """
        efficiency = self.electrode.transport_efficiency
        blocked = not efficiency.all()
        tortuosity = None if blocked else float(self.electrode.porosity.mean() * np.mean(1 / efficiency))
        return {
            "areal_capacity": self.areal_capacity,
            "thickness": self.electrode.thickness,
            "thin_utilization": self.thin_utilization,
            "utilization": self.budget.utilization,
            **{name: getattr(self.budget, name) for name in LOSSES},
            "limiting": self.budget.limiting,
            "status": self.budget.discharge.status.name,
            "specific_surface_area": float(self.electrode.specific_surface_areas.sum(axis=1).mean()),
            "electronic_conductivity": _series(self.electrode.electronic_conductivity),
            "electrolyte_fraction": float(self.electrode.porosity.mean()),
            "active_fraction": float(self.electrode.active_fraction.mean()),
            "isolated_share": self.electrode.isolated_share,
            "tortuosity_factor": tortuosity,
            "made_at": self.made_at,
            "structures": self.structures,
            "seed": {"entropy": self.seed.entropy, "spawn_key": list(self.seed.spawn_key)},
            "seconds": {"all": self.seconds},
        }


def thickness_at(
    electrode: PorousElectrode,
    cell: CellParameters,
    *,
    c_rate: float,
    target: float,
    thinnest: float,
    thickest: float = THICKEST,
) -> tuple[float, float]:
    """
    Find the largest thickness at which an electrode of these properties has a utilization.

    Parameters
    ----------
    electrode : PorousElectrode
        Properties by relative depth, which are kept; its own thickness plays no part.
    cell : CellParameters
        Materials, separator and cut-offs.
    c_rate : float
        Current over the theoretical capacity, whatever the thickness [1/h].
    target : float
        Demanded utilization.
    thinnest, thickest : float
        Where to look [m].

    Returns
    -------
    thickness : float
        The thickness [m]; 0 where even the thinnest electrode misses the target, `thickest` where none does.
    thin_utilization : float
        Utilization of the thinnest electrode.

    Examples
    --------
    >>> from solvers import CellParameters, PorousElectrode
    >>> cell = CellParameters.named("nmc811-chen2020")
    >>> recipe = {"thickness": 50e-6, "porosity": 0.35, "active_fraction": 0.6}
    >>> coarse = PorousElectrode.uniform(**recipe, particle_radius=1.6e-6)
    >>> thickness_at(coarse, cell, c_rate=1.0, target=0.99, thinnest=3e-6)[0]
    0.0
    """
    from scipy.optimize import brentq

    def excess(log_thickness: float) -> float:
        scaled = replace(electrode, thickness=math.exp(log_thickness))
        return simulate_discharge(scaled, cell, c_rate=c_rate).utilization - target

    low, high = math.log(thinnest), math.log(thickest)
    thin = excess(low)
    if thin < 0:
        return 0.0, thin + target
    # Utilization falls with the thickness; a few doublings end far below those where discharges are slow to solve.
    upper = low
    while upper < high and excess(upper) >= 0:
        low, upper = upper, min(upper + math.log(2.0), high)
    if upper >= high and excess(high) >= 0:
        return thickest, thin + target
    return math.exp(brentq(excess, low, upper, xtol=1e-3)), thin + target


def attain(
    design: ElectrodeDesign,
    cell: CellParameters,
    *,
    c_rate: float,
    target: float,
    seed: int | np.random.SeedSequence,
    structure: Mapping[str, Any],
    own_thickness: bool = False,
    thickest: float = THICKEST,
) -> Attained:
    """
    Find the largest loading of a recipe at which its utilization is still what is demanded.

    Parameters
    ----------
    design : ElectrodeDesign
        The recipe; a structure is made at its thickness.
    cell : CellParameters
        Materials, separator and cut-offs.
    c_rate : float
        Current over the theoretical capacity, whatever the thickness [1/h].
    target : float
        Demanded utilization.
    seed : int or numpy.random.SeedSequence
        Seed of the packing.
    structure : mapping
        Resolution, see `studies.evaluation.make_structure`.
    own_thickness : bool, default False
        Whether a second structure is made at the thickness found, where the first was not close to it.
    thickest : float, default 2e-3
        Largest thickness [m].

    Returns
    -------
    Attained
        Loading, utilization and losses there.

    Notes
    -----
    Effective properties over the relative depth hardly depend on the thickness: for NMC811 at 1C, structures 8 and 58
    particles thick give the same loading within 0.3 %. So one structure serves all thicknesses, and the root is searched
    with discharges alone.
    """
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    started, thinnest = perf_counter(), design.median_diameter
    made = 0
    for _ in range(2):
        electrode = homogenise(make_structure(design, seed=sequence, **structure), cell)
        made, made_at = made + 1, electrode.thickness
        thickness, thin = thickness_at(
            electrode, cell, c_rate=c_rate, target=target, thinnest=thinnest, thickest=thickest
        )
        design = replace(design, thickness=thickness or thinnest)
        if not own_thickness or not thickness or abs(thickness / made_at - 1) < CLOSE:
            break
    electrode = replace(electrode, thickness=design.thickness)
    return Attained(
        design=design,
        seed=sequence,
        areal_capacity=electrode.theoretical_areal_capacity(cell) if thickness else 0.0,
        thin_utilization=thin,
        electrode=electrode,
        budget=utilization_budget(electrode, cell, c_rate=c_rate),
        made_at=made_at,
        structures=made,
        seconds=perf_counter() - started,
    )


def _series(conductivity: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """Conductivity of slices in series [S.m-1]."""
    return float(1.0 / np.mean(1.0 / conductivity)) if conductivity.all() else 0.0
