"""Figures of a study: history, losses, discharge, profiles, parameters, structures."""

from __future__ import annotations

import io
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from meso import Phase
from studies.storage import ARMS, STRUCTURED, UNIFORM
from studies.summary import LOSS_NAMES, PARAMETER_NAMES, UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from meso import Mesostructure
    from studies.trials import TrialRecord

# Okabe and Ito's colours, which people with any colour vision can tell apart.
ARM_COLOURS = {STRUCTURED: "#0072B2", UNIFORM: "#D55E00"}
SHARE_COLOURS = {
    "utilization": "#009E73",
    "isolated": "#999999",
    "solid_diffusion": "#E69F00",
    "electrolyte": "#56B4E9",
    "ohmic_kinetic": "#CC79A7",
}
PHASE_COLOURS = {Phase.PORE: "#EAF3FA", Phase.ACTIVE: "#4C5B6B", Phase.BINDER: "#E69F00"}
INK = "#1F2933"
PIXELS_PER_INCH = 180


def render(figure: Figure) -> bytes:
    """
    Draw a figure as PNG.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.

    Returns
    -------
    bytes
        PNG without the time of drawing, so that the same study gives the same bytes.
    """
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=PIXELS_PER_INCH, metadata={"Software": None})
    return target.getvalue()


def plot_losses(comparison: Mapping[str, Any]) -> Figure:
    """
    Draw utilization and losses of winner and control as bars of length 1.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.

    Returns
    -------
    matplotlib.figure.Figure
        One bar per design, in per cent of the theoretical capacity.
    """
    arms = [arm for arm in ARMS if comparison[arm]]
    figure, axes = _figure(8.0, 1.25 + 0.7 * len(arms))
    for position, arm in enumerate(arms):
        statistics, left = comparison[arm]["statistics"], 0.0
        for name in ("utilization", *LOSS_NAMES):
            width = 100 * statistics[name]["mean"]
            axes.barh(position, width, left=left, height=0.62, color=SHARE_COLOURS[name], edgecolor="white")
            if abs(width) >= 2.5:
                axes.text(
                    left + width / 2,
                    position,
                    f"{width:.1f}",
                    ha="center",
                    va="center",
                    fontsize=9,
                    color=INK,
                )
            left += width
        utilization = statistics["utilization"]
        half = 50 * (utilization["high"] - utilization["low"])
        axes.errorbar(100 * utilization["mean"], position, xerr=half, color=INK, capsize=4, lw=1.4)
    axes.set_yticks(range(len(arms)), [f"best {arm}" for arm in arms])
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set(
        xlim=(0, 100),
        xlabel="share of the theoretical capacity [%]; bar at the end of utilization: 95 % interval",
    )
    labels = {"utilization": "utilized", **LOSS_NAMES}
    from matplotlib.patches import Patch

    handles = [Patch(color=SHARE_COLOURS[name], label=label) for name, label in labels.items()]
    figure.legend(
        handles=handles, loc="outside upper center", ncols=len(handles), fontsize=9, handlelength=1.2
    )
    return figure


def plot_history(records: Sequence[TrialRecord]) -> Figure:
    """
    Draw the utilization of every trial and the best so far.

    Parameters
    ----------
    records : sequence of TrialRecord
        Trials of both searches.

    Returns
    -------
    matplotlib.figure.Figure
        One colour per search; open markers violate a constraint.
    """
    figure, axes = _figure(8.0, 3.4)
    for arm in ARMS:
        trials = [record for record in records if record.arm == arm and record.is_complete]
        if not trials:
            continue
        colour = ARM_COLOURS[arm]
        numbers = np.array([trial.number for trial in trials])
        values = 100 * np.array([trial.utilization for trial in trials])
        feasible = np.array([trial.is_feasible for trial in trials])
        axes.scatter(
            numbers[feasible], values[feasible], s=26, color=colour, label=f"{arm}: feasible", zorder=3
        )
        axes.scatter(
            numbers[~feasible],
            values[~feasible],
            s=24,
            facecolors="none",
            edgecolors=colour,
            alpha=0.7,
            lw=1.1,
            label=f"{arm}: violates a constraint",
        )
        best = np.maximum.accumulate(np.where(feasible, values, -np.inf))
        shown = np.isfinite(best)
        axes.step(
            numbers[shown], best[shown], where="post", color=colour, alpha=0.8, label=f"{arm}: best so far"
        )
    axes.set(xlabel="trial of the search", ylabel="utilization [%]")
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(loc="outside right upper", fontsize=9)
    return figure


def plot_discharge(comparison: Mapping[str, Any], *, cutoff_voltage: float) -> Figure:
    """
    Draw the discharge curves of winner and control on all fresh packings.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.
    cutoff_voltage : float
        Lower cut-off [V].

    Returns
    -------
    matplotlib.figure.Figure
        Voltage over delivered areal capacity.
    """
    figure, axes = _figure(8.0, 3.4)
    for arm in _drawn(comparison):
        for index, curve in enumerate(comparison[arm]["discharges"]):
            capacity = 0.1 * np.asarray(curve["areal_capacity"])
            label = f"best {arm}" if index == 0 else None
            axes.plot(capacity, curve["voltage"], color=ARM_COLOURS[arm], lw=1.1, alpha=0.75, label=label)
    axes.axhline(cutoff_voltage, color="#9AA5B1", ls="--", lw=1.0)
    axes.annotate(
        "cut-off",
        (0.0, cutoff_voltage),
        xytext=(2, 3),
        textcoords="offset points",
        fontsize=8,
        color="#616E7C",
    )
    axes.set(
        xlabel="delivered areal capacity [mAh cm⁻²]", ylabel="voltage against lithium [V]", xlim=(0, None)
    )
    axes.legend(fontsize=9)
    return figure


