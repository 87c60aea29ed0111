"""Figures of a search: how it went, and what its parameters did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meso.figures import make_axes, styled
from studies.figures import COLOURS
from studies.storage import ARMS, STRUCTURED
from studies.summary import PARAMETER_NAMES, UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from studies.trials import TrialRecord

SCALES = {
    "energy_density": (1e-3, "Wh L⁻¹"),
    "delivered_volumetric_capacity": (1e-3, "mAh cm⁻³"),
    "volumetric_capacity": (1e-3, "mAh cm⁻³"),
    "delivered_areal_capacity": (0.1, "mAh cm⁻²"),
    "areal_capacity": (0.1, "mAh cm⁻²"),
}
"""Objectives that are no utilization: from SI units to those of a figure."""


def scale_of(objective: str) -> tuple[float, str]:
    """
    Return the unit in which an objective is drawn.

    Parameters
    ----------
    objective : str
        Name of the objective.

    Returns
    -------
    (float, str)
        Factor from SI units, and the unit.

    Examples
    --------
    >>> scale_of("utilization@0.5C"), scale_of("areal_capacity")
    ((100.0, '%'), (0.1, 'mAh cm⁻²'))
    """
    return SCALES.get(objective, (100.0, "%"))


@styled
def draw_history(records: Sequence[TrialRecord], *, axes: Axes | None = None) -> Axes:
    """
    Draw the utilization of every trial and the best so far.

    Parameters
    ----------
    records : sequence of TrialRecord
        Trials of all searches.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One colour per search; open markers violate a constraint.
    """
    from matplotlib.ticker import MaxNLocator

    axes = make_axes(axes)
    for arm in ARMS:
        trials = [record for record in records if record.arm == arm and record.is_complete]
        if not trials:
            continue
        colour = COLOURS[arm]
        numbers = np.arange(1, len(trials) + 1)
        values = 100 * np.array([trial.utilization for trial in trials])
        feasible = np.array([trial.is_feasible for trial in trials])
        _scatter(axes, numbers, values, filled=feasible, colour=colour)
        best = np.maximum.accumulate(np.where(feasible, values, -np.inf))
        shown = np.isfinite(best)
        axes.step(numbers[shown], best[shown], where="post", color=colour, label=f"{arm}, best so far")
    axes.set(xlabel="trial of each search [–]", ylabel="utilization [%]")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return axes


@styled
def draw_parameter(records: Sequence[TrialRecord], name: str, *, axes: Axes | None = None) -> Axes:
    """
    Draw utilization over a searched parameter.

    Parameters
    ----------
    records : sequence of TrialRecord
        Trials of all searches.
    name : str
        The parameter.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One colour per search; open markers violate a constraint.
    """
    axes = make_axes(axes)
    for arm in ARMS:
        chosen = [r for r in records if r.arm == arm and r.is_complete and name in r.parameters]
        _scatter(
            axes,
            [record.parameters[name] for record in chosen],
            [100 * record.utilization for record in chosen],
            filled=[record.is_feasible for record in chosen],
            colour=COLOURS[arm],
        )
    label = PARAMETER_NAMES.get(name, name).split(",")[0]
    axes.set(xlabel=f"{label} [{UNITS.get(name, '–')}]", ylabel="utilization [%]")
    if not any(isinstance(record.parameters.get(name), str) for record in records):
        axes.locator_params(axis="x", nbins=5)
    return axes


@styled
def draw_front(
    points: Mapping[str, tuple[Sequence[Sequence[float]], Sequence[bool], Sequence[bool]]],
    *,
    labels: tuple[str, str],
    axes: Axes | None = None,
) -> Axes:
    """
    Draw two objectives of every trial, and the designs that no other one beats in both.

    Parameters
    ----------
    points : mapping of str to (values, feasible, on the front)
        For each search two values a trial, whether it fulfils the constraints, and whether it is on the Pareto front.
    labels : tuple of str
        The two objectives with their units.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Fronts as stairs through filled markers; open markers violate a constraint.
    """
    axes = make_axes(axes)
    for arm, (values, feasible, front) in points.items():
        x, y = np.asarray(values, dtype=np.float64).reshape(-1, 2).T
        keeps, best = np.asarray(feasible, dtype=bool), np.asarray(front, dtype=bool)
        colour = COLOURS[arm]
        axes.scatter(x[~keeps], y[~keeps], s=14, facecolors="none", edgecolors=colour, alpha=0.4, lw=0.8)
        axes.scatter(x[keeps & ~best], y[keeps & ~best], s=12, color=colour, alpha=0.35, lw=0)
        order = np.argsort(x[best])
        # Left of a point of the front, and down to the next one, lies what it beats.
        axes.step(x[best][order], y[best][order], where="pre", color=colour, marker="o", ms=4.5, label=arm)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    return axes


@styled
def draw_rung(pairs: NDArray[np.float64], *, labels: tuple[str, str], axes: Axes | None = None) -> Axes:
    """
    Draw what a cheaper model says of each trial, and what voxels say.

    Parameters
    ----------
    pairs : ndarray, shape (n, 2), float64
        Estimate and result of each trial.
    labels : tuple of str
        Both with their units.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        With the line on which both agree.
    """
    axes = make_axes(axes)
    axes.scatter(pairs[:, 0], pairs[:, 1], s=16, color=COLOURS[STRUCTURED], alpha=0.6, lw=0)
    ends = [pairs.min(), pairs.max()]
    axes.plot(ends, ends, color="#9AA5B1", lw=1.0, ls="--")
    axes.set(xlabel=labels[0], ylabel=labels[1])
    return axes


def _scatter(axes: Axes, x: Any, y: Any, *, filled: Any, colour: str) -> None:
    """Draw trials: filled where feasible, open where not."""
    x, y, filled = np.asarray(x), np.asarray(y), np.asarray(filled, dtype=bool)
    axes.scatter(x[~filled], y[~filled], s=18, facecolors="none", edgecolors=colour, alpha=0.6, lw=1.0)
    axes.scatter(x[filled], y[filled], s=20, color=colour, lw=0, zorder=3)
