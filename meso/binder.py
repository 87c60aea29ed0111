"""The carbon-binder domain: films on the particles and bridges between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meso._kernels import binder as kernels
from meso._kernels import covering
from meso.particles import in_layers, periodic_images
from meso.phases import Phase
from meso.structure import WHOLE_FACE, Mesostructure
from meso.threads import share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso.profiles import Profile
    from meso.structure import Faces

    _Draft = tuple[NDArray[np.uint16], NDArray[np.int16], NDArray[np.int64]]

_BINS = 2048

SPARSE, SAFE = 4, 1.1
"""Voxels between the rows that say how far second particles are to be looked for, and the margin that makes it do."""

CLOSE = 0.03
"""Change of the logarithm of the threshold over which areas grow as at its start."""

STRENGTH, WAVES = 1.2, 96
"""Standard deviation of the logarithm of the threshold in fingers, and waves that make it up."""


def add_binder(
    structure: Mesostructure,
    *,
    fraction: Profile,
    bridging: float,
    reach: float,
    morphology: float = 0.0,
    rng: np.random.Generator | None = None,
    cube: bool = False,
) -> Mesostructure:
    """
    Place binder in the pores of a voxelised packing.

    Parameters
    ----------
    structure : Mesostructure
        Active material with its particles and face fractions, as `meso.voxels.voxelize` makes it; laterally periodic.
    fraction : Profile
        Volume fraction of binder [-].
    bridging : float
        0 spreads the binder as a film over all particles, 1 gathers it in bridges at the contacts.
    reach : float
        Distance [m] beyond which a second particle does not attract binder; half a particle diameter is a good choice.
    morphology : float, default 0.0
        0 places smooth films and bridges, 1 gathers the same volume in fingers that reach far into the pores.
    rng : Generator, optional
        Source of randomness for the fingers; needed if `morphology` is not 0.
    cube : bool, default False
        Whether the structure is periodic through-plane, too, as a packing made with `cube`; the binder then is so.

    Returns
    -------
    Mesostructure
        The same structure with binder in labels and face fractions; the mean fraction is met to 1e-4.

    Raises
    ------
    ValueError
        If the structure carries no particles or face fractions, or the binder does not fit within `reach` of the particles.

    Notes
    -----
    With d₁ ≤ d₂ the distances to the two nearest particle surfaces, binder fills d₁ + b·min(d₂, reach) < t outside the
    particles, b being `bridging`. For b = 0 that is a film of thickness t, for b = 1 an ellipsoid around every contact
    whose foci are the two centres, the pendular rings of a drying liquid. The threshold t is piecewise linear in depth
    with knots 2·`reach` apart, each set so that the mean over its neighbourhood is met. Fingers multiply it by
    exp(1.2·morphology·g) with g a Gaussian random field of unit variance and a correlation length of `reach`/2, given by
    its waves and so independent of the voxels: the reading of the film-to-finger scale of Mistry et al. (ACS Appl. Mater.
    Interfaces 10, 6317, 2018) that keeps every surface analytic. A face that is cut is divided into 16 squares, the
    distances are taken at their corners, and the share of each square follows from the plane through them.
    """
    if structure.particles is None or structure.face_fractions is None or not structure.periodic:
        raise ValueError(
            "structure must carry particles and face fractions and be periodic; make it with voxelize"
        )
    if fraction.maximum() == 0:
        return structure
    waves = None
    if morphology:
        waves = _waves(structure, length=0.5 * reach, strength=STRENGTH * morphology, rng=rng, cube=cube)
    sparse = _Field(structure, bridging=bridging, reach=reach, waves=waves, cube=cube, every=SPARSE)
    near, enough = 0.0, sparse.threshold(fraction, window=reach, longest=reach)[1]
    while near < enough:
        # Where the second particle is farther than `near`, binder would need a threshold beyond bridging × near.
        near = enough
        field = _Field(structure, bridging=bridging, reach=near, waves=waves, cube=cube)
        level, enough = field.threshold(fraction, window=reach, longest=reach)
    level, faces = field.fit(level, wanted=fraction.mean())
    return Mesostructure(
        np.where(field.fills_centre(level), np.uint8(Phase.BINDER), structure.labels),
        voxel_size=structure.voxel_size,
        periodic=True,
        particle_ids=structure.particle_ids,
        particles=structure.particles,
        face_fractions={Phase.ACTIVE: structure.face_fractions[Phase.ACTIVE], Phase.BINDER: faces},
    )


class _Field:
    """The function d₁ + b·min(d₂, reach) at the voxel corners, and what lies below a threshold of it."""

    def __init__(
        self,
        structure: Mesostructure,
        *,
        bridging: float,
        reach: float,
        waves: tuple[NDArray[np.complex64], ...] | None,
        cube: bool,
        every: int = 1,
    ) -> None:
        assert structure.particles is not None
        assert structure.face_fractions is not None
        self.structure, self.bridging, self.reach, self.cube = structure, float(bridging), float(reach), cube
        self.images = in_layers(periodic_images(structure.particles, reach=reach, cube=cube))
        self.active = structure.face_fractions[Phase.ACTIVE]
        counts = [max(1, round(n / every)) for n in structure.shape[:2]]
        self.grid, self.whole = (*counts, structure.shape[2]), every == 1
        self.edges = np.array(structure.voxel_size) * structure.shape / self.grid
        nz, ny, nx = self.grid
        points = (nz + 1, ny + 1, nx + 1)
        self.distance, self.value = np.empty(points, dtype=np.float32), np.empty(points, dtype=np.float32)
        self.nearest, self.follower = np.empty(points, dtype=np.int32), np.empty(points, dtype=np.int32)
        self._measure(0.0, self.distance, self.value, self.nearest, self.follower)
        self.waves = waves
        self.boost = self._boost(points, 0.0)
        self.most = 1.0 if waves is None else float(self.boost.max())

    def _boost(self, points: tuple[int, int, int], offset: float) -> NDArray[np.float32]:
        """Factor on the threshold that grows fingers, on a grid shifted by offset voxels; 1 without them."""
        if self.waves is None:
            return np.ones((1, 1, 1), dtype=np.float32)
        turns = [
            np.exp(1j * k[:, None] * ((np.arange(n) + offset) * edge)).astype(np.complex64)
            for k, n, edge in zip(self.waves[1:], points, self.edges, strict=True)
        ]
        height = np.empty(points, dtype=np.float32)
        plane = np.empty((points[1], len(turns[0])), dtype=np.complex64)
        for k in range(points[0]):
            np.multiply(turns[1].T, self.waves[0] * turns[0][:, k], out=plane)
            height[k] = (plane @ turns[2]).real
        return np.asarray(np.exp(height))

    def _measure(
        self,
        offset: float,
        distance: NDArray[np.float32],
        value: NDArray[np.float32],
        nearest: NDArray[np.int32],
        follower: NDArray[np.int32],
    ) -> None:
        """Write distance to the nearest particle, field, and the two nearest images on a grid shifted by offset voxels."""
        share(
            kernels.nearest_two,
            len(distance),
            self.images.centres,
            self.images.reaches,
            self.images.shapes,
            self.images.inverses,
            self.reach,
            self.edges,
            offset,
            distance,
            value,
            nearest,
            follower,
        )
        share(_mix, len(distance), distance, value, np.float32(self.bridging))

    def threshold(
        self, fraction: Profile, *, window: float, longest: float
    ) -> tuple[NDArray[np.float64], float]:
        """
        Find by counts the threshold in every plane of corners that holds the wanted binder.

        The last number is the reach, at most longest, that it takes to know: look again with it where it exceeds this one.
        """
        nz, ny, nx = self.grid
        top = (1 + self.bridging) * self.reach
        counts = np.zeros((nz + 1, _BINS), dtype=np.int64)
        value = self.value if self.waves is None else self.value / self.boost
        share(kernels.count_below, nz + 1, self.distance, value, top, counts)
        below = np.cumsum(counts, axis=1) / (ny * nx)
        depth = np.linspace(0.0, 1.0, nz + 1)
        spans = min(nz, max(1, round(self.structure.thickness / (2 * window))))
        knots = np.linspace(0.0, 1.0, 1 + spans)
        if self.cube:  # uniform: one threshold
            knots = knots[:1]
        weights = np.maximum(0.0, 1.0 - np.abs(depth - knots[:, None]) * (len(knots) - 1))
        weights[:, [0, -1]] *= 0.5
        weights /= weights.sum(axis=1, keepdims=True)
        available, wanted = weights @ below, weights @ fraction(depth)
        if np.any(available[:, -1] <= wanted):
            if self.reach < longest or not self.whole:
                return np.zeros(0), longest
            worst = int(np.argmin(available[:, -1] - wanted))
            raise ValueError(
                f"binder_fraction must stay below what fits within reach of the particles, {available[worst, -1]:.4g} at "
                f"relative depth {knots[worst]:.3g}, got {wanted[worst]:.4g}; lower binder_fraction"
            )
        edges = np.linspace(0.0, top, _BINS + 1)
        rows = np.concatenate((np.zeros((len(knots), 1)), available), axis=1)
        levels = [
            np.interp(want, row, edges) if want > 0 else 0.0 for want, row in zip(wanted, rows, strict=True)
        ]
        highest = SAFE * self.most * max(levels)
        # A face that binder crosses must know its particles at some corner.
        enough = min(longest, max(highest / (self.bridging or 1.0), highest + self.structure.voxel_size[0]))
        if enough > self.reach or not self.whole:
            return np.zeros(0), min(longest, SAFE * enough)
        return np.asarray(np.interp(depth, knots, levels), dtype=np.float64), 0.0

    def fit(self, level: NDArray[np.float64], *, wanted: float) -> tuple[NDArray[np.float64], Faces]:
        """Scale the threshold until the lateral faces integrate to the wanted mean fraction; returns all faces, too."""
        nz, ny, nx = self.structure.shape
        for _ in range(8):
            above = self._above(level)
            drafts = [self._cover(above, axis=axis) for axis in (1, 2)]
            totals = np.array([draft[2] for draft in drafts]).sum(axis=0) / (2 * WHOLE_FACE * nz * ny * nx)
            got, growth = totals / (covering.FINE, covering.COARSE)
            change = (wanted - got) / growth if growth > 0 else np.inf
            if abs(change) <= CLOSE:
                break
            change, got = 0.0, max(got, 1e-3 * wanted)
            exponent = min(4.0, max(0.5, growth / got))
            level = level * min(2.0, max(0.5, (wanted / got) ** (1 / exponent)))
        lateral = [self._draw(draft, change, axis=axis) for axis, draft in zip((1, 2), drafts, strict=True)]
        level = level * (1 + change)
        return level, (
            self._draw(self._cover(self._above(level), axis=0), 0.0, axis=0),
            lateral[0],
            lateral[1],
        )

    def _above(self, level: NDArray[np.float64]) -> NDArray[np.float32]:
        """By how much the field exceeds a threshold at the voxel corners."""
        above = np.empty(self.value.shape, dtype=np.float32)
        share(_exceed, len(above), self.value, level.astype(np.float32)[:, None, None], self.boost, above)
        return above

    def _cover(self, above: NDArray[np.float32], *, axis: int) -> _Draft:
        """Binder's area of every voxel face normal to one axis in fine steps, its growth, and the sums of both."""
        faces = np.empty(self.active[axis].shape, dtype=np.uint16)
        growth = np.zeros(faces.shape, dtype=np.int16)
        sums = share(
            covering.cover_faces,
            self.structure.shape[0] + (axis == 0),
            self.images.centres,
            self.images.reaches,
            self.images.inverses,
            self.reach,
            self.bridging,
            self.edges,
            axis,
            self.distance,
            self.value,
            above,
            self.nearest,
            self.follower,
            np.ascontiguousarray(self.active[axis]),
            faces,
            growth,
        )
        return faces, growth, np.sum(sums, axis=0)

    def _draw(self, draft: _Draft, change: float, *, axis: int) -> NDArray[np.uint8]:
        """Binder's share of the faces of `_cover` after a small change of ln level; periodic axes repeat the first plane."""
        faces = np.empty(draft[0].shape, dtype=np.uint8)
        share(
            covering.draw_faces,
            len(faces),
            draft[0],
            draft[1],
            change,
            np.ascontiguousarray(self.active[axis]),
            faces,
        )
        if axis > 0 or self.cube:
            np.moveaxis(faces, axis, 0)[-1] = np.moveaxis(faces, axis, 0)[0]
        return faces

    def fills_centre(self, level: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the centre of each pore voxel lies below the threshold; overwrites the field at the corners."""
        middle = 0.5 * (level[1:] + level[:-1]).astype(np.float32)[:, None, None]
        middle = middle * self._boost(self.structure.shape, 0.5)
        self.reach = min(self.reach, SAFE * float(middle.max()) / (self.bridging or 1.0))
        count, shape = self.structure.labels.size, self.structure.shape
        value = self.value.reshape(-1)[:count].reshape(shape)
        self._measure(
            0.5,
            self.distance.reshape(-1)[:count].reshape(shape),
            value,
            self.nearest.reshape(-1)[:count].reshape(shape),
            self.follower.reshape(-1)[:count].reshape(shape),
        )
        return np.asarray((self.structure.labels == Phase.PORE) & (value < middle))


def _mix(
    first: int, last: int, distance: NDArray[np.float32], second: NDArray[np.float32], bridging: np.float32
) -> None:
    """Turn the second distances of some planes into the field."""
    second[first:last] *= bridging
    second[first:last] += distance[first:last]


def _exceed(
    first: int,
    last: int,
    value: NDArray[np.float32],
    level: NDArray[np.float32],
    boost: NDArray[np.float32],
    above: NDArray[np.float32],
) -> None:
    """Write by how much the field exceeds a threshold in some planes."""
    planes = slice(first, last)
    np.subtract(
        value[planes], level[planes] * (boost[planes] if len(boost) > 1 else boost), out=above[planes]
    )


def _waves(
    structure: Mesostructure, *, length: float, strength: float, rng: np.random.Generator | None, cube: bool
) -> tuple[NDArray[np.complex64], ...]:
    """Amplitudes and wave numbers [1/m] along the axes of a random field; they fit the widths that are periodic."""
    if rng is None:
        raise ValueError(
            "rng must be given where morphology is not 0, got None; pass numpy.random.default_rng(seed)"
        )
    number = rng.normal(size=(3, WAVES)) / length
    for axis in (0, 1, 2) if cube else (1, 2):
        base = 2 * np.pi / (structure.shape[axis] * structure.voxel_size[axis])
        number[axis] = np.round(number[axis] / base) * base
    phase = np.exp(2j * np.pi * rng.random(WAVES)) * strength * np.sqrt(2 / WAVES)
    return (phase.astype(np.complex64), *number)
