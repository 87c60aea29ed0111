"""Which of the searched parameters decide: Optuna's PED-ANOVA, for each search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.parameters import PARAMETERS
from studies.ranges import Choices
from studies.storage import ARMS
from studies.summary import DESIGN_NAMES, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.distributions import BaseDistribution

    from studies.objectives import ObjectiveTable
    from studies.ranges import Range
    from studies.space import DesignSpace
    from studies.trials import TrialRecord

FEWEST = 20
"""Feasible trials below which shares would be noise."""


def importance_of(
    records: Sequence[TrialRecord], *, spaces: Mapping[str, DesignSpace], objectives: ObjectiveTable
) -> dict[str, dict[str, float] | None]:
    """
    Say how much each searched parameter decides about the first objective.

    Parameters
    ----------
    records : sequence of TrialRecord
        Trials of both searches.
    spaces : mapping of str to DesignSpace
        What each search varied.
    objectives : ObjectiveTable
        What is maximised.

    Returns
    -------
    dict
        For each search, shares that add up to 1, the largest first; None with fewer than 20 feasible trials.

    Notes
    -----
    Watanabe, Bansal and Hutter, IJCAI 2023: how far the best tenth of the trials differs from all of them in the
    distribution of one parameter. Feasible trials only, since those that violate a constraint may look best. Parameters that
    matter in some designs only are left out.
    """
    return {
        arm: _shares(
            [r for r in records if r.arm == arm and r.is_feasible], space=spaces[arm], objectives=objectives
        )
        for arm in ARMS
    }


def importance_rows(importance: Mapping[str, Mapping[str, float] | None]) -> list[Row]:
    """
    Describe importances, one column for each search.

    Parameters
    ----------
    importance : mapping
        See `importance_of`.

    Returns
    -------
    list of Row
        One for each parameter, in per cent; empty where there is nothing to show. The first row names the columns.
    """
    known = {arm: shares for arm, shares in importance.items() if shares}
    names = list(dict.fromkeys(name for shares in known.values() for name in shares))
    rows = [
        Row(
            PARAMETERS[name].label,
            "%",
            tuple(
                f"{100 * shares[name]:.0f}" if name in shares else "not searched" for shares in known.values()
            ),
        )
        for name in names
    ]
    return [Row("search", "", tuple(DESIGN_NAMES[arm] for arm in known)), *rows] if rows else []


def _shares(
    records: Sequence[TrialRecord], *, space: DesignSpace, objectives: ObjectiveTable
) -> dict[str, float] | None:
    """Evaluate one search."""
    if len(records) < FEWEST:
        return None
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import create_trial

    common = [name for name in space.searched if all(name in record.parameters for record in records)]
    if not common:
        return None
    study = optuna.create_study(direction="maximize")
    distributions = {name: _distribution(space.ranges[name], whole=PARAMETERS[name].whole) for name in common}
    study.add_trials(
        [
            create_trial(
                params={name: record.parameters[name] for name in common},
                distributions=distributions,
                value=objectives.values(record.evaluations)[0],
            )
            for record in records
        ]
    )
    shares: dict[str, Any] = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return {name: float(share) for name, share in shares.items()}


def _distribution(quantity: Range | Choices, *, whole: bool) -> BaseDistribution:
    """Return what Optuna calls the range."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(quantity, Choices):
        return CategoricalDistribution(quantity.choices)
    if whole:
        return IntDistribution(int(quantity.low), int(quantity.high), log=quantity.log)
    return FloatDistribution(quantity.low, quantity.high, log=quantity.log)
