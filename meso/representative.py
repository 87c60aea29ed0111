"""How wide a structure must be to stand for an electrode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meso.generate import generate
from meso.measures import chord_lengths
from meso.phases import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from meso.design import ElectrodeDesign
    from meso.structure import Mesostructure


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Representativeness:
    """
    The spread of a measure over seeds and widths.

    Parameters
    ----------
    widths : ndarray, shape (n,), float64
        Widths tried [m].
    means : ndarray, shape (n,), float64
        Mean of the measure over the seeds.
    spreads : ndarray, shape (n,), float64
        Standard deviation over the seeds, relative to the mean [-].
    width : float
        Narrowest width with a spread within the tolerance [m], extrapolated by `spread` ∝ 1/width (1/width^(3/2) for
        cubes) from all widths; it may lie beyond those tried.
    tolerance : float
        Relative spread that was asked for [-].
    """

    widths: NDArray[np.float64]
    means: NDArray[np.float64]
    spreads: NDArray[np.float64]
    width: float
    tolerance: float


def mean_pore_chord(structure: Mesostructure) -> float:
    """
    Return the mean length of straight through-plane lines in the pores.

    Parameters
    ----------
    structure : Mesostructure
        Structure.

    Returns
    -------
    float
        Mean chord length [m].
    """
    return float(np.mean(chord_lengths(structure, phase=Phase.PORE, axis=0)))


def representative_width(
    design: ElectrodeDesign,
    tolerance: float,
    *,
    measure: Callable[[Mesostructure], float] = mean_pore_chord,
    widths: Sequence[float] | None = None,
    seeds: int = 6,
    voxel_size: float | None = None,
    seed: int = 8117,
    cube: bool = False,
) -> Representativeness:
    """
    Find how wide a structure must be for a measure to be the same from seed to seed.

    Parameters
    ----------
    design : ElectrodeDesign
        The recipe.
    tolerance : float
        Standard deviation over seeds, relative to the mean, that is small enough [-].
    measure : callable, default mean_pore_chord
        What is looked at: takes a structure, returns a number. With the solvers at hand,
        ``lambda structure: solve_transport(structure).tortuosity_factor`` is the one to ask for.
    widths : sequence of float, optional
        Widths to try [m]; 4, 6 and 8 largest particles if left out.
    seeds : int, default 6
        Packings for each width.
    voxel_size : float, optional
        Edge of a voxel [m]; an eighth of the median particle's shortest width if left out.
    seed : int, default 8117
        Seed from which those of the packings are derived.
    cube : bool, default False
        Whether to look at periodic cubes of a uniform electrode instead of its whole thickness.

    Returns
    -------
    Representativeness
        Means and spreads of all widths, and the width that the tolerance needs.

    Raises
    ------
    ValueError
        If the tolerance is not in (0, 1), there are fewer than two seeds, or a structure cannot be made.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must lie in (0, 1), got {tolerance}; it is a relative spread")
    if seeds < 2:
        raise ValueError(f"seeds must be at least 2 to have a spread, got {seeds}")
    largest = max(one.largest_extent for one in design.size_classes)
    tried = np.array(
        [factor * largest for factor in (4, 6, 8)] if widths is None else widths, dtype=np.float64
    )
    edge = design.narrowest_width / 8 if voxel_size is None else voxel_size
    found = np.array(
        [
            [
                measure(generate(design, voxel_size=edge, width=float(width), seed=packing, cube=cube))
                for packing in np.random.SeedSequence(seed).spawn(seeds)
            ]
            for width in tried
        ]
    )
    means = found.mean(axis=1)
    spreads = found.std(axis=1, ddof=1) / np.abs(means)
    power = 1.5 if cube else 1.0
    # Every width tells the same constant, spread × width^power, with the same relative error: their quadratic mean.
    constant = float(np.sqrt(np.mean((spreads * tried**power) ** 2)))
    needed = max((constant / tolerance) ** (1 / power), 2 * largest)
    return Representativeness(
        widths=tried, means=means, spreads=spreads, width=float(needed), tolerance=float(tolerance)
    )
