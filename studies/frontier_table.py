"""The table [frontier] of a study: how the largest loading at a demanded utilization is searched."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from studies.ranges import Table

FAST: dict[str, Any] = {
    "trials": 60,
    "startup_trials": 15,
    "replicates": 1,
    "fresh_seeds": 6,
    "depth_diameters": 8.0,
    "final_depth_diameters": 24.0,
}
FAST_STRUCTURE: dict[str, Any] = {"width_diameters": 4.8, "minimum_voxels": 28}
"""What ``--fast`` searches with."""


def _as_tuple(value: Any) -> Any:
    """Read a list as a tuple, as TOML has lists only."""
    return tuple(value) if isinstance(value, list) else value


Rates = Annotated[
    tuple[Annotated[float, Field(gt=0, le=100)], ...],
    BeforeValidator(_as_tuple),
    PlainSerializer(list),
    Field(min_length=1),
]


class FrontierTable(Table):
    """
    The 99 % frontier: at every rate, the largest areal capacity at which the demanded share of it is delivered.

    Parameters
    ----------
    target : float, default 0.99
        Demanded utilization.
    c_rates : tuple of float, default 1/3, 1, 2 and 4
        Discharge rates [1/h].
    trials : int, default 400
        Trials at every rate, for the structured electrodes and for the uniform ones each.
    startup_trials : int, default 20
        Random trials of each search before the sampler learns.
    replicates : int, default 2
        Packings per trial.
    fresh_seeds : int, default 16
        New packings on which the winners are compared.
    depth_diameters : float, default 12.0
        Thickness of the structures of the search in median diameters; properties are taken by relative depth.
    final_depth_diameters : float, optional
        The same for the comparison of the winners; left out, structures are made at their own thickness.
    """

    target: float = Field(default=0.99, gt=0.5, le=0.999)
    c_rates: Rates = (1 / 3, 1.0, 2.0, 4.0)
    trials: int = Field(default=400, ge=2, le=100_000)
    startup_trials: int = Field(default=20, ge=1)
    replicates: int = Field(default=2, ge=1, le=1000)
    fresh_seeds: int = Field(default=16, ge=2, le=1000)
    depth_diameters: float = Field(default=12.0, ge=4, le=1000)
    final_depth_diameters: float | None = Field(default=None, ge=4, le=1000)

    @model_validator(mode="after")
    def _different_rates(self) -> FrontierTable:
        if list(self.c_rates) != sorted(set(self.c_rates)):
            raise ValueError(f"c_rates must increase, got {list(self.c_rates)}; sort them")
        return self

    @property
    def fast(self) -> FrontierTable:
        """The same with few trials and packings."""
        return self.model_copy(update=FAST)


def half_width(width: float) -> str:
    """
    Write half the width of an interval so that none seems to be without.

    Parameters
    ----------
    width : float
        Upper less lower end.

    Returns
    -------
    str
        Two decimals, three below 0.01.

    Examples
    --------
    >>> half_width(0.144), half_width(0.0084)
    ('0.07', '0.004')
    """
    half = 0.5 * width
    return f"{half:.3f}" if half < 0.01 else f"{half:.2f}"


def rate_name(c_rate: float) -> str:
    """
    Write a rate as people do.

    Parameters
    ----------
    c_rate : float
        Rate [1/h].

    Returns
    -------
    str
        Such as C/3 or 2C.

    Examples
    --------
    >>> rate_name(1 / 3), rate_name(0.3333), rate_name(2.0), rate_name(0.8)
    ('C/3', 'C/3', '2C', '0.8C')
    """
    inverse = 1 / c_rate
    if c_rate < 1 and abs(inverse - round(inverse)) < 1e-2 * inverse:
        return f"C/{round(inverse)}"
    return f"{c_rate:.3g}C"
