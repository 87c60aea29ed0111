"""What the face fractions of a structure mean for transport: open areas of faces, conductivity of cut voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso.phases import Phase
from meso.structure import WHOLE_FACE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso.structure import Mesostructure

    Vector = NDArray[np.float64]


def open_area(
    structure: Mesostructure,
    table: Vector,
    axis: int,
    order: list[int],
    wraps: bool,  # noqa: FBT001  # private fact
) -> NDArray[np.uint8]:
    """Open area of the faces across one axis of the structure."""
    assert structure.face_fractions is not None
    conducting = table > 0
    shape = tuple(n + (other == axis) for other, n in enumerate(structure.shape))
    area = np.full(shape, WHOLE_FACE if conducting[Phase.PORE] else 0, np.uint8)
    for phase, faces in structure.face_fractions.items():
        if conducting[phase] and not conducting[Phase.PORE]:
            area += faces[axis]
        elif conducting[Phase.PORE] and not conducting[phase]:
            area -= faces[axis]
    if wraps:
        ends = np.moveaxis(area, axis, 0)
        ends[0] = ends[-1] = np.minimum(ends[0], ends[-1])
    return np.ascontiguousarray(area.transpose(order))


def cell_conductivity(structure: Mesostructure, table: Vector, order: list[int]) -> Vector:
    """Conductivity of every voxel; cut voxels whose own label does not conduct take the mean over their faces."""
    assert structure.face_fractions is not None
    area_sum = np.zeros(structure.shape)
    flow_sum = np.zeros(structure.shape)
    for axis in range(3):
        solid = {phase: faces[axis] / WHOLE_FACE for phase, faces in structure.face_fractions.items()}
        shares = {Phase.PORE: 1.0 - sum(solid.values(), np.zeros(())), **solid}
        for phase, part_of_face in shares.items():
            if table[phase] > 0:
                for side in (slice(None, -1), slice(1, None)):
                    part = part_of_face[tuple(side if other == axis else slice(None) for other in range(3))]
                    area_sum += part
                    flow_sum += table[phase] * part
    own = table[structure.labels]
    mean = np.divide(flow_sum, area_sum, out=np.zeros_like(flow_sum), where=area_sum > 0)
    filled = np.where(own > 0, own, mean).astype(np.float64)
    return np.ascontiguousarray(filled.transpose(order))
