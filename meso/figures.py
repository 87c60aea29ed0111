"""Pictures of structures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso.phases import Phase

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from meso.structure import Mesostructure

COLOURS = {Phase.PORE: "#f4f1ea", Phase.ACTIVE: "#4f6d8f", Phase.BINDER: "#d1862f"}
"""One colour a phase, told apart also in print and by the colour-blind."""


def draw_structure(structure: Mesostructure) -> Figure:
    """
    Draw a cut through the middle beside the volume fractions over the depth.

    Parameters
    ----------
    structure : Mesostructure
        What to draw.

    Returns
    -------
    Figure
        Separator on the left, current collector on the right.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    depth = structure.thickness * 1e6
    width = structure.shape[2] * structure.voxel_size[2] * 1e6
    tall = 6.4 * width / depth
    figure = Figure(figsize=(7.0, 2.6 + tall), layout="constrained")
    picture, curves = figure.subplots(2, 1, sharex=True, height_ratios=(tall, 1.8))
    picture.imshow(
        structure.labels[:, structure.shape[1] // 2, :].T,
        cmap=ListedColormap([COLOURS[phase] for phase in Phase]),
        vmin=min(Phase) - 0.5,
        vmax=max(Phase) + 0.5,
        extent=(0.0, depth, 0.0, width),
        interpolation="nearest",
    )
    picture.set_ylabel("width / µm")
    middles = (np.arange(structure.shape[0]) + 0.5) * structure.voxel_size[0] * 1e6
    curves.stackplot(
        middles,
        [structure.fraction_profile(phase) for phase in (Phase.ACTIVE, Phase.BINDER, Phase.PORE)],
        colors=[COLOURS[phase] for phase in (Phase.ACTIVE, Phase.BINDER, Phase.PORE)],
        labels=["active", "binder", "pore"],
    )
    curves.set(
        xlabel="depth from the separator / µm", ylabel="volume fraction", ylim=(0.0, 1.0), xlim=(0.0, depth)
    )
    curves.legend(loc="lower right", ncols=3, fontsize="small")
    return figure