def plot_profiles(comparison: Mapping[str, Any]) -> Figure:
    """
    Draw what varies through the thickness, averaged over the fresh packings.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.

    Returns
    -------
    matplotlib.figure.Figure
        Electrolyte fraction, ionic transport efficiency, and lithium content at the end of discharge.
    """
    figure, panels = _figure(8.0, 2.9, columns=3)
    quantities = (
        ("depth", "porosity", "electrolyte fraction"),
        ("depth", "transport_efficiency", "transport efficiency B"),
        ("discharge_depth", "stoichiometry", "stoichiometry at the end"),
    )
    for axes, (depth, quantity, title) in zip(panels, quantities, strict=True):
        for arm in _drawn(comparison):
            grid = np.linspace(0.0, 1.0, 60)
            curves = [np.interp(grid, each[depth], each[quantity]) for each in comparison[arm]["profiles"]]
            thickness = 1e6 * comparison[arm]["statistics"]["thickness"]["mean"]
            middle, spread = np.mean(curves, axis=0), np.std(curves, axis=0)
            axes.plot(grid * thickness, middle, color=ARM_COLOURS[arm], label=f"best {arm}")
            axes.fill_between(
                grid * thickness, middle - spread, middle + spread, color=ARM_COLOURS[arm], alpha=0.15, lw=0
            )
        axes.set_title(title, loc="left", weight="bold")
        axes.set(xlabel="depth from separator [µm]", xlim=(0, None))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels), fontsize=9)
    return figure


def plot_parameters(records: Sequence[TrialRecord]) -> Figure:
    """
    Draw utilization over every searched parameter.

    Parameters
    ----------
    records : sequence of TrialRecord
        Trials of both searches.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per parameter; open markers violate a constraint.
    """
    names = [name for name in PARAMETER_NAMES if any(name in record.parameters for record in records)]
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure, panels = _figure(8.0, 2.5 * rows + 0.3, rows=rows, columns=columns)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    for axes, name in zip(panels, names, strict=False):
        for arm in ARMS:
            for feasible in (False, True):
                chosen = [
                    record
                    for record in records
                    if record.arm == arm
                    and record.is_complete
                    and record.is_feasible is feasible
                    and name in record.parameters
                ]
                colour = ARM_COLOURS[arm]
                axes.scatter(
                    [record.parameters[name] for record in chosen],
                    [100 * record.utilization for record in chosen],
                    s=20,
                    facecolors=colour if feasible else "none",
                    edgecolors=colour,
                    alpha=0.9 if feasible else 0.5,
                    lw=1.0,
                    label=arm if feasible else None,
                )
        unit = f" [{UNITS[name]}]" if name in UNITS else ""
        axes.set(xlabel=PARAMETER_NAMES[name].split(",")[0] + unit)
        if axes in panels[::columns]:
            axes.set_ylabel("utilization [%]")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=2, fontsize=9)
    return figure


def plot_structures(structures: Mapping[str, Mesostructure]) -> Figure:
    """
    Draw a slice through the thickness of each structure, at the same scale.

    Parameters
    ----------
    structures : mapping of str to Mesostructure
        Structure of the best design of each search.

    Returns
    -------
    matplotlib.figure.Figure
        Separator on the left, current collector on the right.
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    colours = ListedColormap([PHASE_COLOURS[phase] for phase in Phase])
    look = {
        "cmap": colours,
        "norm": BoundaryNorm([-0.5, 0.5, 1.5, 2.5], colours.N),
        "interpolation": "nearest",
    }
    depths = [1e6 * each.thickness for each in structures.values()]
    widths = [1e6 * each.shape[1] * each.voxel_size[1] for each in structures.values()]
    # One scale for all: panels as wide as the electrodes are thick.
    height = max(widths) / sum(depths) * 7.0 + 1.1
    figure, panels = _figure(8.0, height, columns=len(structures), width_ratios=depths)
    for axes, depth, width, (arm, structure) in zip(
        np.atleast_1d(panels), depths, widths, structures.items(), strict=True
    ):
        middle = structure.labels[:, :, structure.shape[2] // 2].T
        axes.imshow(middle, extent=(0, depth, 0, width), aspect="equal", **look)
        axes.grid(visible=False)
        axes.set_title(f"best {arm}", loc="left", weight="bold")
        axes.set(xlabel="depth from separator [µm]", ylim=(0, max(widths)))
        axes.spines.left.set_bounds(0, width)
    np.atleast_1d(panels)[0].set_ylabel("[µm]")
    names = {Phase.PORE: "pore", Phase.ACTIVE: "active material", Phase.BINDER: "carbon–binder domain"}
    handles = [
        Patch(facecolor=PHASE_COLOURS[phase], edgecolor="#9AA5B1", label=names[phase]) for phase in Phase
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=3, fontsize=9)
    return figure


def _drawn(comparison: Mapping[str, Any]) -> list[str]:
    """List the searches that have a winner."""
    return [arm for arm in ARMS if comparison[arm]]


def _figure(
    width: float,
    height: float,
    *,
    rows: int = 1,
    columns: int = 1,
    width_ratios: Sequence[float] | None = None,
) -> tuple[Figure, Any]:
    """Make a figure of a size in inches, without pyplot and its global state; several panels come as a flat array."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(str(files("studies").joinpath("templates", "figures.mplstyle"))):
        figure = Figure(figsize=(width, height), layout="constrained")
        panels = figure.subplots(rows, columns, width_ratios=width_ratios)
    return figure, panels.ravel() if isinstance(panels, np.ndarray) else panels
