"""From voxels to a network of conductances between voxel centres."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from meso.phases import Phase
from meso.structure import WHOLE_FACE, Mesostructure
from solvers._kernels import network as kernels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VoxelNetwork:
    """
    Conductances between the voxels of a block, its axis of transport first.

    Parameters
    ----------
    conductances : tuple of three ndarrays, float64
        Conductances of the faces across each direction, shapes (n0 + 1, n1, n2), (n0, n1 + 1, n2), (n0, n1, n2 + 1),
        in the unit of the conductivities, for voxels of unit size along the axis. The outer faces of direction 0 tie
        the voxels to inlet and outlet.
    cell_conductivity : ndarray, shape (n0, n1, n2), float64
        Conductivity of every voxel, 0 where nothing conducts.
    spacing : ndarray, shape (3,), float64
        Voxel size in the three directions, relative to that along the axis.
    fraction : float
        Volume fraction of the conducting phases.
    mean_conductivity : float
        Sum of conductivity times volume fraction over the phases.
    largest_conductivity : float
        Largest conductivity of a phase that occurs in the list of conductivities.
    dimensions : int
        2 or 3: dimensions of the image; in two, n1 is 1.
    """

    conductances: tuple[Vector, Vector, Vector]
    cell_conductivity: Vector
    spacing: Vector
    fraction: float
    mean_conductivity: float
    largest_conductivity: float
    dimensions: int


def build_network(
    structure: Mesostructure | ArrayLike,
    *,
    conductivity: Mapping[int, float] | None,
    axis: int,
    sides: str | None,
    voxel_size: float | tuple[float, ...] | None,
) -> VoxelNetwork:
    """
    Turn labels and face fractions into conductances.

    Parameters
    ----------
    structure : Mesostructure or array_like
        Labels, or True where there is conductor; two or three dimensions.
    conductivity : mapping of label to float, or None
        Conductivities; labels that are missing do not conduct. None: True conducts with 1, or the pore does.
    axis : int
        Axis of transport.
    sides : {"insulated", "periodic"} or None
        What bounds the block laterally. None: what the structure says, insulated for arrays.
    voxel_size : float, tuple of float or None
        Edges of a voxel; only their ratios matter. None: those of the structure, or cubes.

    Returns
    -------
    VoxelNetwork
        The network.

    Raises
    ------
    ValueError
        If an argument makes no sense for the structure.
    TypeError
        If the labels are not boolean or integer.

    Notes
    -----
    The conductance of a face is the open area fraction times the harmonic mean of the two conductivities, and twice the
    conductivity on the faces of inlet and outlet (half a voxel to the centre). A cut voxel whose own label does not
    conduct takes the area-weighted mean conductivity over its faces.
    """
    labels = _as_labels(structure)
    if not -labels.ndim <= axis < labels.ndim:
        raise ValueError(f"axis must lie in [{-labels.ndim}, {labels.ndim - 1}], got {axis}")
    sigma = _check_conductivity(conductivity, 1 if labels.dtype == np.bool_ else int(Phase.PORE))
    order = [axis % labels.ndim, *(a for a in range(labels.ndim) if a != axis % labels.ndim)]
    size = _voxel_edges(structure, voxel_size, labels.ndim)[order]
    wraps = [_wraps(structure, sides, direction) for direction in order]
    cell, table, share = _cells(labels, sigma)
    cell = cell.transpose(order)
    open_area: list[Vector] | None = None
    if isinstance(structure, Mesostructure) and structure.face_fractions is not None:
        table = np.array([sigma.get(int(phase), 0.0) for phase in Phase])
        share = np.array([structure.volume_fraction(phase) for phase in Phase])
        open_area, cell = _cut_cells(structure, table, order, cell)
    if labels.ndim == 2:
        cell, size, wraps = cell[:, np.newaxis, :], size[[0, 0, 1]], [wraps[0], False, wraps[1]]
    faces = [
        _face_conductances(
            cell, direction, wraps[direction], None if open_area is None else open_area[direction]
        )
        * (size[0] / size[direction]) ** 2
        for direction in range(3)
    ]
    return VoxelNetwork(
        conductances=(faces[0], faces[1], faces[2]),
        cell_conductivity=cell,
        spacing=size / size[0],
        fraction=float(share[table > 0].sum()),
        mean_conductivity=float(table @ share),
        largest_conductivity=max(sigma.values()),
        dimensions=labels.ndim,
    )


def find_carrying(network: VoxelNetwork) -> tuple[bool, NDArray[np.bool_]]:
    """
    Find the voxels that are connected to both inlet and outlet.

    Parameters
    ----------
    network : VoxelNetwork
        Conductances.

    Returns
    -------
    percolates : bool
        Whether inlet and outlet are connected.
    carries : ndarray, shape (n0, n1, n2), bool
        Voxels of the connected parts that touch both.
    """
    carries = np.zeros(network.cell_conductivity.shape, np.bool_)
    if carries.size == 0:
        return bool(network.conductances[0].any()), carries
    return bool(kernels.percolating(*network.conductances, carries)), carries


def count_carrying_only(network: VoxelNetwork, carries: NDArray[np.bool_]) -> VoxelNetwork:
    """
    Leave the parts that carry no current out of the volume fraction.

    Parameters
    ----------
    network : VoxelNetwork
        Conductances.
    carries : ndarray, shape (n0, n1, n2), bool
        Voxels connected to both inlet and outlet.

    Returns
    -------
    VoxelNetwork
        The same network with smaller `fraction` and `mean_conductivity`.
    """
    cell = network.cell_conductivity
    if not carries.any():
        return network
    return replace(
        network,
        fraction=network.fraction * np.count_nonzero(carries) / np.count_nonzero(cell),
        mean_conductivity=network.mean_conductivity * cell[carries].sum() / cell.sum(),
    )


def fix_at_centres(network: VoxelNetwork) -> VoxelNetwork:
    """
    Move inlet and outlet from the outer faces to the centres of the first and the last layer.

    Parameters
    ----------
    network : VoxelNetwork
        Conductances of n0 layers.

    Returns
    -------
    VoxelNetwork
        Conductances of the n0 − 2 layers in between.

    Raises
    ------
    ValueError
        If there are fewer than two layers.
    """
    g0, g1, g2 = network.conductances
    if g0.shape[0] < 3:
        raise ValueError(
            f"structure must have at least 2 layers along the axis for this convention, got {g0.shape[0] - 1}; "
            "use convention='face'"
        )
    return replace(
        network,
        conductances=(g0[1:-1], g1[1:-1], g2[1:-1]),
        cell_conductivity=network.cell_conductivity[1:-1],
    )


def _as_labels(structure: Mesostructure | ArrayLike) -> NDArray[Any]:
    """Labels of a structure or an array, checked."""
    labels = structure.labels if isinstance(structure, Mesostructure) else np.asarray(structure)
    if labels.ndim not in {2, 3} or labels.size == 0:
        raise ValueError(f"structure must be a non-empty 2-D or 3-D image, got shape {labels.shape}")
    if labels.dtype != np.bool_ and not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(
            f"structure must hold booleans or integer labels, got {labels.dtype}; threshold it first"
        )
    return labels


def _check_conductivity(conductivity: Mapping[int, float] | None, default: int) -> dict[int, float]:
    """Conductivity of every label named, checked."""
    sigma = {default: 1.0} if conductivity is None else {int(k): float(v) for k, v in conductivity.items()}
    if not sigma or not all(0.0 <= value < np.inf for value in sigma.values()) or max(sigma.values()) == 0.0:
        raise ValueError(
            f"conductivity must map labels to finite values >= 0, at least one > 0, got {conductivity}"
        )
    return sigma


def _voxel_edges(
    structure: Mesostructure | ArrayLike, voxel_size: float | tuple[float, ...] | None, dimensions: int
) -> Vector:
    """Edges of a voxel, one per axis of the image."""
    if voxel_size is None:
        voxel_size = structure.voxel_size if isinstance(structure, Mesostructure) else 1.0
    size = np.asarray(voxel_size, dtype=np.float64)
    if size.shape not in {(), (dimensions,)} or not np.all((size > 0) & (size < np.inf)):
        raise ValueError(f"voxel_size must be one or {dimensions} positive lengths, got {voxel_size}")
    return np.broadcast_to(size, dimensions)


def _wraps(structure: Mesostructure | ArrayLike, sides: str | None, direction: int) -> bool:
    """Whether the block repeats itself in a direction of the image."""
    if sides not in {None, "insulated", "periodic"}:
        raise ValueError(f"sides must be 'insulated', 'periodic' or None, got {sides!r}")
    if sides is None:
        return isinstance(structure, Mesostructure) and structure.periodic and direction > 0
    return sides == "periodic"


def _cells(labels: NDArray[Any], sigma: dict[int, float]) -> tuple[Vector, Vector, Vector]:
    """Conductivity of every voxel, of every label, and the volume fractions of the labels."""
    names: NDArray[Any] = np.arange(256)
    codes: NDArray[Any] = (
        labels.view(np.uint8) if labels.itemsize == 1 and labels.dtype != np.int8 else labels
    )
    if codes is labels:
        names, codes = np.unique(labels, return_inverse=True)
        codes = codes.reshape(labels.shape)
    table = np.array([sigma.get(int(name), 0.0) for name in names])
    share = np.bincount(codes.ravel(), minlength=table.size) / codes.size
    return table[codes], table, share


def _cut_cells(
    structure: Mesostructure, table: Vector, order: list[int], cell: Vector
) -> tuple[list[Vector], Vector]:
    """Open area fractions of the faces, and conductivities that give cut voxels the mean over their faces."""
    assert structure.face_fractions is not None
    open_area = []
    area_sum = np.zeros(cell.shape)
    flow_sum = np.zeros(cell.shape)
    for direction, axis in enumerate(order):
        solid = {phase: faces[axis] / WHOLE_FACE for phase, faces in structure.face_fractions.items()}
        shares = {Phase.PORE: 1.0 - sum(solid.values(), np.zeros(())), **solid}
        conducting = {phase: share for phase, share in shares.items() if table[phase] > 0}
        area = sum(conducting.values(), np.zeros(())).transpose(order)
        flow = sum((table[phase] * share for phase, share in conducting.items()), np.zeros(())).transpose(
            order
        )
        if area.ndim == 0:
            area = flow = np.zeros([n + (direction == other) for other, n in enumerate(cell.shape)])
        open_area.append(area)
        for side in (slice(None, -1), slice(1, None)):
            where = tuple(side if other == direction else slice(None) for other in range(3))
            area_sum += area[where]
            flow_sum += flow[where]
    mean = np.divide(flow_sum, area_sum, out=np.zeros_like(flow_sum), where=area_sum > 0)
    return open_area, np.where(cell > 0, cell, mean)


def _face_conductances(cell: Vector, direction: int, wraps: bool, open_area: Vector | None) -> Vector:  # noqa: FBT001  # one of the geometry's facts, private
    """Conductances of all faces across a direction, for cubes of unit size."""
    values = np.moveaxis(cell, direction, 0)
    resistance = np.divide(1.0, values, out=np.full(values.shape, np.inf), where=values > 0)
    faces = np.zeros((values.shape[0] + 1, *values.shape[1:]))
    faces[1:-1] = 2.0 / (resistance[:-1] + resistance[1:])
    if direction == 0:
        faces[0], faces[-1] = 2.0 * values[0], 2.0 * values[-1]
    elif wraps:
        faces[0] = faces[-1] = 2.0 / (resistance[0] + resistance[-1])
    if open_area is not None:
        area = np.moveaxis(open_area, direction, 0).copy()
        if wraps:
            area[0] = area[-1] = np.minimum(area[0], area[-1])
        faces *= area
    return np.moveaxis(faces, 0, direction)
