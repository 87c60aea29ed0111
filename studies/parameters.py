"""The parameters of a design: what a study may vary, in which units, within which limits, and what makes a design plain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.parameter import Parameter, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

LOADING = "areal_capacity_mAh_cm2"
"""The parameter that decides the thickness."""

LEAST_STRAIN = 0.005
"""Pressing by less is not pressing."""


def _has_channels(values: Mapping[str, Value]) -> bool:
    """Whether a design asks for channels."""
    return values["channel_pattern"] != "none"


def has_open_channels(values: Mapping[str, Value]) -> bool:
    """
    Say whether a design has channels that can be cut: no narrower than the particles.

    Parameters
    ----------
    values : mapping
        Pattern, width and particle diameter of the design.

    Returns
    -------
    bool
        Whether channels are made.
    """
    return _has_channels(values) and float(values["channel_width_um"]) >= float(
        values["particle_diameter_um"]
    )


def has_fines(values: Mapping[str, Value]) -> bool:
    """
    Say whether a design has a second population.

    Parameters
    ----------
    values : mapping
        Share of the fine particles of the design.

    Returns
    -------
    bool
        Whether there is one.
    """
    return float(values["fine_share"]) > 0


def is_pressed(values: Mapping[str, Value]) -> bool:
    """
    Say whether a design is calendered.

    Parameters
    ----------
    values : mapping
        Strain of the design.

    Returns
    -------
    bool
        Whether the film is pressed.
    """
    return float(values["calendering_strain"]) >= LEAST_STRAIN


GRADIENTS = ("porosity_gradient", "binder_gradient", "fine_share", "fine_share_gradient")
"""What decides whether a design varies through the thickness."""


def _is_graded(values: Mapping[str, Value]) -> bool:
    """Whether a design varies through the thickness."""
    porosity, binder, share, fines = (float(values[name]) for name in GRADIENTS)
    return bool(porosity or binder or (share and fines))


TABLE = (
    Parameter(
        name=LOADING,
        label="areal capacity, theoretical",
        meaning="theoretical loading; the thickness follows from it",
        hint="it is in mAh cm⁻²",
        low=1e-3,
        high=50,
        unit="mAh cm⁻²",
        decimals=2,
    ),
    Parameter(
        name="porosity",
        label="porosity",
        meaning="mean volume fraction of the pores between the particles",
        hint="it is a fraction, not per cent",
        low=0.05,
        high=0.9,
    ),
    Parameter(
        name="porosity_gradient",
        label="porosity gradient, front − back",
        meaning="porosity at the separator minus that at the collector",
        hint="it is a difference of two porosities",
        low=-0.8,
        high=0.8,
        default=0.0,
        plain=0.0,
    ),
    Parameter(
        name="particle_diameter_um",
        label="particle diameter, median",
        meaning="median diameter by volume, of the coarse population if there are two",
        hint="it is the median diameter in micrometres",
        low=0.1,
        high=100,
        unit="µm",
        decimals=2,
    ),
    Parameter(
        name="particle_spread",
        label="particle spread, geometric",
        meaning="geometric standard deviation of the diameters; 1 means equal spheres",
        hint="1 means equal spheres",
        low=1,
        high=3,
        default=1.0,
        decimals=2,
    ),
    Parameter(
        name="aspect_ratio",
        label="aspect ratio, < 1 platelets",
        meaning="length over width of the particles: below 1 platelets, above 1 needles",
        hint="below 1 platelets, above 1 needles",
        low=0.1,
        high=10,
        default=1.0,
        decimals=2,
    ),
    Parameter(
        name="alignment",
        label="alignment, 1 flat … −1 upright",
        meaning="how platelets and needles lie: 1 flat on the collector, 0 at random, −1 upright",
        hint="1 flat, 0 at random, −1 upright",
        low=-1,
        high=1,
        default=0.0,
        decimals=2,
        needs=("aspect_ratio",),
        matters=lambda values: values["aspect_ratio"] != 1,
    ),
    Parameter(
        name="fine_share",
        label="share of fine particles",
        meaning="share of the active material in a second, finer population; 0 for one population",
        hint="it is a share of the active material, not per cent",
        low=0,
        high=0.95,
        default=0.0,
    ),
    Parameter(
        name="fine_diameter_ratio",
        label="fine over coarse diameter",
        meaning="median diameter of the fine particles over that of the coarse ones",
        hint="the fine population is the smaller one",
        low=0.1,
        high=1,
        default=0.4,
        needs=("fine_share",),
        matters=has_fines,
    ),
    Parameter(
        name="fine_share_gradient",
        label="gradient of the fine share",
        meaning="1: fine particles gather near the separator as far as their share allows; −1: near the collector",
        hint="it is relative to the steepest gradient that fine_share allows",
        low=-1,
        high=1,
        default=0.0,
        plain=0.0,
        decimals=2,
        needs=("fine_share",),
        matters=has_fines,
    ),
    Parameter(
        name="binder_fraction",
        label="binder fraction",
        meaning="mean volume fraction of the carbon-binder domain",
        hint="it is a fraction, not per cent",
        low=0,
        high=0.5,
    ),
    Parameter(
        name="binder_gradient",
        label="binder gradient, front − back",
        meaning="binder fraction at the separator minus that at the collector",
        hint="it is a difference of two fractions",
        low=-0.5,
        high=0.5,
        default=0.0,
        plain=0.0,
    ),
    Parameter(
        name="binder_bridging",
        label="binder bridging, 0 film … 1 bridges",
        meaning="where the binder sits: 0 film over the particles, 1 bridges at their contacts",
        hint="0 is a film, 1 is bridges",
        low=0,
        high=1,
        default=0.5,
        decimals=2,
    ),
    Parameter(
        name="binder_morphology",
        label="binder morphology, 0 smooth … 1 fingers",
        meaning="how the binder grows: 0 smooth, 1 fingers that reach into the pores",
        hint="0 is smooth, 1 is fingers",
        low=0,
        high=1,
        default=0.0,
        decimals=2,
    ),
    Parameter(
        name="layers",
        label="coated layers, 0 continuous",
        meaning="0: gradients are continuous; n ≥ 2: n equally thick layers, in steps from the same front to the same back",
        hint="0 is continuous, 2 a bilayer",
        low=0,
        high=20,
        whole=True,
        default=0,
        decimals=0,
        needs=GRADIENTS,
        matters=_is_graded,
    ),
    Parameter(
        name="channel_pattern",
        label="channel pattern",
        meaning="laser-made channels, open to the separator: none, holes or lines",
        words=("none", "holes", "lines"),
        default="none",
        plain="none",
    ),
    Parameter(
        name="channel_width_um",
        label="channel width at the separator",
        meaning="width at the separator; a channel narrower than the median particle is left out",
        hint="it is in micrometres",
        low=0,
        high=5000,
        default=0.0,
        unit="µm",
        needs=("channel_pattern",),
        matters=_has_channels,
    ),
    Parameter(
        name="channel_pitch_um",
        label="channel pitch",
        meaning="distance between the axes of neighbouring channels",
        hint="it is in micrometres",
        low=1,
        high=5000,
        default=60.0,
        unit="µm",
        needs=("channel_pattern", "channel_width_um", "particle_diameter_um"),
        matters=has_open_channels,
    ),
    Parameter(
        name="channel_depth",
        label="channel depth, relative",
        meaning="depth over the thickness; 1 reaches the collector",
        hint="it is relative to the thickness",
        low=0.01,
        high=1,
        default=1.0,
        needs=("channel_pattern", "channel_width_um", "particle_diameter_um"),
        matters=has_open_channels,
    ),
    Parameter(
        name="channel_taper",
        label="channel taper, 0 straight … 1 pointed",
        meaning="width lost on the way down over the width at the top; 0 is straight",
        hint="0 is straight, 1 pointed",
        low=0,
        high=1,
        default=0.0,
        needs=("channel_pattern", "channel_width_um", "particle_diameter_um"),
        matters=has_open_channels,
    ),
    Parameter(
        name="calendering_strain",
        label="calendering, thickness lost",
        meaning="share of its thickness that the packed film loses in the press; 0: not calendered",
        hint="it is relative to the thickness before pressing",
        low=0,
        high=0.6,
        default=0.0,
    ),
    Parameter(
        name="calendering_rearrangement",
        label="rearrangement in the press",
        meaning="how far particles give way in the press: 0 none, 1 as without friction",
        hint="0 is none, 1 as without friction",
        low=0,
        high=1,
        default=0.1,
        decimals=2,
        needs=("calendering_strain",),
        matters=is_pressed,
    ),
    Parameter(
        name="separator_face",
        label="face at the separator",
        meaning="particles at the separator: cut (as by a plane) or wall (they lie against it)",
        words=("cut", "wall"),
        default="cut",
    ),
    Parameter(
        name="collector_face",
        label="face at the collector",
        meaning="particles at the collector: cut or wall",
        words=("cut", "wall"),
        default="cut",
    ),
)
"""All parameters. What decides whether another one matters comes before it."""

PARAMETERS = {parameter.name: parameter for parameter in TABLE}
"""The same, by name."""

PLAIN = {parameter.name: parameter.plain for parameter in TABLE if parameter.plain is not None}
"""Values that make a design uniform."""
