"""From a design to particles: sizes, shapes and places."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from meso._kernels import packing as kernels
from meso.neighbours import neighbour_pairs, overlapping_pairs
from meso.orientations import draw_axes, press_axes
from meso.particles import ParticlePacking, longest_axes, unit_shapes
from meso.profiles import Profile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso.design import ElectrodeDesign

DENSEST = 0.80
"""Largest active fraction a slice may ask for; above it particles overlap so much that they lose their shape."""

GAP = 1e-3
"""Particles are kept apart by this share of their diameter where there is room."""

SKINS, SEARCH = (0.1, 1.6), (20.0, 80.0)
"""Least and largest gap up to which particles count as neighbours [median radii], and what a search for
pairs costs, more where all are spheres, as the kernel then picks the close ones of its pairs.

Fewer pairs stand against fewer searches: the best gap is the root of the cost times the distance moved in a step.
"""

PRESSING, REARRANGING = 0.01, 100
"""Compression of a film in one step of calendering [-], and steps of relaxation after it without friction."""

ROUNDS, SETTLING, SWELLING = 10, (30, 600), 0.01
"""Corrections of the finished packing to its profile, steps of relaxation after each and after the last, and the most by
which they change a radius [-]."""


def pack_particles(
    design: ElectrodeDesign, *, width: float, rng: np.random.Generator, cube: bool = False
) -> ParticlePacking:
    """
    Pack the particles of a design at random.

    Parameters
    ----------
    design : ElectrodeDesign
        What to pack.
    width : float
        Lateral width of the periodic domain [m].
    rng : Generator
        Source of randomness; the same state gives the same packing.
    cube : bool, default False
        Whether the packing is periodic through-plane, too: what leaves at one face comes in at the other.

    Returns
    -------
    ParticlePacking
        Particles whose union has the design's mean active fraction between the channels (to 1e-4 as long as overlaps are
        small) and follows its profile. Spheres do not overlap up to a fraction of about 0.64 (equal ones) to 0.67
        (spread 1.5); beyond, the overlap of calendered particles is left and reported.

    Raises
    ------
    ValueError
        If the width or thickness is too small for the particles, or a slice asks for more active material than can be
        packed.

    Notes
    -----
    Starting from random positions, overlaps are relaxed as soft particles (FIRE) that keep the orientations they were
    drawn with. Where the active fraction is lower than its maximum, particles claim a larger exclusion radius,
    r·(maximum / local)^(1/3), so that the packing of these is uniform; between relaxations the depth of every particle is
    moved by the monotone map that carries the cumulated volume of its size class to the requested one. The relaxed domain
    is longer than the electrode by at least a largest radius at every face that is a cut, and the electrode is cut out of
    it: the profile then holds up to the face. Calendering packs a thicker film and thins it in steps of 1 %, in which
    centres move with the film, axes turn with it (Jeffery 1922) and overlaps are relaxed.
    """
    _check_room(design, width)
    film = _film(design)
    target = _Target(film, width=width, cube=cube)
    grains = _draw(film, target, rng=rng)
    for steps in (100, 100, 200):
        _relax(grains, target, steps=steps)
        areas = _plane_areas(grains, target)
        grains.radii *= (target.volume / (areas.sum(axis=0).mean() * target.lengths[0])) ** (1 / 3)
        _level(grains, areas, target)
    _relax(grains, target, steps=1500)
    if design.calendering is not None:
        pressed = _Target(design, width=width, cube=cube)
        target = _press(grains, target, pressed, steps=round(REARRANGING * design.calendering.rearrangement))
    _even_out(grains, target, window=design.median_diameter, pressed=design.calendering is not None)
    _keep_inside(grains, target)
    for _ in range(3):
        areas = _plane_areas(grains, target).sum(axis=0)
        grains.radii *= (target.inside(target.local.sum(axis=0)) / target.inside(areas)) ** (1 / 3)
    return _cut_out(grains, target, design, cube=cube)


@dataclass
class _Grains:
    """Particles while they are being packed; the arrays change in place."""

    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    size_class: NDArray[np.int64]
    aspect_ratios: NDArray[np.float64]
    axes: NDArray[np.float64]
    pace: float = np.inf
    """Distance that the fastest moved in a step of the last relaxation [m]."""

    def shapes(self, radii: NDArray[np.float64]) -> NDArray[np.float64]:
        """Matrices S for the given radii."""
        return radii[:, None, None] ** 2 * unit_shapes(self.aspect_ratios, self.axes)


class _Target:
    """The requested active fraction of every size class on the planes of the relaxed domain, margins included."""

    def __init__(self, design: ElectrodeDesign, *, width: float, cube: bool) -> None:
        largest = max(one.largest_extent for one in design.size_classes)
        faces = (design.separator_face, design.collector_face)
        self.walls = "wall" in faces and not cube
        # A wall orders its neighbours over a few diameters; a cut stays clear of the one behind it.
        margin = 2 * largest if self.walls else largest / 2
        front, back = (0.0 if cube or face == "wall" else margin for face in faces)
        length = design.thickness + front + back
        planes = max(64, round(length / (0.025 * largest)))
        self.lengths = np.array([length, width, width])
        self.edges = np.linspace(0.0, length, planes + 1)
        self.middles = 0.5 * (self.edges[1:] + self.edges[:-1])
        depth = (self.middles - front) / design.thickness
        shares = np.array([one.share_profile(depth) for one in design.size_classes])
        self.local = shares * design.active_fraction(depth)
        self.cumulated = np.cumsum(np.pad(self.local, ((0, 0), (1, 0))), axis=1) * length / planes
        self.window = (front, front + design.thickness)

    @property
    def volume(self) -> float:
        """Active material over the whole domain, per area [m]."""
        return float(self.cumulated[:, -1].sum())

    def stretched(self, factor: float) -> _Target:
        """Return the same fractions on a domain of another length, for `_relax`."""
        other = copy(self)
        other.lengths = self.lengths * np.array([factor, 1.0, 1.0])
        other.middles = self.middles * factor
        return other

    def inside(self, fractions: NDArray[np.float64]) -> float:
        """Integrate fractions, one per plane, over the electrode between the margins."""
        cumulated = np.concatenate(([0.0], np.cumsum(fractions)))
        low, high = np.interp(self.window, self.edges, cumulated)
        return float(high - low)


def _check_room(design: ElectrodeDesign, width: float) -> None:
    """Refuse what cannot be packed, with the numbers that could be."""
    largest = max(size_class.largest_extent for size_class in design.size_classes)
    if not 2 * largest <= width < 1e-2:
        raise ValueError(
            f"width must be at least twice the largest particle, {2 * largest:.4g} m, and below 1e-2 m, got {width:.4g}; "
            "widen the domain or reduce diameter or spread"
        )
    if design.thickness < largest:
        raise ValueError(
            f"thickness must be at least the largest particle's diameter, {largest:.4g} m, got {design.thickness:.4g}; "
            "reduce diameter or spread, or raise the loading"
        )
    active = design.active_fraction.maximum()
    if active > DENSEST:
        raise ValueError(
            f"active fraction must stay at or below {DENSEST} in every slice to be packed, got {active:.4g}; raise "
            f"porosity + binder_fraction to at least {1 - DENSEST:.2g}"
        )


def _film(design: ElectrodeDesign) -> ElectrodeDesign:
    """Return the film before calendering: thicker, with the same solids."""
    if design.calendering is None:
        return design
    ratio = 1.0 - design.calendering.strain(design.porosity_profile.mean())
    binder = design.binder_profile
    depths = tuple(sorted({*design.porosity_profile.positions, *binder.positions}))
    return replace(
        design,
        thickness=design.thickness / ratio,
        porosity=Profile(depths, tuple((1 - ratio * (1 - design.porosity_profile(depths))).tolist())),
        binder_fraction=Profile(depths, tuple((ratio * binder(depths)).tolist())),
        calendering=None,
    )


def _draw(design: ElectrodeDesign, target: _Target, *, rng: np.random.Generator) -> _Grains:
    """Draw sizes and axes, largest first, and random places that follow the profile of every size class."""
    area = target.lengths[1] * target.lengths[2]
    parts = []
    for number, (size_class, cumulated) in enumerate(zip(design.size_classes, target.cumulated, strict=True)):
        radii = size_class.radii_of(cumulated[-1] * area)[::-1]
        count = len(radii)
        depth = (rng.random() + np.arange(count) * (np.sqrt(5) - 1) / 2) % 1.0
        centres = rng.random((count, 3)) * target.lengths
        centres[:, 0] = np.interp(depth, cumulated / cumulated[-1], target.edges)
        aspects = np.full(count, size_class.aspect_ratio)
        axes = draw_axes(size_class, count, rng=rng)
        parts.append((centres, radii, np.full(count, number, dtype=np.int64), aspects, axes))
    centres, radii, classes, aspects, axes = (np.concatenate(part) for part in zip(*parts, strict=True))
    # Neighbours in space become neighbours in memory.
    order = np.lexsort(np.floor(centres / (2 * np.median(radii))).T[::-1])
    return _Grains(centres[order], radii[order], classes[order], aspects[order], axes[order])


def _relax(grains: _Grains, target: _Target, *, steps: int) -> None:
    """Push overlapping particles apart, in place, until none do or the steps are spent."""
    velocity, state = np.zeros_like(grains.centres), np.array([0.3, 0.1, 0.0, 0.0, np.inf])
    radius = float(np.median(grains.radii))
    local = target.local.sum(axis=0)
    inflation = (1 + GAP) * (local.max() / local) ** (1 / 3)
    ball = grains.aspect_ratios == 1
    worth = SEARCH[int(np.all(ball))]
    while steps > 0:
        _keep_inside(grains, target)
        skin = radius * float(np.clip(np.sqrt(worth * grains.pace / radius), *SKINS))
        exclusion = grains.radii * np.interp(grains.centres[:, 0], target.middles, inflation)
        shapes, wide, first, second, balls = _near(grains, exclusion, ball, target, skin)
        done, going, moved = kernels.relax(
            grains.centres,
            exclusion,
            wide,
            shapes,
            target.lengths,
            target.walls,
            first,
            second,
            balls,
            velocity,
            state,
            0.5 * GAP,
            0.5 * skin,
            steps,
        )
        grains.pace = moved / max(1, done)
        if not going:
            return
        steps -= max(1, done)


def _near(
    grains: _Grains, radii: NDArray[np.float64], ball: NDArray[np.bool_], target: _Target, skin: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], int]:
    """Matrices of particles of the given radii (none if all are spheres), half extents, pairs, spheres' first, how many."""
    if np.all(ball):
        first, second = neighbour_pairs(
            grains.centres, radii, lengths=target.lengths, periodic=True, skin=skin
        )
        return np.empty((0, 3, 3)), radii, first, second, len(first)
    shapes = grains.shapes(radii)
    reaches = longest_axes(radii, grains.aspect_ratios)
    first, second, _ = overlapping_pairs(
        grains.centres, reaches, shapes, lengths=target.lengths, periodic=True, skin=skin
    )
    both = ball[first] & ball[second]
    order = np.argsort(~both, kind="stable")
    return shapes, np.sqrt(shapes[:, 0, 0]), first[order], second[order], int(both.sum())


