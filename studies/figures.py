"""Figures of a study. Each draws into axes, given or new; Matplotlib is imported when one is drawn."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from meso.figures import draw_cut, make_axes, styled
from solvers.figures import SHARE_COLOURS
from studies.storage import STRUCTURED, UNIFORM
from studies.summary import DESIGN_NAMES, LOSS_NAMES, UNGRADED
from studies.vector import INK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from meso import Mesostructure

# Okabe and Ito's colours, which people with any colour vision can tell apart.
COLOURS = {STRUCTURED: "#0072B2", UNIFORM: "#D55E00", UNGRADED: "#7A8794"}
SOFT = "#616E7C"
PIXELS_PER_INCH = 180

MILLIAMPERE_HOUR_PER_SQUARE_CENTIMETRE = 0.1  # of 1 A.h.m-2

PROFILES = {
    "porosity": ("depth", "porosity", "electrolyte fraction [–]"),
    "macmullin": ("depth", "transport_efficiency", "local MacMullin number [–]"),
    "lithiation": ("discharge_depth", "stoichiometry", "final stoichiometry [–]"),
}
"""What is drawn through the thickness: its depths and values in the stored profiles, and the axis."""


@styled
def new_figure(
    width: float,
    height: float,
    *,
    columns: int = 1,
    width_ratios: Sequence[float] | None = None,
) -> tuple[Figure, Any]:
    """
    Make a figure without pyplot and its global state.

    Parameters
    ----------
    width, height : float
        Size [inch].
    columns : int, default 1
        Panels side by side.
    width_ratios : sequence of float, optional
        Their relative widths.

    Returns
    -------
    Figure, and Axes or an array of them
        One panel comes by itself, several as a flat array.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, width_ratios=width_ratios)


@styled
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


@styled
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
    axes = make_axes(axes)
    budgets = budgets_of(comparison)
    names = {**({} if enlarged else {"utilization": "utilized"}), **LOSS_NAMES}
    statistics = list(budgets.values())
    rows, left = np.arange(len(budgets)), np.zeros(len(budgets))
    for name, label in names.items():
        widths = 100 * np.array([each[name]["mean"] for each in statistics])
        axes.barh(rows, widths, left=left, height=0.62, color=SHARE_COLOURS[name], lw=0, label=label)
        left += widths
    utilization = [each["utilization"] for each in statistics]
    for row, each in zip(rows, utilization, strict=True):
        mean, half = 100 * each["mean"], 50 * (each["high"] - each["low"])
        if enlarged:
            axes.annotate(
                f"{100 - mean:.2f}",
                (100 - mean, row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=INK,
            )
        else:
            axes.annotate(f"{mean:.2f} ± {half:.2f}", (2, row), va="center", color="white", weight="bold")
    axes.set_yticks(rows, list(budgets))
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    if enlarged:
        axes.set(xlabel="lost share of the capacity [%]")
        axes.margins(x=0.14)
    else:
        axes.set(xlim=(0, 100), xlabel="share of the theoretical capacity [%]")
    return axes


@styled
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
    axes = make_axes(axes)
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


@styled
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
    axes = make_axes(axes)
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


@styled
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
    axes = draw_cut(structure, axes=make_axes(axes))
    # A page names the phases once; and it scales the voxels itself, sharply.
    if (legend := axes.get_legend()) is not None:
        legend.remove()
    axes.images[0].set_interpolation("none")
    depth, width = 1e6 * structure.thickness, 1e6 * structure.shape[2] * structure.voxel_size[2]
    axes.set(xlim=(0, 1e6 * extent[0]), ylim=(0, 1e6 * extent[1]))
    axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick <= depth])
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


def budgets_of(comparison: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """
    List the loss budgets that there are, with that of the design that nobody searched.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.

    Returns
    -------
    dict
        By the name of the design in words: mean of each loss, and ``utilization`` with its 95 % interval.
    """
    budgets = {DESIGN_NAMES[name]: design["statistics"] for name, design in designs_of(comparison).items()}
    if baseline := comparison.get("baseline"):
        losses = {
            name: {"mean": float(np.mean([packing[name] for packing in baseline["packings"]]))}
            for name in LOSS_NAMES
        }
        budgets["baseline"] = {**losses, "utilization": baseline["utilization"]}
    return budgets
