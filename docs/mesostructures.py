"""Draw docs/mesostructures.png: what recipes make, a slice and a view from outside each. Run from the project's root."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure

from meso import Calendering, Channels, ElectrodeDesign, Phase, Profile, SizeClass, generate
from meso.figures import COLOURS

WIDTH, VOXEL = 40e-6, 0.4e-6
UNIFORM = ElectrodeDesign(
    thickness=60e-6, porosity=0.38, binder_fraction=0.07, size_classes=(SizeClass(diameter=6e-6, spread=1.3),)
)
DESIGNS = {
    "uniform": UNIFORM,
    "bilayer": replace(UNIFORM, porosity=Profile((0, 0.48, 0.52, 1), (0.55, 0.55, 0.3, 0.3))),
    "graded size": replace(
        UNIFORM,
        size_classes=(
            SizeClass(diameter=3.5e-6, spread=1.1, share=Profile.linear(separator=1.0, collector=0.0)),
            SizeClass(diameter=9e-6, spread=1.1, share=Profile.linear(separator=0.0, collector=1.0)),
        ),
    ),
    "aligned platelets": replace(
        UNIFORM, size_classes=(SizeClass(diameter=7e-6, spread=1.2, aspect_ratio=0.3, alignment=0.8),)
    ),
    "channels": replace(
        UNIFORM, channels=Channels(pitch=40e-6, width=16e-6, depth=0.75, taper=0.4, pattern="holes")
    ),
    "binder film": replace(UNIFORM, binder_fraction=0.12, porosity=0.36, binder_bridging=0.0),
    "binder fingers": replace(
        UNIFORM, binder_fraction=0.12, porosity=0.36, binder_bridging=0.0, binder_morphology=1.0
    ),
    "calendered": replace(UNIFORM, porosity=0.24, calendering=Calendering(initial_porosity=0.5)),
}
SHADES = (1.0, 0.82, 0.66)


def corner(labels: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Paint three sides of a block, with pores seen through to the first solid behind them, as an oblique picture."""
    nz, ny, nx = labels.shape
    deep = ny // 2
    picture = np.ones((nz + deep, nx + deep, 3))
    front, top, side = (first_solid(labels, axis) for axis in (1, 0, 2))
    rows, columns = np.arange(nz)[:, None], np.arange(nx)[None, :]
    picture[rows + deep, columns] = colours[front[0]] * SHADES[1] ** (front[1] > 0)[..., None]
    for step in range(deep):
        picture[deep - 1 - step, np.arange(nx) + step] = colours[top[0][2 * step]] * SHADES[0]
        picture[np.arange(nz) + deep - 1 - step, nx + step] = colours[side[0][:, 2 * step]] * SHADES[2]
    return picture


def first_solid(labels: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Phase of the first solid voxel within a few voxels along an axis, seen from outside, and its depth."""
    block = np.moveaxis(labels, axis, 0)
    block = block[::-1][:12] if axis == 2 else block[:12]
    depth = np.argmax(block > 0, axis=0)
    return np.take_along_axis(block, depth[None], axis=0)[0], depth


def main() -> None:
    """Draw and save the sheet."""
    phases = ListedColormap([COLOURS[phase] for phase in Phase])
    colours = np.array([to_rgb(COLOURS[phase]) for phase in Phase])
    figure = Figure(figsize=(15, 9.6), layout="constrained")
    panels = figure.subplots(4, 4)
    for number, (name, design) in enumerate(DESIGNS.items()):
        structure = generate(design, voxel_size=VOXEL, width=WIDTH, seed=8117)
        row, column = divmod(number, 4)
        cut, view = panels[2 * row, column], panels[2 * row + 1, column]
        cut.imshow(structure.labels[:, structure.shape[1] // 2], cmap=phases, vmin=-0.5, vmax=2.5)
        view.imshow(corner(structure.labels, colours))
        parts = ", ".join(f"{p.name.lower()} {structure.volume_fraction(p):.3f}" for p in Phase)
        cut.set_title(f"{name}\n{parts}", fontsize=9)
        for axes in (cut, view):
            axes.set_axis_off()
    figure.suptitle("Slices and views, separator at the top; 40 µm wide, 60 µm thick", fontsize=11)
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)


if __name__ == "__main__":
    main()
