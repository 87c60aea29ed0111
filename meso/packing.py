"""Particles in a box: where they sit and how large they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from meso._kernels import packing as kernels
from meso.design import TRUNCATION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from meso.design import ElectrodeDesign, SizeClass
    from meso.profiles import Profile

DENSEST = 0.80
"""Largest active fraction a slice may ask for; above it spheres overlap so much that they are spheres no more."""

GAP = 1e-3
"""Particles are kept apart by this share of their diameter where there is room."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ParticlePacking:
    """
    Spheres in an electrode, laterally periodic and cut at the two through-plane faces.

    Parameters
    ----------
    centres : ndarray, shape (n, 3), float64
        Centres [m]; axis 0 is through-plane, 0 at the separator. A centre may lie outside the electrode when a part of
        its sphere reaches in: separator and collector are cuts through a larger packing, not walls.
    radii : ndarray, shape (n,), float64
        Radii [m].
    size_class : ndarray, shape (n,), int64, optional
        Index of each particle's size class; all 0 if left out.
    domain : tuple of float
        Thickness and the two lateral widths [m].
    overlap : float, default 0.0
        Largest overlap left between two particles [-]: depth over the smaller diameter. 0 when none touch.

    Raises
    ------
    ValueError
        If the shapes do not match, a radius or width is not positive, or a sphere is wider than the periodic box.

    Examples
    --------
    >>> import numpy as np
    >>> lattice = ParticlePacking(centres=np.full((1, 3), 0.5), radii=np.array([0.4]), domain=(1.0, 1.0, 1.0))
    >>> lattice.count
    1
    """

    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    domain: tuple[float, float, float]
    size_class: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    overlap: float = 0.0

    def __post_init__(self) -> None:
        centres = np.array(self.centres, dtype=np.float64)
        radii = np.array(self.radii, dtype=np.float64)
        domain = tuple(float(width) for width in self.domain)
        size_class = np.array(
            self.size_class if np.size(self.size_class) else np.zeros(len(radii)), dtype=np.int64
        )
        if (
            centres.shape != (len(radii), 3)
            or radii.ndim != 1
            or size_class.shape != radii.shape
            or len(domain) != 3
        ):
            raise ValueError(
                "centres, radii, size_class and domain must have shapes (n, 3), (n,), (n,) and (3,), got "
                f"{centres.shape}, {radii.shape}, {size_class.shape} and ({len(domain)},)"
            )
        if not (np.all(radii > 0) and min(domain) > 0):
            raise ValueError(
                f"radii and domain must be positive, got smallest {radii.min()} and {min(domain)}"
            )
        if len(radii) and 2 * radii.max() > min(domain[1:]):
            raise ValueError(
                f"a particle must fit into the periodic width of {min(domain[1:]):.4g} m, got a diameter of "
                f"{2 * radii.max():.4g} m; widen the domain"
            )
        for name, value in (("centres", centres), ("radii", radii), ("size_class", size_class)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "domain", domain)

    @property
    def count(self) -> int:
        """Number of particles."""
        return len(self.radii)


