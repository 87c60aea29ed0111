"""Parts of the report that only some folders have: the numbers in them are those of the documents they are made from."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from studies.figures import budgets_of
from studies.finding_figures import draw_frontier, draw_gain, draw_tornado
from studies.search_figures import draw_front
from studies.search_galleries import importance_gallery
from studies.sections import frontier_section, ledger_section, sections_of, tolerance_section
from studies.storage import StudyFolder


def about(mean, half):
    return {"mean": mean, "low": mean - half, "high": mean + half}


def design(loading, half):
    return {"statistics": {"areal_capacity": about(loading, half)}, "feasible": True}


FRONTIER = {
    "chemistry": "nmc811-chen2020",
    "target": 0.99,
    "counterweights": ["volumetric capacity at least 720 mAh cm⁻³"],
    "trials_per_search": 60,
    "fresh_seeds": 6,
    "rates": [
        {
            "c_rate": 1 / 3, "rate": "C/3", "control": "ungraded", "verdict": "beats it.",
            "ceiling": {"areal_capacity": 430.0}, "isotropic_ceiling": {"areal_capacity": 400.0},
            "designs": {"structured": design(224.0, 1.0), "uniform": design(204.0, 1.2), "ungraded": design(208.0, 0.6)},
            "gain": about(0.08, 0.01),
        },
        {
            "c_rate": 4.0, "rate": "4C", "control": None, "verdict": "no design attains it.",
            "ceiling": {"areal_capacity": 0.0}, "isotropic_ceiling": {"areal_capacity": 0.0},
            "designs": {"structured": None, "uniform": None, "ungraded": None}, "gain": None,
        },
    ],
}  # fmt: skip
TOLERANCE = {
    "packings": 6,
    "designs": {
        "structured": {
            "as_designed": about(0.9, 0.002), "mean": 0.895, "spread": 0.012,
            "changes": {"larger_particles": about(-0.03, 0.002), "more_porous": about(0.004, 0.001), "calendering": None},
        }
    },
}  # fmt: skip
LEDGER = {
    "designs": {"structured": {"Ni": about(600.0, 2.0)}, "baseline": {"Ni": about(640.0, 3.0)}},
    "saving": {"control": None, "baseline": about(0.0625, 0.01)},
    "note": "Metals by lithium sites.",
}


@pytest.fixture
def axes():
    return Figure().subplots()


def test_frontier_is_told_in_loadings():
    section = frontier_section(FRONTIER)
    # 1 A h m-2 = 0.1 mAh cm-2
    assert section.sentences[0] == (
        "99 % of the active material works up to 22.40 ± 0.10 mAh cm⁻² at C/3, not attainable at 4C."
    )
    assert section.head == ["C/3", "4C"]
    assert [row.values for row in section.rows] == [
        ("43.00", "not attainable"), ("22.40 ± 0.10", "not attainable"),
        ("20.40 ± 0.12", "not attainable"), ("20.80 ± 0.06", "not attainable"),
    ]  # fmt: skip


def test_frontier_is_drawn_with_its_intervals(axes):
    draw_frontier(FRONTIER, axes=axes)
    bars = {container.get_label(): container for container in axes.containers}
    line, _, (stems,) = bars["best structured"]
    assert line.get_ydata() == pytest.approx([22.4])
    assert stems.get_segments()[0][:, 1] == pytest.approx([22.3, 22.5])
    assert bars["best without structure (control)"][0].get_ydata() == pytest.approx([20.8])
    assert sum(line.get_marker() == "x" for line in axes.lines) == 2


def test_gain_is_drawn_in_per_cent(axes):
    draw_gain(FRONTIER, axes=axes)
    assert axes.containers[0][0].get_ydata() == pytest.approx([8.0])


def test_tornado_has_the_largest_change_on_top(axes):
    changes = {"structured": TOLERANCE["designs"]["structured"]["changes"]}
    draw_tornado(changes, labels={"larger_particles": "larger"}, axes=axes)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["larger", "more_porous", "calendering"]
    assert axes.yaxis_inverted()
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([-3.0, 0.4])
    assert [note.get_text().strip() for note in axes.texts] == ["cannot be made"]
    section = tolerance_section(TOLERANCE)
    assert section.sentences == [
        "What costs most: larger particles, −3.00 points for the best structured design."
    ]


def test_ledger_lists_designs_that_there_are():
    section = ledger_section(LEDGER)
    assert section.head == ["best structured", "baseline"]
    assert section.rows[0].values == ("600.0 ± 2.0", "640.0 ± 3.0")
    assert section.sentences == ["The best structured design saves +6.2 % [+5.2, +7.2] against the baseline."]


def test_front_is_drawn_through_its_designs(axes):
    values = np.array([(1.0, 3.0), (2.0, 2.0), (3.0, 1.0), (1.5, 1.5), (9.0, 9.0)])
    feasible, front = [True, True, True, True, False], [True, True, True, False, False]
    draw_front({"structured": (values, feasible, front)}, labels=("a [–]", "b [–]"), axes=axes)
    (stairs,) = axes.lines
    assert stairs.get_xydata().tolist() == [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]


def test_shares_of_parameters_are_drawn_where_a_search_has_enough_trials(axes):
    shares = {"structured": {"porosity": 0.25, "particle_diameter_um": 0.75}, "uniform": None}
    (panel,) = importance_gallery(shares).panels
    panel.draw(axes=axes)
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([75.0, 25.0])
    assert "particle diameter 75 %" in panel.label
    assert importance_gallery({"structured": None}) is None


def test_baseline_is_a_budget_of_its_own():
    packings = [
        {"isolated": 0.0, "solid_diffusion": loss, "electrolyte": 0.02, "ohmic_kinetic": 0.01}
        for loss in (0.1, 0.14)
    ]
    budgets = budgets_of(
        {
            "designs": {"structured": None},
            "baseline": {"utilization": about(0.85, 0.01), "packings": packings},
        }
    )
    assert budgets["baseline"]["solid_diffusion"]["mean"] == pytest.approx(0.12)
    losses = sum(each["mean"] for each in budgets["baseline"].values())
    assert losses == pytest.approx(1.0), "utilization and losses add up"


def test_a_folder_without_documents_has_no_sections(tmp_path):
    assert sections_of(StudyFolder(tmp_path), {"designs": {}}) == []
    assert sections_of(StudyFolder(tmp_path), None) == []
