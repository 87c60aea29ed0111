"""What is weighed in at the mixer: mass fractions and densities, and the volumes they take in the electrode."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from meso.profiles import Profile, as_profile

if TYPE_CHECKING:
    from meso.design import ElectrodeDesign

HEAVIEST = 25_000.0
"""Density [kg.m-3] above which a number must be in another unit."""


@dataclass(frozen=True, kw_only=True)
class Formulation:
    """
    Masses of active material, conductive carbon and polymer, as weighed in.

    Carbon and polymer form the carbon-binder domain (CBD), a sponge whose nanopores belong to it: the `binder_fraction` of
    an `ElectrodeDesign` is the volume of carbon, polymer **and** nanopores, its `porosity` that of the pores outside. A
    porosity found by weighing a coating of known thickness counts the nanopores, too: `open_porosity` leaves them out.

    Parameters
    ----------
    active, carbon, polymer : float
        Masses in any unit: 96, 2, 2 or 0.96, 0.02, 0.02.
    active_density, carbon_density, polymer_density : float
        Densities of the solids, without pores [kg.m-3].
    nanoporosity : float, default 0.5
        Volume of the nanopores over that of the CBD [-]. The cell's `binder_nanoporosity` must be the same number.

    Raises
    ------
    ValueError
        If a mass is negative, the active mass is 0, or a density or the nanoporosity is outside its range.

    Notes
    -----
    Of the volume that is not pore, the CBD takes the share s = v_b/(v_a + v_b) with v_a = m_a/ρ_a and
    v_b = (m_c/ρ_c + m_p/ρ_p)/(1 − n), n being the nanoporosity; so binder_fraction = s·(1 − porosity).

    Examples
    --------
    >>> mix = Formulation(active=96, carbon=2, polymer=2, active_density=4750, carbon_density=1900, polymer_density=1780)
    >>> porosity = mix.open_porosity(0.35)
    >>> round(porosity, 4), round(mix.binder_fraction(porosity), 4)
    (0.2868, 0.1264)
    >>> from meso import ElectrodeDesign, SizeClass
    >>> design = ElectrodeDesign.for_capacity(
    ...     40.0, 8e5, porosity=porosity, binder_fraction=mix.binder_fraction(porosity),
    ...     size_classes=(SizeClass(diameter=6e-6),))
    >>> round(mix.areal_mass(design), 3)  # kg m-2; 10 mg cm-2 are 0.1
    0.247
    """

    active: float
    carbon: float
    polymer: float
    active_density: float
    carbon_density: float
    polymer_density: float
    nanoporosity: float = 0.5

    def __post_init__(self) -> None:
        for name in ("active", "carbon", "polymer"):
            mass = getattr(self, name)
            if not (0 <= mass < math.inf and (mass > 0 or name != "active")):
                rule = "positive" if name == "active" else "0 or positive"
                raise ValueError(
                    f"{name} must be {rule} and finite, got {mass}; it is a mass or mass fraction"
                )
            density = getattr(self, f"{name}_density")
            if not 100 < density < HEAVIEST:
                raise ValueError(
                    f"{name}_density must lie in (100, {HEAVIEST:g}) kg m-3, got {density}; 1 g cm-3 is 1000 kg m-3"
                )
        if not 0 <= self.nanoporosity < 1:
            raise ValueError(
                f"nanoporosity must lie in [0, 1), got {self.nanoporosity}; did you pass percent?"
            )

    @property
    def solid_density(self) -> float:
        """Density of the mixture of the three solids without any pore [kg.m-3]."""
        volumes = self.active / self.active_density + self._additives
        return (self.active + self.carbon + self.polymer) / volumes

    @property
    def binder_share(self) -> float:
        """Share of the CBD, nanopores included, in the volume that is not pore [-]."""
        binder = self._additives / (1 - self.nanoporosity)
        return binder / (self.active / self.active_density + binder)

    def binder_fraction(
        self, porosity: float | Profile, *, migration: Profile | None = None
    ) -> float | Profile:
        """
        Return the `binder_fraction` that goes with a porosity.

        Parameters
        ----------
        porosity : float or Profile
            As in the design: pores outside the CBD [-].
        migration : Profile, optional
            Binder by depth in any unit, where drying moved it; only its shape counts. Left out, every slice holds the
            mixture as weighed in.

        Returns
        -------
        float or Profile
            Volume fraction of the CBD [-], of the kind of `porosity`; a profile if there is `migration`. The mass ratio of
            the whole electrode is exact in either case.

        Raises
        ------
        ValueError
            If `migration` is negative somewhere or 0 everywhere.

        Examples
        --------
        >>> mix = Formulation(active=90, carbon=5, polymer=5, active_density=4500, carbon_density=2000, polymer_density=2000)
        >>> graded = mix.binder_fraction(Profile.linear(separator=0.4, collector=0.1))
        >>> [round(value, 12) for value in graded.values]
        [0.2, 0.3]
        """
        share = self.binder_share
        if migration is None:
            if isinstance(porosity, Profile):
                return Profile(porosity.positions, tuple(share * (1 - value) for value in porosity.values))
            return share * (1 - porosity)
        if not (migration.minimum() >= 0 and migration.mean() > 0):
            raise ValueError(f"migration must be 0 or positive and not 0 everywhere, got {migration.values}")
        scale = share * (1 - as_profile(porosity).mean()) / migration.mean()
        return Profile(migration.positions, tuple(scale * value for value in migration.values))

    def open_porosity(self, total: float | Profile) -> float | Profile:
        """
        Return the design's porosity for a total one, which counts the nanopores of the CBD.

        Parameters
        ----------
        total : float or Profile
            1 − density of the coating / `solid_density` [-].

        Returns
        -------
        float or Profile
            Volume fraction of the pores outside the CBD [-]: 1 − (1 − total)/(1 − n·s) with the nanoporosity n and the
            share s of the CBD.

        Raises
        ------
        ValueError
            If the nanopores alone take more than the total porosity.
        """
        profile, filled = as_profile(total), 1 - self.nanoporosity * self.binder_share
        values = tuple(1 - (1 - value) / filled for value in profile.values)
        if not 0 < min(values) <= max(values) < 1:
            raise ValueError(
                f"total must lie in ({1 - filled:.4g}, 1), as the nanopores alone take {1 - filled:.4g} of the densest "
                f"coating, got {profile.minimum():.4g}…{profile.maximum():.4g}; reduce nanoporosity, or did you pass percent?"
            )
        return Profile(profile.positions, values) if isinstance(total, Profile) else values[0]

    def areal_mass(self, design: ElectrodeDesign) -> float:
        """
        Return the mass of a coating of this mixture per area, the collector left out.

        Parameters
        ----------
        design : ElectrodeDesign
            A design whose binder fraction comes from this formulation.

        Returns
        -------
        float
            Mass per area [kg.m-2].
        """
        active, binder = design.mean_fraction("active"), design.mean_fraction("binder")
        additives = self.carbon + self.polymer
        density = additives / self._additives if additives > 0 else 0.0
        return design.thickness * (active * self.active_density + binder * (1 - self.nanoporosity) * density)

    @property
    def _additives(self) -> float:
        """Volume of carbon and polymer without nanopores, in units of mass over density."""
        return self.carbon / self.carbon_density + self.polymer / self.polymer_density
