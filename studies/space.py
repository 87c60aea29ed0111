"""The space that a search walks through, and the designs in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from meso import Channels, ElectrodeDesign, Profile, SizeClass
from studies.summary import PLAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.trial import BaseTrial

    from studies.config import Range, StudyConfig

MICROMETRE = 1e-6
AMPERE_HOUR_M2_PER_MILLIAMPERE_HOUR_CM2 = 10.0
PARAMETERS = (
    "porosity",
    "porosity_gradient",
    "particle_diameter_um",
    "particle_spread",
    "binder_fraction",
    "binder_bridging",
    "channel_pitch_um",
    "channel_width_um",
    "channel_depth",
    "channel_taper",
)


@dataclass(frozen=True)
class DesignSpace:
    """
    Ranges of the design parameters at a fixed loading.

    Parameters
    ----------
    ranges : mapping of str to Range
        One range per name in `PARAMETERS`; a fixed one has equal ends.
    areal_capacity : float
        Theoretical areal capacity of every design [A.h.m-2].
    active_capacity : float
        Capacity of the active material between the cut-offs [A.h.m-3].
    channel_pattern : {'none', 'holes', 'lines'}, default 'none'
        What channels look like.

    Notes
    -----
    The porosity is ``porosity + porosity_gradient × (½ − x)`` with x the relative depth, 0 at the separator. The
    thickness follows from the loading and the volume fractions.
    """

    ranges: Mapping[str, Range]
    areal_capacity: float
    active_capacity: float
    channel_pattern: Literal["none", "holes", "lines"] = "none"

    @classmethod
    def of(cls, config: StudyConfig, *, active_capacity: float) -> DesignSpace:
        """
        Take the space of a configuration.

        Parameters
        ----------
        config : StudyConfig
            The study.
        active_capacity : float
            Capacity of the active material between the cut-offs [A.h.m-3].

        Returns
        -------
        DesignSpace
            Space of the structured search.
        """
        return cls(
            ranges={name: getattr(config.electrode, name) for name in PARAMETERS},
            areal_capacity=config.electrode.areal_capacity_mAh_cm2 * AMPERE_HOUR_M2_PER_MILLIAMPERE_HOUR_CM2,
            active_capacity=active_capacity,
            channel_pattern=config.electrode.channel_pattern,
        )

    @property
    def uniform(self) -> DesignSpace:
        """The same space without gradient and channels: what the control searches."""
        from studies.config import Range

        names = [name for name in PARAMETERS if name.startswith("channel")]
        fixed = {name: Range(low=self.ranges[name].low, high=self.ranges[name].low) for name in names}
        flat = {name: Range(low=value, high=value) for name, value in PLAIN.items()}
        return DesignSpace({**self.ranges, **fixed, **flat}, self.areal_capacity, self.active_capacity)

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the parameters that are not fixed."""
        return tuple(name for name in PARAMETERS if not self.ranges[name].is_fixed)

    def suggest(self, trial: BaseTrial) -> ElectrodeDesign:
        """
        Let a trial choose every parameter that is not fixed.

        Parameters
        ----------
        trial : optuna.trial.BaseTrial
            An Optuna trial: running, frozen or with fixed parameters.

        Returns
        -------
        ElectrodeDesign
            The design of this trial.

        Raises
        ------
        ValueError
            If the parameters leave no room for active material somewhere.
        """
        values = {
            name: trial.suggest_float(
                name, self.ranges[name].low, self.ranges[name].high, log=self.ranges[name].log
            )
            for name in self.searched
        }
        return self.design(values)

    def central(self) -> ElectrodeDesign:
        """
        Return the design in the middle of every range.

        Returns
        -------
        ElectrodeDesign
            The central design.
        """
        return self.design({name: self.ranges[name].middle for name in self.searched})

    def design(self, values: Mapping[str, float]) -> ElectrodeDesign:
        """
        Return the design with the given parameters.

        Parameters
        ----------
        values : mapping of str to float
            One value for each name in `searched`, in the units that the names state; others overrule what is fixed.

        Returns
        -------
        ElectrodeDesign
            The design, in SI units.

        Raises
        ------
        ValueError
            If a value is missing, or the parameters leave no room for active material somewhere.
        """
        missing = [name for name in self.searched if name not in values]
        if missing:
            raise ValueError(f"values must hold every searched parameter, got none for {', '.join(missing)}")
        value = {name: self.ranges[name].low for name in PARAMETERS} | dict(values)
        porosity, gradient = value["porosity"], value["porosity_gradient"]
        drilled = (
            value["channel_width_um"] >= value["particle_diameter_um"] and self.channel_pattern != "none"
        )
        return ElectrodeDesign.for_capacity(
            self.areal_capacity,
            self.active_capacity,
            porosity=Profile.linear(separator=porosity + gradient / 2, collector=porosity - gradient / 2)
            if gradient
            else porosity,
            binder_fraction=value["binder_fraction"],
            size_classes=(
                SizeClass(
                    diameter=value["particle_diameter_um"] * MICROMETRE, spread=value["particle_spread"]
                ),
            ),
            binder_bridging=value["binder_bridging"],
            channels=self._channels(value) if drilled else None,
        )

    def _channels(self, value: Mapping[str, float]) -> Channels:
        """Channels of a design, in SI units."""
        assert self.channel_pattern != "none"
        return Channels(
            pitch=value["channel_pitch_um"] * MICROMETRE,
            width=value["channel_width_um"] * MICROMETRE,
            depth=value["channel_depth"],
            taper=value["channel_taper"],
            pattern=self.channel_pattern,
        )
