"""The recipe of an electrode: what a search varies and a manufacturer mixes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from meso.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

TRUNCATION = 2.0
"""Log-normal sizes are cut at this many standard deviations of ln(diameter) on either side of the median."""


@dataclass(frozen=True)
class SizeClass:
    """
    A population of spherical particles with log-normal diameters.

    Parameters
    ----------
    diameter : float
        Median diameter **by volume** [m]: half of the population's volume sits in smaller particles (the D50 of a laser
        granulometer).
    spread : float, default 1.0
        Geometric standard deviation of the diameters [-]; 1 means equal spheres.
    share : float, default 1.0
        Share of the active material's volume [-]; the shares of a design add up to 1.

    Raises
    ------
    ValueError
        If a value is outside its range.

    Notes
    -----
    By volume, ln(diameter) is normal with mean ln(`diameter`) and standard deviation ln(`spread`), cut symmetrically at
    two standard deviations, so the smallest and largest particle are `diameter` / `spread`² and `diameter` · `spread`²
    and the median is exact. The cut leaves out the 4.6 % of the volume that a voxel grid or a small domain could not
    represent anyway.

    Examples
    --------
    >>> fine = SizeClass(diameter=4e-6, spread=1.5)
    >>> fine.largest_diameter / fine.diameter
    2.25
    """

    diameter: float
    spread: float = 1.0
    share: float = 1.0

    def __post_init__(self) -> None:
        for name in ("diameter", "spread", "share"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not 0 < self.diameter < 1e-3:
            raise ValueError(
                f"diameter must lie in (0, 1e-3) m, got {self.diameter}; did you pass micrometres?"
            )
        if not 1 <= self.spread <= 3:
            raise ValueError(
                f"spread must lie in [1, 3] (geometric standard deviation, 1 = equal spheres), got {self.spread}"
            )
        if not 0 < self.share <= 1:
            raise ValueError(f"share must lie in (0, 1], got {self.share}; leave out a class without volume")

    @property
    def smallest_diameter(self) -> float:
        """Diameter of the smallest particle [m]."""
        return float(self.diameter / self.spread**TRUNCATION)

    @property
    def largest_diameter(self) -> float:
        """Diameter of the largest particle [m]."""
        return float(self.diameter * self.spread**TRUNCATION)

    def volume_below(self, diameter: float) -> float:
        """
        Return the share of this population's volume in particles up to a diameter.

        Parameters
        ----------
        diameter : float
            Diameter [m].

        Returns
        -------
        float
            Cumulative volume [-], 0…1.
        """
        if diameter < self.smallest_diameter:
            return 0.0
        if diameter >= self.largest_diameter:
            return 1.0
        deviation = math.log(diameter / self.diameter) / math.log(self.spread)
        inside = math.erf(TRUNCATION / math.sqrt(2))
        return 0.5 + 0.5 * math.erf(deviation / math.sqrt(2)) / inside


@dataclass(frozen=True)
class ElectrodeDesign:
    """
    Everything that is decided about an electrode before it is made.

    Parameters
    ----------
    thickness : float
        Thickness of the coating [m].
    porosity : float or Profile
        Volume fraction of the pores between the particles [-], by slice if a profile.
    binder_fraction : float or Profile
        Volume fraction of the carbon-binder domain, its nanopores included [-], by slice if a profile.
    size_classes : tuple of SizeClass
        Populations of active particles; their shares add up to 1.
    binder_bridging : float, default 0.5
        Where the binder sits [-]: 0 spreads it as a film over all particles, 1 gathers it in bridges at the contacts.

    Raises
    ------
    ValueError
        If a value is outside its range or the fractions leave no room for active material somewhere.

    Examples
    --------
    >>> design = ElectrodeDesign(
    ...     thickness=80e-6,
    ...     porosity=Profile.linear(separator=0.4, collector=0.3),
    ...     binder_fraction=0.08,
    ...     size_classes=(SizeClass(diameter=6e-6, spread=1.3),),
    ... )
    >>> round(design.active_fraction.mean(), 12)
    0.57
    """

    thickness: float
    porosity: float | Profile
    binder_fraction: float | Profile
    size_classes: tuple[SizeClass, ...]
    binder_bridging: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "size_classes", tuple(self.size_classes))
        for name in ("thickness", "porosity", "binder_fraction", "binder_bridging"):
            if not isinstance(value := getattr(self, name), Profile):
                object.__setattr__(self, name, float(value))
        if not 0 < self.thickness < 1e-2:
            raise ValueError(
                f"thickness must lie in (0, 1e-2) m, got {self.thickness}; did you pass micrometres?"
            )
        _check_fractions(self.porosity_profile, self.binder_profile)
        if not 0 <= self.binder_bridging <= 1:
            raise ValueError(
                f"binder_bridging must lie in [0, 1] (0 film, 1 bridges at the contacts), got {self.binder_bridging}"
            )
        if not self.size_classes:
            raise ValueError("size_classes must hold at least one SizeClass, got none")
        total = sum(size_class.share for size_class in self.size_classes)
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            shares = [size_class.share for size_class in self.size_classes]
            raise ValueError(
                f"shares of the size classes must add up to 1, got {shares}; divide each by {total:.6g}"
            )

    @classmethod
    def for_capacity(
        cls,
        areal_capacity: float,
        active_capacity: float,
        *,
        porosity: float | Profile,
        binder_fraction: float | Profile,
        size_classes: tuple[SizeClass, ...],
        binder_bridging: float = 0.5,
    ) -> ElectrodeDesign:
        """
        Choose the thickness that holds a given loading.

        Parameters
        ----------
        areal_capacity : float
            Theoretical areal capacity of the electrode [A.h.m-2]; 10 A h m⁻² are 1 mA h cm⁻².
        active_capacity : float
            Capacity of the active material between the cut-offs [A.h.m-3].
        porosity, binder_fraction : float or Profile
            Volume fractions [-].
        size_classes : tuple of SizeClass
            Populations of active particles.
        binder_bridging : float, default 0.5
            Where the binder sits [-].

        Returns
        -------
        ElectrodeDesign
            Design with `thickness` = `areal_capacity` / (`active_capacity` × mean active fraction).

        Raises
        ------
        ValueError
            If a value is outside its range.

        Examples
        --------
        >>> sizes = (SizeClass(diameter=6e-6),)
        >>> design = ElectrodeDesign.for_capacity(
        ...     60.0, 1e6, porosity=0.3, binder_fraction=0.1, size_classes=sizes)
        >>> round(design.thickness * 1e6, 9)
        100.0
        """
        for name, value in (("areal_capacity", areal_capacity), ("active_capacity", active_capacity)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be positive and finite, got {value}")
        pores, binder = _as_profile(porosity), _as_profile(binder_fraction)
        _check_fractions(pores, binder)
        return cls(
            thickness=areal_capacity / (active_capacity * (1.0 - pores.mean() - binder.mean())),
            porosity=porosity,
            binder_fraction=binder_fraction,
            size_classes=size_classes,
            binder_bridging=binder_bridging,
        )

    @property
    def porosity_profile(self) -> Profile:
        """Porosity as a profile, also when it is one number."""
        return _as_profile(self.porosity)

    @property
    def binder_profile(self) -> Profile:
        """Binder fraction as a profile, also when it is one number."""
        return _as_profile(self.binder_fraction)

    @property
    def active_fraction(self) -> Profile:
        """Volume fraction of the active material by slice, 1 − porosity − binder fraction."""
        return _remainder(self.porosity_profile, self.binder_profile)

    @property
    def median_diameter(self) -> float:
        """Median particle diameter by volume over all size classes [m]."""
        low = min(size_class.smallest_diameter for size_class in self.size_classes)
        high = max(size_class.largest_diameter for size_class in self.size_classes)
        if len(self.size_classes) == 1:
            return self.size_classes[0].diameter
        for _ in range(60):
            middle = math.sqrt(low * high)
            below = sum(c.share * c.volume_below(middle) for c in self.size_classes)
            low, high = (middle, high) if below < 0.5 else (low, middle)
        return high

    def to_dict(self) -> dict[str, Any]:
        """
        Return plain numbers, lists and dictionaries in SI units, ready for TOML or JSON.

        Returns
        -------
        dict
            One key per field; a profile becomes ``{"positions": [...], "values": [...]}``.
        """
        return {
            "thickness": self.thickness,
            "porosity": _plain(self.porosity),
            "binder_fraction": _plain(self.binder_fraction),
            "size_classes": [asdict(size_class) for size_class in self.size_classes],
            "binder_bridging": self.binder_bridging,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ElectrodeDesign:
        """
        Rebuild a design from what `to_dict` returned.

        Parameters
        ----------
        data : mapping
            Keys as in `to_dict`.

        Returns
        -------
        ElectrodeDesign
            The same design.

        Raises
        ------
        ValueError
            If a key is unknown or missing, or a value is outside its range.
        """
        _check_keys("a design", data, cls, optional={"binder_bridging"})
        for size_class in data["size_classes"]:
            _check_keys("a size class", size_class, SizeClass, optional={"spread", "share"})
        return cls(
            thickness=data["thickness"],
            porosity=_parse(data["porosity"]),
            binder_fraction=_parse(data["binder_fraction"]),
            size_classes=tuple(SizeClass(**size_class) for size_class in data["size_classes"]),
            binder_bridging=data.get("binder_bridging", 0.5),
        )


def _as_profile(value: float | Profile) -> Profile:
    """Wrap a number as a constant profile."""
    return value if isinstance(value, Profile) else Profile.constant(value)


def _remainder(porosity: Profile, binder: Profile) -> Profile:
    """Subtract two profiles from 1 on the union of their positions; exact, as both are piecewise linear."""
    positions = tuple(sorted({*porosity.positions, *binder.positions}))
    return Profile(positions, tuple((1.0 - porosity(positions) - binder(positions)).tolist()))


def _check_fractions(porosity: Profile, binder: Profile) -> None:
    """Refuse volume fractions that no slice of an electrode can have."""
    if not 0 < porosity.minimum() <= porosity.maximum() < 1:
        worst = porosity.maximum() if porosity.maximum() >= 1 else porosity.minimum()
        raise ValueError(f"porosity must lie in (0, 1), got {worst}; did you pass percent?")
    if not 0 <= binder.minimum() <= binder.maximum() < 1:
        worst = binder.maximum() if binder.maximum() >= 1 else binder.minimum()
        raise ValueError(f"binder_fraction must lie in [0, 1), got {worst}; did you pass percent?")
    active = _remainder(porosity, binder)
    if active.minimum() <= 0:
        depth = active.positions[active.values.index(active.minimum())]
        raise ValueError(
            f"porosity + binder_fraction must stay below 1 in every slice, got {1 - active.minimum():.4g} at relative "
            f"depth {depth:.3g}; keep binder_fraction below {1 - float(porosity(depth)):.4g} there"
        )


def _check_keys(what: str, data: Mapping[str, Any], cls: type, *, optional: set[str]) -> None:
    """Refuse stored data with keys too many or too few."""
    known = {field.name for field in fields(cls)}
    unknown, missing = sorted(set(data) - known), sorted(known - optional - set(data))
    if unknown or missing:
        raise ValueError(
            f"{what} must have the keys {sorted(known)}, got unknown {unknown} and missing {missing}"
        )


def _plain(value: float | Profile) -> float | dict[str, list[float]]:
    """Turn a profile into lists, leave a number alone."""
    if isinstance(value, Profile):
        return {"positions": list(value.positions), "values": list(value.values)}
    return value


def _parse(value: Any) -> float | Profile:
    """Undo `_plain`."""
    return (
        Profile(tuple(value["positions"]), tuple(value["values"]))
        if isinstance(value, dict)
        else float(value)
    )
