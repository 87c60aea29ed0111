"""
Fit a recipe to a tomogram, generate its twin, compare: python docs/tomogram_twin.py IMAGE.npz VOXEL_SIZE_IN_UM.

Writes docs/tomogram_twin.png and prints the table of docs/tomogram_twin.md. Both structures are compared as binary voxels
of the same size, so that the stair-case bias of the tomogram is in both.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from scipy import ndimage

from meso import ElectrodeDesign, Mesostructure, Phase, SizeClass, generate, load, measures
from meso.figures import COLOURS
from solvers import solve_transport

AXES = ("through-plane", "lateral 1", "lateral 2")


def grains(solid: np.ndarray) -> np.ndarray:
    """Give a number to every particle: watershed of the distance to the surface from its maxima (PoreSpy)."""
    import porespy

    return np.asarray(porespy.filters.snow_partitioning(im=solid, r_max=4, sigma=0.4).regions)


def fit(image: Mesostructure) -> ElectrodeDesign:
    """Read porosity, binder, sizes, aspect ratio and alignment off an image."""
    regions = grains(image.labels == Phase.ACTIVE)
    edge = image.voxel_size[0]
    diameters, volumes, aspects, through = [], [], [], []
    for index, box in enumerate(ndimage.find_objects(regions), start=1):
        if box is None:
            continue
        touches = any(s.start == 0 or s.stop == n for s, n in zip(box, regions.shape, strict=True))
        points = np.argwhere(regions[box] == index)
        if touches or len(points) < 30:
            continue
        widths, axes = np.linalg.eigh(np.cov(points.T.astype(float)))
        diameters.append((6 / np.pi * len(points)) ** (1 / 3) * edge)
        volumes.append(len(points))
        aspects.append(np.sqrt(widths[0] / np.sqrt(widths[1] * widths[2])))
        through.append(axes[0, 0] ** 2)
    weight = np.array(volumes) / np.sum(volumes)
    edges = np.geomspace(min(diameters) * 0.999, max(diameters) * 1.001, 9)
    order = 1.5 * float(weight @ np.array(through)) - 0.5
    sizes = SizeClass.measured(
        edges,
        np.histogram(diameters, bins=edges, weights=volumes)[0],
        aspect_ratio=float(weight @ np.array(aspects)),
        alignment=float(np.clip(order if order > 0 else 2 * order, -1, 1)),
    )
    return ElectrodeDesign(
        thickness=image.thickness,
        porosity=image.volume_fraction(Phase.PORE),
        binder_fraction=image.volume_fraction(Phase.BINDER),
        size_classes=(sizes,),
        binder_bridging=0.8,
    )


def main() -> None:
    """Compare an image with its twin."""
    image = load(sys.argv[1], voxel_size=float(sys.argv[2]) * 1e-6)
    design = fit(image)
    edge = image.voxel_size[0]
    made = generate(design, voxel_size=edge, width=image.shape[1] * edge, seed=8117)
    twin = Mesostructure(made.labels, voxel_size=made.voxel_size)
    pair = {"tomogram": image, "twin": twin}
    size = design.size_classes[0]
    sys.stdout.write(
        f"fitted: median {size.diameter * 1e6:.2f} µm ({size.smallest_diameter * 1e6:.1f}…{size.largest_diameter * 1e6:.1f}), "
        f"aspect ratio {size.aspect_ratio:.2f}, alignment {size.alignment:.2f}, overlap {made.particles.overlap:.3f}\n\n"
    )
    sys.stdout.write("| measure | tomogram | twin |\n|---|---|---|\n")
    rows = {f"{p.name.lower()} fraction": [s.volume_fraction(p) for s in pair.values()] for p in Phase}
    rows["surface of active material by voxel faces / µm⁻¹"] = [
        measures.specific_surface_area(s) * 1e-6 for s in pair.values()
    ]
    for axis, name in enumerate(AXES):
        for phase in (Phase.PORE, Phase.ACTIVE):
            rows[f"mean {phase.name.lower()} chord, {name} / µm"] = [
                measures.chord_lengths(s, phase=phase, axis=axis).mean() * 1e6 for s in pair.values()
            ]
        rows[f"pore τ, {name}"] = [
            solve_transport(s.labels == Phase.PORE, axis=axis).tortuosity_factor for s in pair.values()
        ]
    for name, (left, right) in rows.items():
        sys.stdout.write(f"| {name} | {left:.3f} | {right:.3f} |\n")
    draw(pair).savefig(Path(__file__).with_suffix(".png"), dpi=110)


def draw(pair: dict[str, Mesostructure]) -> Figure:
    """Slices, two-point correlations and chord lengths side by side."""
    figure = Figure(figsize=(14, 7), layout="constrained")
    panels = figure.subplots(2, 4)
    phases = ListedColormap([COLOURS[phase] for phase in Phase])
    for axes, (name, structure) in zip(panels[:, 0], pair.items(), strict=True):
        axes.imshow(structure.labels[:, structure.shape[1] // 2], cmap=phases, vmin=-0.5, vmax=2.5)
        axes.set_title(name)
        axes.set_axis_off()
    for axis, title in enumerate(AXES):
        for (name, structure), style in zip(pair.items(), ("-", "--"), strict=True):
            edge = structure.voxel_size[axis] * 1e6
            for phase in (Phase.PORE, Phase.ACTIVE):
                colour = "#555555" if phase == Phase.PORE else COLOURS[phase]
                label = f"{phase.name.lower()}, {name}"
                both = measures.two_point_correlation(structure, phase=phase, axis=axis)[:40]
                panels[0, axis + 1].plot(np.arange(len(both)) * edge, both, style, color=colour, label=label)
                chords = measures.chord_lengths(structure, phase=phase, axis=axis) * 1e6
                counts, bins = np.histogram(chords, bins=np.arange(0.5, 40) * edge, density=True)
                panels[1, axis + 1].plot(
                    0.5 * (bins[1:] + bins[:-1]), counts, style, color=colour, label=label
                )
        panels[0, axis + 1].set(title=f"two points, {title}", xlabel="distance / µm")
        panels[1, axis + 1].set(title=f"chords, {title}", xlabel="length / µm")
    panels[0, 1].legend(fontsize="small")
    return figure


if __name__ == "__main__":
    main()
