"""Pictures of transport, discharges, budgets and limits. Matplotlib is imported when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso.figures import make_axes, styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from solvers.budget import UtilizationBudget
    from solvers.cell import CellParameters
    from solvers.discharge import DischargeResult
    from solvers.electrode import PorousElectrode
    from solvers.limits import AttainableUtilization
    from solvers.rates import RateSweep
    from solvers.transport import TransportResult

# Okabe and Ito's colours, which people with any colour vision can tell apart.
SHARE_COLOURS = {
    "utilization": "#009E73",
    "isolated": "#999999",
    "solid_diffusion": "#E69F00",
    "electrolyte": "#56B4E9",
    "ohmic_kinetic": "#CC79A7",
}
SHARE_NAMES = {
    "utilization": "utilized",
    "isolated": "isolated",
    "solid_diffusion": "solid diffusion",
    "electrolyte": "electrolyte",
    "ohmic_kinetic": "ohmic and kinetic",
}
CLASS_COLOURS = ("#0072B2", "#D55E00", "#F0E442", "#009E73", "#CC79A7", "#56B4E9")
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)

# 1 A h m-2 = 0.1 mAh cm-2
PER_SQUARE_CENTIMETRE = 0.1


@styled
def draw_discharge(result: DischargeResult, *, axes: Axes | None = None, label: str | None = None) -> Axes:
    """
    Draw the voltage over the capacity.

    Parameters
    ----------
    result : DischargeResult
        The run.
    axes : Axes, optional
        Where to draw, for curves to be overlaid; a new figure when left out.
    label : str, optional
        For the legend; the rate when left out.

    Returns
    -------
    Axes
        The axes.
    """
    axes = make_axes(axes)
    capacity = PER_SQUARE_CENTIMETRE * result.areal_capacity
    axes.plot(capacity, result.voltage, label=label or f"{result.c_rate:.3g}C")
    verb = "delivered" if result.current_density > 0.0 else "charged"
    axes.set(xlabel=f"{verb} areal capacity [mAh cm⁻²]", ylabel="voltage against lithium [V]")
    axes.legend()
    return axes


@styled
def draw_unused(result: DischargeResult, *, axes: Axes | None = None) -> Axes:
    """
    Draw where in the electrode capacity is left, by size class, and where it is isolated.

    Parameters
    ----------
    result : DischargeResult
        The run.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Capacity per volume of electrode over the depth from the separator; the area is what was not delivered.
    """
    axes = make_axes(axes)
    slices, classes = result.unused_areal_capacity.shape
    width = 1e6 * result.thickness / slices
    depth = (np.arange(slices + 1) * width).repeat(2)[1:-1]
    # 1 A h m-2 over 1 um = 1000 mAh cm-3
    parts = [(f"size class {i + 1}", CLASS_COLOURS[i % len(CLASS_COLOURS)]) for i in range(classes)]
    parts.append(("isolated", SHARE_COLOURS["isolated"]))
    values = np.column_stack((result.unused_areal_capacity, result.isolated_areal_capacity)) / width * 1e3
    axes.stackplot(
        depth,
        values.repeat(2, axis=0).T,
        colors=[colour for _, colour in parts],
        labels=[name for name, _ in parts],
    )
    axes.set(
        xlabel="depth from the separator [µm]",
        ylabel="unused capacity [mAh cm⁻³]",
        xlim=(0.0, depth[-1]),
        ylim=(0.0, None),
    )
    axes.legend()
    return axes


@styled
def draw_budgets(budgets: Mapping[str, UtilizationBudget], *, axes: Axes | None = None) -> Axes:
    """
    Draw utilization and losses as one bar a budget, with the closed-form limits as marks.

    Parameters
    ----------
    budgets : mapping of str to UtilizationBudget
        Budgets by the name of their bar.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Bars of length 100 %.
    """
    axes = make_axes(axes, height=1.4 + 0.6 * len(budgets))
    ends = np.zeros(len(budgets))
    for share, colour in SHARE_COLOURS.items():
        widths = 100.0 * np.array([getattr(budget, share) for budget in budgets.values()])
        axes.barh(range(len(budgets)), widths, left=ends, color=colour, label=SHARE_NAMES[share], height=0.62)
        ends += widths
    for limit, marker in (("solid_diffusion", "D"), ("electrolyte", "o"), ("ohmic_kinetic", "s")):
        values = [100.0 * float(getattr(budget.limits, limit)) for budget in budgets.values()]
        axes.plot(
            values,
            range(len(budgets)),
            marker,
            color=SHARE_COLOURS[limit],
            markeredgecolor="black",
            clip_on=False,
            label=f"limit: {SHARE_NAMES[limit]}",
        )
    axes.set_yticks(range(len(budgets)), list(budgets))
    axes.set(xlim=(0.0, 100.0), xlabel="share of the theoretical capacity [%]")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize="small")
    return axes


@styled
def draw_rates(sweep: RateSweep, *, axes: Axes | None = None) -> Axes:
    """
    Draw the utilization over the rate.

    Parameters
    ----------
    sweep : RateSweep
        The runs.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        With a logarithmic axis of rates.
    """
    axes = make_axes(axes)
    order = np.argsort(sweep.c_rate)
    axes.semilogx(sweep.c_rate[order], 100.0 * sweep.utilization[order], "o-")
    axes.set(xlabel="C-rate [h⁻¹]", ylabel="utilization [%]", ylim=(0.0, 102.0))
    return axes


@styled
def draw_attainable(
    limits: AttainableUtilization,
    x: ArrayLike,
    y: ArrayLike,
    *,
    labels: tuple[str, str],
    axes: Axes | None = None,
) -> Axes:
    """
    Draw a map of the attainable utilization.

    Parameters
    ----------
    limits : AttainableUtilization
        Of shape (m, n).
    x, y : array_like, shapes (n,) and (m,)
        Values of the two arguments that vary.
    labels : tuple of str
        What they are, with units.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Filled contours with lines at the round values.

    Raises
    ------
    ValueError
        If the shapes do not belong together.
    """
    across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if limits.utilization.shape != (up.size, across.size):
        raise ValueError(
            f"x and y must have n and m values for limits of shape (m, n) = {limits.utilization.shape}, "
            f"got {across.size} and {up.size}; numpy.meshgrid lays them out"
        )
    axes = make_axes(axes)
    filled = axes.contourf(across, up, 100.0 * limits.utilization, levels=np.linspace(0.0, 100.0, 41))
    axes.figure.colorbar(filled, ax=axes, label="attainable utilization [%]", ticks=np.arange(0, 101, 20))
    values = 100.0 * limits.utilization
    inside = [100.0 * level for level in LEVELS if values.min() < 100.0 * level < values.max()]
    if inside:
        lines = axes.contour(across, up, values, levels=inside, colors="white", linewidths=0.9)
        axes.clabel(lines, fmt="%g")
    axes.set(xlabel=labels[0], ylabel=labels[1])
    return axes


@styled
def draw_transport(result: TransportResult, *, axes: Axes | None = None) -> Axes:
    """
    Draw the MacMullin number slice by slice.

    Parameters
    ----------
    result : TransportResult
        The solve.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Steps, and the mean as a dashed line; nothing but a remark where no current flows.
    """
    axes = make_axes(axes)
    axes.set(
        xlabel="depth along the axis [% of the length]", ylabel="MacMullin number [-]", xlim=(0.0, 100.0)
    )
    if not result.percolates:
        axes.text(0.5, 0.5, "does not percolate", ha="center", va="center", transform=axes.transAxes)
        return axes
    axes.stairs(
        result.profile, np.linspace(0.0, 100.0, result.profile.size + 1), baseline=None, label="slice"
    )
    axes.axhline(
        result.macmullin_number, ls="--", color="#1F2933", lw=1.0, label=f"mean {result.macmullin_number:.4g}"
    )
    axes.set_ylim(0.0, None)
    axes.legend()
    return axes


@styled
def draw_map(values: NDArray[np.float32], name: str, *, axes: Axes | None = None) -> Axes:
    """
    Draw a cut through the middle of a map.

    Parameters
    ----------
    values : ndarray, shape (n0, n1, n2) or (n0, n1), float32
        The map; NaN stays white.
    name : str
        What it is, with its unit.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Axis 0 to the right, the last axis upwards.
    """
    axes = make_axes(axes)
    cut = values if values.ndim == 2 else values[:, values.shape[1] // 2]
    shown = axes.imshow(cut.T, origin="lower", interpolation="nearest")
    axes.figure.colorbar(shown, ax=axes, label=name.replace("_", " "))
    axes.grid(visible=False)
    axes.set(xlabel="axis 0 [voxels]", ylabel="last axis [voxels]")
    return axes


@styled
def draw_efficiencies(numbers: Mapping[str, tuple[float, float]], *, axes: Axes | None = None) -> Axes:
    """
    Draw transport efficiencies as bars within the porosity, which straight pores would reach.

    Parameters
    ----------
    numbers : mapping of str to tuple of float
        MacMullin number and porosity by the name of their bar.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One bar each, with its tortuosity factor.
    """
    axes = make_axes(axes, height=1.4 + 0.6 * len(numbers))
    for position, (macmullin, porosity) in enumerate(numbers.values()):
        axes.barh(position, porosity, height=0.62, facecolor="none", edgecolor="#9AA5B1", ls="--")
        axes.barh(position, 1.0 / macmullin, height=0.62, color=SHARE_COLOURS["electrolyte"])
        axes.annotate(
            f"τ = {macmullin * porosity:.4g}",
            (porosity, position),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(range(len(numbers)), list(numbers))
    axes.invert_yaxis()
    axes.set(xlabel="transport efficiency B = 1 / N_M within the porosity [-]", xlim=(0.0, None))
    axes.margins(x=0.2)
    return axes


@styled
def draw_electrode(electrode: PorousElectrode, *, axes: Axes | None = None) -> Axes:
    """
    Draw porosity, transport efficiency and active material over the depth.

    Parameters
    ----------
    electrode : PorousElectrode
        What to draw.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Steps by slice.
    """
    axes = make_axes(axes)
    edges = 1e6 * electrode.thickness * np.arange(electrode.slices + 1) / electrode.slices
    for name, values, colour in (
        ("active material", electrode.active_fraction, CLASS_COLOURS[0]),
        ("electrolyte", electrode.porosity, CLASS_COLOURS[1]),
        ("transport efficiency B", electrode.transport_efficiency, CLASS_COLOURS[3]),
        ("isolated material", electrode.isolated_fractions, SHARE_COLOURS["isolated"]),
    ):
        axes.stairs(values, edges, baseline=None, color=colour, lw=1.8, label=name)
    axes.set(
        xlabel="depth from the separator [µm]",
        ylabel="fraction of the volume, efficiency [-]",
        xlim=(0.0, edges[-1]),
        ylim=(0.0, None),
    )
    axes.legend()
    return axes


@styled
def draw_potential(cell: CellParameters, *, axes: Axes | None = None) -> Axes:
    """
    Draw the open-circuit potential over the stoichiometry.

    Parameters
    ----------
    cell : CellParameters
        What to draw.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Between the cut-offs, which are dashed.
    """
    axes = make_axes(axes)
    x = np.linspace(cell.minimum_stoichiometry, cell.maximum_stoichiometry, 400)
    axes.plot(x, cell.open_circuit_potential(x), label=cell.name)
    for cutoff in (cell.lower_cutoff_voltage, cell.upper_cutoff_voltage):
        axes.axhline(cutoff, ls="--", lw=1.0, color="#9AA5B1")
    axes.set(xlabel="stoichiometry [-]", ylabel="open-circuit potential against lithium [V]")
    axes.legend()
    return axes
