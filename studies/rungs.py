"""What cheaper models say of a design: a ceiling in microseconds, an empirical electrode in milliseconds."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers import PorousElectrode, simulate_discharge
from solvers.limits import closed_form_limits
from studies.evaluation import delivered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from meso import ElectrodeDesign
    from solvers import CellParameters

    Array = NDArray[np.float64]

SLICES = 12
"""Slices of an electrode that is only estimated."""

QUANTILES = np.array([NormalDist().inv_cdf(share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)])
"""Standard deviations at which a spread of sizes is sampled, each for a fifth of the volume."""

BRUGGEMAN = 1.5
"""Exponent of the pore fraction in the transport efficiency of spheres."""


def ceilings(design: ElectrodeDesign, cell: CellParameters, *, c_rates: Sequence[float]) -> tuple[float, ...]:
    """
    Bound the utilization of a design by closed forms.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    cell : CellParameters
        Chemistry and cut-offs.
    c_rates : sequence of float
        Discharge rates [1/h].

    Returns
    -------
    tuple of float
        One ceiling per rate.

    Notes
    -----
    `solvers.limits.closed_form_limits` of the design in its best case: pores as open as the upper bound of Hashin and
    Shtrikman, 2 ε / (3 − ε), beside the channels, all surface wetted, every particle connected. The limit of the salt is
    an estimate, so that a margin belongs on top.
    """
    best = electrode_of(design, cell, efficiency=lambda pores: 2 * pores / (3 - pores))
    return tuple(float(closed_form_limits(best, cell, c_rate=rate).utilization) for rate in c_rates)


def empirical(design: ElectrodeDesign, cell: CellParameters, *, c_rates: Sequence[float]) -> dict[str, Any]:
    """
    Discharge a design whose transport follows from an empirical law instead of a structure.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    cell : CellParameters
        Chemistry and cut-offs.
    c_rates : sequence of float
        Discharge rates [1/h]; the first is the primary one.

    Returns
    -------
    dict
        The numbers of `Evaluation.to_dict` that objectives need.

    Notes
    -----
    Transport efficiency ε^1.5 (Bruggeman) of the pores with the nanopores of the binder; conductivity of the solid by the
    same law; spheres wetted all over.
    """
    electrode = electrode_of(design, cell, efficiency=lambda pores: pores**BRUGGEMAN)
    runs = [
        simulate_discharge(electrode, cell, c_rate=rate, separator_cells=5, shells=12, tolerance=1e-3)
        for rate in c_rates
    ]
    rates = [{"c_rate": run.c_rate, "utilization": run.utilization, **delivered(run)} for run in runs]
    return {
        **rates[0],
        "mean_utilization": float(np.mean([run.utilization for run in runs])),
        "theoretical_areal_capacity": runs[0].theoretical_areal_capacity,
        "volumetric_capacity": cell.active_capacity * design.mean_fraction("active"),
        "rates": rates,
    }


def electrode_of(design: ElectrodeDesign, cell: CellParameters, *, efficiency: Any) -> PorousElectrode:
    """
    Guess the effective properties of a design without making a structure.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    cell : CellParameters
        Gives conductivities and the porosity of the binder.
    efficiency : callable
        Transport efficiency over the electrolyte fraction of the coating.

    Returns
    -------
    PorousElectrode
        In slices, the channels in parallel to the coating.
    """
    depth = (np.arange(SLICES) + 0.5) / SLICES
    opened = design.channels.open_fraction(depth) if design.channels is not None else np.zeros(SLICES)
    left = 1.0 - opened
    binder, active = design.binder_profile(depth), design.active_fraction(depth)
    pores = design.porosity_profile(depth) + cell.binder_nanoporosity * binder
    radii, fractions, surfaces = _populations(design, depth, active * left)
    solid = cell.binder_conductivity * binder**BRUGGEMAN + cell.active_conductivity * active**BRUGGEMAN
    return PorousElectrode(
        thickness=design.thickness,
        porosity=opened + left * pores,
        transport_efficiency=opened + left * efficiency(pores),
        electronic_conductivity=left * solid,
        particle_radii=radii,
        active_fractions=fractions,
        specific_surface_areas=surfaces,
        isolated_fractions=np.zeros(SLICES),
    )


def _populations(design: ElectrodeDesign, depth: Array, active: Array) -> tuple[Array, Array, Array]:
    """Sample the sizes of every population: radii, fractions and surfaces by slice."""
    radii, fractions, surfaces = [], [], []
    for one in design.size_classes:
        deviations = QUANTILES if one.spread > 1 else QUANTILES[2:3]
        # Lithium enters a platelet or needle across its shortest width.
        sizes = 0.5 * one.shortest_axis * one.spread**deviations
        share = (active * one.share_profile(depth))[:, None] / len(sizes) * np.ones(len(sizes))
        radii.append(sizes)
        fractions.append(share)
        surfaces.append(3.0 * share / sizes)
    return np.concatenate(radii), np.concatenate(fractions, axis=1), np.concatenate(surfaces, axis=1)
