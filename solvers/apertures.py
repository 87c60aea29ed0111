"""What open areas of faces mean for transport, those that a structure carries and those reconstructed from an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meso.particles import unit_shapes
from meso.phases import Phase
from meso.smoothing import smooth_faces
from meso.structure import WHOLE_FACE, Mesostructure
from meso.threads import share
from solvers._kernels import apertures as kernels
from solvers._kernels import voxels

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]


def open_area(
    structure: Mesostructure,
    table: Vector,
    axis: int,
    order: list[int],
    wraps: bool,  # noqa: FBT001  # private fact
) -> NDArray[np.uint8]:
    """
    Open area of the faces across one axis of the structure, corrected for the curvature of its particles.

    Where the conductor ends at a particle, the current along its wall falls away from it as 1 − κd, κ being the curvature
    of the wall along the current and d the distance from it: no current crosses the wall (∂ₙu = 0), so that
    ∂ₙ∂ₜu = −κ ∂ₜu. The potentials of two cells give the current at the middle of their face, the open part of a cut face
    lies farther out, and its area is multiplied by the ratio of the two, 1 − κ d (1 − 2n²)/√(1 − n²) with n the component
    of the wall's normal along the axis and d the distance between the middles of the face and of its open part.
    """
    assert structure.face_fractions is not None
    conducting = table > 0
    shape = tuple(n + (other == axis) for other, n in enumerate(structure.shape))
    area = np.full(shape, WHOLE_FACE if conducting[Phase.PORE] else 0, np.uint8)
    for phase, faces in structure.face_fractions.items():
        if conducting[phase] and not conducting[Phase.PORE]:
            area += faces[axis]
        elif conducting[Phase.PORE] and not conducting[phase]:
            area -= faces[axis]
    if conducting[Phase.PORE] and not conducting[Phase.ACTIVE]:
        _bend(structure, axis, area)
    if wraps:
        ends = np.moveaxis(area, axis, 0)
        ends[0] = ends[-1] = np.minimum(ends[0], ends[-1])
    return np.ascontiguousarray(area.transpose(order))


def _bend(structure: Mesostructure, axis: int, area: NDArray[np.uint8]) -> None:
    """Correct open areas, in place, where the particles are known."""
    packing, ids, faces = structure.particles, structure.particle_ids, structure.face_fractions
    if packing is None or ids is None or faces is None or not structure.periodic:
        return
    edges = np.array(structure.voxel_size)
    if not np.allclose(edges * structure.shape, packing.domain):
        return
    inverses = unit_shapes(1 / packing.aspect_ratios, packing.axes) / packing.radii[:, None, None] ** 2
    lengths = np.array(packing.domain)
    share(
        kernels.bend_faces,
        len(area),
        axis,
        faces[Phase.ACTIVE][axis],
        ids,
        packing.centres,
        inverses,
        lengths,
        edges,
        area,
    )


def cell_conductivity(structure: Mesostructure, table: Vector, order: list[int]) -> Vector:
    """Conductivity of every voxel; cut voxels whose own label does not conduct take the mean over their faces."""
    assert structure.face_fractions is not None
    active = structure.face_fractions[Phase.ACTIVE]
    binder = structure.face_fractions.get(Phase.BINDER)
    cell = np.empty(structure.shape)
    faces = (*active, *(active if binder is None else binder))
    share(voxels.fill_cells, len(cell), structure.labels, table, binder is not None, *faces, cell)
    return np.ascontiguousarray(cell.transpose(order))


def check_surface(surface: str, structure: Mesostructure | ArrayLike) -> None:
    """Refuse what is no kind of surface, and to reconstruct one that the structure knows."""
    if surface not in {"voxels", "smooth"}:
        raise ValueError(f"surface must be 'voxels' or 'smooth', got {surface!r}")
    if surface == "smooth" and getattr(structure, "face_fractions", None) is not None:
        raise ValueError(
            "surface='smooth' is for images, and this structure carries its own face fractions; leave surface out"
        )


def smooth_cells(cells: dict[str, Any], wraps: tuple[bool, bool, bool]) -> dict[str, Any]:
    """
    Give whole cells a smooth surface.

    The volume fraction becomes the mean open area of the sections across the axis (Cavalieri), so that straight pores
    keep a tortuosity factor of 1 and none falls below. Open cells whose own label does not conduct take the mean
    conductivity of the neighbours that do; a smooth surface opens none without.
    """
    inside = cells["conducts"]
    areas = smooth_faces(inside, wraps=wraps)
    conducts = np.empty_like(inside)
    share(voxels.open_cells, len(inside), *areas, conducts)
    summed = areas[0].sum(dtype=np.int64) - 0.5 * areas[0][[0, -1]].sum(dtype=np.int64)
    growth = summed / (WHOLE_FACE * (int(np.count_nonzero(inside)) or 1))
    cell = cells["cell"]
    if cell is not None:
        cut = np.nonzero(conducts > inside)
        total, count = np.zeros((2, cut[0].size))
        for axis, step in ((axis, step) for axis in range(3) for step in (-1, 1)):
            beyond = cut[axis] + step
            moved = beyond % cell.shape[axis] if wraps[axis] else beyond.clip(0, cell.shape[axis] - 1)
            found = cell[(*cut[:axis], moved, *cut[axis + 1 :])]
            total += found
            count += found > 0
        cell = cell.copy()
        cell[cut] = total / count
    return {
        "conducts": conducts,
        "cell": cell,
        "areas": areas,
        "unit": cells["unit"] / WHOLE_FACE,
        "porosity": cells["porosity"] * growth,
        "mean_conductivity": cells["mean_conductivity"] * growth,
    }
