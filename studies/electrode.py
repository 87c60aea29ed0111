"""The table [electrode] of a study: what is fixed, what is searched, and what no electrode can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, PlainSerializer, create_model, model_validator

from studies.parameters import LOADING, PLAIN, TABLE
from studies.ranges import Choices, Quantity, Range, Table, fixed

if TYPE_CHECKING:
    from collections.abc import Callable

    from studies.parameter import Parameter


class _Rules(Table):
    """What the values of several parameters must fulfil together."""

    def quantity(self, name: str) -> Range | Choices:
        """
        Return what a parameter may be.

        Parameters
        ----------
        name : str
            A name of `studies.parameters.PARAMETERS`.

        Returns
        -------
        Range or Choices
            The values.
        """
        value: Range | Choices | float = getattr(self, name)
        return fixed(value) if isinstance(value, float) else value

    def _extremes(self, name: str) -> tuple[float, float]:
        """Return the smallest and the largest value of a number."""
        values = [float(value) for value in self.quantity(name).values]
        return min(values), max(values)

    @model_validator(mode="after")
    def _has_something_to_find(self) -> _Rules:
        can_differ = {
            name for name, plain in PLAIN.items() if any(v != plain for v in self.quantity(name).values)
        }
        if self._extremes("fine_share")[1] == 0:
            can_differ.discard("fine_share_gradient")
        if not can_differ:
            raise ValueError(
                "porosity_gradient must be able to differ from 0, got 0; without a gradient (porosity_gradient, "
                "binder_gradient, fine_share_gradient) and without channels the structured electrode is the uniform "
                "control: give a range such as {low = -0.1, high = 0.2}"
            )
        return self

    @model_validator(mode="after")
    def _has_channels_that_fit(self) -> _Rules:
        patterns, widest = self.quantity("channel_pattern").values, self._extremes("channel_width_um")[1]
        if (widest > 0) != any(pattern != "none" for pattern in patterns):
            raise ValueError(
                f"channel_pattern and channel_width_um must both ask for channels or neither, got "
                f"{', '.join(map(repr, patterns))} and widths up to {widest:g} µm; set both"
            )
        narrowest = self._extremes("channel_pitch_um")[0]
        if widest >= narrowest and widest > 0:
            raise ValueError(
                f"channel_width_um must stay below channel_pitch_um, got {widest:g} at a pitch of {narrowest:g}; "
                "widen the pitch"
            )
        return self

    @model_validator(mode="after")
    def _can_be_made_everywhere(self) -> _Rules:
        steepest = max(abs(end) for end in self._extremes("porosity_gradient")) / 2
        steepest_binder = max(abs(end) for end in self._extremes("binder_gradient")) / 2
        porosity, binder = self._extremes("porosity"), self._extremes("binder_fraction")
        least, most = porosity[0] - steepest, porosity[1] + steepest
        if least <= 0 or most + binder[1] + steepest_binder >= 1:
            raise ValueError(
                f"porosity and porosity_gradient must leave room for pores and active material in every slice, got "
                f"porosities from {least:.3g} to {most:.3g}; narrow porosity_gradient"
            )
        if binder[0] - steepest_binder < 0:
            raise ValueError(
                f"binder_gradient must leave binder_fraction at 0 or more in every slice, got "
                f"{binder[0] - steepest_binder:.3g}; narrow binder_gradient to ±{2 * binder[0]:.3g}"
            )
        return self

    @model_validator(mode="after")
    def _has_layers_that_are_layers(self) -> _Rules:
        layers = self.quantity("layers")
        if 1 in layers.values or (isinstance(layers, Range) and layers.low < 1 < layers.high):
            raise ValueError(
                "layers must be 0 (continuous) or 2 and more, got 1 among them; write layers = {choices = [0, 2, 3]}"
            )
        return self


def _within(parameter: Parameter) -> Callable[[Range | Choices], Range | Choices]:
    """Demand that all values of a parameter are allowed."""

    def check(quantity: Range | Choices) -> Range | Choices:
        for value in quantity.values:
            if complaint := parameter.complaint(value):
                raise ValueError(complaint)
        return quantity

    return check


def _unwrapped(quantity: Range | Choices) -> Range | Choices | float:
    """Turn a fixed number into that number."""
    return quantity.low if isinstance(quantity, Range) and quantity.is_fixed else quantity


def _plainly(quantity: Range | Choices | float) -> Any:
    """Write a number or what a parameter may be."""
    return quantity if isinstance(quantity, float) else quantity.model_dump()


def _fields() -> dict[str, Any]:
    """Turn the table of parameters into fields: annotation and default."""
    loading = AfterValidator(_unwrapped), PlainSerializer(_plainly)
    return {
        parameter.name: (
            Annotated[
                Quantity,
                AfterValidator(_within(parameter)),
                # The loading is nearly always one number, and is used as one.
                *(loading if parameter.name == LOADING else ()),
            ],
            ... if parameter.default is None else fixed(parameter.default),
        )
        for parameter in TABLE
    }


if TYPE_CHECKING:

    class ElectrodeTable(_Rules):
        """What type checkers see; the fields come from the table of parameters."""

        def __getattr__(self, name: str) -> Any: ...

else:
    ElectrodeTable = create_model(
        "ElectrodeTable",
        __base__=_Rules,
        __module__=__name__,
        __doc__="The design: a value fixes a parameter, ``{low, high, log}`` or ``{choices}`` searches it. The keys are "
        "`studies.parameters.PARAMETERS`.",
        **_fields(),
    )