def _keep_inside(grains: _Grains, target: _Target) -> None:
    """Wrap centres into the box, or stop them at its walls."""
    lengths = target.lengths
    if target.walls:
        grains.centres[:, 0] = np.clip(grains.centres[:, 0], 0.0, lengths[0])
    axes = slice(1 if target.walls else 0, 3)
    grains.centres[:, axes] -= lengths[axes] * np.floor(grains.centres[:, axes] / lengths[axes])


def _plane_areas(grains: _Grains, target: _Target) -> NDArray[np.float64]:
    """Area fraction of the particles of every size class in equidistant planes through the relaxed domain."""
    areas = np.empty(target.local.shape)
    shapes = grains.shapes(grains.radii)
    inverses = unit_shapes(1 / grains.aspect_ratios, grains.axes) / grains.radii[:, None, None] ** 2
    first, second, _ = overlapping_pairs(
        grains.centres,
        longest_axes(grains.radii, grains.aspect_ratios),
        shapes,
        lengths=target.lengths,
        periodic=True,
    )
    kernels.plane_areas(
        grains.centres,
        grains.radii,
        shapes,
        inverses,
        grains.aspect_ratios == 1,
        target.lengths,
        first,
        second,
        grains.size_class,
        areas,
    )
    return np.asarray(areas / (target.lengths[1] * target.lengths[2]))


