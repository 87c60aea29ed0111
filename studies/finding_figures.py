"""Figures of what comes after the search: the frontier, what-if, the importance of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meso.figures import make_axes, styled
from studies.figures import COLOURS, MILLIAMPERE_HOUR_PER_SQUARE_CENTIMETRE
from studies.storage import STRUCTURED, UNIFORM
from studies.vector import INK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

CEILINGS = {"straight": "ceiling", "isotropic": "isotropic_ceiling"}
"""Pores that an analytic ceiling takes, and its key in a rate of the frontier."""
CONTROL = "best without structure (control)"


@styled
def draw_frontier(document: Mapping[str, Any], *, axes: Axes | None = None) -> Axes:
    """
    Draw the largest loading at the demanded utilization over the rate.

    Parameters
    ----------
    document : mapping
        What ``frontier.json`` holds.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Best structured design and control with 95 % intervals, under the analytic ceilings; a cross where none was found.
    """
    axes = make_axes(axes)
    rates = document["rates"]
    for (pores, key), style in zip(CEILINGS.items(), ("--", ":"), strict=True):
        reached = [rate for rate in rates if rate[key]["areal_capacity"] > 0]
        values = [MILLIAMPERE_HOUR_PER_SQUARE_CENTIMETRE * rate[key]["areal_capacity"] for rate in reached]
        label = f"analytic ceiling, {pores} pores"
        axes.plot([rate["c_rate"] for rate in reached], values, color="#9AA5B1", ls=style, label=label)
    for is_control, shift, marker in ((True, 0.97, "s"), (False, 1.03, "o")):
        colour = COLOURS[UNIFORM if is_control else STRUCTURED]
        found = []
        for rate in rates:
            design = rate["designs"].get(rate["control"] if is_control else STRUCTURED)
            if design:
                found.append((shift * rate["c_rate"], design["statistics"]["areal_capacity"]))
            else:
                base = axes.get_xaxis_transform()
                axes.plot(shift * rate["c_rate"], 0.04, marker="x", color=colour, transform=base)
        _draw_intervals(
            axes,
            found,
            factor=MILLIAMPERE_HOUR_PER_SQUARE_CENTIMETRE,
            colour=colour,
            marker=marker,
            label=CONTROL if is_control else "best structured",
        )
    axes.set(xscale="log", yscale="log", ylabel="areal capacity [mAh cm⁻²]")
    low, high = axes.get_ylim()
    ticks = [value for value in (0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50) if low <= value <= high]
    axes.set_yticks(ticks, [f"{value:g}" for value in ticks])
    return _name_rates(axes, rates)


@styled
def draw_gain(document: Mapping[str, Any], *, axes: Axes | None = None) -> Axes:
    """
    Draw what structure buys: loading of the best structured design relative to that of the control.

    Parameters
    ----------
    document : mapping
        What ``frontier.json`` holds.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Paired difference over the rate, with 95 % intervals.
    """
    axes = make_axes(axes)
    known = [(rate["c_rate"], rate["gain"]) for rate in document["rates"] if rate["gain"]]
    axes.axhline(0, color="#9AA5B1", lw=1.0)
    _draw_intervals(axes, known, factor=100.0, colour=INK, marker="D", line="none")
    axes.set(xscale="log", ylabel="gain over the control [%]")
    axes.margins(y=0.2)
    return _name_rates(axes, document["rates"])


def _draw_intervals(
    axes: Axes,
    points: Sequence[tuple[float, Mapping[str, float]]],
    *,
    factor: float,
    colour: str,
    marker: str,
    line: str = "-",
    label: str | None = None,
) -> None:
    """Draw means with their intervals."""
    means = [factor * interval["mean"] for _, interval in points]
    ends = [
        [factor * abs(interval[end] - interval["mean"]) for _, interval in points] for end in ("low", "high")
    ]
    axes.errorbar(
        [place for place, _ in points],
        means,
        yerr=ends,
        color=colour,
        marker=marker,
        ms=5,
        capsize=3,
        lw=1.4,
        ls=line,
        label=label,
    )


def _name_rates(axes: Axes, rates: Sequence[Mapping[str, Any]]) -> Axes:
    """Write rates as people say them."""
    axes.set_xticks([rate["c_rate"] for rate in rates], [rate["rate"] for rate in rates])
    axes.minorticks_off()
    axes.set_xlim(rates[0]["c_rate"] / 1.6, rates[-1]["c_rate"] * 1.6)
    axes.set_xlabel("discharge rate [h⁻¹]")
    return axes


@styled
def draw_tornado(
    changes: Mapping[str, Mapping[str, Mapping[str, float] | None]],
    *,
    labels: Mapping[str, str],
    axes: Axes | None = None,
) -> Axes:
    """
    Draw the change of utilization with every variation, the largest on top.

    Parameters
    ----------
    changes : mapping of str to mapping of str to mapping or None
        For every design, the change with every variation as mean and interval; None where it cannot be made.
    labels : mapping of str to str
        Variations in words.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One bar for every design and variation, with 95 % intervals, or the note that it cannot be made.
    """
    axes = make_axes(axes)

    def size(name: str) -> float:
        return max((abs(each["mean"]) for design in changes.values() if (each := design[name])), default=0.0)

    order = sorted(next(iter(changes.values())), key=size, reverse=True)
    height = 0.8 / len(changes)
    for place, (name, design) in enumerate(changes.items()):
        known = [(row, each) for row, key in enumerate(order) if (each := design[key])]
        axes.barh(
            [row + (place - 0.5 * (len(changes) - 1)) * height for row, _ in known],
            [100 * each["mean"] for _, each in known],
            height=0.9 * height,
            xerr=[50 * (each["high"] - each["low"]) for _, each in known],
            color=COLOURS[name],
            ecolor=INK,
            capsize=2,
            lw=0,
        )
        for row, key in enumerate(order):
            if design[key] is None:
                middle = row + (place - 0.5 * (len(changes) - 1)) * height
                axes.annotate(
                    " cannot be made", (0.0, middle), va="center", color=COLOURS[name], fontsize="small"
                )
    axes.axvline(0.0, color=INK, lw=1.0)
    axes.set_yticks(range(len(order)), [labels.get(name, name) for name in order])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
    axes.set(xlabel="change of utilization [points]")
    return axes


@styled
def draw_importance(importances: Mapping[str, Mapping[str, float]], *, axes: Axes | None = None) -> Axes:
    """
    Draw how much of the variance of the better trials each parameter explains.

    Parameters
    ----------
    importances : mapping of str to mapping of str to float
        For every search, the share of each parameter; shares add up to 1.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        One bar for every search and parameter, the most important on top.
    """
    axes = make_axes(axes)
    names = {name for each in importances.values() for name in each}
    order = sorted(names, key=lambda name: -max(each.get(name, 0.0) for each in importances.values()))
    height = 0.8 / len(importances)
    for place, (arm, each) in enumerate(importances.items()):
        rows = [row + (place - 0.5 * (len(importances) - 1)) * height for row in range(len(order))]
        widths = [100 * each.get(name, 0.0) for name in order]
        axes.barh(rows, widths, height=0.9 * height, color=COLOURS[arm], label=arm, lw=0)
    axes.set_yticks(range(len(order)), order)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.invert_yaxis()
    axes.set(xlabel="importance [%]", xlim=(0, None))
    return axes
