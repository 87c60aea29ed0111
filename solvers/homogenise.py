"""From voxels to slices: what the homogenised model needs to know about a structure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meso.measures import connected_voxels, surface_area_profile
from meso.particles import ParticlePacking
from meso.phases import Phase
from meso.structure import Mesostructure
from solvers.cell import CellParameters
from solvers.electrode import PorousElectrode
from solvers.transport import TransportResult, solve_transport

Array = NDArray[np.float64]

# Unlike faces of a voxel image overestimate the area of a smooth surface without preferred direction by this factor.
STAIRCASE = 1.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Grains:
    """Active material sorted into grains: index of each voxel's, 0 for none, then radii, voxels and connection of each."""

    index: NDArray[np.int32]
    radii: Array
    voxels: NDArray[np.int64]
    connected: NDArray[np.bool_]


def homogenise(
    structure: Mesostructure,
    cell: CellParameters,
    *,
    slices: int = 40,
    size_classes: int = 3,
    tolerance: float = 1e-4,
    ionic: TransportResult | None = None,
    electronic: TransportResult | None = None,
) -> PorousElectrode:
    """Average a structure slice by slice into an electrode for `simulate_discharge`.

    Parameters
    ----------
    structure : Mesostructure
        The structure; with particles and face fractions where it has them.
    cell : CellParameters
        Gives the conductivities of active material and carbon-binder domain, and the latter's nanopores.
    slices : int, default 40
        Slices of the electrode, at most one for each layer of voxels.
    size_classes : int, default 3
        Groups of equal volume, at most, into which the particles are sorted by radius.
    tolerance : float, default 1e-4
        Relative error of the transport solves.
    ionic, electronic : TransportResult, optional
        Results along axis 0 that are at hand already, to save a solve: pore with 1 and carbon-binder domain with
        `CellParameters.binder_transport_efficiency`; carbon-binder domain and active material with their electronic
        conductivities [S.m-1].

    Returns
    -------
    PorousElectrode
        Fractions, surfaces and transport by slice. Grains of active material that neither touch an electrolyte
        network reaching the separator nor hang together with the collector are isolated.

    Raises
    ------
    ValueError
        If there is no active material, or a count is out of range.

    Notes
    -----
    The resistance of the electrolyte (and of the solid) through the thickness is that of the transport solve; its
    profile is smoothed over one median particle diameter, since a random plane is no representative volume, and its
    integral kept. A network that does not join both faces blocks the electrode, even if parts of it would react.

    An ellipsoid becomes the sphere with its ratio of volume to surface, R = 3 V/S: area and volume then agree (a R/3 = ε),
    and the uptake before the centre notices, ∝ S √(D t)/V, is exact for every shape. Later it is not: the platelet of
    thickness 2w has R = 3 w and the diffusion time w²/3D, its sphere R²/15 D = 9 w²/15 D, 1.8 times as long. The model
    is on the safe side for flat and long particles, by less the rounder they are.

    Slices are averages over the area: the resistance of channels is that of the transport solve in three dimensions, so
    that what they gain for the pores is in the result, but salt and potential have one value a slice. Differences between
    channel and coating, over half a pitch, are neglected: allowed while pitch²/4 is small against thickness² × lateral
    over through-plane transport efficiency, and optimistic for wide pitches.

    The surface is that of `meso.measures.surface_area_profile`, divided among the particles by volume over radius; for an
    image without face fractions it is divided by 3/2, the excess of voxel faces over a smooth surface. Without particle
    ids, connected active voxels are one grain, and all have the radius 3 volume / area.
    """
    if not (slices >= 1 and size_classes >= 1):
        raise ValueError(f"slices and size_classes must be at least 1, got {slices} and {size_classes}")
    if not np.any(structure.labels == Phase.ACTIVE):
        raise ValueError(
            f"structure must hold active material, got no label {int(Phase.ACTIVE)}; relabel the phases"
        )
    layers = structure.shape[0]
    slices = min(slices, layers)
    active = structure.fraction_profile(Phase.ACTIVE)
    grains = _grains(structure)
    radii, members = _size_classes(grains, size_classes)
    fractions = _fractions(grains, members, len(radii), active)
    spheres = (fractions / radii).sum(axis=(1, 2))
    per_volume = np.divide(_area(structure), spheres, out=np.zeros(layers), where=spheres > 0)
    window = max(1, round(2.0 * _median_radius(grains) / structure.voxel_size[0]))
    ions, electrons = _transport(structure, cell, tolerance, ionic, electronic)
    porosity = 1.0 - active - (1.0 - cell.binder_nanoporosity) * structure.fraction_profile(Phase.BINDER)
    return PorousElectrode(
        thickness=structure.thickness,
        porosity=_average(porosity, slices),
        transport_efficiency=_conductance(ions, window, slices, highest=1.0),
        electronic_conductivity=_conductance(electrons, window, slices, highest=np.inf),
        particle_radii=radii,
        active_fractions=_average(fractions[:, 1], slices),
        specific_surface_areas=_average(fractions[:, 1] / radii * per_volume[:, None], slices),
        isolated_fractions=_average(fractions[:, 0].sum(axis=1), slices),
    )


