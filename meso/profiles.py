"""Quantities that vary through the thickness of an electrode."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Profile:
    """
    A piecewise-linear function of the relative depth, 0 at the separator and 1 at the current collector.

    Two neighbouring positions may lie as close as you like, so a bilayer is a profile with a steep step.

    Parameters
    ----------
    positions : tuple of float
        Relative depths [-], strictly increasing, the first 0 and the last 1.
    values : tuple of float
        Value at each position.

    Raises
    ------
    ValueError
        If the positions do not run from 0 to 1 in increasing order, or a value is not finite.

    Examples
    --------
    >>> graded = Profile.linear(separator=0.5, collector=0.25)
    >>> float(graded(0.5)), graded.mean()
    (0.375, 0.375)
    """

    positions: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        positions = tuple(float(position) for position in self.positions)
        values = tuple(float(value) for value in self.values)
        object.__setattr__(self, "positions", positions)
        object.__setattr__(self, "values", values)
        if len(positions) < 2 or len(positions) != len(values):
            raise ValueError(
                f"a profile must have as many values as positions and at least two, got {len(positions)} positions and "
                f"{len(values)} values; use Profile.constant for one value"
            )
        rising = all(low < high for low, high in pairwise(positions))
        if positions[0] != 0.0 or positions[-1] != 1.0 or not rising:
            raise ValueError(
                f"positions must increase strictly from 0 (separator) to 1 (collector), got {positions}; "
                "divide depths by the thickness"
            )
        if not all(math.isfinite(value) for value in values):
            raise ValueError(f"values must be finite, got {values}; check the input table")

    @classmethod
    def constant(cls, value: float) -> Profile:
        """
        Return the same value at every depth.

        Parameters
        ----------
        value : float
            The value.

        Returns
        -------
        Profile
            Constant profile.
        """
        return cls((0.0, 1.0), (value, value))

    @classmethod
    def linear(cls, *, separator: float, collector: float) -> Profile:
        """
        Return a straight line from one electrode face to the other.

        Parameters
        ----------
        separator : float
            Value at the separator.
        collector : float
            Value at the current collector.

        Returns
        -------
        Profile
            Linear profile.
        """
        return cls((0.0, 1.0), (separator, collector))

    def __call__(self, depth: ArrayLike) -> NDArray[np.float64]:
        """
        Evaluate at relative depths.

        Parameters
        ----------
        depth : array_like
            Relative depths [-]; outside 0…1 the end values hold.

        Returns
        -------
        ndarray, float64
            Values, of the shape of `depth`.
        """
        return np.asarray(np.interp(np.asarray(depth, dtype=np.float64), self.positions, self.values))

    def mean(self) -> float:
        """
        Average over the thickness, exactly.

        Returns
        -------
        float
            Integral over the relative depth.
        """
        return float(np.trapezoid(self.values, self.positions))

    def minimum(self) -> float:
        """
        Return the smallest value.

        Returns
        -------
        float
            Minimum over the thickness.
        """
        return min(self.values)

    def maximum(self) -> float:
        """
        Return the largest value.

        Returns
        -------
        float
            Maximum over the thickness.
        """
        return max(self.values)


def as_profile(value: float | Profile) -> Profile:
    """Wrap a number as a constant profile."""
    return value if isinstance(value, Profile) else Profile.constant(value)


def plain(value: float | Profile) -> float | dict[str, list[float]]:
    """Turn a profile into lists, leave a number alone."""
    if isinstance(value, Profile):
        return {"positions": list(value.positions), "values": list(value.values)}
    return value


def parse(value: Any) -> float | Profile:
    """Undo `plain`."""
    if isinstance(value, dict):
        return Profile(tuple(value["positions"]), tuple(value["values"]))
    return float(value)
