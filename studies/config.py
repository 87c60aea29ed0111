"""What a study varies, keeps and demands, read from TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from meso.packing import DENSEST
from studies.cells import CellTable  # noqa: TC001  pydantic reads the annotations
from studies.cluster import ClusterTable  # noqa: TC001  the same
from studies.electrode import ElectrodeTable  # noqa: TC001  the same
from studies.errors import ConfigError
from studies.frontier_table import FrontierTable
from studies.objectives import ObjectiveTable
from studies.parameters import LOADING
from studies.ranges import Table
from studies.tables import explain, read_toml, write_toml

MOST_TRIALS = 1_000_000


class ConstraintTable(Table):
    """
    What a design must fulfil besides being good; every design must let ions and electrons through as well.

    Parameters
    ----------
    minimum_volumetric_capacity_mAh_cm3 : float, optional
        Least theoretical capacity per volume of electrode, over all active material.
    maximum_specific_surface_m2_cm3 : float, optional
        Largest area of active material per volume of electrode (side reactions grow with it).
    minimum_electronic_conductivity_S_m : float, optional
        Least effective electronic conductivity of the electrode.
    maximum_thickness_um : float, optional
        Largest thickness.
    maximum_active_fraction : float, default 0.8
        Largest volume fraction of active material in any slice: what can be packed.
    """

    minimum_volumetric_capacity_mAh_cm3: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # noqa: N815  the unit keeps its case
    maximum_specific_surface_m2_cm3: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    minimum_electronic_conductivity_S_m: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # noqa: N815  the same
    maximum_thickness_um: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    maximum_active_fraction: float = Field(default=DENSEST, gt=0, le=DENSEST)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is demanded but what every electrode must fulfil."""
        return not self.model_dump(exclude_none=True, exclude={"maximum_active_fraction"})


class SearchTable(Table):
    """
    How the next design is chosen.

    Parameters
    ----------
    sampler : {'tpe', 'gp', 'nsga2', 'nsga3', 'cmaes', 'sobol'}, default 'tpe'
        Tree-structured Parzen estimator; Gaussian process (extra ``gp``); genetic algorithms for two and for more
        objectives; evolution of a covariance matrix, for one objective (extra ``cmaes``); a sequence that fills the space
        evenly and learns nothing.
    population : int, default 24
        Designs in a generation of nsga2 and nsga3.
    """

    sampler: Literal["tpe", "gp", "nsga2", "nsga3", "cmaes", "sobol"] = "tpe"
    population: int = Field(default=24, ge=2, le=10_000)


class FidelityTable(Table):
    """
    The ladder of models, from a closed form to fine voxels.

    Parameters
    ----------
    ceiling : bool, default True
        Reject designs whose analytic ceiling is below the best design so far.
    empirical : bool, default True
        Reject designs that an electrode with empirical transport puts clearly below the best one, while that model ranks
        designs as voxels do.
    calibration_trials : int, default 20
        Trials before the empirical model may reject anything.
    least_rank_correlation : float, default 0.8
        Spearman's rank correlation with the voxels that it must have.
    final_voxels_per_diameter : float, optional
        Voxels across the median particle when the comparison of the winners is repeated at the end; 1.7 times those of the
        search where left out, no repetition where they are no more.
    """

    ceiling: bool = True
    empirical: bool = True
    calibration_trials: int = Field(default=20, ge=5, le=100_000)
    least_rank_correlation: float = Field(default=0.8, ge=0, le=1)
    final_voxels_per_diameter: float | None = Field(default=None, ge=4, le=100)