def _area(structure: Mesostructure) -> Array:
    """Surface of the active material per volume of each layer [m-1]."""
    return surface_area_profile(structure) / (1.0 if structure.face_fractions is not None else STAIRCASE)


def _grains(structure: Mesostructure) -> _Grains:
    """Find the grains and which of them electrons and ions can reach."""
    solid = structure.labels == Phase.ACTIVE
    ids = structure.particle_ids
    if ids is None or not np.all(ids[solid] > 0):
        index = _components(solid, periodic=structure.periodic)
        radii = None
    else:
        index = np.where(solid, ids, 0)
        radii = None if structure.particles is None else _radii(structure.particles)
    voxels = np.bincount(index.ravel(), minlength=1 + (0 if radii is None else len(radii)))[1:]
    if radii is None:
        radii = np.full(
            len(voxels), 3.0 * structure.fraction_profile(Phase.ACTIVE).sum() / _area(structure).sum()
        )
    electrons = connected_voxels(structure, phases=(Phase.ACTIVE, Phase.BINDER), to="collector")
    ions = _touching(
        connected_voxels(structure, phases=(Phase.PORE, Phase.BINDER), to="separator"),
        periodic=structure.periodic,
    )
    connected = np.ones(len(voxels), dtype=np.bool_)
    for reached in (electrons, ions):
        connected &= np.bincount(index[reached], minlength=len(voxels) + 1)[1:] > 0
    return _Grains(index=index, radii=radii, voxels=voxels, connected=connected)


def _radii(packing: ParticlePacking) -> Array:
    """Radius of the sphere with each particle's ratio of volume to surface, 3 V/S [m]."""
    return np.asarray(4.0 * np.pi * packing.radii**3 / packing.surface_areas)


def _components(solid: NDArray[np.bool_], *, periodic: bool) -> NDArray[np.int32]:
    """Give a number to each piece of active material that hangs together through voxel faces."""
    from scipy.ndimage import label
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    index, count = label(solid)
    if not periodic:
        return np.asarray(index, dtype=np.int32)
    pairs = []
    for axis in (1, 2):
        first, last = index.take(0, axis=axis), index.take(-1, axis=axis)
        both = (first > 0) & (last > 0)
        pairs.append(np.stack((first[both], last[both])))
    rows, columns = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(count + 1, count + 1))
    merged = connected_components(graph, directed=False)[1]
    return np.asarray(np.unique(merged, return_inverse=True)[1][index], dtype=np.int32)


def _touching(reached: NDArray[np.bool_], *, periodic: bool) -> NDArray[np.bool_]:
    """Voxels in a region or beside it."""
    near = reached.copy()
    for axis in range(3):
        for shift in (1, -1):
            moved = np.roll(reached, shift, axis=axis)
            if axis == 0 or not periodic:
                edge: list[slice | int] = [slice(None)] * 3
                edge[axis] = 0 if shift == 1 else -1
                moved[tuple(edge)] = False
            near |= moved
    return near


