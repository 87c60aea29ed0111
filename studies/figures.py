"""Figures of a study: history, losses, discharge, profiles, parameters, structures."""

from __future__ import annotations

import io
from functools import wraps
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from meso import Phase
from solvers.figures import SHARE_COLOURS
from studies.parameters import PARAMETERS
from studies.storage import ARMS, STRUCTURED, UNIFORM
from studies.summary import DESIGN_NAMES, LOSS_NAMES, PARAMETER_NAMES, UNGRADED, UNITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from meso import Mesostructure
    from studies.trials import TrialRecord

Arguments = ParamSpec("Arguments")

# Okabe and Ito's colours, which people with any colour vision can tell apart.
COLOURS = {STRUCTURED: "#0072B2", UNIFORM: "#D55E00", UNGRADED: "#6B6B6B"}
PHASE_COLOURS = {Phase.PORE: "#EAF3FA", Phase.ACTIVE: "#4C5B6B", Phase.BINDER: "#E69F00"}
INK = "#1F2933"
PIXELS_PER_INCH = 180


def _styled(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Draw in the style of the report, whatever the style of the session."""

    @wraps(draw)
    def styled(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure:
        from matplotlib import style

        with style.context(str(files("studies").joinpath("templates", "figures.mplstyle"))):
            return draw(*args, **kwargs)

    return styled


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


@_styled
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
    designs = _designs(comparison)
    figure, (whole, lost) = _figure(8.0, 1.5 + 0.5 * len(designs), columns=2, width_ratios=(1, 1.15))
    for position, design in enumerate(designs.values()):
        shares = {name: 100 * design["statistics"][name]["mean"] for name in ("utilization", *LOSS_NAMES)}
        _stack(whole, position, shares)
        utilization = design["statistics"]["utilization"]
        half = 50 * (utilization["high"] - utilization["low"])
        whole.errorbar(shares["utilization"], position, xerr=half, color=INK, capsize=4, lw=1.4)
        whole.text(
            2, position, f"{shares['utilization']:.2f} ± {half:.2f}", va="center", fontsize=9, color="white"
        )
        _stack(lost, position, {name: shares[name] for name in LOSS_NAMES})
        lost.text(
            100 - shares["utilization"],
            position,
            f" {100 - shares['utilization']:.2f}",
            va="center",
            fontsize=9,
        )
    whole.set_yticks(range(len(designs)), [DESIGN_NAMES[name] for name in designs])
    lost.set_yticks([])
    for axes in (whole, lost):
        axes.invert_yaxis()
        axes.grid(visible=False)
    whole.set(xlim=(0, 100), xlabel="share of the theoretical capacity [%]", title="utilized")
    lost.margins(x=0.14)
    lost.set(xlim=(0, None), xlabel="the same, enlarged [%]", title="lost")
    from matplotlib.patches import Patch

    labels = {"utilization": "utilized", **LOSS_NAMES}
    handles = [Patch(color=SHARE_COLOURS[name], label=label) for name, label in labels.items()]
    figure.legend(
        handles=handles, loc="outside upper center", ncols=len(handles), fontsize=9, handlelength=1.2
    )
    return figure


def _stack(axes: Axes, position: int, shares: Mapping[str, float]) -> None:
    """Draw shares end to end in one bar."""
    left = 0.0
    for name, width in shares.items():
        axes.barh(
            position, width, left=left, height=0.62, color=SHARE_COLOURS[name], edgecolor="white", lw=0.6
        )
        left += width


@_styled
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
        colour = COLOURS[arm]
        numbers = np.arange(1, len(trials) + 1)
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


@_styled
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
    for name, design in _designs(comparison).items():
        for index, curve in enumerate(design["discharges"]):
            capacity = 0.1 * np.asarray(curve["areal_capacity"])
            label = DESIGN_NAMES[name] if index == 0 else None
            axes.plot(capacity, curve["voltage"], color=COLOURS[name], lw=1.1, alpha=0.75, label=label)
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


@_styled
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
        ("discharge_depth", "stoichiometry", "final stoichiometry"),
    )
    for axes, (depth, quantity, title) in zip(panels, quantities, strict=True):
        for name, design in _designs(comparison).items():
            grid = np.linspace(0.0, 1.0, 60)
            curves = [np.interp(grid, each[depth], each[quantity]) for each in design["profiles"]]
            thickness = 1e6 * design["statistics"]["thickness"]["mean"]
            middle, spread = np.mean(curves, axis=0), np.std(curves, axis=0)
            axes.plot(grid * thickness, middle, color=COLOURS[name], label=DESIGN_NAMES[name])
            band = middle - spread, middle + spread
            axes.fill_between(grid * thickness, *band, color=COLOURS[name], alpha=0.15, lw=0)
        axes.set_title(title)
        axes.set(xlabel="depth from separator [µm]", xlim=(0, None))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels), fontsize=9)
    return figure


@_styled
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
    figure, drawn = _figure(8.0, 2.5 * rows + 0.3, rows=rows, columns=columns)
    panels = np.atleast_1d(drawn)
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
                colour = COLOURS[arm]
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
        if not PARAMETERS[name].words:
            axes.locator_params(axis="x", nbins=4)
        if axes in panels[::columns]:
            axes.set_ylabel("utilization [%]")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=2, fontsize=9)
    return figure


@_styled
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
        axes.set_title(DESIGN_NAMES[arm])
        axes.set(xlabel="depth from separator [µm]", ylim=(0, max(widths)))
        axes.spines.left.set_bounds(0, width)
    np.atleast_1d(panels)[0].set_ylabel("[µm]")
    names = {Phase.PORE: "pore", Phase.ACTIVE: "active material", Phase.BINDER: "carbon–binder domain"}
    handles = [
        Patch(facecolor=PHASE_COLOURS[phase], edgecolor="#9AA5B1", label=names[phase]) for phase in Phase
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=3, fontsize=9)
    return figure


def _designs(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """List the designs that there are."""
    return {name: design for name, design in comparison["designs"].items() if design}


def _figure(
    width: float,
    height: float,
    *,
    rows: int = 1,
    columns: int = 1,
    width_ratios: Sequence[float] | None = None,
) -> tuple[Figure, Any]:
    """Make a figure of a size in inches, without pyplot and its global state; several panels come as a flat array."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns, width_ratios=width_ratios)
    return figure, panels.ravel() if isinstance(panels, np.ndarray) else panels
