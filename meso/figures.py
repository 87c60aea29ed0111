"""Pictures of structures and packings, and the style that all floors draw in. Matplotlib is imported when one is drawn."""

from __future__ import annotations

from functools import wraps
from importlib.resources import files
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np

from meso.phases import Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from meso.particles import ParticlePacking
    from meso.structure import Mesostructure

Arguments = ParamSpec("Arguments")
Drawn = TypeVar("Drawn")

COLOURS = {Phase.PORE: "#f4f1ea", Phase.ACTIVE: "#4f6d8f", Phase.BINDER: "#d1862f"}
"""One colour a phase, told apart also in print and by the colour-blind."""
PHASE_NAMES = {Phase.PORE: "pore", Phase.ACTIVE: "active", Phase.BINDER: "binder"}


def style_sheet() -> str:
    """
    Tell where the style is that figures of all floors are drawn in.

    Returns
    -------
    str
        Path of a style file of Matplotlib.
    """
    return str(files("meso").joinpath("figures.mplstyle"))


def styled(draw: Callable[Arguments, Drawn]) -> Callable[Arguments, Drawn]:
    """
    Make a function draw in the style of the project, whatever the style of the session.

    Parameters
    ----------
    draw : callable
        The function.

    Returns
    -------
    callable
        The same function within ``meso/figures.mplstyle``.
    """

    @wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Drawn:
        from matplotlib import style

        with style.context(style_sheet()):
            return draw(*args, **kwargs)

    return drawn


def make_axes(axes: Axes | None, width: float = 6.0, height: float = 4.0) -> Axes:
    """
    Make axes in a new figure where none are given.

    Parameters
    ----------
    axes : Axes or None
        What the caller gave.
    width, height : float
        Size of a new figure [inch].

    Returns
    -------
    Axes
        Where to draw.
    """
    if axes is not None:
        return axes
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


@styled
def draw_cut(structure: Mesostructure, *, axes: Axes | None = None) -> Axes:
    """
    Draw a cut through the middle.

    Parameters
    ----------
    structure : Mesostructure
        What to draw.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Separator on the left, current collector on the right.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    depth = structure.thickness * 1e6
    width = structure.shape[2] * structure.voxel_size[2] * 1e6
    axes = make_axes(axes, 7.0, 1.4 + min(6.2 * width / depth, 8.0))
    axes.imshow(
        structure.labels[:, structure.shape[1] // 2, :].T,
        cmap=ListedColormap([COLOURS[phase] for phase in Phase]),
        vmin=min(Phase) - 0.5,
        vmax=max(Phase) + 0.5,
        extent=(0.0, depth, 0.0, width),
        interpolation="nearest",
    )
    axes.grid(visible=False)
    axes.set(xlabel="depth from the separator [µm]", ylabel="width [µm]")
    handles = [Patch(facecolor=COLOURS[p], edgecolor="#9AA5B1", label=PHASE_NAMES[p]) for p in Phase]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, fontsize="small")
    return axes


@styled
def draw_view(structure: Mesostructure, *, axes: Axes | None = None) -> Axes:
    """
    Draw a structure as seen from outside.

    Parameters
    ----------
    structure : Mesostructure
        What to draw; see `meso.views.view_structure`.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Separator on the left; lengths of the three edges in the title.
    """
    from meso.views import view_structure

    picture = view_structure(structure)
    axes = make_axes(axes, 7.0, 0.5 + 7.0 * picture.shape[0] / picture.shape[1])
    axes.imshow(picture)
    axes.set_axis_off()
    edges = (1e6 * n * edge for n, edge in zip(structure.shape, structure.voxel_size, strict=True))
    axes.set_title(f"{' × '.join(f'{edge:.3g}' for edge in edges)} µm, separator on the left")
    return axes


@styled
def draw_fractions(structure: Mesostructure, *, axes: Axes | None = None) -> Axes:
    """
    Draw the volume fractions over the depth.

    Parameters
    ----------
    structure : Mesostructure
        What to draw.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Areas that fill the height.
    """
    axes = make_axes(axes, 7.0, 2.6)
    order = (Phase.ACTIVE, Phase.BINDER, Phase.PORE)
    axes.stackplot(
        (np.arange(structure.shape[0]) + 0.5) * structure.voxel_size[0] * 1e6,
        [structure.fraction_profile(phase) for phase in order],
        colors=[COLOURS[phase] for phase in order],
        labels=[PHASE_NAMES[phase] for phase in order],
    )
    axes.set(
        xlabel="depth from the separator [µm]",
        ylabel="volume fraction [-]",
        ylim=(0.0, 1.0),
        xlim=(0.0, structure.thickness * 1e6),
    )
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3, fontsize="small")
    return axes


@styled
def draw_overview(structure: Mesostructure) -> Figure:
    """
    Draw a structure from outside, a cut through it, and its volume fractions over the depth.

    Parameters
    ----------
    structure : Mesostructure
        What to draw.

    Returns
    -------
    Figure
        Three panels, unknown to pyplot.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 7.0), layout="constrained")
    panels = figure.subplot_mosaic([["view", "cut"], ["view", "fractions"]], height_ratios=(2.6, 1.0))
    draw_view(structure, axes=panels["view"])
    draw_cut(structure, axes=panels["cut"])
    draw_fractions(structure, axes=panels["fractions"])
    return figure


@styled
def draw_sizes(packing: ParticlePacking, *, axes: Axes | None = None) -> Axes:
    """
    Draw how the volume of the particles is spread over their diameters.

    Parameters
    ----------
    packing : ParticlePacking
        What to draw.
    axes : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Histogram of shares of the volume, by size class; its bars add up to 100 %.
    """
    axes = make_axes(axes)
    diameters, volumes = 2e6 * packing.radii, packing.radii**3
    edges = np.geomspace(diameters.min() * 0.999, diameters.max() * 1.001, 25)
    members = [packing.size_class == index for index in np.unique(packing.size_class)]
    axes.hist(
        [diameters[member] for member in members],
        bins=list(edges),
        weights=[100.0 * volumes[member] / volumes.sum() for member in members],
        stacked=True,
        label=[f"size class {number}" for number in range(1, len(members) + 1)],
    )
    axes.set(xlabel="diameter of the sphere of equal volume [µm]", ylabel="share of the volume [%]")
    if len(members) > 1:
        axes.legend()
    return axes
