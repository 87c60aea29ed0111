"""The table [cell] of a study: the chemistry and how it is discharged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from studies.errors import ConfigError
from studies.ranges import Table

if TYPE_CHECKING:
    from solvers import CellParameters

Rate = Annotated[float, Field(gt=0, le=100)]


def _as_tuple(value: Any) -> Any:
    """Read a single number as a list of one."""
    if isinstance(value, list):
        return tuple(value)
    return (value,) if isinstance(value, int | float) else value


def _as_number(value: tuple[float, ...]) -> float | list[float]:
    """Write a list of one as a number."""
    return value[0] if len(value) == 1 else list(value)


class CellTable(Table):
    """
    The chemistry and how it is discharged.

    Parameters
    ----------
    chemistry : str
        Name of a parameter set, see `solvers.CellParameters.names`; with `bpx` the name that reports use.
    bpx : str, optional
        BPX file to read instead; a path relative to the TOML file. Needs the extra ``bpx``.
    bpx_electrode : {'positive', 'negative'}, default 'positive'
        Which electrode of the BPX file is designed.
    c_rates : tuple of float
        Discharge rates [1/h], relative to the design's own theoretical capacity; ``c_rate`` in TOML, a number or a list.
        The first one is the primary rate.
    lower_cutoff_V, upper_cutoff_V : float, optional
        Cut-offs against lithium [V] instead of those of the chemistry.
    """

    chemistry: str = Field(default="", max_length=100)
    bpx: str | None = None
    bpx_electrode: Annotated[str, Field(pattern="^(positive|negative)$")] = "positive"
    c_rates: Annotated[
        tuple[Rate, ...], BeforeValidator(_as_tuple), PlainSerializer(_as_number), Field(min_length=1)
    ] = Field(alias="c_rate")
    lower_cutoff_V: float | None = Field(default=None, allow_inf_nan=False)  # noqa: N815  the unit keeps its case
    upper_cutoff_V: float | None = Field(default=None, allow_inf_nan=False)  # noqa: N815  the same

    @model_validator(mode="before")
    @classmethod
    def _named_after_its_file(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("bpx"), str) and not data.get("chemistry"):
            return data | {"chemistry": Path(data["bpx"]).stem}
        return data

    @model_validator(mode="after")
    def _known_chemistry(self) -> CellTable:
        from solvers import CellParameters

        names = CellParameters.names()
        if self.bpx is None and self.chemistry not in names:
            raise ValueError(
                f"chemistry must be one of {', '.join(names)}, got {self.chemistry!r}; pick one of these or give a BPX "
                'file: bpx = "cell.json"'
            )
        return self

    @model_validator(mode="after")
    def _different_rates(self) -> CellTable:
        if len(set(self.c_rates)) < len(self.c_rates):
            raise ValueError(
                f"c_rate must hold different rates, got {list(self.c_rates)}; drop the repeated one"
            )
        return self

    @property
    def c_rate(self) -> float:
        """The primary discharge rate [1/h]."""
        return self.c_rates[0]

    def parameters(self) -> CellParameters:
        """
        Read the chemistry and set the cut-offs.

        Returns
        -------
        CellParameters
            The cell of all trials.

        Raises
        ------
        ConfigError
            If the BPX file cannot be used, or the chemistry has no equilibrium between the cut-offs.
        """
        from solvers import CellParameters

        cutoffs: dict[str, Any] = {
            "lower_cutoff_voltage": self.lower_cutoff_V,
            "upper_cutoff_voltage": self.upper_cutoff_V,
        }
        changes = {name: value for name, value in cutoffs.items() if value is not None}
        try:
            cell = (
                CellParameters.named(self.chemistry)
                if self.bpx is None
                else replace(
                    CellParameters.from_bpx(self.bpx, electrode=self.bpx_electrode), name=self.chemistry
                )
            )
            return replace(cell, **changes) if changes else cell
        except (OSError, ValueError, TypeError, ModuleNotFoundError) as error:
            where = "cell" if self.bpx is None else f"cell.bpx = {self.bpx!r}"
            raise ConfigError(f"{where}: {' '.join(str(error).split())}") from None
