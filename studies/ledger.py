"""The material ledger: grams of lithium, nickel, cobalt and manganese for each kilowatt-hour that is delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from solvers.materials import CRYSTAL_DENSITIES, FORMULA_MASSES, metal_concentrations
from studies.compare import interval_of, paired_difference
from studies.storage import STRUCTURED
from studies.summary import ABSENT, DESIGN_NAMES, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from solvers import CellParameters
    from studies.compare import Interval

BASELINE = "baseline"
"""The uniform design in the middle of all ranges: what one would make without a search."""


def material_ledger(
    packings: Mapping[str, Sequence[Mapping[str, Any]]], *, cell: CellParameters, control: str | None
) -> dict[str, Any]:
    """
    Count the metals in the active material against the energy that is delivered.

    Parameters
    ----------
    packings : mapping of str to sequence of mapping
        Numbers of every design on the same fresh packings, see `Evaluation.to_dict`: ``active_fraction`` and
        ``energy_density`` are used.
    cell : CellParameters
        The chemistry.
    control : str or None
        Name of the control among them.

    Returns
    -------
    dict
        ``designs``: for each design and metal, grams per delivered kilowatt-hour with a 95 % interval. ``saving``: what the
        structured design saves against ``control`` and ``baseline``, as a fraction with its interval (pairs); the same for
        all metals. ``note``: what it rests on, or why there is nothing.

    Notes
    -----
    All active material counts, the isolated part included; energy is the integral of the voltage against lithium over the
    charge at the primary rate. Lithium of the electrolyte and of the other electrode does not count.
    """
    metals = metal_concentrations(cell.name, maximum_concentration=cell.maximum_concentration)
    if metals is None:
        return _nothing(
            f"the composition of {cell.name} is not known (it was read from a file): no material ledger"
        )
    if not metals:
        return _nothing(
            f"{cell.name} holds none of Li, Ni, Co and Mn before it is charged: no material ledger"
        )
    if any(not packing["energy_density"] for each in packings.values() for packing in each):
        return _nothing("a design delivers nothing on some packing: no material ledger")
    # Volume of active material for each kWh, times 1000: contents in kg then give grams.
    needs = {
        name: [1e6 * packing["active_fraction"] / packing["energy_density"] for packing in each]
        for name, each in packings.items()
    }
    designs = {
        name: {
            metal: interval_of([content * need for need in each]).to_dict()
            for metal, content in metals.items()
        }
        for name, each in needs.items()
    }
    others = {"control": control, "baseline": BASELINE if BASELINE in needs else None}
    saving = {
        label: _saving(needs[STRUCTURED], needs[other]).to_dict() if other and STRUCTURED in needs else None
        for label, other in others.items()
    }
    return {"designs": designs, "saving": saving, "control": control, "note": _note(cell)}


def ledger_rows(ledger: Mapping[str, Any]) -> list[Row]:
    """
    Describe a ledger, one column for each design of `studies.summary.DESIGN_NAMES` and one for the baseline.

    Parameters
    ----------
    ledger : mapping
        See `material_ledger`.

    Returns
    -------
    list of Row
        Empty where there is no ledger.
    """
    columns = (*DESIGN_NAMES, BASELINE)
    metals = list(next(iter(ledger["designs"].values()), {}))
    rows = [
        Row(
            f"{metal} for a delivered kWh",
            "g",
            tuple(_grams(ledger["designs"].get(name), metal) for name in columns),
        )
        for metal in metals
    ]
    for label, saving in ledger["saving"].items():
        text = ABSENT
        if saving:
            mean, low, high = (
                f"{100 * saving[key]:+.1f}".replace("-", "−") for key in ("mean", "low", "high")
            )
            text = f"{mean} [{low}, {high}]"
        rows.append(Row(f"saved against the {label}", "%", (text, *[""] * (len(columns) - 1))))
    return rows if metals else []


def ledger_line(ledger: Mapping[str, Any]) -> str:
    """
    Say in one sentence what metal the best design needs and saves.

    Parameters
    ----------
    ledger : mapping
        See `material_ledger`.

    Returns
    -------
    str
        The sentence, or why there is no ledger.
    """
    best = ledger["designs"].get(STRUCTURED)
    if best is None:
        return f"{ledger['note'][0].upper()}{ledger['note'][1:]}."
    metals = ", ".join(f"{interval['mean']:.1f} g {metal}" for metal, interval in best.items())
    savings = [
        f"{100 * saving['mean']:+.1f} % [{100 * saving['low']:+.1f}, {100 * saving['high']:+.1f}] against the {label}"
        for label, saving in ledger["saving"].items()
        if saving
    ]
    return f"A delivered kWh takes {metals}; saved: {', '.join(savings) or 'not known'}.".replace("-", "−")


def _saving(ours: Sequence[float], theirs: Sequence[float]) -> Interval:
    """Relative saving, in pairs."""
    mean = sum(theirs) / len(theirs)
    return paired_difference([each / mean for each in theirs], [each / mean for each in ours])


def _note(cell: CellParameters) -> str:
    """Say what the numbers rest on, and how the set's lithium sites compare with the crystal."""
    implied = cell.maximum_concentration * FORMULA_MASSES[cell.name]
    return (
        f"Metals counted by the lithium sites of {cell.name} ({cell.maximum_concentration:g} mol m⁻³, which would weigh "
        f"{implied / 1000:.2f} g cm⁻³; the crystal weighs {CRYSTAL_DENSITIES[cell.name] / 1000:.2f}); energy against "
        "lithium at the primary rate. Baseline: the uniform design in the middle of all ranges, made without a search."
    )


def _nothing(note: str) -> dict[str, Any]:
    """Return a ledger without numbers."""
    return {"designs": {}, "saving": {}, "control": None, "note": note}


def _grams(design: Mapping[str, Any] | None, metal: str) -> str:
    """Write grams per kilowatt-hour with half the 95 % interval."""
    if design is None:
        return ABSENT
    return f"{design[metal]['mean']:.1f} ± {0.5 * (design[metal]['high'] - design[metal]['low']):.1f}"