def pack_particles(design: ElectrodeDesign, *, width: float, rng: np.random.Generator) -> ParticlePacking:
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

    Returns
    -------
    ParticlePacking
        Particles whose union has the design's mean active fraction (to 1e-4 as long as overlaps are small) and follows its
        profile. They do not overlap up to a fraction of about 0.64 (equal spheres) to 0.67 (spread 1.5); beyond, the
        overlap of calendered particles is left and reported.

    Raises
    ------
    ValueError
        If the width or thickness is too small for the particles, or a slice asks for more active material than can be
        packed.

    Notes
    -----
    Diameters are one draw from each of n equal slices of the number distribution, so that even a small domain holds the
    requested sizes. Starting from random positions, overlaps are relaxed as soft spheres (FIRE). Where the active fraction
    is lower than its maximum, particles claim a larger exclusion radius, r·(maximum / local)^(1/3), so that the packing
    of these is uniform; between relaxations the depth of every particle is moved by the monotone map that carries the
    cumulated volume to the requested one. The relaxed domain is longer than the electrode by a largest radius on each
    side and the electrode is cut out of it: separator and collector see cut particles, and the profile holds up to both
    faces.
    """
    _check_room(design, width)
    active = design.active_fraction
    margin = max(size_class.largest_diameter for size_class in design.size_classes) / 2
    lengths = np.array([design.thickness + 2 * margin, width, width])
    target = _Target(active, thickness=design.thickness, margin=margin)
    radii, size_class = _draw_sizes(design.size_classes, volume=target.cumulated[-1] * width**2, rng=rng)
    depth = (rng.random() + np.arange(len(radii)) * (np.sqrt(5) - 1) / 2) % 1.0
    centres = rng.random((len(radii), 3)) * lengths
    centres[:, 0] = np.interp(depth, target.cumulated / target.cumulated[-1], target.edges)
    order = np.lexsort(
        np.floor(centres / (2 * np.median(radii))).T[::-1]
    )  # neighbours in space are neighbours in memory
    centres, radii, size_class = centres[order], radii[order], size_class[order]
    for steps in (200, 200, 200, 300, 600):
        _relax(centres, radii, lengths, target=target, steps=steps)
        areas = _plane_areas(centres, radii, lengths, planes=len(target.edges) - 1)
        radii *= (target.cumulated[-1] / (areas.mean() * lengths[0])) ** (1 / 3)
        _level(centres, areas, target)
    _relax(centres, radii, lengths, target=target, steps=1500)
    centres %= lengths
    for _ in range(3):
        areas = _plane_areas(centres, radii, lengths, planes=len(target.edges) - 1)
        radii *= (target.inside(target.local) / target.inside(areas)) ** (1 / 3)
    overlap = _largest_overlap(centres, radii, lengths)
    centres[:, 0] -= margin
    reaching = (centres[:, 0] > -radii) & (centres[:, 0] < design.thickness + radii)
    return ParticlePacking(
        centres=centres[reaching],
        radii=radii[reaching],
        size_class=size_class[reaching],
        domain=(design.thickness, width, width),
        overlap=overlap,
    )


class _Target:
    """The requested active fraction on the planes of the relaxed domain, margins included."""

    def __init__(self, active: Profile, *, thickness: float, margin: float) -> None:
        length = thickness + 2 * margin
        planes = max(64, round(length / (0.05 * margin)))
        self.edges = np.linspace(0.0, length, planes + 1)
        self.middles = 0.5 * (self.edges[1:] + self.edges[:-1])
        self.local = active((self.middles - margin) / thickness)
        self.cumulated = np.concatenate(([0.0], np.cumsum(self.local) * length / planes))
        self.window = (margin, margin + thickness)

    def inside(self, fractions: NDArray[np.float64]) -> float:
        """Integrate fractions, one per plane, over the electrode between the margins."""
        cumulated = np.concatenate(([0.0], np.cumsum(fractions)))
        low, high = np.interp(self.window, self.edges, cumulated)
        return float(high - low)


def _check_room(design: ElectrodeDesign, width: float) -> None:
    """Refuse what cannot be packed, with the numbers that could be."""
    largest = max(size_class.largest_diameter for size_class in design.size_classes)
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


def _draw_sizes(
    size_classes: tuple[SizeClass, ...], *, volume: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw radii of a total volume, largest first, and the class of each."""
    drawn, index = [], []
    for number, size_class in enumerate(size_classes):
        deviation = np.linspace(-TRUNCATION, TRUNCATION, 4097)
        diameters = size_class.diameter * size_class.spread**deviation
        by_number = np.exp(-0.5 * deviation**2) / diameters**3
        mean_volume = np.pi / 6 * np.sum(by_number * diameters**3) / np.sum(by_number)
        count = max(1, round(size_class.share * volume / mean_volume))
        cumulated = np.cumsum(0.5 * (by_number[1:] + by_number[:-1]))
        quantiles = (np.arange(count) + rng.random(count)) / count
        radii = np.interp(quantiles, np.concatenate(([0.0], cumulated)) / cumulated[-1], diameters) / 2
        radii *= (size_class.share * volume / (4 / 3 * np.pi * np.sum(radii**3))) ** (1 / 3)
        drawn.append(radii)
        index.append(np.full(count, number, dtype=np.int64))
    radii, classes = np.concatenate(drawn), np.concatenate(index)
    order = np.argsort(-radii, kind="stable")
    return radii[order], classes[order]


