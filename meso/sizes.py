"""Populations of particles: how large they are, what shape they have and how they lie."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from meso.profiles import Profile, parse, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

TRUNCATION = 2.0
"""Log-normal sizes are cut at this many standard deviations of ln(diameter) on either side of the median."""

FLATTEST = 0.1
"""Smallest aspect ratio of a platelet; the inverse of that of a needle."""


@dataclass(frozen=True)
class SizeClass:
    """
    A population of particles: spheres, platelets or needles.

    Parameters
    ----------
    diameter : float
        Median diameter **by volume** [m]: half of the population's volume sits in smaller particles (the D50 of a laser
        granulometer). The diameter of an ellipsoid is that of the sphere of its volume.
    spread : float, default 1.0
        Geometric standard deviation of the diameters [-]; 1 means equal particles.
    share : float or Profile, default 1.0
        Share of the active material's volume [-], by depth if a profile; the shares of a design add up to 1.
    aspect_ratio : float, default 1.0
        Length along the axis of revolution over the width across it [-]: below 1 a platelet, above 1 a needle.
    alignment : float, default 0.0
        How the particles lie [-]: 1 flat on the collector (axes of platelets through-plane, axes of needles in the plane),
        0 at random, −1 upright. It is the order parameter ⟨3 cos²θ − 1⟩/2 of the axes over its extreme value.
    histogram : tuple of (float, float), optional
        A measured distribution instead of a log-normal one: pairs of diameter [m] and share of the volume below it [-],
        from 0 to 1; see `SizeClass.measured`.

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
    >>> platelet = SizeClass(diameter=8e-6, aspect_ratio=0.125)
    >>> round(platelet.shortest_axis * 1e6, 9), round(platelet.largest_extent * 1e6, 9)
    (2.0, 16.0)
    """

    diameter: float
    spread: float = 1.0
    share: float | Profile = 1.0
    aspect_ratio: float = 1.0
    alignment: float = 0.0
    histogram: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        for name in ("diameter", "spread", "share", "aspect_ratio", "alignment"):
            if not isinstance(value := getattr(self, name), Profile):
                object.__setattr__(self, name, float(value))
        if not 0 < self.diameter < 1e-3:
            raise ValueError(
                f"diameter must lie in (0, 1e-3) m, got {self.diameter}; did you pass micrometres?"
            )
        if not 1 <= self.spread <= 3:
            raise ValueError(
                f"spread must lie in [1, 3] (geometric standard deviation, 1 = equal spheres), got {self.spread}"
            )
        shares = self.share_profile
        if not 0 <= shares.minimum() <= shares.maximum() <= 1 or shares.maximum() == 0:
            raise ValueError(f"share must lie in (0, 1], got {self.share}; leave out a class without volume")
        if not FLATTEST <= self.aspect_ratio <= 1 / FLATTEST:
            raise ValueError(
                f"aspect_ratio must lie in [{FLATTEST}, {1 / FLATTEST}] (below 1 platelets, above 1 needles), got "
                f"{self.aspect_ratio}"
            )
        if not -1 <= self.alignment <= 1:
            raise ValueError(
                f"alignment must lie in [-1, 1] (1 flat, 0 random, -1 upright), got {self.alignment}"
            )
        if self.histogram is not None:
            object.__setattr__(self, "histogram", _check_histogram(self))

    @classmethod
    def measured(
        cls,
        diameters: ArrayLike,
        volumes: ArrayLike,
        *,
        share: float | Profile = 1.0,
        aspect_ratio: float = 1.0,
        alignment: float = 0.0,
    ) -> SizeClass:
        """
        Take the sizes of a measured histogram.

        Parameters
        ----------
        diameters : array_like, shape (n + 1,)
            Edges of the bins [m], increasing.
        volumes : array_like, shape (n,)
            Volume in every bin, in any unit; uniform in ln(diameter) inside a bin.
        share : float or Profile, default 1.0
            Share of the active material's volume [-].
        aspect_ratio : float, default 1.0
            Length along the axis over the width across it [-].
        alignment : float, default 0.0
            How the particles lie [-].

        Returns
        -------
        SizeClass
            Population with these sizes; `meso.io.read_sizes` reads one from a file.

        Raises
        ------
        ValueError
            If the edges do not increase, a volume is negative or all are 0.

        Examples
        --------
        >>> sieved = SizeClass.measured([2e-6, 4e-6, 8e-6], [1, 1])
        >>> round(sieved.diameter * 1e6, 9), sieved.volume_below(8e-6)
        (4.0, 1.0)
        """
        edges, held = np.asarray(diameters, dtype=np.float64), np.asarray(volumes, dtype=np.float64)
        if edges.ndim != 1 or held.shape != (len(edges) - 1,) or not np.all(held >= 0) or not held.sum() > 0:
            raise ValueError(
                f"volumes must hold one number ≥ 0 for each of the {max(0, edges.size - 1)} bins between diameters, not "
                f"all 0, got {held.tolist()}"
            )
        filled = np.flatnonzero(held)  # empty bins at the ends would only widen the range
        edges, held = edges[filled[0] : filled[-1] + 2], held[filled[0] : filled[-1] + 1]
        below = np.concatenate(([0.0], np.cumsum(held) / held.sum()))
        below[-1] = 1.0
        if not (np.all(np.diff(edges) > 0) and edges[0] > 0):
            raise ValueError(f"diameters must be positive and increase, got {edges.tolist()}; sort the bins")
        median = float(np.exp(np.interp(0.5, below, np.log(edges))))
        return cls(
            diameter=median,
            share=share,
            aspect_ratio=aspect_ratio,
            alignment=alignment,
            histogram=tuple(zip(edges.tolist(), below.tolist(), strict=True)),
        )

    @property
    def share_profile(self) -> Profile:
        """Share as a profile, also when it is one number."""
        return self.share if isinstance(self.share, Profile) else Profile.constant(self.share)

    @property
    def smallest_diameter(self) -> float:
        """Diameter of the smallest particle [m]."""
        if self.histogram is not None:
            return self.histogram[0][0]
        return float(self.diameter / self.spread**TRUNCATION)

    @property
    def largest_diameter(self) -> float:
        """Diameter of the largest particle [m]."""
        if self.histogram is not None:
            return self.histogram[-1][0]
        return float(self.diameter * self.spread**TRUNCATION)

    @property
    def shortest_axis(self) -> float:
        """Shortest width of the median particle [m]."""
        return self.diameter * float(min(self.aspect_ratio ** (2 / 3), self.aspect_ratio ** (-1 / 3)))

    @property
    def largest_extent(self) -> float:
        """Longest width of the largest particle [m]."""
        longest = max(self.aspect_ratio ** (2 / 3), self.aspect_ratio ** (-1 / 3))
        return self.largest_diameter * float(longest)

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
        if self.histogram is not None:
            edges, below = np.array(self.histogram).T
            return float(np.interp(math.log(diameter), np.log(edges), below))
        deviation = math.log(diameter / self.diameter) / math.log(self.spread)
        inside = math.erf(TRUNCATION / math.sqrt(2))
        return 0.5 + 0.5 * math.erf(deviation / math.sqrt(2)) / inside

    def radii_of(self, volume: float) -> NDArray[np.float64]:
        """
        Return particles that hold a volume together.

        Parameters
        ----------
        volume : float
            Volume of all particles together [m3].

        Returns
        -------
        ndarray, shape (n,), float64
            Radii [m], increasing: one for each of n equal slices of the number distribution, with the mean volume of
            its slice, so that even few particles have the requested distribution by volume.
        """
        diameters, below = self._cumulated()
        held = np.diff(below)
        middles = np.sqrt(diameters[1:] * diameters[:-1])
        by_number = np.concatenate(([0.0], np.cumsum(held / middles**3)))
        mean_volume = np.pi / 6 / by_number[-1]
        count = max(1, round(volume / mean_volume))
        ends = np.interp(np.linspace(0.0, 1.0, count + 1), by_number / by_number[-1], below)
        return np.asarray((volume * np.diff(ends) / (4 / 3 * np.pi)) ** (1 / 3))

    def _cumulated(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Diameters and the share of the volume below them, fine enough to invert by interpolation."""
        if self.histogram is None:
            deviation = np.linspace(-TRUNCATION, TRUNCATION, 4097)
            density = np.exp(-0.5 * deviation**2)
            below = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))))
            return self.diameter * self.spread**deviation, below / below[-1]
        edges, below = np.array(self.histogram).T
        logs = np.concatenate(
            [np.linspace(low, high, 64, endpoint=False) for low, high in pairwise(np.log(edges))]
            + [np.log(edges[-1:])]
        )
        return np.exp(logs), np.interp(logs, np.log(edges), below)

    def to_dict(self) -> dict[str, Any]:
        """
        Return plain numbers and lists in SI units.

        Returns
        -------
        dict
            One key per field; those at their defaults are left out.
        """
        data: dict[str, Any] = {"diameter": self.diameter, "share": plain(self.share)}
        for name in ("spread", "aspect_ratio", "alignment"):
            data[name] = getattr(self, name)
        if self.histogram is not None:
            data["histogram"] = [list(pair) for pair in self.histogram]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SizeClass:
        """
        Rebuild a population from what `to_dict` returned.

        Parameters
        ----------
        data : mapping
            Keys as in `to_dict`.

        Returns
        -------
        SizeClass
            The same population.

        Raises
        ------
        ValueError
            If a key is unknown or missing, or a value is outside its range.
        """
        known = {field.name for field in fields(cls)}
        check_keys("a size class", data, known=known, needed={"diameter"})
        values = dict(data)
        if "share" in values:
            values["share"] = parse(values["share"])
        if values.get("histogram") is not None:
            values["histogram"] = tuple((float(d), float(b)) for d, b in values["histogram"])
        return cls(**values)