def _level(grains: _Grains, areas: NDArray[np.float64], target: _Target) -> None:
    """Move particles through-plane, in place, so that the volume below every depth becomes the requested one."""
    for number, (found, wanted) in enumerate(zip(areas, target.cumulated, strict=True)):
        cumulated = np.concatenate(([0.0], np.cumsum(found)))
        cumulated *= wanted[-1] / cumulated[-1]
        mine = grains.size_class == number
        depth = np.interp(grains.centres[mine, 0], target.edges, cumulated)
        grains.centres[mine, 0] = np.interp(depth, wanted, target.edges)
    if target.walls:
        wide = np.sqrt(grains.shapes(grains.radii)[:, 0, 0])
        grains.centres[:, 0] = np.clip(grains.centres[:, 0], wide, target.lengths[0] - wide)


def _even_out(grains: _Grains, target: _Target, *, window: float, pressed: bool) -> None:
    """
    Bring the active fraction, averaged over a window, closer to the request, in place.

    Particles move from planes that hold too much to those that hold too little, and grow or shrink by 1 % at most. In a
    pressed film they only grow or shrink: its contacts are flat already, and moving would undo the pressing.
    """
    step, wanted, packed = (
        target.lengths[0] / len(target.middles),
        target.local.sum(axis=0),
        grains.radii.copy(),
    )
    width = 2 * round(0.5 * window / step) + 1
    for turn in range(ROUNDS):
        _keep_inside(grains, target)
        excess = _moving_mean(_plane_areas(grains, target).sum(axis=0) - wanted, width, walls=target.walls)
        excess -= excess.mean()
        surplus = np.interp(grains.centres[:, 0], target.middles, excess / wanted)
        if not pressed and not target.walls and turn < ROUNDS - 2:
            # A plane passes on what it and the planes before it hold too much.
            passed = np.cumsum(excess) * step
            moves = _moving_mean((passed - passed.mean()) / wanted, width // 4 * 2 + 1, walls=False)
            grains.centres[:, 0] += np.interp(grains.centres[:, 0], target.middles, moves)
        grown = grains.radii * (1 - surplus / 6)
        grains.radii = np.clip(grown, packed * (1 - SWELLING), packed * (1 + SWELLING))
        if not pressed:
            _relax(grains, target, steps=SETTLING[turn == ROUNDS - 1])


def _moving_mean(values: NDArray[np.float64], width: int, *, walls: bool) -> NDArray[np.float64]:
    """Average over an odd number of planes of a box that wraps or is mirrored at its walls."""
    padded = np.pad(values, width, mode="symmetric" if walls else "wrap")
    return np.convolve(padded, np.full(width, 1 / width), mode="same")[width:-width]


def _press(grains: _Grains, loose: _Target, pressed: _Target, *, steps: int) -> _Target:
    """Thin a film to its final length, in place: move with it, turn with it, relax; returns the final target."""
    ratio = pressed.lengths[0] / loose.lengths[0]
    count = max(1, round((1 - ratio) / PRESSING))
    step = ratio ** (1 / count)
    for turn in range(1, count + 1):
        grains.centres[:, 0] *= step
        grains.axes = press_axes(grains.axes, grains.aspect_ratios, step)
        _relax(grains, pressed.stretched(step ** (turn - count)), steps=steps)
    return pressed


def _cut_out(grains: _Grains, target: _Target, design: ElectrodeDesign, *, cube: bool) -> ParticlePacking:
    """Take the particles between the faces, with the largest overlap that is left anywhere."""
    shapes = grains.shapes(grains.radii)
    first, second, gap = overlapping_pairs(
        grains.centres,
        longest_axes(grains.radii, grains.aspect_ratios),
        shapes,
        lengths=target.lengths,
        periodic=True,
    )
    smaller = np.minimum(grains.radii[first], grains.radii[second])
    overlap = float(np.max(-gap / (2 * smaller), initial=0.0))
    depth, index = grains.centres[:, 0] - target.window[0], np.arange(len(grains.radii))
    if cube:
        depth, index = (
            np.concatenate([depth + shift * design.thickness for shift in (-1, 0, 1)]),
            np.tile(index, 3),
        )
    wide = np.sqrt(shapes[index, 0, 0])
    reaching = (depth > -wide) & (depth < design.thickness + wide)
    depth, index = depth[reaching], index[reaching]
    return ParticlePacking(
        centres=np.column_stack((depth, grains.centres[index, 1:])),
        radii=grains.radii[index],
        size_class=grains.size_class[index],
        aspect_ratios=grains.aspect_ratios[index],
        axes=grains.axes[index],
        domain=(design.thickness, target.lengths[1], target.lengths[2]),
        overlap=overlap,
    )
