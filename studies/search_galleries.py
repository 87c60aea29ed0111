"""What the report draws of a search: its trials, its fronts, its parameters, its ladder of models."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from studies import finding_figures, search_figures
from studies.figures import COLOURS
from studies.galleries import Gallery, Panel
from studies.ladder import CEILING, pairs_of, rung_document
from studies.objectives import pareto_of, value_of
from studies.search_figures import scale_of
from studies.standing import EMPIRICAL
from studies.storage import ARMS
from studies.summary import PARAMETER_NAMES, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from studies.config import StudyConfig
    from studies.objectives import ObjectiveTable
    from studies.trials import TrialRecord

RUNGS = {CEILING: "Analytic ceiling", EMPIRICAL: "Empirical model"}


def search_galleries(records: Sequence[TrialRecord], objectives: ObjectiveTable) -> dict[str, Gallery]:
    """
    Show how the search went.

    Parameters
    ----------
    records : sequence of TrialRecord
        Trials of all searches.
    objectives : ObjectiveTable
        What they maximised.

    Returns
    -------
    dict of str to Gallery
        ``history``, with Pareto fronts where there are several objectives, and ``parameters``: utilization over each
        searched one; empty without a complete trial.
    """
    complete = [record for record in records if record.is_complete]
    if not complete:
        return {}
    names = [name for name in PARAMETER_NAMES if any(name in record.parameters for record in complete)]
    legend = {arm: COLOURS[arm] for arm in ARMS}
    best = max(record.utilization for record in complete)
    history = Panel(
        name="history",
        title="Utilization of every trial",
        label=f"{len(complete)} trials in the order of the search; the largest utilization is {percent(best)} %.",
        draw=partial(search_figures.draw_history, records),
    )
    fronts = [_front(complete, objectives, other) for other in objectives.maximize[1:]]
    return {
        "history": Gallery(
            panels=[history, *fronts],
            caption="Lines: best feasible design so far"
            + (", and the designs that no other one beats in both objectives" if fronts else "")
            + ". Open markers violate a constraint.",
            legend=legend,
        ),
        "parameters": Gallery(
            panels=[
                Panel(
                    name=f"parameter_{name}",
                    title=PARAMETER_NAMES[name].split(",")[0].capitalize(),
                    label=f"Utilization over {PARAMETER_NAMES[name]}.",
                    draw=partial(search_figures.draw_parameter, records, name),
                    height=2.4,
                )
                for name in names
            ],
            caption="One point per trial; open markers violate a constraint.",
            legend=legend,
        ),
    }


def importance_gallery(importance: Mapping[str, Mapping[str, float] | None]) -> Gallery | None:
    """
    Show which parameters decide.

    Parameters
    ----------
    importance : mapping of str to mapping or None
        For each search, the share of each parameter; None where there were too few trials.

    Returns
    -------
    Gallery or None
        None where there is nothing to show.
    """
    known = {
        arm: {PARAMETER_NAMES[name].split(",")[0]: share for name, share in shares.items()}
        for arm, shares in importance.items()
        if shares
    }
    if not known:
        return None
    texts = [
        f"{arm}: " + ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
        for arm, shares in known.items()
    ]
    panel = Panel(
        name="importance",
        title="Which parameters decide",
        label=f"Importance of the parameters. {'; '.join(texts)}.",
        draw=partial(finding_figures.draw_importance, known),
        height=0.9 + 0.4 * max(len(shares) for shares in known.values()),
    )
    return Gallery(
        panels=[panel],
        caption="How far the best tenth of the feasible trials differs from all of them in each parameter (PED-ANOVA); the "
        "shares of a search add up to 100 %.",
        legend={arm: COLOURS[arm] for arm in known},
    )


def ladder_gallery(records: Sequence[TrialRecord], config: StudyConfig) -> Gallery | None:
    """
    Show how well cheaper models rank the designs.

    Parameters
    ----------
    records : sequence of TrialRecord
        Trials of all searches.
    config : StudyConfig
        The study.

    Returns
    -------
    Gallery or None
        One panel for each rung of the ladder that has estimates; None without any.
    """
    document = rung_document(records, config)
    factor, unit = scale_of(config.objectives.maximize[0])
    panels = []
    for rung, title in RUNGS.items():
        correlation = document[rung]["rank_correlation"]
        if not document[rung]["trials"]:
            continue
        rank = "rank correlation not known" if correlation is None else f"rank correlation {correlation:.2f}"
        panels.append(
            Panel(
                name=f"rung_{rung}",
                title=f"{title}: {rank}",
                label=f"{title} against voxels, {document[rung]['trials']} trials, {rank}.",
                draw=partial(
                    search_figures.draw_rung,
                    factor * pairs_of(records, rung, config.objectives),
                    labels=(f"{title.lower()} [{unit}]", f"voxels [{unit}]"),
                ),
            )
        )
    if not panels:
        return None
    use = "is used to reject designs" if document["empirical_is_used"] else "is not used"
    return Gallery(
        panels=panels,
        caption=f"Cheaper models against voxels, one point per trial; on the line they agree. The empirical model {use}; "
        f"{document['rejected']} designs were rejected without making a structure.",
    )


def _front(records: Sequence[TrialRecord], objectives: ObjectiveTable, other: str) -> Panel:
    """Draw the first objective and another one of every trial."""
    first = objectives.maximize[0]
    points, sizes = {}, []
    for arm in ARMS:
        trials = [record for record in records if record.arm == arm]
        front = {record.number for record in pareto_of(trials, objectives)}
        values = [
            tuple(scale_of(name)[0] * value_of(name, record.evaluations) for name in (other, first))
            for record in trials
        ]
        feasible = [record.is_feasible for record in trials]
        points[arm] = (values, feasible, [record.number in front for record in trials])
        sizes.append(f"{len(front)} designs of the {arm} search")
    x, y = (f"{name.replace('_', ' ')} [{scale_of(name)[1]}]" for name in (other, first))
    return Panel(
        name=f"front_{objectives.maximize.index(other)}",
        title="Pareto front",
        label=f"{y} over {x} of every trial. On the Pareto front: {' and '.join(sizes)}.",
        draw=partial(search_figures.draw_front, points, labels=(x, y)),
    )
