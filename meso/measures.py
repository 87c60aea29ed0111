"""What can be read off a structure without solving an equation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso._kernels import measures as kernels
from meso.packing import neighbour_pairs
from meso.phases import Phase
from meso.structure import WHOLE_FACE
from meso.voxels import periodic_images

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Literal

    from numpy.typing import NDArray

    from meso.packing import ParticlePacking
    from meso.structure import Mesostructure

__all__ = [
    "chord_lengths",
    "connected_fraction",
    "connected_voxels",
    "contact_number",
    "local_thickness",
    "porosity_profile",
    "specific_surface_area",
    "surface_area_profile",
    "two_point_correlation",
    "volume_fractions",
]


def volume_fractions(structure: Mesostructure) -> dict[Phase, float]:
    """
    Return the volume fraction of every phase.

    Parameters
    ----------
    structure : Mesostructure
        Structure.

    Returns
    -------
    dict of Phase to float
        Volume fractions [-]; they add up to 1.
    """
    return {phase: structure.volume_fraction(phase) for phase in Phase}


def porosity_profile(structure: Mesostructure) -> NDArray[np.float64]:
    """
    Return the porosity of every slice.

    Parameters
    ----------
    structure : Mesostructure
        Structure.

    Returns
    -------
    ndarray, shape (nz,), float64
        Porosity [-] from separator to collector.
    """
    return structure.fraction_profile(Phase.PORE)


def specific_surface_area(structure: Mesostructure, *, phase: Phase = Phase.ACTIVE) -> float:
    """
    Return the surface of a phase per volume of electrode.

    Parameters
    ----------
    structure : Mesostructure
        Structure.
    phase : Phase, default Phase.ACTIVE
        Phase whose boundary with the two others is measured.

    Returns
    -------
    float
        Specific surface area [m-1]; see `surface_area_profile` for how it is found.
    """
    return float(surface_area_profile(structure, phase=phase).mean())


def surface_area_profile(structure: Mesostructure, *, phase: Phase = Phase.ACTIVE) -> NDArray[np.float64]:
    """
    Return the surface of a phase in every slice, per volume of the slice.

    Parameters
    ----------
    structure : Mesostructure
        Structure.
    phase : Phase, default Phase.ACTIVE
        Phase whose boundary with the two others is measured. The outer faces of the electrode do not count.

    Returns
    -------
    ndarray, shape (nz,), float64
        Specific surface area [m-1].

    Notes
    -----
    The best that the structure knows is used. Active material with its particles: the exact area of the union of the
    spheres. Face fractions: in every voxel the length of the vector of the differences of opposite face areas, which is the
    area of a flat cut and second order in the voxel size for a smooth one; where two surfaces share a voxel it
    counts too little. Labels only: the count of unlike faces, which overestimates a smooth surface by about one half.
    """
    if phase == Phase.ACTIVE and structure.particles is not None:
        return _sphere_profile(structure.particles, structure.shape[0])
    edges = np.array(structure.voxel_size)
    face_areas = np.prod(edges) / edges
    if structure.face_fractions is not None:
        square = np.zeros(structure.shape)
        for axis, faces in enumerate(_fractions(structure, {phase})):
            square += (np.diff(faces, axis=axis) * face_areas[axis]) ** 2
        per_slice = np.sqrt(square).sum(axis=(1, 2))
    else:
        per_slice = _unlike_faces(structure, phase, face_areas)
    return np.asarray(per_slice / (structure.shape[1] * structure.shape[2] * np.prod(edges)))


def connected_voxels(
    structure: Mesostructure, *, phases: Phase | Collection[Phase], to: Literal["separator", "collector"]
) -> NDArray[np.bool_]:
    """
    Return the voxels through which phases hang together with one electrode face.

    Parameters
    ----------
    structure : Mesostructure
        Structure.
    phases : Phase or collection of Phase
        What counts as connecting, e.g. ``(Phase.ACTIVE, Phase.BINDER)`` for electrons.
    to : {'separator', 'collector'}
        The face.

    Returns
    -------
    ndarray, shape (nz, ny, nx), bool
        True where connected.

    Raises
    ------
    ValueError
        If `to` names no face.

    Notes
    -----
    Voxels hang together through faces (6-connectivity): through those of which the phases cover at least 1/255 where
    the structure carries face fractions, otherwise through those with a voxel of the phases on either side.
    """
    if to not in {"separator", "collector"}:
        raise ValueError(f"to must be 'separator' or 'collector', got {to!r}")
    chosen = {phases} if isinstance(phases, Phase) else set(phases)
    through, along_y, along_x = _open_faces(structure, chosen)
    reached = np.zeros(structure.shape, dtype=np.bool_)
    kernels.flood(through, along_y, along_x, structure.periodic, to == "collector", reached)
    return reached


def connected_fraction(
    structure: Mesostructure,
    *,
    phases: Phase | Collection[Phase],
    to: Literal["separator", "collector"],
    of: Phase | None = None,
) -> float:
    """
    Return the share of a phase's volume that hangs together with one electrode face.

    Parameters
    ----------
    structure : Mesostructure
        Structure.
    phases : Phase or collection of Phase
        What counts as connecting.
    to : {'separator', 'collector'}
        The face.
    of : Phase, optional
        Whose volume is measured; all of `phases` if left out.

    Returns
    -------
    float
        Share [-]; 1 where the phase does not exist.

    Raises
    ------
    ValueError
        If `to` names no face.
    """
    chosen = {phases} if isinstance(phases, Phase) else set(phases)
    reached = connected_voxels(structure, phases=chosen, to=to)
    measured = chosen if of is None else {of}
    if structure.face_fractions is None:
        volume = np.isin(structure.labels, list(measured)).astype(np.float64)
    else:
        volume = np.zeros(structure.shape)
        for axis, faces in enumerate(_fractions(structure, measured)):
            count = structure.shape[axis]
            volume += faces.take(range(count), axis=axis) + faces.take(range(1, count + 1), axis=axis)
    total = volume.sum()
    return float(volume[reached].sum() / total) if total > 0 else 1.0


def contact_number(structure: Mesostructure, *, gap: float) -> float:
    """
    Return the mean number of neighbours of a particle.

    Parameters
    ----------
    structure : Mesostructure
        Structure with particles.
    gap : float
        Largest distance between two surfaces that counts as a contact [m].

    Returns
    -------
    float
        Contacts per particle whose centre lies in the electrode, over all of these.

    Raises
    ------
    ValueError
        If the structure carries no particles.
    """
    if structure.particles is None:
        raise ValueError("structure must carry particles, got none; only generated structures do")
    images = periodic_images(structure.particles, reach=gap)
    first, second = neighbour_pairs(
        images.centres, images.radii, lengths=np.array(structure.particles.domain), periodic=False, skin=gap
    )
    inside = np.all((images.centres >= 0) & (images.centres < np.array(structure.particles.domain)), axis=1)
    counted = np.count_nonzero(inside[first]) + np.count_nonzero(inside[second])
    return counted / max(1, int(np.count_nonzero(inside)))


def chord_lengths(structure: Mesostructure, *, phase: Phase, axis: int) -> NDArray[np.float64]:
    """
    Return the lengths of all straight runs of a phase along one axis.

    Parameters
    ----------
    structure : Mesostructure
        Structure; its labels are read.
    phase : Phase
        Phase.
    axis : int
        0 through-plane, 1 or 2 lateral.

    Returns
    -------
    ndarray, shape (chords,), float64
        Lengths [m]. Runs that touch an end of the image are left out, as their true length is unknown.
    """
    lines = np.moveaxis(structure.labels == phase, axis, -1).reshape(-1, structure.shape[axis])
    steps = np.diff(np.pad(lines, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    _, begins = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    whole = (begins > 0) & (ends < structure.shape[axis])
    return np.asarray((ends - begins)[whole] * structure.voxel_size[axis], dtype=np.float64)


def two_point_correlation(structure: Mesostructure, *, phase: Phase, axis: int) -> NDArray[np.float64]:
    """
    Return the probability that two points at a distance along one axis both lie in a phase.

    Parameters
    ----------
    structure : Mesostructure
        Structure; its labels are read.
    phase : Phase
        Phase.
    axis : int
        0 through-plane, 1 or 2 lateral.

    Returns
    -------
    ndarray, shape (n // 2,), float64
        Probability [-] at distances 0, 1, 2, … voxels; the first is the volume fraction by labels. Lines wrap around
        where the structure is periodic.
    """
    lines = np.moveaxis(structure.labels == phase, axis, -1).astype(np.float32)
    count = lines.shape[-1]
    wraps = structure.periodic and axis > 0
    spectrum = np.fft.rfft(lines, n=count if wraps else 2 * count, axis=-1)
    power = np.mean(np.abs(spectrum) ** 2, axis=(0, 1))
    products = np.fft.irfft(power, n=count if wraps else 2 * count)[: count // 2]
    return np.asarray(products / (count if wraps else count - np.arange(count // 2)), dtype=np.float64)


def local_thickness(structure: Mesostructure, *, phase: Phase) -> NDArray[np.float64]:
    """
    Return the diameter of the largest inscribed sphere that covers each voxel of a phase (PoreSpy).

    Parameters
    ----------
    structure : Mesostructure
        Structure with cubic voxels; its labels are read.
    phase : Phase
        Phase; for `Phase.PORE` the result is the pore-size distribution.

    Returns
    -------
    ndarray, shape (nz, ny, nx), float64
        Local diameter [m], 0 outside the phase.

    Raises
    ------
    ValueError
        If the voxels are not cubes.
    """
    edge = structure.voxel_size[0]
    if not np.allclose(structure.voxel_size, edge, rtol=1e-6):
        raise ValueError(
            f"voxel_size must be the same on all axes, got {structure.voxel_size}; resample the image"
        )
    import porespy

    return np.asarray(2 * edge * porespy.filters.local_thickness(structure.labels == phase), dtype=np.float64)


def _sphere_profile(packing: ParticlePacking, slices: int) -> NDArray[np.float64]:
    """Exact surface of the union of the spheres in every slice over the slice's volume."""
    images = periodic_images(packing)
    own = np.count_nonzero(
        (packing.centres[:, 0] + packing.radii > 0)
        & (packing.centres[:, 0] - packing.radii < packing.domain[0])
    )
    first, second = neighbour_pairs(
        images.centres, images.radii, lengths=np.array(packing.domain), periodic=False
    )
    both, others = np.concatenate((first, second)), np.concatenate((second, first))
    order = np.argsort(both, kind="stable")
    start = np.searchsorted(both[order], np.arange(len(images.radii) + 1)).astype(np.int64)
    areas = np.zeros(slices)
    step = packing.domain[0] / slices
    kernels.exposed_areas(images.centres, images.radii, own, start, others[order], step, areas)
    return areas / (step * packing.domain[1] * packing.domain[2])


def _fractions(structure: Mesostructure, phases: Collection[Phase]) -> list[NDArray[np.float64]]:
    """Area fraction of every face in a set of phases, for the three axes."""
    assert structure.face_fractions is not None
    solid = [
        structure.face_fractions[p] for p in (Phase.ACTIVE, Phase.BINDER) if p in structure.face_fractions
    ]
    chosen = [structure.face_fractions[p] for p in phases if p in structure.face_fractions]
    result = []
    for axis in range(3):
        covered = np.zeros(structure.face_fractions[Phase.ACTIVE][axis].shape)
        for faces in chosen:
            covered += faces[axis]
        if Phase.PORE in phases:
            covered += WHOLE_FACE
            for faces in solid:
                covered -= faces[axis]
        result.append(covered / WHOLE_FACE)
    return result


def _open_faces(structure: Mesostructure, phases: Collection[Phase]) -> list[NDArray[np.bool_]]:
    """Whether phases pass through each face."""
    if structure.face_fractions is not None:
        return [faces > 0 for faces in _fractions(structure, phases)]
    inside = np.isin(structure.labels, list(phases))
    result = []
    for axis in range(3):
        count = structure.shape[axis]
        wraps = structure.periodic and axis > 0
        before = [count - 1 if wraps else 0, *range(count)]
        after = [*range(count), 0 if wraps else count - 1]
        result.append(inside.take(before, axis=axis) & inside.take(after, axis=axis))
    return result


def _unlike_faces(
    structure: Mesostructure, phase: Phase, face_areas: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Area of the faces between a phase and others, per slice; through-plane faces belong half to either slice."""
    inside = structure.labels == phase
    per_slice = np.zeros(structure.shape[0])
    between = face_areas[0] * np.count_nonzero(inside[1:] != inside[:-1], axis=(1, 2))
    per_slice[1:] += 0.5 * between
    per_slice[:-1] += 0.5 * between
    for axis in (1, 2):
        neighbour = np.roll(inside, 1, axis=axis)
        unlike = inside != neighbour
        if not structure.periodic:
            unlike = unlike.take(range(1, structure.shape[axis]), axis=axis)
        per_slice += face_areas[axis] * np.count_nonzero(unlike, axis=(1, 2))
    return per_slice
