"""Intervals against tables of Student's t, and the words that follow from them."""

import math

import numpy as np
import pytest

from studies.compare import Interval, interval_of, paired_difference, verdict


@pytest.mark.parametrize(
    ("size", "quantile"),
    # Two-sided 95 % quantiles of Student's t with size − 1 degrees of freedom, from printed tables.
    [(2, 12.706), (3, 4.303), (4, 3.182), (6, 2.571), (16, 2.1314)],
)
def test_interval_uses_students_t(size, quantile):
    values = np.arange(size, dtype=float)
    expected = quantile * values.std(ddof=1) / math.sqrt(size)
    assert interval_of(values).half_width == pytest.approx(expected, rel=2e-4)


def test_pairs_cancel_what_both_share():
    # Both designs see the same lucky and unlucky packings; only the paired interval resolves the gain of 0.01.
    packings = np.array([0.80, 0.86, 0.83, 0.89])
    gain = np.array([0.009, 0.011, 0.010, 0.010])
    paired = paired_difference(packings + gain, packings)
    assert paired.excludes_zero
    assert interval_of(packings).half_width > 10 * paired.half_width


def test_the_interval_holds_its_confidence():
    rng = np.random.default_rng(8117)
    covered = sum(
        (interval := interval_of(sample)).low <= 0.8 <= interval.high
        for sample in rng.normal(0.8, 0.02, size=(4000, 4))
    )
    # 95 % of 4000 within four standard deviations of the binomial.
    assert abs(covered - 3800) < 4 * math.sqrt(4000 * 0.95 * 0.05)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.002, 0.010, "structured electrode beats"),
        (-0.010, -0.002, "beats the structured"),
        (-0.001, 0.004, "No significant"),
    ],
)
def test_verdict_follows_the_interval(low, high, words):
    difference = Interval(mean=(low + high) / 2, low=low, high=high)
    assert words in verdict(difference, control="best uniform")


def test_one_value_has_no_interval():
    with pytest.raises(ValueError, match="at least two"):
        interval_of([0.8])
