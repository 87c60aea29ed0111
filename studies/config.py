"""What a study varies, keeps and demands, read from TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from studies.cells import CellTable  # noqa: TC001  pydantic reads the annotations
from studies.electrode import ElectrodeTable  # noqa: TC001  the same
from studies.errors import ConfigError
from studies.ranges import Table
from studies.tables import explain, read_toml, write_toml


class ConstraintTable(Table):
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
        if not self.model_dump(exclude_none=True, by_alias=True):
            raise ValueError(
                "must hold at least one constraint, got none; utilization alone is maximised by a useless electrode: "
                "add minimum_volumetric_capacity_mAh_cm3"
            )
        return self


class StructureTable(Table):
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


class StudyConfig(Table):
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
        data = read_toml(source)
        cell = data.get("cell")
        if isinstance(cell, dict) and isinstance(cell.get("bpx"), str):
            # The study folder keeps a copy of this configuration, which must find the file as well.
            cell["bpx"] = str(Path(source).parent.joinpath(cell["bpx"]).resolve())
        return cls.from_dict(data, label=str(source))

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
        return self.model_dump(exclude_none=True, by_alias=True)

    def to_toml(self) -> str:
        """
        Return the configuration with all defaults, as TOML.

        Returns
        -------
        str
            Text that `from_toml` reads back to an equal configuration.
        """
        return write_toml(self.to_dict())