def check_keys(what: str, data: Mapping[str, Any], *, known: set[str], needed: set[str]) -> None:
    """Refuse stored data with keys too many or too few."""
    unknown, missing = sorted(set(data) - known), sorted(needed - set(data))
    if unknown or missing:
        raise ValueError(
            f"{what} must have the keys {sorted(known)}, got unknown {unknown} and missing {missing}"
        )


def _check_histogram(size_class: SizeClass) -> tuple[tuple[float, float], ...]:
    """Refuse a cumulative distribution that is none, or whose median is not the diameter."""
    pairs: Sequence[tuple[float, float]] = size_class.histogram or ()
    table = tuple((float(diameter), float(below)) for diameter, below in pairs)
    rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(table))
    if len(table) < 2 or not rising or table[0][1] != 0 or table[-1][1] != 1 or table[0][0] <= 0:
        raise ValueError(
            f"histogram must rise from (smallest, 0) to (largest, 1), got {table}; make it with SizeClass.measured"
        )
    diameters, below = np.array(table).T
    median = float(np.exp(np.interp(0.5, below, np.log(diameters))))
    if size_class.spread != 1 or not math.isclose(median, size_class.diameter, rel_tol=1e-6):
        raise ValueError(
            f"diameter must be the median of histogram, {median:.6g} m, and spread 1, got {size_class.diameter:.6g} and "
            f"{size_class.spread}; make it with SizeClass.measured"
        )
    return table
