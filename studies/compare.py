"""Is the winner better than the control? Means, intervals and their paired difference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Interval:
    """
    A mean and where it lies with 95 % confidence.

    Parameters
    ----------
    mean : float
        Mean of the sample.
    low, high : float
        Ends of the interval.
    """

    mean: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of the interval's width."""
        return 0.5 * (self.high - self.low)

    @property
    def excludes_zero(self) -> bool:
        """Whether the mean differs from 0 beyond the uncertainty."""
        return self.low > 0 or self.high < 0

    def to_dict(self) -> dict[str, float]:
        """
        Return plain numbers.

        Returns
        -------
        dict of str to float
            ``mean``, ``low`` and ``high``.
        """
        return {"mean": self.mean, "low": self.low, "high": self.high}


def interval_of(values: Sequence[float]) -> Interval:
    """
    Estimate a mean from a small sample.

    Parameters
    ----------
    values : sequence of float
        At least two independent values.

    Returns
    -------
    Interval
        Mean and 95 % interval of Student's t.

    Raises
    ------
    ValueError
        If there are fewer than two values.

    Examples
    --------
    >>> interval = interval_of([0.80, 0.82, 0.81, 0.83])
    >>> round(interval.mean, 4), round(interval.half_width, 4)
    (0.815, 0.0205)
    """
    if len(values) < 2:
        raise ValueError(f"values must hold at least two numbers for an interval, got {len(values)}")
    # scipy.special, because scipy.stats takes a second to import.
    from scipy.special import stdtrit

    sample = np.asarray(values, dtype=np.float64)
    quantile = float(stdtrit(len(sample) - 1, 0.5 + CONFIDENCE / 2))
    mean = float(sample.mean())
    half = quantile * float(sample.std(ddof=1)) / math.sqrt(len(sample))
    return Interval(mean=mean, low=mean - half, high=mean + half)


def paired_difference(first: Sequence[float], second: Sequence[float]) -> Interval:
    """
    Estimate the mean difference of two samples taken on the same seeds.

    Parameters
    ----------
    first, second : sequence of float
        Values in the same order of seeds.

    Returns
    -------
    Interval
        Mean of `first` − `second` and its 95 % interval.

    Raises
    ------
    ValueError
        If the samples have different lengths or fewer than two values.

    Notes
    -----
    What both packings of a seed share cancels in the difference, which its interval takes into account.

    Examples
    --------
    >>> round(paired_difference([0.82, 0.85, 0.83], [0.80, 0.83, 0.81]).low, 6)
    0.02
    """
    if len(first) != len(second):
        raise ValueError(f"paired samples must have the same length, got {len(first)} and {len(second)}")
    return interval_of([one - other for one, other in zip(first, second, strict=True)])


def verdict(difference: Interval, *, control: str) -> str:
    """
    Say in one sentence what a difference in utilization means.

    Parameters
    ----------
    difference : Interval
        Utilization of the structured design minus that of the control.
    control : str
        What the control is.

    Returns
    -------
    str
        A sentence with the difference in percentage points and its interval.

    Examples
    --------
    >>> print(verdict(Interval(mean=0.012, low=-0.004, high=0.028), control="best uniform"))
    No significant gain over the control (best uniform): +1.20 points, 95 % interval [−0.40, +2.80] includes 0.
    """
    interval = f"[{_points(difference.low)}, {_points(difference.high)}]"
    numbers = f"{_points(difference.mean)} points, 95 % interval {interval}"
    if not difference.excludes_zero:
        return f"No significant gain over the control ({control}): {numbers} includes 0."
    if difference.mean > 0:
        return f"The structured electrode beats the control ({control}): {numbers}."
    return (
        f"The control ({control}) beats the structured electrode: {numbers}; where the ranges hold uniform recipes, too, the "
        "search needs more trials."
    )


def _points(fraction: float) -> str:
    """Write a difference of fractions in percentage points, with a typographic minus."""
    # Adding 0 turns −0.0 into 0.0.
    return f"{round(100 * fraction, 2) + 0.0:+.2f}".replace("-", "−")
