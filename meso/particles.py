"""Particles in a box: where they sit, how large they are, what shape they have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meso.neighbours import overlapping_pairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from meso.channels import Channels


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ParticlePacking:
    """
    Spheres and ellipsoids of revolution in an electrode, laterally periodic and ended by the two through-plane faces.

    Parameters
    ----------
    centres : ndarray, shape (n, 3), float64
        Centres [m]; axis 0 is through-plane, 0 at the separator. A centre may lie outside the electrode when a part of
        its particle reaches in: a face is a cut through a larger packing unless it was asked to be a wall.
    radii : ndarray, shape (n,), float64
        Radii [m]; of an ellipsoid that of the sphere of its volume.
    domain : tuple of float
        Thickness and the two lateral widths [m].
    size_class : ndarray, shape (n,), int64, optional
        Index of each particle's size class; all 0 if left out.
    aspect_ratios : ndarray, shape (n,), float64, optional
        Length along the axis of revolution over the width across it [-]; all 1 (spheres) if left out.
    axes : ndarray, shape (n, 3), float64, optional
        Unit vectors along the axes of revolution; all through-plane if left out.
    overlap : float, default 0.0
        Largest overlap left between two particles [-]: depth over the smaller diameter. 0 when none touch.
    channels : Channels, optional
        Channels that were cut out of the particles.

    Raises
    ------
    ValueError
        If the shapes do not match, a radius or width is not positive, or a particle is wider than the periodic box.

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
    aspect_ratios: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    axes: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    overlap: float = 0.0
    channels: Channels | None = None

    def __post_init__(self) -> None:
        radii = np.array(self.radii, dtype=np.float64)
        count = len(radii) if radii.ndim == 1 else -1
        own: dict[str, NDArray[np.generic]] = {
            "centres": np.array(self.centres, dtype=np.float64),
            "radii": radii,
            "size_class": np.array(self.size_class, dtype=np.int64),
            "aspect_ratios": np.array(self.aspect_ratios, dtype=np.float64),
            "axes": np.array(self.axes, dtype=np.float64),
        }
        for name, default in (("size_class", 0), ("aspect_ratios", 1.0), ("axes", (1.0, 0.0, 0.0))):
            if not own[name].size and count > 0:
                own[name] = np.tile(np.array(default, own[name].dtype), (count, *[1] * np.ndim(default)))
        for name, array in own.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "domain", tuple(float(width) for width in self.domain))
        self._check(count)

    def _check(self, count: int) -> None:
        """Refuse arrays that do not belong together and particles that meet their own images."""
        flat = (self.radii, self.size_class, self.aspect_ratios)
        if any(a.shape != (count,) for a in flat) or any(
            a.shape != (count, 3) for a in (self.centres, self.axes)
        ):
            raise ValueError(
                "centres and axes must have shape (n, 3), radii, size_class and aspect_ratios (n,), got "
                f"{self.centres.shape}, {self.axes.shape}, {[a.shape for a in flat]}"
            )
        if not (np.all(self.radii > 0) and min(self.domain) > 0):
            raise ValueError(
                f"radii and the three domain lengths must be positive, got smallest {self.radii.min(initial=1.0)} "
                f"and {self.domain}"
            )
        if not (np.all(self.aspect_ratios > 0) and np.allclose(np.linalg.norm(self.axes, axis=1), 1.0)):
            raise ValueError(
                "aspect_ratios must be positive and axes unit vectors; divide axes by their lengths"
            )
        widest = 2 * self.reaches.max(initial=0.0)
        if widest > min(self.domain[1:]):
            raise ValueError(
                f"a particle must fit into the periodic width of {min(self.domain[1:]):.4g} m, got a diameter of "
                f"{widest:.4g} m; widen the domain"
            )

    @property
    def count(self) -> int:
        """Number of particles."""
        return len(self.radii)

    @property
    def spherical(self) -> bool:
        """Whether all particles are spheres."""
        return bool(np.all(self.aspect_ratios == 1.0))

    def scaled(self, factor: float) -> ParticlePacking:
        """
        Return the same particles with other radii at the same places.

        Parameters
        ----------
        factor : float
            Radius after over radius before [-].

        Returns
        -------
        ParticlePacking
            Packing; its overlap is measured again.
        """
        grown = replace(self, radii=self.radii * factor)
        images = periodic_images(grown)
        first, second, gap = overlapping_pairs(
            images.centres, images.reaches, images.shapes, lengths=np.array(self.domain), periodic=False
        )
        smaller = np.minimum(grown.radii[images.owner[first]], grown.radii[images.owner[second]])
        return replace(grown, overlap=float(np.max(-gap / (2 * smaller), initial=0.0)))

    @property
    def reaches(self) -> NDArray[np.float64]:
        """Longest semi-axis of every particle [m]."""
        return longest_axes(self.radii, self.aspect_ratios)

    @property
    def surface_areas(self) -> NDArray[np.float64]:
        """Surface of every particle [m2], overlaps and faces of the electrode not considered; closed forms of spheroids."""
        aspects = self.aspect_ratios
        across = self.radii * aspects ** (-1 / 3)
        flat, long = np.minimum(aspects, 1.0), np.maximum(aspects, 1.0)
        oblate, prolate = np.sqrt(1 - flat**2), np.sqrt(1 - long**-2.0)
        rim = np.divide(flat**2 * np.arctanh(oblate), oblate, out=np.ones_like(flat), where=oblate > 1e-4)
        side = np.divide(long * np.arcsin(prolate), prolate, out=np.ones_like(long), where=prolate > 1e-4)
        return np.asarray(2 * np.pi * across**2 * (1 + np.where(aspects < 1, rim, side)))

    @property
    def shapes(self) -> NDArray[np.float64]:
        """Matrices S [m2] with which xᵀ S⁻¹ x = 1 is the surface of each particle, shape (n, 3, 3)."""
        return self.radii[:, None, None] ** 2 * unit_shapes(self.aspect_ratios, self.axes)

    def plot(self, axes: Axes | None = None) -> Axes:
        """
        Draw how the volume is spread over the diameters.

        Parameters
        ----------
        axes : Axes, optional
            Where to draw; a new figure when left out.

        Returns
        -------
        Axes
            Of Matplotlib.
        """
        from meso.figures import draw_sizes

        return draw_sizes(self, axes=axes)

    def _repr_html_(self) -> str:
        """Show the fields in a notebook."""
        from meso.tables import describe

        return describe(self)


