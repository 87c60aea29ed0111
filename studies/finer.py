"""The winners once more with finer voxels: what of the answer is the grid's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.compare import interval_of, paired_difference, verdict
from studies.storage import STRUCTURED
from studies.summary import ABSENT, DESIGN_NAMES, Row, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from studies.config import StudyConfig


FINER = 1.7
"""How much finer the voxels of the check are where the study does not say."""


def finer_config(config: StudyConfig) -> StudyConfig | None:
    """
    Return the study with the voxels of its final check.

    Parameters
    ----------
    config : StudyConfig
        The study.

    Returns
    -------
    StudyConfig or None
        None where the final voxels are no finer than those of the search.
    """
    coarse = config.structure.voxels_per_diameter
    ratio = (config.fidelity.final_voxels_per_diameter or FINER * coarse) / coarse
    if ratio <= 1:
        return None
    changes = {
        "voxels_per_diameter": ratio * coarse,
        "minimum_voxels": round(ratio * config.structure.minimum_voxels),
    }
    return config.model_copy(update={"structure": config.structure.model_copy(update=changes)})


def finer_summary(
    coarse: Mapping[str, Sequence[float]],
    fine: Mapping[str, Sequence[float]],
    *,
    control: str | None,
    voxels_per_diameter: float,
) -> dict[str, Any]:
    """
    Compare utilizations at two resolutions, on the same packing seeds.

    Parameters
    ----------
    coarse, fine : mapping of str to sequence of float
        Utilization of every design on every packing, at the resolution of the search and at the finer one.
    control : str or None
        Name of the control among them.
    voxels_per_diameter : float
        The finer resolution.

    Returns
    -------
    dict
        ``designs``: utilization at the finer resolution and its ``change`` from the coarser one, with 95 % intervals;
        ``difference`` between structured and control at the finer resolution, and ``verdict``.
    """
    difference = None
    if control and STRUCTURED in fine:
        difference = paired_difference(fine[STRUCTURED], fine[control])
    return {
        "voxels_per_diameter": voxels_per_diameter,
        "designs": {
            name: {
                "utilization": interval_of(values).to_dict(),
                "change": paired_difference(values, coarse[name]).to_dict(),
            }
            for name, values in fine.items()
        },
        "difference": difference.to_dict() if difference else None,
        "verdict": verdict(difference, control=DESIGN_NAMES[control]) if difference and control else None,
    }


def finer_rows(comparison: Mapping[str, Any]) -> list[Row]:
    """
    Describe the repetition with finer voxels.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`.

    Returns
    -------
    list of Row
        Utilization with its 95 % interval and what changed, in the order of `studies.summary.DESIGN_NAMES`; empty where
        there was no repetition.
    """
    finer = comparison.get("finer")
    if finer is None:
        return []
    label = f"utilization, {finer['voxels_per_diameter']:g} voxels per diameter"
    return [
        Row(text, unit, tuple(_interval(finer["designs"].get(name), key) for name in DESIGN_NAMES))
        for text, unit, key in ((label, "%", "utilization"), ("change by finer voxels", "points", "change"))
    ]


def _interval(design: Mapping[str, Any] | None, key: str) -> str:
    """Write a mean with half its interval in per cent or points."""
    if design is None:
        return ABSENT
    mean = percent(design[key]["mean"]).replace("-", "−")
    return f"{mean} ± {percent(0.5 * (design[key]['high'] - design[key]['low']))}"
