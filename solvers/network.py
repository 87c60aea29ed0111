"""From voxels to a network of conductances between voxel centres."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from meso.phases import Phase
from meso.structure import WHOLE_FACE, Mesostructure
from meso.threads import share
from solvers._kernels import percolation, voxels
from solvers.apertures import check_surface, conduct_faces, smooth_cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]
    Areas = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


FAINTEST = 5e-4
"""Smallest over largest conductivity down to which a cell between films may be taken for them; beyond, iterations get many."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VoxelNetwork:
    """
    Cells and the conductances between them, the axis of transport first.

    Parameters
    ----------
    conducts : ndarray, shape (n0, n1, n2), uint8
        1 where a cell conducts.
    cell : ndarray, shape (n0, n1, n2), float64, or None
        Conductivity of every cell divided by `unit`; None where all cells that conduct have the same.
    areas : tuple of three ndarrays, uint8 or float32, or None
        Open areas of the faces across the three directions, shapes (n0 + 1, n1, n2), (n0, n1 + 1, n2),
        (n0, n1, n2 + 1), 255 for an open face; float32 where conductors of several conductivities share faces, 255 for a
        face of the best; None where all faces between cells that conduct are open.
    contrast : float
        Smallest over largest conductivity of what conducts.
    ends : ndarray, shape (2, n1, n2), float64
        Links of the first layer to the inlet and of the last layer to the outlet.
    factors : tuple of float
        Largest link to inlet or outlet over largest link along direction 0; factors on the links along the directions
        1 and 2.
    wraps : tuple of bool
        Whether the block repeats itself in the three directions.
    unit : float
        Conductivity that a link of 1 stands for.
    porosity : float
        Volume fraction of the conducting phases.
    mean_conductivity : float
        Sum of conductivity times volume fraction over the phases.
    largest_conductivity : float
        Largest conductivity in the list of conductivities.
    layers : int
        Number of layers of the image along the axis.
    dimensions : int
        2 or 3: dimensions of the image; in two, n1 is 1.
    """

    conducts: NDArray[np.uint8]
    cell: Vector | None
    areas: Areas | None
    contrast: float
    ends: Vector
    factors: tuple[float, float, float]
    wraps: tuple[bool, bool, bool]
    unit: float
    porosity: float
    mean_conductivity: float
    largest_conductivity: float
    layers: int
    dimensions: int

    @property
    def is_loose(self) -> bool:
        """Whether cells that are tied much to each other only by what one of them conducts may be taken for one."""
        return self.cell is None and self.contrast > FAINTEST

    @property
    def links(self) -> tuple[Any, ...]:
        """The arguments that describe the cells to the kernels."""
        return self.conducts, self.cell, self.areas, self.ends, self.factors, self.wraps


