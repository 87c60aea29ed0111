"""What a process does to a recipe: raw material and manufacturing a little off the design."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from meso import Profile
from meso.packing import DENSEST
from meso.profiles import as_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meso import ElectrodeDesign

AS_DESIGNED = "as_designed"
SIZE = 0.10
"""Relative change of all particle diameters."""
POROSITY = 0.01
"""Change of the porosity, absolute."""
MIGRATION = 0.25
"""Share of the mean binder that is too much at the separator and too little at the collector, after fast drying."""
THINNED = 0.05
"""Share of the thickness that is pressed away in addition."""


@dataclass(frozen=True)
class Variation:
    """
    One way in which an electrode may come out other than designed.

    Parameters
    ----------
    name : str
        Key in files.
    label : str
        What tables and figures call it.
    change : callable
        Takes the design, returns the electrode that is made instead.
    """

    name: str
    label: str
    change: Callable[[ElectrodeDesign], ElectrodeDesign]


def with_sizes(design: ElectrodeDesign, factor: float) -> ElectrodeDesign:
    """
    Make all particles larger or smaller; loading, thickness and fractions stay.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    factor : float
        Of all diameters.

    Returns
    -------
    ElectrodeDesign
        The electrode that is made instead.
    """
    return replace(
        design,
        size_classes=tuple(
            replace(
                one,
                diameter=factor * one.diameter,
                histogram=one.histogram and tuple((factor * size, below) for size, below in one.histogram),
            )
            for one in design.size_classes
        ),
    )


def with_porosity(design: ElectrodeDesign, change: float) -> ElectrodeDesign:
    """
    Make the coating more or less porous with the same mass of solids: the thickness follows.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    change : float
        Of the mean porosity, absolute.

    Returns
    -------
    ElectrodeDesign
        The electrode that is made instead.

    Notes
    -----
    Every slice keeps its solids and their proportions, and its pores grow or shrink with the mean.
    """
    mean = design.porosity_profile.mean()
    return pressed(design, 1.0 - (1.0 - mean) / (1.0 - mean - change))


def pressed(design: ElectrodeDesign, strain: float) -> ElectrodeDesign:
    """
    Make the coating thinner with the same solids: the porosity follows.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    strain : float
        Share of the thickness that is lost; negative: it comes out thicker.

    Returns
    -------
    ElectrodeDesign
        The electrode that is made instead.

    Raises
    ------
    ValueError
        If a slice has too few pores for that.

    Examples
    --------
    >>> from meso import ElectrodeDesign, SizeClass
    >>> sizes = (SizeClass(diameter=5e-6),)
    >>> design = ElectrodeDesign(thickness=80e-6, porosity=0.35, binder_fraction=0.05, size_classes=sizes)
    >>> thinner = pressed(design, 0.05)
    >>> round(thinner.porosity, 4), round(thinner.binder_fraction, 4), round(1e6 * thinner.thickness, 2)
    (0.3158, 0.0526, 76.0)
    """
    left = 1.0 - strain
    return replace(
        design,
        thickness=left * design.thickness,
        porosity=_mapped(design.porosity, lambda value: 1.0 - (1.0 - value) / left),
        binder_fraction=_mapped(design.binder_fraction, lambda value: value / left),
    )


def with_migrated_binder(design: ElectrodeDesign, share: float) -> ElectrodeDesign:
    """
    Move binder towards the separator, as fast drying does; the active material stays where it is.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.
    share : float
        Of the mean binder fraction: so much too much at the separator, too little at the collector, linear in between.

    Returns
    -------
    ElectrodeDesign
        The electrode that is made instead: pores give way to the binder and take its place.
    """
    binder, pores = as_profile(design.binder_fraction), as_profile(design.porosity)
    # No slice can lose more binder than it has.
    excess = min(share * binder.mean(), 0.9 * binder.minimum())
    positions = tuple(sorted({*binder.positions, *pores.positions}))
    moved = [excess * (1.0 - 2.0 * depth) for depth in positions]
    changed = {
        name: Profile(
            positions,
            tuple(
                float(profile(depth)) + sign * shift for depth, shift in zip(positions, moved, strict=True)
            ),
        )
        for name, profile, sign in (("binder_fraction", binder, 1.0), ("porosity", pores, -1.0))
    }
    return replace(design, binder_fraction=changed["binder_fraction"], porosity=changed["porosity"])


VARIATIONS = (
    Variation("larger_particles", "particles +10 %", lambda design: with_sizes(design, 1 + SIZE)),
    Variation("smaller_particles", "particles −10 %", lambda design: with_sizes(design, 1 - SIZE)),
    Variation("more_porous", "porosity +1 point", lambda design: with_porosity(design, POROSITY)),
    Variation("less_porous", "porosity −1 point", lambda design: with_porosity(design, -POROSITY)),
    Variation(
        "binder_migration", "binder to the separator", lambda design: with_migrated_binder(design, MIGRATION)
    ),
    Variation("calendering", "pressed 5 % thinner", lambda design: pressed(design, THINNED)),
)
"""The variations of a tolerance analysis, and of the robust objective."""


def varied(design: ElectrodeDesign) -> dict[str, ElectrodeDesign | None]:
    """
    Return a design as it may come out.

    Parameters
    ----------
    design : ElectrodeDesign
        The design.

    Returns
    -------
    dict of str to ElectrodeDesign or None
        ``as_designed`` first, then by name of the variation; None where it cannot be made (no pores left, too dense to be packed).
    """
    made: dict[str, ElectrodeDesign | None] = {AS_DESIGNED: design}
    for variation in VARIATIONS:
        try:
            changed = variation.change(design)
        except ValueError:
            made[variation.name] = None
        else:
            made[variation.name] = changed if changed.active_fraction.maximum() <= DENSEST else None
    return made


def robust_of(utilizations: Sequence[float], *, k: float) -> float:
    """
    Judge a design by all the ways in which it may come out.

    Parameters
    ----------
    utilizations : sequence of float
        As designed and with every variation.
    k : float
        Weight of the spread.

    Returns
    -------
    float
        Mean − k × standard deviation over them.

    Examples
    --------
    >>> round(robust_of([0.9, 0.92, 0.88], k=1.0), 4)
    0.8837
    """
    return float(np.mean(utilizations) - k * np.std(utilizations))


def _mapped(value: float | Profile, function: Callable[[float], float]) -> float | Profile:
    """Apply a function to a number or to all values of a profile."""
    if isinstance(value, Profile):
        return Profile(value.positions, tuple(function(each) for each in value.values))
    return function(value)
