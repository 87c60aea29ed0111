"""Figures of a study. Each draws into axes, given or new; Matplotlib is imported when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meso.figures import COLOURS as PHASE_COLOURS
from solvers.figures import SHARE_COLOURS
from studies.storage import ARMS, STRUCTURED, UNIFORM
from studies.summary import DESIGN_NAMES, LOSS_NAMES, PARAMETER_NAMES, UNGRADED, UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from meso import Mesostructure
    from studies.trials import TrialRecord

# Okabe and Ito's colours, which people with any colour vision can tell apart.
COLOURS = {STRUCTURED: "#0072B2", UNIFORM: "#D55E00", UNGRADED: "#7A8794"}
SOFT = "#616E7C"

MILLIAMPERE_HOUR_PER_SQUARE_CENTIMETRE = 0.1  # of 1 A.h.m-2

PROFILES = {
    "porosity": ("depth", "porosity", "electrolyte fraction [–]"),
    "macmullin": ("depth", "transport_efficiency", "local MacMullin number [–]"),
    "lithiation": ("discharge_depth", "stoichiometry", "final stoichiometry [–]"),
}
"""What is drawn through the thickness: its depths and values in the stored profiles, and the axis."""


def _axes(axes: Axes | None) -> Axes:
    """Make axes in a new figure where none are given."""
    if axes is not None:
        return axes
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=(6.0, 4.0), layout="constrained")[1]


def draw_losses(comparison: Mapping[str, Any], *, enlarged: bool = False, axes: Axes | None = None) -> Axes:
    """
    Draw utilization and losses of the compared designs as stacked bars.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.
    enlarged : bool, default False
        Whether to leave out what is utilized, so that the losses fill the axis.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One bar per design, in per cent of the theoretical capacity, with the 95 % interval of the utilization.
    """
    axes = _axes(axes)
    designs = designs_of(comparison)
    names = {**({} if enlarged else {"utilization": "utilized"}), **LOSS_NAMES}
    statistics = [design["statistics"] for design in designs.values()]
    rows, left = np.arange(len(designs)), np.zeros(len(designs))
    for name, label in names.items():
        widths = 100 * np.array([each[name]["mean"] for each in statistics])
        axes.barh(rows, widths, left=left, height=0.62, color=SHARE_COLOURS[name], lw=0, label=label)
        left += widths
    utilization = [each["utilization"] for each in statistics]
    for row, each in zip(rows, utilization, strict=True):
        mean, half = 100 * each["mean"], 50 * (each["high"] - each["low"])
        if enlarged:
            axes.annotate(
                f"{100 - mean:.2f}", (100 - mean, row), xytext=(4, 0), textcoords="offset points", va="center"
            )
        else:
            axes.annotate(f"{mean:.2f} ± {half:.2f}", (2, row), va="center", color="white", weight="bold")
    axes.set_yticks(rows, [DESIGN_NAMES[name] for name in designs])
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    if enlarged:
        axes.set(xlabel="lost share of the capacity [%]")
        axes.margins(x=0.14)
    else:
        axes.set(xlim=(0, 100), xlabel="share of the theoretical capacity [%]")
    return axes


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

    axes = _axes(axes)
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


def _scatter(axes: Axes, x: Any, y: Any, *, filled: Any, colour: str) -> None:
    """Draw trials: filled where feasible, open where not."""
    x, y, filled = np.asarray(x), np.asarray(y), np.asarray(filled, dtype=bool)
    axes.scatter(x[~filled], y[~filled], s=18, facecolors="none", edgecolors=colour, alpha=0.6, lw=1.0)
    axes.scatter(x[filled], y[filled], s=20, color=colour, lw=0, zorder=3)


def draw_voltages(comparison: Mapping[str, Any], *, cutoff_voltage: float, axes: Axes | None = None) -> Axes:
    """
    Draw the discharge curves of the compared designs on all fresh packings.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.
    cutoff_voltage : float
        Lower cut-off [V].
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Voltage over delivered areal capacity.
    """
    axes = _axes(axes)
    for name, design in designs_of(comparison).items():
        for index, curve in enumerate(design["discharges"]):
            capacity = MILLIAMPERE_HOUR_PER_SQUARE_CENTIMETRE * np.asarray(curve["areal_capacity"])
            label = DESIGN_NAMES[name] if index == 0 else None
            axes.plot(capacity, curve["voltage"], color=COLOURS[name], lw=1.2, alpha=0.8, label=label)
    axes.axhline(cutoff_voltage, color="#9AA5B1", ls="--", lw=1.0)
    axes.annotate(
        "cut-off", (0.0, cutoff_voltage), xytext=(2, 3), textcoords="offset points", fontsize=8, color=SOFT
    )
    axes.set(
        xlabel="delivered areal capacity [mAh cm⁻²]", ylabel="voltage against lithium [V]", xlim=(0, None)
    )
    return axes


def draw_profile(comparison: Mapping[str, Any], quantity: str, *, axes: Axes | None = None) -> Axes:
    """
    Draw a quantity through the thickness: mean over the fresh packings, band of one standard deviation.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.
    quantity : str
        Key of `PROFILES`.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Separator on the left. The local MacMullin number is the inverse of a slice's transport efficiency.
    """
    axes = _axes(axes)
    depth, values, label = PROFILES[quantity]
    for name, design in designs_of(comparison).items():
        grid = np.linspace(0.0, 1.0, 60)
        curves = np.array([np.interp(grid, each[depth], each[values]) for each in design["profiles"]])
        if quantity == "macmullin":
            curves = 1.0 / np.where(curves > 0, curves, np.nan)
        thickness = 1e6 * design["statistics"]["thickness"]["mean"]
        middle, spread = curves.mean(axis=0), curves.std(axis=0)
        axes.plot(grid * thickness, middle, color=COLOURS[name], label=DESIGN_NAMES[name])
        band = middle - spread, middle + spread
        axes.fill_between(grid * thickness, *band, color=COLOURS[name], alpha=0.15, lw=0)
    axes.set(xlabel="depth from the separator [µm]", ylabel=label, xlim=(0, None))
    return axes


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
    axes = _axes(axes)
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


def draw_slice(structure: Mesostructure, *, extent: tuple[float, float], axes: Axes | None = None) -> Axes:
    """
    Draw a slice through the thickness.

    Parameters
    ----------
    structure : Mesostructure
        The structure.
    extent : tuple of float
        Depth and width of the axes [m], so that several structures have one scale.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Separator on the left, current collector on the right.
    """
    from matplotlib.colors import ListedColormap

    axes = _axes(axes)
    depth, width = 1e6 * structure.thickness, 1e6 * structure.shape[1] * structure.voxel_size[1]
    axes.imshow(
        structure.labels[:, :, structure.shape[2] // 2].T,
        cmap=ListedColormap(list(PHASE_COLOURS.values())),
        vmin=-0.5,
        vmax=len(PHASE_COLOURS) - 0.5,
        extent=(0, depth, 0, width),
        aspect="equal",
        interpolation="none",
    )
    axes.grid(visible=False)
    axes.set(
        xlabel="depth from the separator [µm]",
        ylabel="width [µm]",
        xlim=(0, 1e6 * extent[0]),
        ylim=(0, 1e6 * extent[1]),
    )
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= width])
    axes.spines.left.set_bounds(0, width)
    axes.spines.bottom.set_bounds(0, depth)
    return axes


def designs_of(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """
    List the designs that there are.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.

    Returns
    -------
    dict
        The designs of a comparison that are not None.
    """
    return {name: design for name, design in comparison["designs"].items() if design}