def build_network(
    structure: Mesostructure | ArrayLike,
    *,
    conductivity: Mapping[int, float] | None,
    axis: int,
    sides: str | None,
    voxel_size: float | tuple[float, ...] | None,
    surface: str = "voxels",
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
    surface : {"voxels", "smooth"}, default "voxels"
        Whether the surface between conductor and the rest follows the voxels or is reconstructed.

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
    The conductance of a face between whole voxels is the harmonic mean of their conductivities, that of a cut face the sum
    of conductivities times areas over the phases on it (`solvers.apertures.conduct_faces`); twice that on the faces of
    inlet and outlet (half a voxel to the centre).
    """
    labels = _as_labels(structure)
    if not -labels.ndim <= axis < labels.ndim:
        raise ValueError(f"axis must lie in [{-labels.ndim}, {labels.ndim - 1}], got {axis}")
    sigma = _check_conductivity(conductivity, 1 if labels.dtype == np.bool_ else int(Phase.PORE))
    order = [axis % labels.ndim, *(a for a in range(labels.ndim) if a != axis % labels.ndim)]
    size = _voxel_edges(structure, voxel_size, labels.ndim)[order]
    wraps = [_wraps(structure, sides, direction) for direction in order]
    check_surface(surface, structure)
    if isinstance(structure, Mesostructure) and structure.face_fractions is not None:
        cells = _cut_cells(structure, sigma, order, wraps)
    else:
        cells = _whole_cells(labels.transpose(order), sigma)
    if labels.ndim == 2:
        size, wraps = size[[0, 0, 1]], [wraps[0], False, wraps[1]]
    if surface == "smooth":
        cells = smooth_cells(cells, (False, wraps[1], wraps[2]))
    return VoxelNetwork(
        **cells,
        ends=2.0 * _end_links(cells),
        factors=(2.0, (size[0] / size[1]) ** 2, (size[0] / size[2]) ** 2),
        wraps=(False, wraps[1], wraps[2]),
        largest_conductivity=max(sigma.values()),
        layers=labels.shape[order[0]],
        dimensions=labels.ndim,
    )


def keep_carrying(network: VoxelNetwork, *, dead_ends: bool = False) -> tuple[bool, VoxelNetwork]:
    """
    Keep the cells that are connected to both inlet and outlet; the others carry no current.

    Parameters
    ----------
    network : VoxelNetwork
        Any network.
    dead_ends : bool, default False
        Whether a connection to the inlet is enough.

    Returns
    -------
    percolates : bool
        Whether any cell is kept.
    network : VoxelNetwork
        The same network without the cells of all other parts.
    """
    conducts = network.conducts.copy()
    n0, n1, n2 = conducts.shape
    if n0 == 0:
        return bool(network.ends.any()), network
    row_ptr = np.zeros(n0 * n1 + 1, np.int64)
    share(percolation.count_runs, n0, conducts, network.areas, row_ptr)
    np.cumsum(row_ptr, out=row_ptr)
    starts, ends, parent = (np.empty(row_ptr[-1], np.int32) for _ in range(3))
    share(percolation.list_runs, n0, conducts, network.areas, row_ptr, starts, ends, parent)
    slabs = max(1, min(16, n0 // 4))
    runs = row_ptr, starts, ends, parent
    share(percolation.join_slabs, slabs, network.areas, network.wraps, *runs, n0, n1, n2, slabs)
    percolation.join_borders(network.areas, *runs, n0, n1, slabs)
    touches = np.zeros(parent.size, np.uint8)
    percolation.touch_ends(network.ends, row_ptr, starts, ends, parent, touches, n0, n1)
    keeps = (touches & 1) > 0 if dead_ends else touches == 3
    share(percolation.clear_idle_runs, n0, conducts, row_ptr, starts, ends, parent, keeps)
    return bool(keeps.any()), replace(network, conducts=conducts)


def count_carrying_only(network: VoxelNetwork, carrying: VoxelNetwork) -> VoxelNetwork:
    """
    Leave the parts that carry no current out of the volume fraction.

    Parameters
    ----------
    network : VoxelNetwork
        Any network.
    carrying : VoxelNetwork
        The same network without the parts that carry no current.

    Returns
    -------
    VoxelNetwork
        The first network with smaller `porosity` and `mean_conductivity`.
    """
    kept = carrying.conducts
    if not kept.any():
        return network
    weight = network.conducts if network.cell is None else network.cell
    if network.cell is None and network.areas is not None and network.contrast < 1:
        weight = network.areas[0][1:] + network.areas[0][:-1]
    return replace(
        network,
        porosity=network.porosity * np.count_nonzero(kept) / np.count_nonzero(network.conducts),
        mean_conductivity=network.mean_conductivity
        * float(np.sum(weight * kept) / np.sum(weight, dtype=np.float64)),
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
    if network.layers < 2:
        raise ValueError(
            f"structure must have at least 2 layers along the axis for this convention, got {network.layers}"
        )
    conducts, cell, areas = network.conducts, network.cell, network.areas
    ends = []
    for beyond, end in ((0, 1), (-1, -2)):
        link = (conducts[beyond] * conducts[end]).astype(np.float64)
        if cell is not None:
            both = link > 0
            link[both] = 2.0 / (1.0 / cell[beyond][both] + 1.0 / cell[end][both])
        if areas is not None:
            link *= areas[0][end]
        ends.append(link)
    return replace(
        network,
        conducts=np.ascontiguousarray(conducts[1:-1]),
        cell=None if cell is None else np.ascontiguousarray(cell[1:-1]),
        areas=None if areas is None else (areas[0][1:-1], areas[1][1:-1], areas[2][1:-1]),
        ends=np.stack(ends),
        factors=(1.0, *network.factors[1:]),
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


def _codes(labels: NDArray[Any]) -> tuple[list[int], NDArray[np.uint8]]:
    """Names of the labels and a view of the image, or a copy, that holds their indices."""
    if labels.dtype == np.bool_:
        return [0, 1], labels.view(np.uint8)
    if labels.dtype == np.uint8:
        return list(range(256)), labels
    if labels.min() >= 0 and labels.max() < 256:
        return list(range(256)), labels.astype(np.uint8)
    names, codes = np.unique(labels, return_inverse=True)
    if names.size > 256:
        raise ValueError(f"structure must hold at most 256 different labels, got {names.size}; relabel first")
    return [int(name) for name in names], codes.reshape(labels.shape).astype(np.uint8)


def _whole_cells(labels: NDArray[Any], sigma: dict[int, float]) -> dict[str, Any]:
    """Cells of a segmented image and its averages."""
    names, codes = _codes(labels)
    if codes.ndim == 2:
        codes = codes[:, np.newaxis, :]
    table = np.array([sigma.get(name, 0.0) for name in names])
    conducts = np.empty(codes.shape, np.uint8)
    counts = np.zeros((codes.shape[0], table.size), np.int64)
    share(voxels.select_cells, len(codes), codes, (table > 0).astype(np.uint8), conducts, counts)
    fractions = counts.sum(axis=0) / codes.size
    present = np.unique(table[(fractions > 0) & (table > 0)])
    unit = float(present[-1]) if present.size else 1.0
    return {
        "conducts": conducts,
        "cell": (table / unit)[codes] if present.size > 1 else None,
        "areas": None,
        "contrast": float(present[0]) / unit if present.size else 1.0,
        "unit": unit,
        "porosity": float(fractions[table > 0].sum()),
        "mean_conductivity": float(table @ fractions),
    }


def _cut_cells(
    structure: Mesostructure, sigma: dict[int, float], order: list[int], wraps: list[bool]
) -> dict[str, Any]:
    """Cells of a structure that knows the open areas of its faces, and its averages."""
    assert structure.face_fractions is not None
    table = np.array([sigma.get(int(phase), 0.0) for phase in Phase])
    fractions = np.array([structure.volume_fraction(phase) for phase in Phase])
    known = [int(phase) for phase in (Phase.PORE, *structure.face_fractions)]
    present = table[known][table[known] > 0]
    most = float(present.max(initial=0.0)) or 1.0
    areas = conduct_faces(structure, table / most, order, wraps)
    conducts = np.zeros(areas[0].shape - np.array([1, 0, 0]), np.uint8)
    share(voxels.open_cells, len(conducts), *areas, conducts)
    return {
        "conducts": conducts,
        "cell": None,
        "areas": areas,
        "contrast": float(present.min(initial=most)) / most,
        "unit": most / WHOLE_FACE,
        "porosity": float(fractions[table > 0].sum()),
        "mean_conductivity": float(table @ fractions),
    }


def _end_links(cells: dict[str, Any]) -> Vector:
    """Links of the end layers to the outer faces, for a distance of one voxel."""
    ends: Vector = cells["conducts"][[0, -1]].astype(np.float64)
    if cells["cell"] is not None:
        ends *= cells["cell"][[0, -1]]
    if cells["areas"] is not None:
        ends *= cells["areas"][0][[0, -1]]
    return ends
