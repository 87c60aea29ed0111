"""What a running study shows, and the dashboard on loopback."""

import json
import math
import re
import subprocess
import sys
import urllib.request

import pytest

from studies import StudyConfig
from studies.database import open_searches
from studies.search import Progress
from studies.storage import STRUCTURED, UNIFORM, StudyFolder
from studies.terminal import show_progress
from studies.trials import TrialRecord


def record(number, values, *, broken=False):
    return TrialRecord(
        arm=STRUCTURED, number=number, state="complete", parameters={"porosity": 0.2},
        constraints={"packing": 1.0 if broken else -1.0}, failure="", estimates={},
        evaluations=[{"utilization": value, "seconds": {"generate": 1.0}} for value in values],
    )  # fmt: skip


BEST = record(4, [0.80, 0.82, 0.81, 0.83])
PROGRESS = Progress(
    stage="searching", done=7, total=20, best={STRUCTURED: BEST, UNIFORM: None}, feasible=4, infeasible=2, failed=1,
    trials_per_minute=30.0, latest=BEST,
)  # fmt: skip


def test_a_plain_line_says_how_far_how_good_and_how_long(capsys):
    with show_progress(as_json=False) as on_progress:
        on_progress(PROGRESS)
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert line.startswith("[7/20] ")
    # Student's t with three degrees of freedom: 3.1824 standard errors of 0.0064550.
    assert "95 % interval 79.45 … 83.55 %" in line
    assert "4 feasible, 2 violate a constraint, 1 failed; 30.0 trials/min, 26 s left" in line


def test_an_event_holds_the_same_in_numbers(capsys):
    with show_progress(as_json=True) as on_progress:
        on_progress(PROGRESS)
    event = json.loads(capsys.readouterr().err)
    assert (event["feasible"], event["infeasible"], event["failed"]) == (4, 2, 1)
    assert event["seconds_left"] == pytest.approx(26.0)
    assert event["best"][UNIFORM] is None
    half = 3.182446305 * math.sqrt(0.0005 / 3 / 4)
    assert event["best"][STRUCTURED] == pytest.approx(
        {"trial": 4, "utilization": 0.815, "low": 0.815 - half, "high": 0.815 + half}
    )
    assert (event["trial"]["number"], event["trial"]["seconds"]) == (4, 4.0)


def test_the_dashboard_answers_on_loopback_only(tmp_path):
    pytest.importorskip("optuna_dashboard")
    folder, config = StudyFolder(tmp_path), StudyConfig.from_toml("quickstart")
    folder.write_config(config)
    with open_searches(folder, config):
        pass
    command = [
        sys.executable,
        "-c",
        "from studies.cli import main; main()",
        "dashboard",
        str(tmp_path),
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            address = re.match(r"(http://127\.0\.0\.1:\d+)/dashboard", process.stdout.readline())[1]
            with urllib.request.urlopen(f"{address}/api/studies", timeout=30) as answer:
                names = [study["study_name"] for study in json.load(answer)["study_summaries"]]
            assert names == ["quickstart/structured", "quickstart/uniform"]
        finally:
            process.terminate()