def _relax(
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
    lengths: NDArray[np.float64],
    *,
    target: _Target,
    steps: int,
) -> None:
    """Push overlapping particles apart, in place, until none do or the steps are spent."""
    velocity, state = np.zeros_like(centres), np.array([0.3, 0.1, 0.0, 0.0, np.inf])
    skin = 0.3 * float(np.median(radii))
    inflation = (1 + GAP) * (target.local.max() / target.local) ** (1 / 3)
    while steps > 0:
        centres %= lengths
        exclusion = radii * np.interp(centres[:, 0], target.middles, inflation)
        first, second = neighbour_pairs(centres, exclusion, lengths=lengths, periodic=True, skin=skin)
        done, going = kernels.relax(
            centres, exclusion, lengths, first, second, velocity, state, 0.5 * GAP, 0.5 * skin, steps
        )
        if not going:
            return
        steps -= max(1, done)


def _plane_areas(
    centres: NDArray[np.float64], radii: NDArray[np.float64], lengths: NDArray[np.float64], *, planes: int
) -> NDArray[np.float64]:
    """Area fraction of the particles in equidistant planes through the relaxed domain."""
    areas = np.empty(planes)
    first, second = neighbour_pairs(centres, radii, lengths=lengths, periodic=True)
    kernels.plane_areas(centres, radii, lengths, first, second, areas)
    return np.asarray(areas / (lengths[1] * lengths[2]))


def _level(centres: NDArray[np.float64], areas: NDArray[np.float64], target: _Target) -> None:
    """Move particles through-plane, in place, so that the volume below every depth becomes the requested one."""
    cumulated = np.concatenate(([0.0], np.cumsum(areas)))
    cumulated *= target.cumulated[-1] / cumulated[-1]
    depth = np.interp(centres[:, 0], target.edges, cumulated)
    centres[:, 0] = np.interp(depth, target.cumulated, target.edges)


def _largest_overlap(
    centres: NDArray[np.float64], radii: NDArray[np.float64], lengths: NDArray[np.float64]
) -> float:
    """Largest depth of two overlapping particles over the smaller diameter."""
    first, second = neighbour_pairs(centres, radii, lengths=lengths, periodic=True)
    if not len(first):
        return 0.0
    apart = centres[first] - centres[second]
    apart -= lengths * np.round(apart / lengths)
    depth = radii[first] + radii[second] - np.linalg.norm(apart, axis=1)
    return float(np.max(depth / (2 * radii[second])))


def neighbour_pairs(
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
    *,
    lengths: NDArray[np.float64],
    periodic: bool,
    skin: float = 0.0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    List all pairs of spheres nearer than the sum of their radii and a skin.

    Parameters
    ----------
    centres : ndarray, shape (n, 3), float64
        Centres [m].
    radii : ndarray, shape (n,), float64
        Radii [m].
    lengths : ndarray, shape (3,), float64
        Edges of the box [m].
    periodic : bool
        Whether the box wraps in all three directions (nearest image).
    skin : float, default 0.0
        Gap up to which spheres count as neighbours [m].

    Returns
    -------
    tuple of two ndarray, shape (pairs,), int64
        The larger and the smaller sphere of every pair, sorted by the larger's index.
    """
    count = len(radii)
    if count == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    bin_width = max(2.0 * float(np.median(radii)) + skin, float((np.prod(lengths) / count) ** (1 / 3)))
    bins = np.clip(lengths / bin_width, 1, 512).astype(np.int64)
    head, following = np.empty(int(np.prod(bins)), dtype=np.int64), np.empty(count, dtype=np.int64)
    kernels.fill_bins(centres, lengths, bins, head, following)
    room = 8 * count + 64
    while True:
        first, second = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        found = kernels.find_pairs(
            centres, radii, skin, lengths, bins, head, following, periodic, first, second
        )
        if found <= room:
            return first[:found], second[:found]
        room = found
