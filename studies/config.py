"""What a study varies, keeps and demands, read from TOML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_serializer,
    model_validator,
)

from studies.errors import ConfigError
from studies.tables import explain, read_toml, write_toml

if TYPE_CHECKING:
    from pathlib import Path


class _Table(BaseModel):
    """A table of the TOML file: immutable, no unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Range(_Table):
    """
    The values a parameter may take; a single number in TOML fixes it.

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


def _widen(value: Any) -> Any:
    """Read a single number as a range of one value."""
    return {"low": value, "high": value} if isinstance(value, int | float) else value


Quantity = Annotated[Range, BeforeValidator(_widen)]
"""A parameter that TOML gives as a number or as a range."""


def _within(low: float, high: float, hint: str) -> AfterValidator:
    """Demand that both ends of a range lie between two numbers."""

    def check(value: Range) -> Range:
        for number in (value.low, value.high):
            if not low <= number <= high:
                raise ValueError(f"must lie in [{low:g}, {high:g}], got {number:g}; {hint}")
        return value

    return AfterValidator(check)


class CellTable(_Table):
    """
    The chemistry and how it is discharged.

    Parameters
    ----------
    chemistry : str
        Name of a parameter set, see `solvers.CellParameters.names`.
    c_rate : float
        Discharge rate [1/h], relative to the design's own theoretical capacity.
    """

    chemistry: str
    c_rate: float = Field(gt=0, le=100)

    @model_validator(mode="after")
    def _known_chemistry(self) -> CellTable:
        from solvers import CellParameters

        names = CellParameters.names()
        if self.chemistry not in names:
            raise ValueError(
                f"chemistry must be one of {', '.join(names)}, got {self.chemistry!r}; pick one of these"
            )
        return self


class ElectrodeTable(_Table):
    """
    The design: a number fixes a parameter, a range ``{low, high, log}`` searches it.

    Parameters
    ----------
    areal_capacity_mAh_cm2 : float
        Theoretical areal capacity of every design; the thickness follows from it.
    porosity : Range
        Mean volume fraction of the pores between the particles [-].
    porosity_gradient : Range
        Porosity at the separator minus porosity at the collector [-], linear in between; the uniform control has 0.
    particle_diameter_um : Range
        Median diameter by volume.
    particle_spread : Range
        Geometric standard deviation of the diameters [-]; 1 means equal spheres.
    binder_fraction : Range
        Volume fraction of the carbon-binder domain [-].
    binder_bridging : Range
        Where the binder sits [-]: 0 film over the particles, 1 bridges at their contacts.
    channel_pattern : {'none', 'holes', 'lines'}
        Laser-made channels, open to the separator. They take active material away; the coating between them keeps its
        recipe and the electrode becomes thicker, so that every design has the same loading. The uniform control has none.
    channel_pitch_um, channel_width_um : Range
        Distance of the channels and their width at the separator. A channel narrower than the median particle is left
        out, so that a width from 0 searches channels on and off.
    channel_depth : Range
        Depth over the thickness [-]; 1 reaches the collector.
    channel_taper : Range
        Width lost on the way down over the width at the top [-]; 0 is straight.
    """

    areal_capacity_mAh_cm2: float = Field(gt=0, le=50)  # noqa: N815  the unit keeps its case
    porosity: Annotated[Quantity, _within(0.05, 0.9, "it is a fraction, not per cent")]
    porosity_gradient: Annotated[Quantity, _within(-0.8, 0.8, "it is a difference of two porosities")]
    particle_diameter_um: Annotated[Quantity, _within(0.1, 100, "it is the median diameter in micrometres")]
    particle_spread: Annotated[Quantity, _within(1, 3, "1 means equal spheres")]
    binder_fraction: Annotated[Quantity, _within(0, 0.5, "it is a fraction, not per cent")]
    binder_bridging: Annotated[Quantity, _within(0, 1, "0 is a film, 1 is bridges")] = Range(
        low=0.5, high=0.5
    )
    channel_pattern: Literal["none", "holes", "lines"] = "none"
    channel_pitch_um: Annotated[Quantity, _within(1, 5000, "it is in micrometres")] = Range(
        low=60.0, high=60.0
    )
    channel_width_um: Annotated[Quantity, _within(0, 5000, "it is in micrometres")] = Range(low=0.0, high=0.0)
    channel_depth: Annotated[Quantity, _within(0.01, 1, "it is relative to the thickness")] = Range(
        low=1.0, high=1.0
    )
    channel_taper: Annotated[Quantity, _within(0, 1, "0 is straight, 1 pointed")] = Range(low=0.0, high=0.0)

    @model_validator(mode="after")
    def _has_something_to_find(self) -> ElectrodeTable:
        drills = self.channel_pattern != "none" and self.channel_width_um.high > 0
        if self.porosity_gradient.low == self.porosity_gradient.high == 0 and not drills:
            raise ValueError(
                "porosity_gradient must be able to differ from 0, got 0; without it and without channels the structured "
                "electrode is the uniform control: give a range such as {low = -0.1, high = 0.2}"
            )
        return self

    @model_validator(mode="after")
    def _has_channels_that_fit(self) -> ElectrodeTable:
        drilled = self.channel_width_um.high > 0
        if drilled != (self.channel_pattern != "none"):
            raise ValueError(
                f"channel_pattern and channel_width_um must both ask for channels or neither, got "
                f"{self.channel_pattern!r} and widths up to {self.channel_width_um.high:g} µm; set both"
            )
        if drilled and self.channel_width_um.high >= self.channel_pitch_um.low:
            raise ValueError(
                f"channel_width_um must stay below channel_pitch_um, got {self.channel_width_um.high:g} at a pitch of "
                f"{self.channel_pitch_um.low:g}; widen the pitch"
            )
        return self

    @model_validator(mode="after")
    def _can_be_made_everywhere(self) -> ElectrodeTable:
        steepest = max(abs(self.porosity_gradient.low), abs(self.porosity_gradient.high)) / 2
        least, most = self.porosity.low - steepest, self.porosity.high + steepest
        if least <= 0 or most + self.binder_fraction.high >= 1:
            raise ValueError(
                f"porosity and porosity_gradient must leave room for pores and active material in every slice, got "
                f"porosities from {least:.3g} to {most:.3g}; narrow porosity_gradient"
            )
        return self


class ConstraintTable(_Table):
    """
    What a design must fulfil besides being good; at least one is needed.

    Utilization alone has no useful maximum: a thin, porous electrode of tiny particles reaches 1.

    Parameters
    ----------
    minimum_volumetric_capacity_mAh_cm3 : float, optional
        Least theoretical capacity per volume of electrode, over all active material.
    maximum_specific_surface_m2_cm3 : float, optional
        Largest area of active material per volume of electrode (side reactions grow with it).
    """

    minimum_volumetric_capacity_mAh_cm3: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # noqa: N815  the same
    maximum_specific_surface_m2_cm3: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_a_counterweight(self) -> ConstraintTable:
        if not self.model_dump(exclude_none=True):
            raise ValueError(
                "must hold at least one constraint, got none; utilization alone is maximised by a useless electrode: "
                "add minimum_volumetric_capacity_mAh_cm3"
            )
        return self


class StructureTable(_Table):
    """
    How finely and how widely structures are made.

    Parameters
    ----------
    voxels_per_diameter : float, default 10.0
        Voxels across the median particle, so that the resolution favours no particle size.
    width_diameters : float, default 6.4
        Lateral extent in median diameters.
    minimum_voxels : int, default 64
        Least number of voxels on every axis; large particles get finer voxels or a wider domain where needed.
    """

    voxels_per_diameter: float = Field(default=10.0, ge=4, le=100)
    width_diameters: float = Field(default=6.4, ge=2, le=100)
    minimum_voxels: int = Field(default=64, ge=8, le=1024)


class StudyConfig(_Table):
    """
    A whole study, as written in TOML.

    Parameters
    ----------
    name : str
        What the report calls the study.
    description : str, default ""
        A sentence for the report.
    seed : int
        Seed of the search and of the packings.
    trials : int
        Trials in total; half of them search the uniform control (the structured search gets the odd one).
    startup_trials : int, default 8
        Random trials of each search before the sampler learns.
    trials_in_flight : int, default 4
        Trials asked for ahead of the next result. Part of the configuration, and not the number of workers, so that
        the course of a study does not depend on the machine.
    replicates : int, default 2
        Packings per trial; a trial counts their mean. All trials share the same packing seeds.
    fresh_seeds : int, default 4
        New packings on which the best structured and the best uniform design are compared at the end.
    cell : CellTable
        Chemistry and discharge rate.
    electrode : ElectrodeTable
        What is fixed and what is searched.
    constraints : ConstraintTable
        What a design must fulfil.
    structure : StructureTable
        Resolution and size of the structures.
    """

    name: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=2000)
    seed: int = Field(ge=0, lt=2**63)
    trials: int = Field(ge=2, le=1_000_000)
    startup_trials: int = Field(default=8, ge=1)
    trials_in_flight: int = Field(default=4, ge=1, le=4096)
    replicates: int = Field(default=2, ge=1, le=1000)
    fresh_seeds: int = Field(default=4, ge=2, le=1000)
    cell: CellTable
    electrode: ElectrodeTable
    constraints: ConstraintTable
    structure: StructureTable = StructureTable()

    @classmethod
    def from_toml(cls, source: str | Path) -> StudyConfig:
        """
        Read a configuration from a file, or a bundled one by its name.

        Parameters
        ----------
        source : str or Path
            Path of a TOML file, or a name from `bundled_names`.

        Returns
        -------
        StudyConfig
            The validated configuration.

        Raises
        ------
        ConfigError
            If the file cannot be read or a key or value is wrong; the text names file, key, value, rule and remedy.

        Examples
        --------
        >>> StudyConfig.from_toml("quickstart").electrode.areal_capacity_mAh_cm2
        6.0
        """
        return cls.from_dict(read_toml(source), label=str(source))

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, label: str = "configuration") -> StudyConfig:
        """
        Validate a configuration given as nested dictionaries.

        Parameters
        ----------
        data : dict
            Keys as in the TOML file.
        label : str, default "configuration"
            How error messages name the source.

        Returns
        -------
        StudyConfig
            The validated configuration.

        Raises
        ------
        ConfigError
            If a key or value is wrong.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise ConfigError(f"{label}: {explain(error.errors(), cls)}") from None

    def to_dict(self) -> dict[str, Any]:
        """
        Return the configuration with all defaults, as plain dictionaries.

        Returns
        -------
        dict
            What `from_dict` reads.
        """
        return self.model_dump(exclude_none=True)

    def to_toml(self) -> str:
        """
        Return the configuration with all defaults, as TOML.

        Returns
        -------
        str
            Text that `from_toml` reads back to an equal configuration.
        """
        return write_toml(self.to_dict())