class Images(NamedTuple):
    """
    Particles that reach into the box, the periodic copies of those at its sides included.

    reaches (n,): longest semi-axes; shapes (n, 3, 3): S [m2] with xᵀ S⁻¹ x = 1 on the surface; inverses: S⁻¹; owner (n,):
    index of the particle.
    """

    centres: NDArray[np.float64]
    reaches: NDArray[np.float64]
    shapes: NDArray[np.float64]
    inverses: NDArray[np.float64]
    owner: NDArray[np.int64]


def longest_axes(radii: NDArray[np.float64], aspect_ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longest semi-axis of particles of given volume and aspect ratio."""
    return radii * np.maximum(aspect_ratios ** (2 / 3), aspect_ratios ** (-1 / 3))


def unit_shapes(aspect_ratios: NDArray[np.float64], axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrices S of particles with the volume of the unit sphere, shape (n, 3, 3)."""
    if np.all(aspect_ratios == 1):
        return np.tile(np.eye(3), (len(aspect_ratios), 1, 1))
    across, along = aspect_ratios ** (-2 / 3), aspect_ratios ** (4 / 3)
    shapes = across[:, None, None] * np.eye(3) + (along - across)[:, None, None] * (
        axes[:, :, None] * axes[:, None, :]
    )
    return np.asarray(0.5 * (shapes + shapes.transpose(0, 2, 1)))


def periodic_images(packing: ParticlePacking, *, reach: float = 0.0, cube: bool = False) -> Images:
    """
    Copy every particle to all places from which it reaches, inflated by `reach`, into the box.

    The packing of a cube repeats through-plane, too, and holds the copies that cross its faces already.
    """
    shapes = packing.shapes
    size = np.sqrt(np.diagonal(shapes, axis1=1, axis2=2)) + reach
    centres, owner = packing.centres, np.arange(packing.count)
    if cube:
        needed = (centres[:, 0] >= 0) & (centres[:, 0] < packing.domain[0])
    else:
        needed = (centres[:, 0] + size[:, 0] > 0) & (centres[:, 0] - size[:, 0] < packing.domain[0])
    centres, owner = centres[needed], owner[needed]
    for axis in (0, 1, 2) if cube else (1, 2):
        width = packing.domain[axis]
        wrapped = centres.copy()
        wrapped[:, axis] %= width
        far = size[owner, axis]
        copies = [(wrapped, owner)]
        for shift, mask in ((width, wrapped[:, axis] < far), (-width, wrapped[:, axis] > width - far)):
            moved = wrapped[mask]
            moved[:, axis] += shift
            copies.append((moved, owner[mask]))
        centres, owner = (np.concatenate(parts) for parts in zip(*copies, strict=True))
    # The inverse of a platelet's matrix is that of the needle of the inverse aspect ratio.
    inverses = unit_shapes(1 / packing.aspect_ratios, packing.axes) / packing.radii[:, None, None] ** 2
    return Images(
        np.ascontiguousarray(centres), packing.reaches[owner], shapes[owner], inverses[owner], owner
    )


def in_layers(images: Images) -> Images:
    """Sort images layer by layer, and along axis 1 in each: written in turn, neighbours stay in the caches."""
    thickness = 4 * np.median(images.reaches) if len(images.reaches) else 1.0
    order = np.lexsort((images.centres[:, 1], np.floor(images.centres[:, 0] / thickness)))
    centres, reaches, shapes, inverses, owner = images
    return Images(centres[order], reaches[order], shapes[order], inverses[order], owner[order])
