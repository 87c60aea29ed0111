"""Channels that a laser drills or scribes into a coating."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from meso._kernels import channels as kernels
from meso.phases import Phase
from meso.structure import Mesostructure
from meso.threads import share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from meso.profiles import Profile


@dataclass(frozen=True)
class Channels:
    """
    Straight or tapered holes on a square grid, or parallel grooves, open towards the separator.

    Parameters
    ----------
    pitch : float
        Distance between the axes of neighbouring channels [m].
    width : float
        Diameter of a hole or width of a groove at the separator [m].
    depth : float, default 1.0
        Depth over the thickness of the coating [-]; 1 reaches the collector.
    taper : float, default 0.0
        Narrowing [-]: the width at the bottom is `width` × (1 − `taper`); 0 is straight, 1 ends in a point or an edge.
    pattern : {'holes', 'lines'}, default 'holes'
        Holes, or grooves along axis 1.

    Raises
    ------
    ValueError
        If a value is outside its range or neighbouring channels would meet.

    Examples
    --------
    >>> grooves = Channels(pitch=100e-6, width=20e-6, depth=0.5, pattern="lines")
    >>> grooves.volume_fraction
    0.1
    """

    pitch: float
    width: float
    depth: float = 1.0
    taper: float = 0.0
    pattern: Literal["holes", "lines"] = "holes"

    def __post_init__(self) -> None:
        for name in ("pitch", "width", "depth", "taper"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not 0 < self.pitch < 1e-2:
            raise ValueError(f"pitch must lie in (0, 1e-2) m, got {self.pitch}; did you pass micrometres?")
        if not 0 < self.width < self.pitch:
            raise ValueError(
                f"width must lie in (0, pitch), got {self.width} m at a pitch of {self.pitch} m; widen the pitch"
            )
        if not 0 < self.depth <= 1:
            raise ValueError(
                f"depth must lie in (0, 1] (relative to the thickness), got {self.depth}; divide it by the thickness"
            )
        if not 0 <= self.taper <= 1:
            raise ValueError(f"taper must lie in [0, 1] (0 straight, 1 pointed), got {self.taper}")
        if self.pattern not in {"holes", "lines"}:
            raise ValueError(f"pattern must be 'holes' or 'lines', got {self.pattern!r}")

    @property
    def volume_fraction(self) -> float:
        """Share of the coating's volume that the channels take [-]."""
        if self.pattern == "lines":
            return self.depth * self.width / self.pitch * (1 - self.taper / 2)
        section = math.pi / 4 * (self.width / self.pitch) ** 2
        return self.depth * section * (1 - self.taper + self.taper**2 / 3)

    def open_fraction(self, depth: ArrayLike) -> NDArray[np.float64]:
        """
        Return the share of a slice's area that the channels take.

        Parameters
        ----------
        depth : array_like
            Relative depths [-], 0 at the separator.

        Returns
        -------
        ndarray, float64
            Area fractions [-], of the shape of `depth`.
        """
        relative = np.asarray(depth, dtype=np.float64)
        width = self.width * np.maximum(0.0, 1 - self.taper * relative / self.depth)
        area = width / self.pitch if self.pattern == "lines" else math.pi / 4 * (width / self.pitch) ** 2
        return np.where(relative <= self.depth, area, 0.0)

    def left_of(self, profile: Profile) -> float:
        """
        Return the mean over the coating of a profile, 0 in the channels.

        Parameters
        ----------
        profile : Profile
            Values between the channels.

        Returns
        -------
        float
            Integral of value × (1 − open fraction) over the relative depth, exact: both are polynomials piece by piece.
        """
        breaks = sorted({*profile.positions, self.depth})
        nodes, weights = np.polynomial.legendre.leggauss(2)
        total = 0.0
        for low, high in pairwise(breaks):
            depth = 0.5 * (high + low) + 0.5 * (high - low) * nodes
            total += 0.5 * (high - low) * float(weights @ (profile(depth) * (1 - self.open_fraction(depth))))
        return total


def cut_channels(structure: Mesostructure, channels: Channels) -> Mesostructure:
    """
    Cut channels into an electrode.

    Parameters
    ----------
    structure : Mesostructure
        Generated structure, laterally periodic, with particles and face fractions; whole pitches must fill its width.
    channels : Channels
        What to cut.

    Returns
    -------
    Mesostructure
        The same structure with pores in the channels.

    Notes
    -----
    The share of a face in a channel comes from marching squares on the distance to the wall, 16 squares a face. A face is
    left with its fraction times the share of it outside the channels: exact where only one of the two surfaces cuts the
    face. Faces that both cut lie along curves and are too few to matter at second order.
    """
    assert structure.particles is not None
    assert structure.face_fractions is not None
    edges = np.array(structure.voxel_size)
    nz, _, nx = structure.shape
    pitch = nx * edges[2] / max(1, round(nx * edges[2] / channels.pitch))
    depth, half = channels.depth * nz * edges[0], channels.width / 2
    bottom = depth if channels.depth < 1 else math.inf  # a channel through the coating has none
    wall = (channels.pattern == "lines", pitch, half, half * channels.taper / depth, bottom)
    inside = np.empty(structure.shape, dtype=np.bool_)
    share(kernels.inside, nz, *wall, edges, inside)
    left: dict[Phase, list[NDArray[np.uint8]]] = {phase: [] for phase in structure.face_fractions}
    for axis in range(3):
        shape = structure.face_fractions[Phase.ACTIVE][axis].shape
        opened = np.empty(shape, dtype=np.float32)
        share(kernels.open_faces, shape[0], *wall, axis, edges, opened)
        for phase, faces in structure.face_fractions.items():
            left[phase].append(np.rint(faces[axis] * (1.0 - opened)).astype(np.uint8))
    ids = structure.particle_ids
    return Mesostructure(
        np.where(inside, np.uint8(Phase.PORE), structure.labels),
        voxel_size=structure.voxel_size,
        periodic=True,
        particle_ids=None if ids is None else np.where(inside, np.int32(0), ids),
        particles=replace(structure.particles, channels=channels),
        face_fractions={phase: (faces[0], faces[1], faces[2]) for phase, faces in left.items()},
    )
