"""An electrode in voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from meso.phases import Phase

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from meso.particles import ParticlePacking

    Faces: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]

WHOLE_FACE = 255
"""Value of a face fraction that means the whole face."""


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Mesostructure:
    """
    A voxel image of an electrode, with what is known about it beyond the labels.

    Parameters
    ----------
    labels : array_like, shape (nz, ny, nx)
        `Phase` of every voxel; axis 0 is through-plane, index 0 at the separator. Stored as uint8, C order.
    voxel_size : float or tuple of float
        Edge of a voxel [m], or one per axis.
    periodic : bool, default False
        Whether the two lateral directions are periodic. Generated structures are, images are usually not.
    particle_ids : array_like, shape (nz, ny, nx), optional
        0 outside the particles, k > 0 in particle k − 1 of `particles`. Stored as int32.
    particles : ParticlePacking, optional
        The particles the voxels were made from.
    face_fractions : mapping of Phase to three arrays, optional
        Area fraction of every voxel face that lies in `Phase.ACTIVE` and in `Phase.BINDER`, as uint8 with 255 for the
        whole face; shapes (nz + 1, ny, nx), (nz, ny + 1, nx), (nz, ny, nx + 1). The outer faces are included; where
        periodic, the first equals the last. The pores are the rest.

    Raises
    ------
    ValueError
        If shapes or values contradict each other.

    Notes
    -----
    With face fractions, transport is second order in the voxel size and volume fractions are integrals of plane areas
    (Cavalieri) instead of voxel counts.

    Examples
    --------
    >>> import numpy as np
    >>> layered = Mesostructure(np.repeat([0, 1], 4).reshape(2, 2, 2), voxel_size=1e-6)
    >>> layered.volume_fraction(Phase.ACTIVE), layered.fraction_profile(Phase.ACTIVE).tolist()
    (0.5, [0.0, 1.0])
    """

    labels: NDArray[np.uint8]
    voxel_size: tuple[float, float, float]
    periodic: bool
    particle_ids: NDArray[np.int32] | None
    particles: ParticlePacking | None
    face_fractions: Mapping[Phase, Faces] | None

    def __init__(
        self,
        labels: ArrayLike,
        *,
        voxel_size: float | tuple[float, float, float],
        periodic: bool = False,
        particle_ids: ArrayLike | None = None,
        particles: ParticlePacking | None = None,
        face_fractions: Mapping[Phase, tuple[ArrayLike, ArrayLike, ArrayLike]] | None = None,
    ) -> None:
        set_field = object.__setattr__
        set_field(self, "labels", _check_labels(labels))
        set_field(self, "voxel_size", _check_voxel_size(voxel_size))
        set_field(self, "periodic", bool(periodic))
        set_field(self, "particle_ids", _check_ids(particle_ids, self.shape))
        set_field(self, "particles", particles)
        set_field(self, "face_fractions", _check_faces(face_fractions, self.shape))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels through-plane and in the two lateral directions."""
        nz, ny, nx = self.labels.shape
        return nz, ny, nx

    @property
    def thickness(self) -> float:
        """Extent through-plane [m]."""
        return self.shape[0] * self.voxel_size[0]

    def mask(self, *phases: Phase) -> NDArray[np.bool_]:
        """
        Return where phases are, as PoreSpy, TauFactor and `solvers.solve_transport` take images.

        Parameters
        ----------
        *phases : Phase
            What conducts.

        Returns
        -------
        ndarray, shape (nz, ny, nx), bool
            True inside the phases; transport through the electrode is along axis 0. PoreSpy takes it as it is, TauFactor
            as ``mask(...).astype("uint8")``.

        Examples
        --------
        >>> layered = Mesostructure([[[0]], [[2]], [[1]]], voxel_size=1e-6)
        >>> layered.mask(Phase.PORE, Phase.BINDER).ravel().tolist()
        [True, True, False]
        """
        return np.isin(self.labels, [int(phase) for phase in phases])

    def fraction_profile(self, phase: Phase) -> NDArray[np.float64]:
        """
        Return the volume fraction of a phase in every slice.

        Parameters
        ----------
        phase : Phase
            Phase.

        Returns
        -------
        ndarray, shape (nz,), float64
            Volume fractions [-] from separator to collector; those of the three phases add up to 1.

        Notes
        -----
        From the lateral face fractions where the structure carries them (trapezoidal sum of the plane areas in both
        lateral directions), otherwise from the labels.
        """
        if phase == Phase.PORE:
            return 1.0 - self.fraction_profile(Phase.ACTIVE) - self.fraction_profile(Phase.BINDER)
        if self.face_fractions is None:
            counts = np.count_nonzero(self.labels == phase, axis=(1, 2))
            return np.asarray(counts / (self.shape[1] * self.shape[2]), dtype=np.float64)
        if phase not in self.face_fractions:
            return np.zeros(self.shape[0])
        _, along_y, along_x = self.face_fractions[phase]
        summed = _plane_sum(along_y, 1) + _plane_sum(along_x, 2)
        return summed / (2.0 * WHOLE_FACE * self.shape[1] * self.shape[2])

    def volume_fraction(self, phase: Phase) -> float:
        """
        Return the volume fraction of a phase.

        Parameters
        ----------
        phase : Phase
            Phase.

        Returns
        -------
        float
            Mean of `fraction_profile`.
        """
        return float(self.fraction_profile(phase).mean())

    def plot(self, axes: Axes | None = None) -> Axes:
        """
        Draw a cut through the middle.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from meso.figures import draw_cut

        return draw_cut(self, axes=axes)

    def plot_3d(self, axes: Axes | None = None) -> Axes:
        """
        Draw the structure as seen from outside.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from meso.figures import draw_view

        return draw_view(self, axes=axes)

    def plot_fractions(self, axes: Axes | None = None) -> Axes:
        """
        Draw the volume fractions over the depth.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from meso.figures import draw_fractions

        return draw_fractions(self, axes=axes)

    def _repr_html_(self) -> str:
        """Show a cut and the main numbers in a notebook."""
        from meso.figures import COLOURS, PHASE_NAMES
        from meso.tables import indexed_png, say, table

        edges = " × ".join(f"{1e6 * edge:.4g}" for edge in self.voxel_size)
        rows = [
            ("voxels", " × ".join(map(str, self.shape)), ""),
            ("voxel size", edges, "µm"),
            ("thickness", f"{1e6 * self.thickness:.4g}", "µm"),
            *((PHASE_NAMES[phase], f"{self.volume_fraction(phase):.4f}", "-") for phase in Phase),
            ("periodic", say(self.periodic), ""),
            ("particles", "unknown" if self.particles is None else str(self.particles.count), ""),
            ("face fractions", say(self.face_fractions is not None), ""),
        ]
        cut = indexed_png(self.labels[:, self.shape[1] // 2].T, (COLOURS[phase] for phase in Phase))
        return table("Mesostructure", rows, picture=cut)


def fractions_of(structure: Mesostructure, phases: Collection[Phase]) -> list[NDArray[np.float64]]:
    """Area fraction of every face in a set of phases, for the three axes; the structure carries face fractions."""
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


def _check_labels(labels: ArrayLike) -> NDArray[np.uint8]:
    """Copy labels to a read-only uint8 block, refusing what is no image of the three phases."""
    given = np.asarray(labels)
    if given.ndim != 3 or given.size == 0:
        raise ValueError(f"labels must be a non-empty three-dimensional array, got shape {given.shape}")
    if given.dtype == np.bool_ or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"labels must be integers, got {given.dtype}; convert with labels.astype('uint8')")
    if given.min() < min(Phase) or given.max() > max(Phase):
        raise ValueError(
            f"labels must be phases {[int(phase) for phase in Phase]}, got {np.unique(given)[:8].tolist()}; relabel first"
        )
    if (
        given.base is None
        and not given.flags.writeable
        and given.dtype == np.uint8
        and given.flags.c_contiguous
    ):
        return given  # nobody can write to it
    own = np.array(given, dtype=np.uint8, order="C")
    own.setflags(write=False)
    return own


def _check_voxel_size(voxel_size: float | tuple[float, float, float]) -> tuple[float, float, float]:
    """Expand one edge to three and check them."""
    edges = np.asarray(voxel_size, dtype=np.float64)
    if edges.shape not in {(), (3,)} or not np.all((edges > 0) & np.isfinite(edges)):
        raise ValueError(f"voxel_size must be one or three positive lengths, got {voxel_size}")
    through, y, x = np.broadcast_to(edges, 3).tolist()
    return through, y, x


def _check_ids(ids: ArrayLike | None, shape: tuple[int, int, int]) -> NDArray[np.int32] | None:
    """Check the shape of particle ids and return a read-only view."""
    if ids is None:
        return None
    own = np.asarray(ids, dtype=np.int32).view()
    if own.shape != shape:
        raise ValueError(f"particle_ids must have the shape of labels, {shape}, got {own.shape}")
    own.setflags(write=False)
    return own


def _check_faces(
    faces: Mapping[Phase, tuple[ArrayLike, ArrayLike, ArrayLike]] | None, shape: tuple[int, int, int]
) -> Mapping[Phase, Faces] | None:
    """Check the shapes of face fractions and return read-only views."""
    if faces is None:
        return None
    expected = tuple(tuple(n + (axis == other) for other, n in enumerate(shape)) for axis in range(3))
    checked: dict[Phase, Faces] = {}
    for phase in (Phase.ACTIVE, Phase.BINDER):
        if phase not in faces:
            continue
        own = [np.asarray(face).view() for face in faces[phase]]
        if any(face.dtype != np.uint8 for face in own):
            raise ValueError(
                f"face fractions of {phase.name} must be uint8 with 255 for the whole face, got "
                f"{[str(face.dtype) for face in own]}; round 255 times the fraction"
            )
        shapes = tuple(face.shape for face in own)
        if shapes != expected:
            raise ValueError(f"face fractions of {phase.name} must have shapes {expected}, got {shapes}")
        for face in own:
            face.setflags(write=False)
        checked[phase] = (own[0], own[1], own[2])
    for axis, (active, binder) in enumerate(zip(*checked.values(), strict=True) if len(checked) == 2 else ()):
        over = binder > WHOLE_FACE - active
        if over.any():
            raise ValueError(
                f"face fractions of active material and binder must add up to at most {WHOLE_FACE}, got more on "
                f"{np.count_nonzero(over)} faces across axis {axis}; let one of the phases yield"
            )
    return checked


def _plane_sum(faces: NDArray[np.uint8], axis: int) -> NDArray[np.float64]:
    """Sum face fractions over lateral planes by the trapezoidal rule, per slice."""
    whole = faces.sum(axis=(1, 2), dtype=np.int64)
    ends = faces.take((0, -1), axis=axis).sum(axis=(1, 2), dtype=np.int64)
    return np.asarray(whole - 0.5 * ends, dtype=np.float64)