class StructureTable(Table):
    """
    How finely and how widely structures are made.

    Parameters
    ----------
    voxels_per_diameter : float, default 6.0
        Voxels across the median particle, so that the resolution favours no particle size.
    width_diameters : float, default 4.0
        Lateral extent in median diameters.
    minimum_voxels : int, default 24
        Least number of voxels on every axis; large particles get finer voxels or a wider domain where needed.
    """

    voxels_per_diameter: float = Field(default=6.0, ge=4, le=100)
    width_diameters: float = Field(default=4.0, ge=2, le=100)
    minimum_voxels: int = Field(default=24, ge=8, le=1024)


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
        Trials in total; half of them search the uniform control (the structured search gets the odd one). May be left out
        where `hours` is given.
    hours : float, optional
        Time for the search, continuations included; no new trial is started after it.
    startup_trials : int, default 8
        Random trials of each search before the sampler learns.
    trials_in_flight : int, default 4
        Trials asked for ahead of the next result. Part of the configuration, and not the number of workers, so that
        the course of a study does not depend on the machine.
    replicates : int, default 2
        Packings per trial; a trial counts their mean. All trials share the same packing seeds.
    fresh_seeds : int, default 16
        New packings on which the best structured and the best uniform design are compared at the end.
    pruning : bool, default True
        Stop a trial whose packings are worse, one by one, than those of the best design (Wilcoxon's signed-rank test, 10 %);
        acts with more than four replicates and one objective.
    cell : CellTable
        Chemistry and discharge rates.
    electrode : ElectrodeTable
        What is fixed and what is searched.
    objectives : ObjectiveTable
        What is maximised.
    constraints : ConstraintTable
        What a design must fulfil; may be empty where an objective keeps utilization from being trivial.
    search : SearchTable
        How the next design is chosen.
    fidelity : FidelityTable
        Cheaper models in front of the voxels, finer voxels behind them.
    structure : StructureTable
        Resolution and size of the structures.
    frontier : FrontierTable
        How ``meso frontier`` searches; ``meso run`` does not use it.
    cluster : ClusterTable, optional
        Jobs of a batch system that evaluate the trials; this machine does where it is left out.
    """

    name: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=2000)
    seed: int = Field(ge=0, lt=2**63)
    trials: int = Field(default=MOST_TRIALS, ge=2, le=MOST_TRIALS)
    hours: float | None = Field(default=None, gt=0, le=10_000)
    startup_trials: int = Field(default=8, ge=1)
    trials_in_flight: int = Field(default=4, ge=1, le=4096)
    replicates: int = Field(default=2, ge=1, le=1000)
    fresh_seeds: int = Field(default=16, ge=2, le=1000)
    pruning: bool = True
    cell: CellTable
    electrode: ElectrodeTable
    objectives: ObjectiveTable = ObjectiveTable()
    constraints: ConstraintTable = ConstraintTable()
    search: SearchTable = SearchTable()
    fidelity: FidelityTable = FidelityTable()
    structure: StructureTable = StructureTable()
    frontier: FrontierTable = FrontierTable()
    cluster: ClusterTable | None = None

    @model_validator(mode="after")
    def _ends(self) -> StudyConfig:
        if self.hours is None and "trials" not in self.model_fields_set:
            raise ValueError("trials is missing; add it, or hours")
        return self

    @model_validator(mode="after")
    def _is_no_degenerate_search(self) -> StudyConfig:
        goals = self.objectives.maximize
        if self.constraints.is_empty and not self.objectives.has_counterweight:
            raise ValueError(
                "constraints must hold at least one constraint, got none; utilization alone is maximised by a useless "
                "electrode: add minimum_volumetric_capacity_mAh_cm3"
            )
        if set(goals) <= {"volumetric_capacity", "areal_capacity"}:
            raise ValueError(
                f"objectives.maximize must hold something that a discharge decides, got {', '.join(goals)}; add utilization "
                "or energy_density"
            )
        is_searched = not self.electrode.quantity(LOADING).is_fixed
        if is_searched != bool({"areal_capacity", "delivered_areal_capacity"} & set(goals)):
            raise ValueError(
                f"electrode.{LOADING} must be a range where an areal capacity is maximised and a number elsewhere; "
                "otherwise the thinnest electrode wins: change it or objectives.maximize"
            )
        return self

    @model_validator(mode="after")
    def _objectives_and_sampler_fit(self) -> StudyConfig:
        unknown = [rate for rate in self.objectives.rates if rate not in self.cell.c_rates]
        if unknown:
            raise ValueError(
                f"objectives.maximize names {unknown[0]:g}C, but cell.c_rate holds {list(self.cell.c_rates)}; add it there"
            )
        if self.search.sampler == "cmaes" and len(self.objectives.maximize) > 1:
            raise ValueError("search.sampler must not be cmaes with several objectives; choose nsga2 or tpe")
        return self

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
