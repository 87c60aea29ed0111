"""The recipe of an electrode: what a search varies and a manufacturer mixes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from meso.calendering import Calendering
from meso.channels import Channels
from meso.profiles import Profile, as_profile, parse, plain
from meso.sizes import SizeClass, check_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    Face = Literal["cut", "wall"]

NEGLIGIBLE = 0.05
"""Share of the active material below which a size class does not decide on the voxel size."""


@dataclass(frozen=True)
class ElectrodeDesign:
    """
    Everything that is decided about an electrode before it is made.

    Parameters
    ----------
    thickness : float
        Thickness of the coating [m].
    porosity : float or Profile
        Volume fraction of the pores between the particles [-], by slice if a profile; that of the coating between the
        channels, if there are any.
    binder_fraction : float or Profile
        Volume fraction of the carbon-binder domain, its nanopores included [-], by slice if a profile;
        `Formulation.binder_fraction` finds it from masses.
    size_classes : tuple of SizeClass
        Populations of active particles; their shares add up to 1.
    binder_bridging : float, default 0.5
        Where the binder sits [-]: 0 spreads it as a film over all particles, 1 gathers it in bridges at the contacts.
    binder_morphology : float, default 0.0
        How the binder grows on itself [-]: 0 smooth films and bridges, 1 fingers that reach into the pores.
    channels : Channels, optional
        Holes or grooves cut into the coating. They take material away: for the same active material the coating between
        them keeps its recipe and the electrode becomes thicker (`for_capacity` does that).
    calendering : Calendering, optional
        Pack more loosely and press to `porosity`, instead of packing at `porosity`.
    separator_face, collector_face : {'cut', 'wall'}, default 'cut'
        Whether particles are cut by the face, as by a plane through a larger electrode, or lie against it.

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
    binder_morphology: float = 0.0
    channels: Channels | None = None
    calendering: Calendering | None = None
    separator_face: Face = "cut"
    collector_face: Face = "cut"

    def __post_init__(self) -> None:
        object.__setattr__(self, "size_classes", tuple(self.size_classes))
        for name in ("thickness", "porosity", "binder_fraction", "binder_bridging", "binder_morphology"):
            if not isinstance(value := getattr(self, name), Profile):
                object.__setattr__(self, name, float(value))
        if not 0 < self.thickness < 1e-2:
            raise ValueError(
                f"thickness must lie in (0, 1e-2) m, got {self.thickness}; did you pass micrometres?"
            )
        _check_fractions(self.porosity_profile, self.binder_profile)
        _check_choices(self)
        _check_shares(self.size_classes)
        if self.calendering is not None:
            self.calendering.check(self.porosity_profile)

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
        binder_morphology: float = 0.0,
        channels: Channels | None = None,
        calendering: Calendering | None = None,
        separator_face: Face = "cut",
        collector_face: Face = "cut",
    ) -> ElectrodeDesign:
        """
        Choose the thickness that holds a given loading.

        Parameters
        ----------
        areal_capacity : float
            Theoretical areal capacity of the electrode [A.h.m-2]; 10 A h m⁻² are 1 mA h cm⁻².
        active_capacity : float
            Capacity of the active material between the cut-offs [A.h.m-3].
        porosity, binder_fraction, size_classes, binder_bridging, binder_morphology
            As in the class.
        channels, calendering, separator_face, collector_face
            As in the class.

        Returns
        -------
        ElectrodeDesign
            Design with `thickness` = `areal_capacity` / (`active_capacity` × mean active fraction, channels included).

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
        unit = cls(
            thickness=1e-4,
            porosity=porosity,
            binder_fraction=binder_fraction,
            size_classes=size_classes,
            binder_bridging=binder_bridging,
            binder_morphology=binder_morphology,
            channels=channels,
            calendering=calendering,
            separator_face=separator_face,
            collector_face=collector_face,
        )
        return replace(unit, thickness=areal_capacity / (active_capacity * unit.mean_fraction("active")))

    @property
    def porosity_profile(self) -> Profile:
        """Porosity as a profile, also when it is one number."""
        return as_profile(self.porosity)

    @property
    def binder_profile(self) -> Profile:
        """Binder fraction as a profile, also when it is one number."""
        return as_profile(self.binder_fraction)

    @property
    def active_fraction(self) -> Profile:
        """Volume fraction of the active material by slice, between the channels: 1 − porosity − binder fraction."""
        return _remainder(self.porosity_profile, self.binder_profile)

    def mean_fraction(self, of: Literal["pore", "active", "binder"]) -> float:
        """
        Return the volume fraction of a phase in the whole electrode, channels included.

        Parameters
        ----------
        of : {'pore', 'active', 'binder'}
            The phase.

        Returns
        -------
        float
            Volume fraction [-]; those of the three phases add up to 1.
        """
        if of == "pore":
            return 1.0 - self.mean_fraction("active") - self.mean_fraction("binder")
        profile = self.active_fraction if of == "active" else self.binder_profile
        if self.channels is None:
            return profile.mean()
        return self.channels.left_of(profile)

    @property
    def median_diameter(self) -> float:
        """Median particle diameter by volume over all size classes [m]."""
        low = min(size_class.smallest_diameter for size_class in self.size_classes)
        high = max(size_class.largest_diameter for size_class in self.size_classes)
        if len(self.size_classes) == 1:
            return self.size_classes[0].diameter
        shares = [size_class.share_profile.mean() for size_class in self.size_classes]
        for _ in range(60):
            middle = math.sqrt(low * high)
            below = sum(
                share * one.volume_below(middle) for share, one in zip(shares, self.size_classes, strict=True)
            )
            low, high = (middle, high) if below < 0.5 else (low, middle)
        return high

    @property
    def narrowest_width(self) -> float:
        """Shortest width of the median particle of all, and of each size class that holds 5 % or more of them [m]."""
        held = [one.shortest_axis for one in self.size_classes if one.share_profile.mean() >= NEGLIGIBLE]
        return min([self.median_diameter, *held])

    def to_dict(self) -> dict[str, Any]:
        """
        Return plain numbers, lists and dictionaries in SI units, ready for TOML or JSON.

        Returns
        -------
        dict
            One key per field, without those that are None; a profile becomes
            ``{"positions": [...], "values": [...]}``.
        """
        data: dict[str, Any] = {
            "thickness": self.thickness,
            "porosity": plain(self.porosity),
            "binder_fraction": plain(self.binder_fraction),
            "size_classes": [size_class.to_dict() for size_class in self.size_classes],
        }
        for name in ("binder_bridging", "binder_morphology", "separator_face", "collector_face"):
            data[name] = getattr(self, name)
        for name in ("channels", "calendering"):
            if (part := getattr(self, name)) is not None:
                data[name] = asdict(part)
        return data

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
        known = {field.name for field in fields(cls)}
        check_keys(
            "a design", data, known=known, needed={"thickness", "porosity", "binder_fraction", "size_classes"}
        )
        values = dict(data)
        values["porosity"], values["binder_fraction"] = (
            parse(data["porosity"]),
            parse(data["binder_fraction"]),
        )
        values["size_classes"] = tuple(SizeClass.from_dict(one) for one in data["size_classes"])
        for name, kind in (("channels", Channels), ("calendering", Calendering)):
            if (part := values.get(name)) is not None:
                check_keys(name, part, known={field.name for field in fields(kind)}, needed=set())
                values[name] = kind(**part)
        return cls(**values)


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


def _check_choices(design: ElectrodeDesign) -> None:
    """Refuse numbers and words outside their range."""
    for name, meaning in (
        ("binder_bridging", "0 film, 1 bridges at the contacts"),
        ("binder_morphology", "0 smooth, 1 fingers"),
    ):
        if not 0 <= getattr(design, name) <= 1:
            raise ValueError(f"{name} must lie in [0, 1] ({meaning}), got {getattr(design, name)}")
    for name in ("separator_face", "collector_face"):
        if getattr(design, name) not in {"cut", "wall"}:
            raise ValueError(f"{name} must be 'cut' or 'wall', got {getattr(design, name)!r}")


def _check_shares(size_classes: tuple[SizeClass, ...]) -> None:
    """Refuse size classes that do not add up to the active material at some depth."""
    if not size_classes:
        raise ValueError("size_classes must hold at least one SizeClass, got none")
    depths = sorted({position for one in size_classes for position in one.share_profile.positions})
    shares = np.array([one.share_profile(depths) for one in size_classes])
    totals = shares.sum(axis=0)
    worst = int(np.argmax(np.abs(totals - 1.0)))
    if not math.isclose(totals[worst], 1.0, abs_tol=1e-6):
        raise ValueError(
            f"shares of the size classes must add up to 1, got {shares[:, worst].tolist()} at relative depth "
            f"{depths[worst]:.3g}; divide each by {totals[worst]:.6g}"
        )
