"""The space that a search walks through, and the designs in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, cast

from meso import Calendering, Channels, ElectrodeDesign, Profile, SizeClass
from studies.parameters import LOADING, PLAIN, TABLE, has_fines, has_open_channels, is_pressed
from studies.ranges import fixed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from optuna.trial import BaseTrial

    from studies.config import StudyConfig
    from studies.parameter import Parameter, Value
    from studies.ranges import Choices, Range

MICROMETRE = 1e-6
AMPERE_HOUR_M2_PER_MILLIAMPERE_HOUR_CM2 = 10.0

STEP = 1e-6
"""Relative depth over which one layer passes into the next."""


@dataclass(frozen=True)
class DesignSpace:
    """
    What the parameters of a design may be.

    Parameters
    ----------
    ranges : mapping of str to Range or Choices
        One per name in `studies.parameters.PARAMETERS`; a fixed one has one value.
    active_capacity : float
        Capacity of the active material between the cut-offs [A.h.m-3].

    Notes
    -----
    The porosity is ``porosity + porosity_gradient × (½ − x)`` with x the relative depth, 0 at the separator, or its steps
    of equal thickness from the same front to the same back. The thickness follows from the loading and the volume
    fractions. A parameter that makes no difference in a design is not asked for.
    """

    ranges: Mapping[str, Range | Choices]
    active_capacity: float

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
            {parameter.name: config.electrode.quantity(parameter.name) for parameter in TABLE},
            active_capacity,
        )

    @property
    def uniform(self) -> DesignSpace:
        """The same space without gradients and channels: what the control searches."""
        plain = {name: fixed(value) for name, value in PLAIN.items()}
        return DesignSpace({**self.ranges, **plain}, self.active_capacity)

    @property
    def searched(self) -> tuple[str, ...]:
        """Names of the parameters that may be searched; some of them only in some designs."""
        open_ones = [parameter for parameter in TABLE if not self.ranges[parameter.name].is_fixed]
        return tuple(parameter.name for parameter in open_ones if self._may_matter(parameter))

    def suggest(self, trial: BaseTrial) -> ElectrodeDesign:
        """
        Let a trial choose every parameter that is not fixed and makes a difference.

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
        return _design(
            self._values(
                lambda parameter: self.ranges[parameter.name].suggest(
                    trial, parameter.name, whole=parameter.whole
                )
            ),
            active_capacity=self.active_capacity,
        )

    def central(self) -> ElectrodeDesign:
        """
        Return the design in the middle of every range.

        Returns
        -------
        ElectrodeDesign
            The central design.
        """
        return _design(
            self._values(lambda parameter: self.ranges[parameter.name].middle),
            active_capacity=self.active_capacity,
        )

    def design(self, values: Mapping[str, Value]) -> ElectrodeDesign:
        """
        Return the design with the given parameters.

        Parameters
        ----------
        values : mapping of str to float, int or str
            One value for each searched parameter that makes a difference, in the units that the names state; others
            overrule what is fixed.

        Returns
        -------
        ElectrodeDesign
            The design, in SI units.

        Raises
        ------
        ValueError
            If a value is missing, or the parameters leave no room for active material somewhere.
        """
        missing: list[str] = []

        def given(parameter: Parameter) -> Value:
            missing.append(parameter.name)
            return self.ranges[parameter.name].middle

        chosen = self._values(given, given=values)
        if missing:
            raise ValueError(f"values must hold every searched parameter, got none for {', '.join(missing)}")
        return _design(chosen, active_capacity=self.active_capacity)

    def _may_matter(self, parameter: Parameter) -> bool:
        """Whether a parameter makes a difference for some of the values of those that decide it."""
        ends = [self.ranges[name].values for name in parameter.needs]
        return any(
            parameter.matters(dict(zip(parameter.needs, each, strict=True))) for each in product(*ends)
        )

    def _values(
        self, choose: Callable[[Parameter], Value], *, given: Mapping[str, Value] | None = None
    ) -> dict[str, Value]:
        """Walk through all parameters: given, fixed, chosen, or, where it makes no difference, any value."""
        values: dict[str, Value] = {}
        for parameter in TABLE:
            quantity = self.ranges[parameter.name]
            if given is not None and parameter.name in given:
                values[parameter.name] = given[parameter.name]
            elif quantity.is_fixed or not parameter.matters(values):
                values[parameter.name] = quantity.values[0]
            else:
                values[parameter.name] = choose(parameter)
        return values


