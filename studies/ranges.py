"""What a parameter may be: one value, a range, or a list of choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_serializer,
    model_validator,
)

from studies.parameter import Value  # noqa: TC001  pydantic reads the annotations of the serializers

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


class Table(BaseModel):
    """A table of the TOML file: immutable, no unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Range(Table):
    """
    The numbers a parameter may take; a single number in TOML fixes it.

    Parameters
    ----------
    low, high : float
        Ends of the range, both included; equal ends fix the parameter.
    log : bool, default False
        Whether the search is uniform in the logarithm.
    """

    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise ValueError(f"must have low ≤ high, got low = {self.low} and high = {self.high}; swap them")
        if self.log and self.low <= 0:
            raise ValueError(
                f"must have low > 0 with log = true, got low = {self.low}; raise low or drop log"
            )
        return self

    @model_serializer
    def _plain(self) -> float | dict[str, float | bool]:
        if self.is_fixed:
            return self.low
        plain: dict[str, float | bool] = {"low": self.low, "high": self.high}
        return plain | {"log": True} if self.log else plain

    @property
    def is_fixed(self) -> bool:
        """Whether the parameter has one value only."""
        return self.low == self.high

    @property
    def middle(self) -> float:
        """Middle of the range, the geometric mean where the search is logarithmic."""
        return (self.low * self.high) ** 0.5 if self.log else 0.5 * (self.low + self.high)

    @property
    def values(self) -> tuple[float, float]:
        """The extreme values."""
        return self.low, self.high

    def suggest(self, trial: BaseTrial, name: str, *, whole: bool) -> Value:
        """
        Let a trial choose.

        Parameters
        ----------
        trial : optuna.trial.BaseTrial
            The trial.
        name : str
            Name of the parameter.
        whole : bool
            Whether only whole numbers make sense.

        Returns
        -------
        float or int
            The choice.
        """
        if whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)


class Choices(Table):
    """
    A list of values; a single word in TOML fixes the parameter.

    Parameters
    ----------
    choices : tuple of float, int or str
        The values.
    """

    choices: tuple[float | int | str, ...] = Field(min_length=1)

    @field_validator("choices", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _different(self) -> Choices:
        if len(set(self.choices)) < len(self.choices):
            raise ValueError(f"must have different choices, got {list(self.choices)}; drop the repeated one")
        return self

    @model_serializer
    def _plain(self) -> Value | dict[str, list[Value]]:
        return self.choices[0] if self.is_fixed else {"choices": list(self.choices)}

    @property
    def is_fixed(self) -> bool:
        """Whether there is one choice only."""
        return len(self.choices) == 1

    @property
    def middle(self) -> Value:
        """The choice in the middle of the list."""
        return self.choices[len(self.choices) // 2]

    @property
    def values(self) -> tuple[Value, ...]:
        """All choices."""
        return self.choices

    def suggest(self, trial: BaseTrial, name: str, *, whole: bool) -> Value:  # noqa: ARG002  as in a range
        """
        Let a trial choose.

        Parameters
        ----------
        trial : optuna.trial.BaseTrial
            The trial.
        name : str
            Name of the parameter.
        whole : bool
            Not used; a range needs it.

        Returns
        -------
        float, int or str
            The choice.
        """
        chosen = trial.suggest_categorical(name, self.choices)
        assert chosen is not None
        return chosen


def _widen(value: Any) -> Any:
    """Read a single number as a range of one value and a single word as a list of one."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return {"low": value, "high": value}
    return {"choices": [value]} if isinstance(value, str) else value


def _tag(value: Any) -> str:
    """Tell ranges and choices apart."""
    is_list = isinstance(value, Choices) or (isinstance(value, dict) and "choices" in value)
    return "<choices>" if is_list else "<range>"


Quantity = Annotated[
    Annotated[Range, Tag("<range>")] | Annotated[Choices, Tag("<choices>")],
    Discriminator(_tag),
    BeforeValidator(_widen),
]
"""A parameter that TOML gives as a value, a range or a list of choices."""

TAGS: dict[str, type[BaseModel]] = {"<range>": Range, "<choices>": Choices}
"""Which table a part of an error's location stands for."""


def fixed(value: Value) -> Range | Choices:
    """
    Fix a parameter.

    Parameters
    ----------
    value : float, int or str
        Its value.

    Returns
    -------
    Range or Choices
        What holds only this value.
    """
    if isinstance(value, str):
        return Choices(choices=(value,))
    return Range(low=float(value), high=float(value))
