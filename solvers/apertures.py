"""What open areas of faces mean for transport, those that a structure carries and those reconstructed from an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from meso.owners import fills_domain, nearest_particles
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
    Faces = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]

FILM = 3.0
"""Voxels from a particle within which its films and the bridges to its neighbours are told apart."""


def conduct_faces(
    structure: Mesostructure,
    table: Vector,
    order: list[int],
    wraps: list[bool],
) -> Faces:
    """
    Conductance of all faces of a structure that knows what covers them, 255 where a conductivity of 1 fills a face.

    Conductors share a face side by side: Σ σ A. A film along a wall then carries what a plane film carries, whichever way
    it runs through the voxels, and layers across the current are in series by the faces they hold. Where pores conduct and
    particles do not, the current along their walls falls away from them as 1 − κd, κ being the curvature of the wall along
    the current and d the distance from it: no current crosses the wall (∂ₙu = 0), so that ∂ₙ∂ₜu = −κ ∂ₜu. The potentials of
    two cells give the current at the middle of their face, the open part of a cut face lies farther out, and it is
    multiplied by the ratio of the two, 1 − κ d (1 − 2n²)/√(1 − n²) with n the component of the wall's normal along the axis
    and d the distance between the middles of the face and of its open part.

    Where binder conducts and pores do not, films on two particles may share a voxel without touching: between voxels
    that are nearest to different particles binder conducts only through faces that are nearly filled.

    The result is uint8 where all that conducts does so equally well, else float32.
    """
    faces = structure.face_fractions
    assert faces is not None
    present = [phase for phase in (Phase.PORE, *faces) if table[phase] > 0]
    alike = all(table[phase] == 1 for phase in present)
    owner = None
    if Phase.BINDER in present and Phase.PORE not in present:
        owner = nearest_particles(structure, reach=FILM * max(structure.voxel_size))
    areas = []
    for axis, closes in zip(order, wraps, strict=True):
        active, binder = _covered(structure, axis)
        bent = None
        if table[Phase.PORE] > 0 and table[Phase.ACTIVE] == 0:
            bent = WHOLE_FACE - active
            _bend(structure, axis, active, bent)
        area: NDArray[Any] = np.empty(active.shape, np.uint8 if alike else np.float32)
        share(kernels.mix_faces, len(area), active, binder, bent, table, alike, area)
        if owner is not None:
            share(
                kernels.part_films, len(area), axis, active, binder, owner, structure.periodic,
                table[Phase.BINDER], area,
            )  # fmt: skip
        if closes:
            ends = np.moveaxis(area, axis, 0)
            ends[0] = ends[-1] = np.minimum(ends[0], ends[-1])
        areas.append(np.ascontiguousarray(area.transpose(order)))
    return areas[0], areas[1], areas[2]


def _covered(structure: Mesostructure, axis: int) -> list[NDArray[np.uint8]]:
    """Return what active material and binder cover of the faces across one axis, nothing where a structure does not say."""
    faces, shape = structure.face_fractions, tuple(n + (axis == a) for a, n in enumerate(structure.shape))
    return [
        faces[phase][axis] if faces and phase in faces else np.zeros(shape, np.uint8)
        for phase in (Phase.ACTIVE, Phase.BINDER)
    ]


def _bend(structure: Mesostructure, axis: int, active: NDArray[np.uint8], area: NDArray[np.uint8]) -> None:
    """Correct open areas, in place, where the particles are known."""
    packing, ids = structure.particles, structure.particle_ids
    if packing is None or ids is None or not fills_domain(structure):
        return
    edges = np.array(structure.voxel_size)
    inverses = unit_shapes(1 / packing.aspect_ratios, packing.axes) / packing.radii[:, None, None] ** 2
    lengths = np.array(packing.domain)
    share(
        kernels.bend_faces,
        len(area),
        axis,
        active,
        ids,
        packing.centres,
        inverses,
        lengths,
        edges,
        area,
    )


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
        "contrast": cells["contrast"],
        "unit": cells["unit"] / WHOLE_FACE,
        "porosity": cells["porosity"] * growth,
        "mean_conductivity": cells["mean_conductivity"] * growth,
    }
