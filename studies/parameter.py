"""One parameter of a design: its unit, its limits, its words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = float | int | str
"""What a parameter may be: a number, a whole number or a word."""


def _always(_: Mapping[str, Value]) -> bool:
    """Say that a parameter matters in every design."""
    return True


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """
    One parameter of a design.

    Parameters
    ----------
    name : str
        Its key in TOML; the unit is part of it.
    label : str
        What tables and figures call it.
    meaning : str
        What it is, in one line.
    hint : str, default ""
        What an error adds to the limits.
    low, high : float
        Limits.
    words : tuple of str
        The words it may be; empty for numbers.
    whole : bool, default False
        Whether only whole numbers make sense.
    default : float, int or str, optional
        Its value where TOML has none; None: TOML must have one.
    plain : float, int or str, optional
        The value that makes a design uniform, and that the control has; None: the control searches it too.
    unit : str, default ""
        As tables write it.
    decimals : int, default 3
        As tables write it.
    needs : tuple of str
        Parameters, earlier in the table, that decide whether this one makes a difference.
    matters : callable
        Whether it makes a difference in a design with these parameters.
    """

    name: str
    label: str
    meaning: str
    hint: str = ""
    low: float = -math.inf
    high: float = math.inf
    words: tuple[str, ...] = ()
    whole: bool = False
    default: Value | None = None
    plain: Value | None = None
    unit: str = ""
    decimals: int = 3
    needs: tuple[str, ...] = ()
    matters: Callable[[Mapping[str, Value]], bool] = _always

    @property
    def kind(self) -> Literal["number", "whole number", "word"]:
        """What its values are."""
        if self.words:
            return "word"
        return "whole number" if self.whole else "number"

    def complaint(self, value: Value) -> str | None:
        """
        Say what is wrong with a value.

        Parameters
        ----------
        value : float, int or str
            The value.

        Returns
        -------
        str or None
            Rule and remedy; None where nothing is wrong.
        """
        if self.words:
            return None if value in self.words else f"must be one of {', '.join(self.words)}, got {value!r}"
        if isinstance(value, str):
            return f"must be a number, a range {{low = …, high = …}} or {{choices = […]}}, got {value!r}"
        if self.whole and value != int(value):
            return f"must be a whole number, got {value:g}; {self.hint}"
        if not self.low <= value <= self.high:
            return f"must lie in [{self.low:g}, {self.high:g}], got {value:g}; {self.hint}"
        return None