def _size_classes(grains: _Grains, most: int) -> tuple[Array, NDArray[np.intp]]:
    """Sort the grains into groups of equal volume by radius; the radius of a group keeps its surface."""
    order = np.argsort(grains.radii, kind="stable")
    volumes = grains.voxels[order]
    middle = np.cumsum(volumes) - 0.5 * volumes
    rank = np.minimum((middle * most) // max(1, volumes.sum()), most - 1).astype(np.intp)
    # Equal spheres need one class only; a class without voxels none.
    rank[np.isclose(grains.radii[order], grains.radii[order[0]], rtol=1e-6)] = 0
    present, rank = np.unique(np.where(volumes > 0, rank, rank[np.argmax(volumes)]), return_inverse=True)
    surface = np.bincount(rank, weights=volumes / grains.radii[order], minlength=len(present))
    members = np.empty(len(order), dtype=np.intp)
    members[order] = rank
    return np.bincount(rank, weights=volumes, minlength=len(present)) / surface, members


def _fractions(grains: _Grains, members: NDArray[np.intp], classes: int, active: Array) -> Array:
    """Volume fractions (layer, isolated or connected, class), adding up to the active fraction of every layer."""
    layers = len(active)
    code = np.concatenate(([0], 1 + members + classes * grains.connected))[grains.index]
    width = 2 * classes + 1
    counts = np.bincount((code + width * np.arange(layers)[:, None, None]).ravel(), minlength=layers * width)
    counts = counts.reshape(layers, width)[:, 1:].reshape(layers, 2, classes).astype(np.float64)
    # A layer that only cut voxels reach into takes the shares of the whole.
    counts[counts.sum(axis=(1, 2)) == 0] = counts.sum(axis=0)
    return np.asarray(counts * (active / counts.sum(axis=(1, 2)))[:, None, None])


def _median_radius(grains: _Grains) -> float:
    """Radius below which half of the volume lies [m]."""
    order = np.argsort(grains.radii)
    volume = np.cumsum(grains.voxels[order])
    return float(grains.radii[order[np.searchsorted(volume, 0.5 * volume[-1])]])


def _transport(
    structure: Mesostructure,
    cell: CellParameters,
    tolerance: float,
    ionic: TransportResult | None,
    electronic: TransportResult | None,
) -> tuple[TransportResult, TransportResult]:
    """Solve for the transport of ions and electrons, unless the results are there."""
    if ionic is None:
        free = {int(Phase.PORE): 1.0, int(Phase.BINDER): cell.binder_transport_efficiency}
        ionic = solve_transport(structure, conductivity=free, tolerance=tolerance)
    if electronic is None:
        solid = {int(Phase.ACTIVE): cell.active_conductivity, int(Phase.BINDER): cell.binder_conductivity}
        electronic = solve_transport(structure, conductivity=solid, tolerance=tolerance)
    return ionic, electronic


def _conductance(result: TransportResult, window: int, slices: int, *, highest: float) -> Array:
    """Conductivity of every slice whose resistances in series are that of the whole."""
    if not result.percolates:
        return np.zeros(slices)
    shape = result.profile / result.profile.mean()
    pad = min(window // 2, len(shape))
    # Mirrored ends keep the integral of a moving average.
    mirrored = np.pad(shape, pad, mode="symmetric")
    smooth = np.convolve(mirrored, np.full(2 * pad + 1, 1.0 / (2 * pad + 1)), mode="valid")
    mean = 1.0 / result.effective_conductivity
    resistivity = _average(smooth, slices) * mean
    # No slice conducts better than the free electrolyte; where noise says so, the whole profile is flattened.
    least = max(1.0 / highest, 1e-3 * mean)
    if resistivity.min() < least:
        resistivity = mean + (resistivity - mean) * (mean - least) / (mean - resistivity.min())
    return np.asarray(1.0 / resistivity)


def _average(values: Array, slices: int) -> Array:
    """Mean over each of equally thick slices of values by layer (first axis), layers divided where they straddle."""
    layers = len(values)
    edges = np.linspace(0.0, layers, slices + 1)
    table = values.reshape(layers, -1)
    total = np.concatenate((np.zeros((1, table.shape[1])), np.cumsum(table, axis=0)))
    summed = np.stack([np.interp(edges, np.arange(layers + 1), column) for column in total.T], axis=1)
    return np.asarray(np.diff(summed, axis=0).reshape(slices, *values.shape[1:]) * (slices / layers))
