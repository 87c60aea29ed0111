"""Pressing a packed film to its final porosity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meso.profiles import Profile


@dataclass(frozen=True)
class Calendering:
    """
    Uniaxial compression of a film that was packed more loosely.

    Parameters
    ----------
    initial_porosity : float
        Mean porosity of the film before it is pressed [-]; the design's porosity is that after it.
    rearrangement : float, default 0.1
        How far particles give way while they are pressed [-]: 0 none, they move with the film and flatten each other at
        their contacts; 1 as far as without friction.

    Raises
    ------
    ValueError
        If a value is outside its range.

    Examples
    --------
    >>> Calendering(initial_porosity=0.5).strain(0.3)
    0.2857142857142857
    """

    initial_porosity: float
    rearrangement: float = 0.1

    def __post_init__(self) -> None:
        for name in ("initial_porosity", "rearrangement"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if not 0 < self.initial_porosity < 1:
            raise ValueError(
                f"initial_porosity must lie in (0, 1), got {self.initial_porosity}; did you pass percent?"
            )
        if not 0 <= self.rearrangement <= 1:
            raise ValueError(
                f"rearrangement must lie in [0, 1] (0 none, 1 without friction), got {self.rearrangement}"
            )

    def strain(self, porosity: float) -> float:
        """
        Return by how much the film is thinned, at constant volume of solids.

        Parameters
        ----------
        porosity : float
            Mean porosity after pressing [-].

        Returns
        -------
        float
            1 − thickness after / thickness before [-].
        """
        return 1.0 - (1.0 - self.initial_porosity) / (1.0 - porosity)

    def check(self, porosity: Profile) -> None:
        """
        Refuse a film that would have to be stretched.

        Parameters
        ----------
        porosity : Profile
            Porosity after pressing [-].

        Raises
        ------
        ValueError
            If the porosity before pressing is not above the mean porosity after it.
        """
        if self.initial_porosity <= porosity.mean():
            raise ValueError(
                f"initial_porosity must be above the porosity after calendering, {porosity.mean():.4g}, got "
                f"{self.initial_porosity:.4g}; raise it or leave out calendering"
            )
