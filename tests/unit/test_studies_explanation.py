"""Words follow from numbers: what decides, and why the winner wins."""

import numpy as np
import pytest

from solvers import CellParameters
from studies.config import StudyConfig
from studies.explanation import explanation_of, explanation_rows
from studies.importance import importance_of, importance_rows
from studies.space import DesignSpace
from studies.trials import TrialRecord

CONFIG = StudyConfig.from_toml("quickstart")


def records(count):
    """Utilization that falls with the particle diameter only; every other parameter is noise."""
    space = DesignSpace.of(CONFIG, active_capacity=CellParameters.named("nmc811-chen2020").active_capacity)
    spaces = {"structured": space, "uniform": space.uniform}
    rng = np.random.default_rng(8117)
    made = []
    for arm, each in spaces.items():
        for number in range(count):
            parameters = {
                name: float(rng.uniform(each.ranges[name].low, each.ranges[name].high))
                for name in each.searched
            }
            utilization = 0.95 - 0.02 * parameters["particle_diameter_um"]
            made.append(
                TrialRecord(
                    arm=arm,
                    number=number,
                    state="complete",
                    parameters=parameters,
                    constraints={},
                    evaluations=[{"utilization": utilization}],
                    failure="",
                    estimates={},
                )
            )
    return made, spaces


def test_the_only_parameter_that_decides_gets_nearly_all_of_the_share():
    made, spaces = records(120)
    importance = importance_of(made, spaces=spaces, objectives=CONFIG.objectives)
    for arm in spaces:
        first, share = next(iter(importance[arm].items()))
        assert first == "particle_diameter_um"
        assert share > 0.7
        assert sum(importance[arm].values()) == pytest.approx(1.0)
    assert "porosity_gradient" not in importance["uniform"]
    assert importance_rows(importance)[0].values == ("best structured", "best uniform")


def test_few_trials_say_nothing():
    made, spaces = records(10)
    assert importance_of(made, spaces=spaces, objectives=CONFIG.objectives) == dict.fromkeys(spaces)
    assert importance_rows(dict.fromkeys(spaces)) == []


def design(electrolyte, solid, **more):
    packings = [
        {
            "isolated": 0.0,
            "solid_diffusion": solid,
            "electrolyte": loss,
            "ohmic_kinetic": 0.01,
            "tortuosity_factor": more.get("tortuosity", 2.0) + 0.01 * place,
        }
        for place, loss in enumerate(electrolyte)
    ]
    statistics = {name: {"mean": float(np.mean([p[name] for p in packings]))} for name in packings[0]}
    lost = sum(
        statistics[name]["mean"] for name in ("isolated", "solid_diffusion", "electrolyte", "ohmic_kinetic")
    )
    statistics["utilization"] = {"mean": 1 - lost}
    return {"statistics": statistics, "packings": packings, "limiting": "electrolyte"}


def test_the_explanation_names_what_is_lost_less_and_what_more():
    comparison = {
        "designs": {
            "structured": design([0.030, 0.032, 0.031], 0.025, tortuosity=1.8),
            "uniform": design([0.050, 0.052, 0.051], 0.020),
        },
        "control": "uniform",
        "difference": {"mean": 0.015, "low": 0.014, "high": 0.016},
        "verdict": "The structured electrode beats the control.",
    }
    explanation = explanation_of(comparison)
    text = " ".join(explanation["sentences"])
    assert "To electrolyte transport it loses 2.00 points less than the control" in text
    assert "3.10 instead of 5.10 %" in text
    assert "To solid diffusion it loses 0.50 points more" in text
    assert "ohmic" not in text
    assert "tortuosity factor 1.81 (control 2.01)" in text
    assert explanation_rows(explanation)[3].values[2] == "−2.00 [−2.00, −2.00]"


def test_no_difference_is_a_result():
    noisy = [0.03, 0.05, 0.04], [0.05, 0.03, 0.041]
    comparison = {
        "designs": {"structured": design(noisy[0], 0.02), "uniform": design(noisy[1], 0.02)},
        "control": "uniform",
        "difference": {"mean": 0.0, "low": -0.01, "high": 0.01},
        "verdict": "No significant gain.",
    }
    assert (
        "No single loss differs beyond the uncertainty of the packings."
        in explanation_of(comparison)["sentences"]
    )
    assert explanation_of(comparison | {"difference": None}) is None