def _design(values: Mapping[str, Value], *, active_capacity: float) -> ElectrodeDesign:
    """Turn parameters into a design in SI units."""
    number = {name: float(value) for name, value in values.items() if not isinstance(value, str)}
    layers = int(number["layers"])
    faces = {name: cast("Any", values[name]) for name in ("separator_face", "collector_face")}
    return ElectrodeDesign.for_capacity(
        number[LOADING] * AMPERE_HOUR_M2_PER_MILLIAMPERE_HOUR_CM2,
        active_capacity,
        porosity=graded(number["porosity"], number["porosity_gradient"], layers=layers),
        binder_fraction=graded(number["binder_fraction"], number["binder_gradient"], layers=layers),
        size_classes=_populations(number, layers=layers),
        binder_bridging=number["binder_bridging"],
        binder_morphology=number["binder_morphology"],
        channels=_channels(values) if has_open_channels(values) else None,
        calendering=_calendering(number) if is_pressed(number) else None,
        **faces,
    )


def graded(mean: float, gradient: float, *, layers: int) -> float | Profile:
    """
    Return a quantity that changes from the separator to the collector.

    Parameters
    ----------
    mean : float
        Mean over the thickness.
    gradient : float
        Value at the separator minus that at the collector.
    layers : int
        0 for a straight line, n ≥ 2 for as many equally thick layers in equal steps.

    Returns
    -------
    float or Profile
        The number, where nothing changes.

    Examples
    --------
    >>> bilayer = graded(0.3, 0.1, layers=2)
    >>> bilayer([0.2, 0.8]).round(6).tolist(), round(bilayer.mean(), 12)
    ([0.35, 0.25], 0.3)
    """
    if not gradient:
        return mean
    front, back = mean + gradient / 2, mean - gradient / 2
    if not layers:
        return Profile.linear(separator=front, collector=back)
    levels = [front + (back - front) * layer / (layers - 1) for layer in range(layers)]
    edges = [layer / layers for layer in range(1, layers)]
    steps = [place for edge in edges for place in (edge - STEP / 2, edge + STEP / 2)]
    return Profile((0.0, *steps, 1.0), tuple(level for level in levels for _ in range(2)))


def _populations(number: Mapping[str, float], *, layers: int) -> tuple[SizeClass, ...]:
    """Return one or two populations of particles."""
    coarse: dict[str, Any] = {
        "diameter": number["particle_diameter_um"] * MICROMETRE,
        "spread": number["particle_spread"],
        "aspect_ratio": number["aspect_ratio"],
        "alignment": number["alignment"],
    }
    if not has_fines(number):
        return (SizeClass(**coarse),)
    share = number["fine_share"]
    steepest = 2 * min(share, 1 - share)
    gradient = number["fine_share_gradient"] * steepest
    fine = SizeClass(
        diameter=coarse["diameter"] * number["fine_diameter_ratio"],
        spread=coarse["spread"],
        share=graded(share, gradient, layers=layers),
    )
    return SizeClass(**coarse, share=graded(1 - share, -gradient, layers=layers)), fine


def _channels(values: Mapping[str, Value]) -> Channels:
    """Channels of a design, in SI units."""
    return Channels(
        pitch=float(values["channel_pitch_um"]) * MICROMETRE,
        width=float(values["channel_width_um"]) * MICROMETRE,
        depth=float(values["channel_depth"]),
        taper=float(values["channel_taper"]),
        pattern=cast("Any", values["channel_pattern"]),
    )


def _calendering(number: Mapping[str, float]) -> Calendering:
    """Find the porosity before pressing: the solids stay, the film loses a share of its thickness."""
    initial = 1 - (1 - number["calendering_strain"]) * (1 - number["porosity"])
    return Calendering(initial_porosity=initial, rearrangement=number["calendering_rearrangement"])
