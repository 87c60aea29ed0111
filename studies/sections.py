"""Sections of the report that only some study folders have: each returns None where there is nothing to show."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from studies import finding_figures
from studies.figures import COLOURS, MILLIAMPERE_HOUR_PER_SQUARE_CENTIMETRE
from studies.finding_figures import CONTROL
from studies.frontier_table import half_width
from studies.galleries import Gallery, Panel
from studies.storage import STRUCTURED, UNIFORM
from studies.summary import ABSENT, DESIGN_NAMES, Row, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from studies.storage import StudyFolder


@dataclass(frozen=True, kw_only=True)
class Section:
    """
    A part of the report with its own heading.

    Parameters
    ----------
    anchor : str
        Where links lead; also the name of its gallery.
    link : str
        What the navigation calls it.
    title : str
        Heading.
    sentences : sequence of str
        The answer, before anything else.
    gallery : Gallery or None
        Figures.
    head : sequence of str
        Titles of the columns of values.
    rows : sequence of Row
        The table; none where empty.
    note : str
        What it rests on.
    """

    anchor: str
    link: str
    title: str
    sentences: Sequence[str] = ()
    gallery: Gallery | None = None
    head: Sequence[str] = ()
    rows: Sequence[Row] = ()
    note: str = ""


def sections_of(study: StudyFolder, comparison: Mapping[str, Any] | None) -> list[Section]:
    """
    Collect what a folder holds beyond search and comparison.

    Parameters
    ----------
    study : StudyFolder
        The folder; ``frontier.json`` and ``tolerance.json`` are read where they are there.
    comparison : mapping or None
        See `studies.winners.compare_winners`.

    Returns
    -------
    list of Section
        In the order of the page.
    """
    frontier, tolerance = (_read(study, name) for name in ("frontier.json", "tolerance.json"))
    ledger = comparison.get("ledger") if comparison else None
    return [
        *([frontier_section(frontier)] if frontier and frontier["rates"] else []),
        *([tolerance_section(tolerance)] if tolerance else []),
        *([ledger_section(ledger)] if ledger and ledger["designs"] else []),
    ]


def _read(study: StudyFolder, name: str) -> dict[str, Any] | None:
    """Read a document of the folder."""
    file = study.path / name
    if not file.is_file():
        return None
    document: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return document


def frontier_answer(document: Mapping[str, Any]) -> str:
    """
    Say how much can be carried at each rate.

    Parameters
    ----------
    document : mapping
        What ``frontier.json`` holds.

    Returns
    -------
    str
        One sentence with the loading of the best structured design, or of the control where there is none.
    """
    parts = []
    for rate in document["rates"]:
        design = rate["designs"].get(STRUCTURED) or rate["designs"].get(rate["control"])
        parts.append(f"{_loading(design, rate)}{' mAh cm⁻²' if design else ''} at {rate['rate']}")
    return f"{100 * document['target']:g} % of the active material works up to {', '.join(parts)}."


def frontier_section(document: Mapping[str, Any]) -> Section:
    """
    Show the largest loading at which the demanded utilization is attained.

    Parameters
    ----------
    document : mapping
        What ``frontier.json`` holds.

    Returns
    -------
    Section
        Verdict of each rate, loading and gain over the rate, loadings as a table.
    """
    rates = document["rates"]
    target = f"{100 * document['target']:g} %"
    loadings = {
        name: tuple(_loading(rate["designs"].get(name), rate) for rate in rates) for name in DESIGN_NAMES
    }
    ceilings = tuple(_plain_loading(rate["ceiling"]["areal_capacity"]) for rate in rates)
    return Section(
        anchor="frontier",
        link="Frontier",
        title=f"Where {target} of the active material works",
        sentences=[frontier_answer(document), *(f"{rate['rate']}: {rate['verdict']}" for rate in rates)],
        gallery=_frontier_gallery(document, loadings),
        head=[rate["rate"] for rate in rates],
        rows=[
            Row("analytic ceiling, straight pores", "mAh cm⁻²", ceilings),
            *(Row(DESIGN_NAMES[name], "mAh cm⁻²", values) for name, values in loadings.items()),
        ],
        note=f"{document['chemistry']}; {', '.join(document['counterweights'])}; {document['trials_per_search']} trials for each "
        f"search, {document['fresh_seeds']} fresh packings.",
    )


def _frontier_gallery(document: Mapping[str, Any], loadings: Mapping[str, Sequence[str]]) -> Gallery:
    """Draw loadings and gain over the rate."""
    rates, target = document["rates"], f"{100 * document['target']:g} %"
    words = "; ".join(
        f"{rate['rate']}: structured {best}, uniform {plain}"
        for rate, best, plain in zip(rates, loadings[STRUCTURED], loadings[UNIFORM], strict=True)
    )
    return Gallery(
        panels=[
            Panel(
                name="frontier",
                title=f"Largest loading at {target} utilization",
                label=f"Areal capacity over discharge rate in mAh cm⁻². {words}.",
                draw=partial(finding_figures.draw_frontier, document),
            ),
            Panel(
                name="frontier_gain",
                title="What structure buys",
                label="Gain in loading of the structured design over the control, over the discharge rate.",
                draw=partial(finding_figures.draw_gain, document),
            ),
        ],
        caption="With 95 % intervals over fresh packings. Grey: analytic ceilings for straight (dashed) and isotropic (dotted) "
        "pores. A cross at the bottom: none found.",
        legend={"best structured": COLOURS[STRUCTURED], CONTROL: COLOURS[UNIFORM]},
    )


def _loading(design: Mapping[str, Any] | None, rate: Mapping[str, Any]) -> str:
    """Write the loading of a design with half its interval; where there is none, whether closed forms say so."""
    if not design:
        return "none found" if rate["ceiling"]["areal_capacity"] else "not attainable"
    found = design["statistics"]["areal_capacity"]
    width = MILLIAMPERE_HOUR_PER_SQUARE_CENTIMETRE * (found["high"] - found["low"])
    return f"{_plain_loading(found['mean'])} ± {half_width(width)}"


def _plain_loading(value: float) -> str:
    """Write a loading."""
    return f"{MILLIAMPERE_HOUR_PER_SQUARE_CENTIMETRE * value:.2f}" if value else "not attainable"


def tolerance_section(document: Mapping[str, Any]) -> Section:
    """
    Show how utilization moves when an electrode comes out other than designed.

    Parameters
    ----------
    document : mapping
        What ``tolerance.json`` holds.

    Returns
    -------
    Section
        A tornado, and the mean and spread over all variations.
    """
    designs = document["designs"]
    changes = {name: each["changes"] for name, each in designs.items()}
    labels = {name: name.replace("_", " ") for each in changes.values() for name in each}
    worst = [
        (each["mean"], labels[key], DESIGN_NAMES[name])
        for name, those in changes.items()
        for key, each in those.items()
        if each
    ]
    sentences = []
    if worst:
        loss, variation, design = min(worst)
        sentences = [f"What costs most: {variation}, {_points(loss)} points for the {design} design."]
    names = list(next(iter(changes.values())))
    gallery = Gallery(
        panels=[
            Panel(
                name="tolerance",
                title="Change of utilization",
                label=f"Tornado of {len(names)} variations of raw material and process. {' '.join(sentences)}",
                draw=partial(finding_figures.draw_tornado, changes, labels=labels),
                height=0.9 + 0.42 * len(names),
            )
        ],
        caption=f"Against the electrode as designed, in pairs of {document['packings']} fresh packings; lines: 95 % intervals.",
        legend={DESIGN_NAMES[name]: COLOURS[name] for name in changes},
    )
    return Section(
        anchor="tolerance",
        link="What if",
        title="What if it comes out other than designed",
        sentences=sentences,
        gallery=gallery,
        head=[DESIGN_NAMES[name] for name in designs],
        rows=[
            Row("as designed", "%", tuple(_percent(each["as_designed"]) for each in designs.values())),
            Row("mean over all variations", "%", tuple(percent(each["mean"]) for each in designs.values())),
            Row("standard deviation", "points", tuple(percent(each["spread"]) for each in designs.values())),
        ],
    )


def ledger_section(ledger: Mapping[str, Any]) -> Section:
    """
    Show the metals that a delivered kilowatt-hour takes.

    Parameters
    ----------
    ledger : mapping
        The material ledger of a comparison, with designs.

    Returns
    -------
    Section
        A table of grams, and what the best design saves.
    """
    designs = ledger["designs"]
    names = {**DESIGN_NAMES, "baseline": "baseline"}
    shown = [name for name in names if name in designs]
    savings = [
        f"{_signed(saving['mean'])} % [{_signed(saving['low'])}, {_signed(saving['high'])}] against the {label}"
        for label, saving in ledger["saving"].items()
        if saving
    ]
    metals = list(next(iter(designs.values())))
    return Section(
        anchor="ledger",
        link="Materials",
        title="What a delivered kilowatt-hour takes",
        sentences=[f"The best structured design saves {' and '.join(savings)}."] if savings else [],
        head=[names[name] for name in shown],
        rows=[
            Row(metal, "g kWh⁻¹", tuple(_grams(designs[name][metal]) for name in shown)) for metal in metals
        ],
        note=ledger["note"],
    )


def _percent(interval: Mapping[str, float] | None) -> str:
    """Write a share with half its interval."""
    if interval is None:
        return ABSENT
    return f"{percent(interval['mean'])} ± {percent(0.5 * (interval['high'] - interval['low']))}"


def _points(value: float) -> str:
    """Write a difference in points."""
    return f"{100 * value:+.2f}".replace("-", "−")


def _signed(value: float) -> str:
    """Write a relative change in per cent."""
    return f"{100 * value:+.1f}".replace("-", "−")


def _grams(interval: Mapping[str, float]) -> str:
    """Write grams with half the interval."""
    return f"{interval['mean']:.1f} ± {0.5 * (interval['high'] - interval['low']):.1f}"
