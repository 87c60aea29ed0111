"""What the report draws from a study folder: figures in groups, each with a caption and words for who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from meso import Phase
from meso.figures import COLOURS as PHASE_COLOURS
from solvers.figures import SHARE_COLOURS
from studies import figures
from studies.figures import COLOURS, designs_of
from studies.summary import DESIGN_NAMES, LOSS_NAMES, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes

    from meso import Mesostructure

PHASE_NAMES = {Phase.PORE: "pore", Phase.ACTIVE: "active material", Phase.BINDER: "carbon–binder domain"}

WIDTH = 3.9
"""Width of a panel [inch]: as wide as a telephone, so that its letters are read there too."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """
    One figure.

    Parameters
    ----------
    name : str
        Name of its file; letters, digits and underscores.
    title : str
        What it shows.
    label : str
        The same for who cannot see it, with the numbers that matter.
    draw : callable
        Draws it into the axes it is given.
    height : float, default 2.7
        Height [inch].
    """

    name: str
    title: str
    label: str
    draw: Callable[..., Axes]
    height: float = 2.7


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """
    Figures that are looked at together.

    Parameters
    ----------
    panels : sequence of Panel
        The figures.
    caption : str
        What they have in common, and how to read them.
    legend : mapping of str to str
        Colours by what they stand for.
    """

    panels: Sequence[Panel]
    caption: str
    legend: Mapping[str, str] = field(default_factory=dict)


def comparison_galleries(comparison: Mapping[str, Any], *, cutoff_voltage: float) -> dict[str, Gallery]:
    """
    Show what the compared designs do and why.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.
    cutoff_voltage : float
        Lower cut-off [V].

    Returns
    -------
    dict of str to Gallery
        ``losses``: budgets; ``curves``: voltage, and profiles through the thickness.
    """
    legend = {DESIGN_NAMES[name]: COLOURS[name] for name in designs_of(comparison)}
    return {
        "losses": _losses(comparison),
        "curves": Gallery(
            panels=[
                Panel(
                    name="discharge",
                    title="Discharge",
                    label=f"Discharge curves, one per fresh packing. Delivered: {_delivered(comparison)}.",
                    draw=partial(figures.draw_voltages, comparison, cutoff_voltage=cutoff_voltage),
                ),
                _profile(comparison, "porosity", "Room for ions"),
                _profile(comparison, "macmullin", "Resistance to ions"),
                _profile(comparison, "lithiation", "Lithium at the end"),
            ],
            caption="Discharge: one line per fresh packing. Through the thickness, from the separator (left) to the current "
            "collector: mean over the fresh packings, band of one standard deviation. The local MacMullin number N_M says how "
            "many times worse a slice conducts than free electrolyte.",
            legend=legend,
        ),
    }


def _losses(comparison: Mapping[str, Any]) -> Gallery:
    """Draw the budgets whole, where they are nearly full, and enlarged, where they differ."""
    texts = []
    for name, budget in figures.budgets_of(comparison).items():
        lost = ", ".join(f"{label} {percent(budget[key]['mean'])} %" for key, label in LOSS_NAMES.items())
        texts.append(f"{name}: {percent(budget['utilization']['mean'])} % utilized; lost to {lost}")
    height = 0.95 + 0.38 * len(texts)
    words = "Stacked bars. " + ". ".join(texts) + "."
    draw = partial(figures.draw_losses, comparison)
    return Gallery(
        panels=[
            Panel(name="losses", title="All of the active material", label=words, draw=draw, height=height),
            Panel(
                name="losses_enlarged",
                title="What is lost, enlarged",
                label="The losses of the bars beside it, enlarged.",
                draw=partial(draw, enlarged=True),
                height=height,
            ),
        ],
        caption="Each loss is the drop in utilization when its mechanism is switched on in the next counterfactual model, in the "
        "order drawn, so the shares add up to 100 %.",
        legend={
            label: SHARE_COLOURS[name] for name, label in {"utilization": "utilized", **LOSS_NAMES}.items()
        },
    )


def _delivered(comparison: Mapping[str, Any]) -> str:
    """Say what each design delivers."""
    return ", ".join(
        f"{DESIGN_NAMES[name]} {0.1 * design['statistics']['delivered_areal_capacity']['mean']:.2f} mAh cm⁻²"
        for name, design in designs_of(comparison).items()
    )


def _profile(comparison: Mapping[str, Any], quantity: str, title: str) -> Panel:
    """Draw a quantity through the thickness, and say where it starts and ends."""
    _, values, axis = figures.PROFILES[quantity]
    ends = []
    for name, design in designs_of(comparison).items():
        first, last = (
            sum(each[values][index] for each in design["profiles"]) / len(design["profiles"])
            for index in (0, -1)
        )
        if quantity == "macmullin":
            first, last = (1 / end if end > 0 else float("inf") for end in (first, last))
        ends.append(
            f"{DESIGN_NAMES[name]} from {first:.3g} at the separator to {last:.3g} at the current collector"
        )
    return Panel(
        name=f"profile_{quantity}",
        title=title,
        label=f"{axis.rpartition(' [')[0]} through the thickness: {'; '.join(ends)}.",
        draw=partial(figures.draw_profile, comparison, quantity),
    )


def slice_gallery(structures: Mapping[str, Mesostructure]) -> Gallery:
    """
    Show the inside of structures at one scale.

    Parameters
    ----------
    structures : mapping of str to Mesostructure
        Structures by the name of their design.

    Returns
    -------
    Gallery
        A slice each.
    """
    depth = max(each.thickness for each in structures.values())
    width = max(each.shape[2] * each.voxel_size[2] for each in structures.values())
    panels = []
    for name, each in structures.items():
        fractions = ", ".join(
            f"{label} {100 * each.volume_fraction(phase):.1f} %" for phase, label in PHASE_NAMES.items()
        )
        panels.append(
            Panel(
                name=f"slice_{name}",
                title=DESIGN_NAMES[name],
                label=f"Slice through the {DESIGN_NAMES[name]} electrode, {1e6 * each.thickness:.1f} µm thick: {fractions}.",
                draw=partial(figures.draw_slice, each, extent=(depth, width)),
                height=0.75 + (WIDTH - 0.7) * width / depth,
            )
        )
    return Gallery(
        panels=panels,
        caption="Slices through the thickness, first packing of the search, at one scale; separator on the left.",
        legend={PHASE_NAMES[phase]: PHASE_COLOURS[phase] for phase in Phase},
    )
