"""Why the winner wins, on one page: its loss budget beside the control's, in words that follow from the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.compare import Interval, paired_difference
from studies.parameters import PARAMETERS
from studies.storage import STRUCTURED
from studies.summary import DESIGN_NAMES, LOSS_NAMES, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROPERTIES = (
    ("tortuosity_factor", "tortuosity factor", 1.0, 2, ""),
    ("thickness", "thickness", 1e6, 1, " µm"),
    ("specific_surface_area", "specific surface", 1e-6, 2, " m² cm⁻³"),
    ("electronic_conductivity", "electronic conductivity", 1.0, 2, " S m⁻¹"),
)


def explanation_of(comparison: Mapping[str, Any]) -> dict[str, Any] | None:
    """
    Explain the difference between the best structured design and the control.

    Parameters
    ----------
    comparison : mapping
        See `studies.winners.compare_winners`; ``importance`` is used where it is there.

    Returns
    -------
    dict or None
        ``sentences`` in order, ``shares``: for every loss the mean of both designs and the paired difference, structured
        minus control, with its 95 % interval. None where there is nothing to compare.
    """
    control = comparison["control"]
    best, other = comparison["designs"][STRUCTURED], comparison["designs"].get(control)
    if not comparison["difference"] or best is None or other is None:
        return None
    shares = {
        name: {
            "structured": best["statistics"][name]["mean"],
            "control": other["statistics"][name]["mean"],
            "difference": _paired(best, other, name).to_dict(),
        }
        for name in LOSS_NAMES
    }
    sentences = [
        comparison["verdict"],
        _unused(best, other, control=DESIGN_NAMES[control]),
        *_loss_sentences(shares),
        *_property_sentences(best, other),
        *_importance_sentences(comparison.get("importance")),
        *_finer_sentences(comparison.get("finer")),
    ]
    return {"sentences": sentences, "shares": shares, "control": control}


def explanation_rows(explanation: Mapping[str, Any]) -> list[Row]:
    """
    Put both loss budgets side by side: structured, control, difference.

    Parameters
    ----------
    explanation : mapping
        See `explanation_of`.

    Returns
    -------
    list of Row
        One for each loss, in per cent of the theoretical capacity and in points.
    """
    head = Row("lost to", "", (DESIGN_NAMES[STRUCTURED], DESIGN_NAMES[explanation["control"]], "difference"))
    return [
        head,
        *(
            Row(
                LOSS_NAMES[name],
                "%",
                (
                    _number(100 * share["structured"]),
                    _number(100 * share["control"]),
                    "{} [{}, {}]".format(
                        *(
                            _number(100 * share["difference"][key], signed=True)
                            for key in ("mean", "low", "high")
                        )
                    ),
                ),
            )
            for name, share in explanation["shares"].items()
        ),
    ]


def _unused(best: Mapping[str, Any], other: Mapping[str, Any], *, control: str) -> str:
    """Say how much of both stays unused, and what limits them."""
    left = [_number(100 * (1 - each["statistics"]["utilization"]["mean"])) for each in (best, other)]
    limits = [LOSS_NAMES[each["limiting"]] for each in (best, other)]
    same = (
        f"both lose most to {limits[0]}"
        if limits[0] == limits[1]
        else f"the first to {limits[0]}, the second to {limits[1]}"
    )
    return f"The structured design leaves {left[0]} % of its capacity unused, the control ({control}) {left[1]} %; {same}."


def _loss_sentences(shares: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say which losses differ beyond the uncertainty, those that favour the structured design first."""
    clear = {name: share for name, share in shares.items() if Interval(**share["difference"]).excludes_zero}
    if not clear:
        return ["No single loss differs beyond the uncertainty of the packings."]
    ordered = sorted(clear, key=lambda name: clear[name]["difference"]["mean"])
    return [_loss_sentence(LOSS_NAMES[name], clear[name]) for name in ordered]


def _loss_sentence(label: str, share: Mapping[str, Any]) -> str:
    """Say by how much one loss differs."""
    difference = share["difference"]
    low, high = sorted((abs(difference["low"]), abs(difference["high"])))
    word = "less" if difference["mean"] < 0 else "more"
    return (
        f"To {label} it loses {_number(100 * abs(difference['mean']))} points {word} than the control "
        f"[{_number(100 * low)}, {_number(100 * high)}]: {_number(100 * share['structured'])} instead of "
        f"{_number(100 * share['control'])} %."
    )


def _property_sentences(best: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Say which measured properties differ beyond the uncertainty."""
    parts = []
    for name, label, factor, decimals, unit in _PROPERTIES:
        both = [each["statistics"].get(name) for each in (best, other)]
        if None in both or not _paired(best, other, name).excludes_zero:
            continue
        ours, theirs = (f"{factor * each['mean']:.{decimals}f}" for each in both if each)
        if ours != theirs:
            parts.append(f"{label} {ours}{unit} (control {theirs})")
    return [f"What was measured on the structures: {', '.join(parts)}."] if parts else []


def _importance_sentences(importance: Mapping[str, Mapping[str, float] | None] | None) -> list[str]:
    """Name the parameters that decide."""
    shares = (importance or {}).get(STRUCTURED)
    if not shares:
        return []
    first = [f"{PARAMETERS[name].label} ({100 * share:.0f} %)" for name, share in list(shares.items())[:3]]
    return [
        f"Of the searched parameters these decide most among feasible structured designs: {'; '.join(first)}."
    ]


def _finer_sentences(finer: Mapping[str, Any] | None) -> list[str]:
    """Say whether finer voxels change the answer."""
    if not finer or not finer["difference"]:
        return []
    mean, low, high = (
        _number(100 * finer["difference"][key], signed=True) for key in ("mean", "low", "high")
    )
    voxels = f"With {finer['voxels_per_diameter']:g} voxels per particle diameter"
    return [f"{voxels} the difference is {mean} points [{low}, {high}]."]


def _paired(best: Mapping[str, Any], other: Mapping[str, Any], name: str) -> Interval:
    """Structured minus control in pairs; unbounded where a packing has no finite number."""
    values: list[Sequence[float | None]] = [[p[name] for p in each["packings"]] for each in (best, other)]
    if any(value is None for each in values for value in each):
        return Interval(mean=0.0, low=float("-inf"), high=float("inf"))
    ours, theirs = ([float(value) for value in each if value is not None] for each in values)
    return paired_difference(ours, theirs)


def _number(value: float, *, signed: bool = False) -> str:
    """Write two decimals with a typographic minus."""
    return f"{round(value, 2) + 0.0:{'+' if signed else ''}.2f}".replace("-", "−")
