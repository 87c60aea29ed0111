"""What can be read off a structure without solving an equation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso._kernels import measures as kernels
from meso.neighbours import overlapping_pairs
from meso.particles import periodic_images
from meso.phases import Phase
from meso.structure import WHOLE_FACE, fractions_of
from meso.surfaces import specific_surface_area, surface_area_profile

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Literal

    from numpy.typing import NDArray

    from meso.profiles import Profile
    from meso.structure import Mesostructure

__all__ = [
    "chord_lengths",
    "connected_fraction",
    "connected_voxels",
    "contact_number",
    "local_thickness",
    "porosity_profile",
    "profile_deviation",
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


def profile_deviation(
    structure: Mesostructure, wanted: Profile, *, phase: Phase, window: float
) -> NDArray[np.float64]:
    """
    Return by how much a phase departs from the profile that was asked for.

    Parameters
    ----------
    structure : Mesostructure
        Structure; without channels, as profiles hold between them.
    wanted : Profile
        Requested volume fraction [-], e.g. `ElectrodeDesign.porosity_profile`.
    phase : Phase
        Phase.
    window : float
        Thickness over which both are averaged [m]; one median particle diameter tells the fluctuation of the packing.

    Returns
    -------
    ndarray, shape (nz − n + 1,), float64
        Volume fraction minus request [-], averaged over every run of n slices, n being `window` in voxels.

    Raises
    ------
    ValueError
        If the window is not between a voxel and the thickness.

    Examples
    --------
    >>> from meso import Mesostructure, Profile
    >>> layered = Mesostructure(np.repeat([0, 1], 4).reshape(2, 2, 2), voxel_size=1e-6)
    >>> profile_deviation(layered, Profile.constant(0.5), phase=Phase.PORE, window=1e-6).tolist()
    [0.5, -0.5]
    """
    count, step = structure.shape[0], structure.voxel_size[0]
    slices = round(window / step)
    if not 1 <= slices <= count:
        raise ValueError(
            f"window must lie between a voxel, {step:.4g} m, and the thickness, got {window:.4g}"
        )
    excess = structure.fraction_profile(phase) - wanted((np.arange(count) + 0.5) / count)
    return np.convolve(excess, np.full(slices, 1 / slices), mode="valid")


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
        for axis, faces in enumerate(fractions_of(structure, measured)):
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
    lengths = np.array(structure.particles.domain)
    first, second, _ = overlapping_pairs(
        images.centres, images.reaches, images.shapes, lengths=lengths, periodic=False, skin=gap
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


def _open_faces(structure: Mesostructure, phases: Collection[Phase]) -> list[NDArray[np.bool_]]:
    """Whether phases pass through each face."""
    if structure.face_fractions is not None:
        fractions = structure.face_fractions
        passes = []
        for axis in range(3):
            through = [faces[axis] > 0 for phase, faces in fractions.items() if phase in phases]
            if Phase.PORE in phases:
                solid = np.add.reduce([faces[axis] for faces in fractions.values()], dtype=np.uint8)
                through.append(np.asarray(solid < WHOLE_FACE))
            passes.append(np.logical_or.reduce(through))
        return passes
    inside = np.isin(structure.labels, list(phases))
    result = []
    for axis in range(3):
        count = structure.shape[axis]
        wraps = structure.periodic and axis > 0
        before = [count - 1 if wraps else 0, *range(count)]
        after = [*range(count), 0 if wraps else count - 1]
        result.append(inside.take(before, axis=axis) & inside.take(after, axis=axis))
    return result
