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

    Raises
    ------
    ValueError
        If the porosity is outside (0, 1).

    Examples
    --------
    >>> Calendering(initial_porosity=0.5).strain(0.3)
    0.2857142857142857
    """

    initial_porosity: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial_porosity", float(self.initial_porosity))
        if not 0 < self.initial_porosity < 1:
            raise ValueError(
                f"initial_porosity must lie in (0, 1), got {self.initial_porosity}; did you pass percent?"
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
