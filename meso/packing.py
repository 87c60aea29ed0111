"""Particles in a box: where they sit and how large they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
