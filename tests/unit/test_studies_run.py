"""A real study through the command line: real workers, real database, interruption, continuation, report.

The structures are far too small to mean anything; what is tested here is the machinery.
"""

import base64
import csv
import hashlib
import json
import math
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from meso import ElectrodeDesign, load
from studies import StudyConfig
from studies.compare import paired_difference
from studies.storage import StudyFolder

TINY = """
name = "tiny <script>alert(1)</script>"
seed = 977
trials = 6
startup_trials = 2
trials_in_flight = 3
replicates = 2
fresh_seeds = 2
[cell]
chemistry = "nmc811-chen2020"
c_rate = 2.0
[electrode]
areal_capacity_mAh_cm2 = 1.5
porosity = {low = 0.30, high = 0.50}
porosity_gradient = {low = -0.1, high = 0.1}
particle_diameter_um = {low = 5.0, high = 10.0, log = true}
particle_spread = 1.1
binder_fraction = 0.06
[constraints]
minimum_volumetric_capacity_mAh_cm3 = 700.0
[structure]
voxels_per_diameter = 4
width_diameters = 2.5
minimum_voxels = 10
"""
MESO = [sys.executable, "-m", "studies"]


def meso(*arguments, cwd, expected=0):
    """Run the command line and return what it wrote."""
    command = [*MESO, *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == expected, done.stderr
    return done.stdout, done.stderr


def table(folder):
    """Read trials.csv without the column that no two runs share."""
    with (folder / "trials.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    path = tmp_path_factory.mktemp("studies")
    (path / "tiny.toml").write_text(TINY, "utf-8")
    return path


@pytest.fixture(scope="module")
def finished(home):
    """Folder, result and events of a study that ran through."""
    out, events = meso("run", "tiny.toml", "--folder", "whole", "--json", "--workers", 2, cwd=home)
    return home / "whole", json.loads(out), [json.loads(line) for line in events.splitlines()]


def test_folder_holds_what_is_promised(finished):
    folder, result, _ = finished
    assert {path.name for path in folder.iterdir()} == {
        ".lock", ".compiled", "study.toml", "study.db", "trials.csv", "report.html", "figures", "best",
    }  # fmt: skip
    assert {path.name for path in (folder / "best").iterdir()} == {
        "design.toml", "structure.npz", "structure.tif", "evaluation.json",
    }  # fmt: skip
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (folder / "figures").iterdir())
    assert StudyConfig.from_toml(folder / "study.toml").name == "tiny <script>alert(1)</script>"
    assert result["trials"] == {"structured": 3, "uniform": 3}
    assert result["failed"] == 0


def test_events_count_up_and_end(finished):
    _, _, events = finished
    assert [event["event"] for event in events if event["event"] != "searching"] == [
        "compiling", "comparing", "reporting",
    ]  # fmt: skip
    assert [event["done"] for event in events if "trial" in event] == [1, 2, 3, 4, 5, 6]


def test_losses_add_up_and_capacities_agree_in_every_trial(finished):
    rows = [row for row in table(finished[0]) if row["state"] == "complete"]
    assert len(rows) == 6
    for row in rows:
        number = {key: float(value) for key, value in row.items() if re.fullmatch(r"-?[\d.e-]+", value)}
        losses = sum(number[name] for name in ("isolated", "solid_diffusion", "electrolyte", "ohmic_kinetic"))
        assert number["utilization"] + losses == pytest.approx(1, abs=1e-12)
        delivered = number["utilization"] * number["theoretical_areal_capacity"]
        # Means over packings: the product of means is the mean of products up to their scatter.
        assert number["delivered_areal_capacity"] == pytest.approx(delivered, rel=1e-3)
        # 1.5 mAh cm-2 are 15 A h m-2; the packing realises the recipe to within its voxels.
        assert number["theoretical_areal_capacity"] == pytest.approx(15, rel=0.03)
        assert float(row["volumetric_capacity"]) >= 700e3


def test_rejected_designs_are_stored_and_not_counted(finished):
    rejected = [row for row in table(finished[0]) if row["state"] == "rejected"]
    assert rejected, "half of these ranges violate the volumetric capacity"
    for row in rejected:
        violation = float(row["violation_minimum_volumetric_capacity_mAh_cm3"])
        # The recipe breaks a rule, or its analytic ceiling is below the best design so far.
        assert ("minimum_volumetric_capacity" if violation > 0 else "can reach") in row["failure"]
        assert row["utilization"] == ""


def test_comparison_follows_from_its_own_packings(finished):
    folder, result, _ = finished
    stored = json.loads((folder / "best" / "evaluation.json").read_text("utf-8"))
    values = {
        name: [packing["utilization"] for packing in design["packings"]]
        for name, design in stored["designs"].items()
    }
    seeds = {
        name: [packing["seed"]["spawn_key"] for packing in design["packings"]]
        for name, design in stored["designs"].items()
    }
    # Fresh: the search used 0 and 1; the same for all designs: pairs.
    assert seeds == {name: [[2], [3]] for name in values}
    assert stored["control"] == max(("uniform", "ungraded"), key=lambda name: np.mean(values[name]))
    difference = paired_difference(values["structured"], values[stored["control"]])
    assert result["difference"] == pytest.approx(
        {"mean": difference.mean, "low": difference.low, "high": difference.high}
    )


def test_compared_designs_are_what_their_names_say(finished):
    stored = json.loads((finished[0] / "best" / "evaluation.json").read_text("utf-8"))["designs"]
    structured, uniform, ungraded = (
        ElectrodeDesign.from_dict(stored[name]["design"]) for name in ("structured", "uniform", "ungraded")
    )
    for flat in (uniform, ungraded):
        assert flat.porosity_profile.minimum() == flat.porosity_profile.maximum()
    assert uniform.porosity_profile.mean() == pytest.approx(stored["uniform"]["parameters"]["porosity"])
    slope = structured.porosity_profile(0.0) - structured.porosity_profile(1.0)
    assert slope == pytest.approx(stored["structured"]["parameters"]["porosity_gradient"])
    assert ungraded.porosity_profile.mean() == pytest.approx(structured.porosity_profile.mean())


def test_best_structure_can_be_made_again_bit_by_bit(finished, home):
    folder, _, _ = finished
    meso("generate", folder / "best" / "design.toml", "--out", "again.npz", cwd=home)
    stored, again = load(folder / "best" / "structure.npz"), load(home / "again.npz")
    assert np.array_equal(stored.labels, again.labels)
    assert np.array_equal(stored.labels, load(folder / "best" / "structure.tif").labels)
    assert np.array_equal(stored.particles.centres, again.particles.centres)


def test_report_is_self_contained_and_shows_text_as_text(finished):
    folder, _, _ = finished
    page = (folder / "report.html").read_text("utf-8")
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, dict(attrs)))

    Reader().feed(page)
    assert not [tag for tag, _ in found if tag in {"link", "iframe", "object"}]
    assert not [attributes for _, attributes in found if "style" in attributes or "onclick" in attributes]
    (policy,) = (attributes["content"] for tag, attributes in found if "http-equiv" in attributes)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    charts = [attributes for tag, attributes in found if attributes.get("class") == "chart"]
    assert len(charts) == len(list((folder / "figures").iterdir()))
    assert all(attributes["aria-label"] for attributes in charts)
    (image,) = (attributes for tag, attributes in found if tag == "img")
    assert image["alt"]
    assert base64.b64decode(image["src"].removeprefix("data:image/webp;base64,"))[8:12] == b"WEBP"
    assert not re.search(r"(src|href|url)\W{1,3}(https?:|//)", page)
    assert "tiny &lt;script&gt;" in page
    assert "95\u00a0% interval" in page


def test_status_and_report_read_the_folder(finished, home):
    folder, result, _ = finished
    out, _ = meso("status", folder, "--json", cwd=home)
    status = json.loads(out)
    assert (status["done"], status["total"], status["verdict"]) == (6, 6, result["verdict"])
    (folder / "report.html").unlink()
    out, _ = meso("report", folder, cwd=home)
    assert out.strip() == str(folder / "report.html")
    assert (folder / "report.html").is_file()


def test_interrupted_study_continues_as_if_nothing_had_happened(finished, home):
    """Ctrl-C after two trials, then on to more trials with one worker instead of two: not a bit of any trial changes."""
    command = [*MESO, "run", "tiny.toml", "--folder", "cut", "--workers", "1"]
    with subprocess.Popen(
        command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        for line in process.stdout:
            if line.startswith("[2/6]"):
                process.send_signal(signal.SIGINT)
                break
        rest, errors = process.communicate(timeout=300)
        assert process.returncode == 3, rest + errors
    assert errors.count("\n") == 1
    assert "interrupted" in errors
    with sqlite3.connect(home / "cut" / "study.db") as database:
        states = {state for (state,) in database.execute("select state from trials")}
    assert "RUNNING" not in states
    assert "WAITING" in states
    arguments = ["run", "tiny.toml", "--folder", "cut", "--workers", 1, "--trials", 8, "--json"]
    out, _ = meso(*arguments, cwd=home)
    assert json.loads(out)["trials"] == {"structured": 4, "uniform": 4}
    assert StudyConfig.from_toml(home / "cut" / "study.toml").trials == 8
    whole, continued = table(finished[0]), table(home / "cut")
    assert all(row in continued for row in whole)
    assert len([row for row in continued if row["state"] == "complete"]) == 8


def test_finished_study_is_not_computed_again(finished, home):
    folder, result, _ = finished
    before = table(folder), (folder / "best" / "evaluation.json").read_bytes()
    out, events = meso("run", "tiny.toml", "--folder", folder, "--json", cwd=home)
    assert [json.loads(line)["event"] for line in events.splitlines()] == ["reporting"]
    assert json.loads(out)["verdict"] == result["verdict"]
    assert (table(folder), (folder / "best" / "evaluation.json").read_bytes()) == before


def test_another_configuration_is_refused_before_anything_happens(finished, home):
    folder = finished[0]
    before = table(folder)
    _, error = meso("run", "tiny.toml", "--folder", folder, "--seed", 5, cwd=home, expected=2)
    assert error.count("\n") == 1
    assert "seed (977 there, 5 now)" in error
    assert table(folder) == before


def test_records_are_read_without_changing_the_database(finished):
    folder = StudyFolder(finished[0])
    before = folder.database.read_bytes()
    records = folder.read_records()
    assert {record.arm for record in records} == {"structured", "uniform"}
    assert folder.database.read_bytes() == before


def test_any_trial_is_made_again_bit_by_bit(finished, home):
    folder, _, _ = finished
    out, _ = meso(
        "show", folder, "--trial", 0, "--arm", "uniform", "--rebuild", "--out", "trial.npz", cwd=home
    )
    assert out == "identical\n"
    record = next(r for r in StudyFolder(folder).read_records() if (r.arm, r.number) == ("uniform", 0))
    structure = load(home / "trial.npz")
    assert list(structure.shape) == record.evaluations[0]["shape"]
    out, _ = meso("show", folder, "--trial", 0, "--arm", "uniform", "--json", cwd=home)
    shown = json.loads(out)
    assert shown["packings"] == [dict(each) for each in record.evaluations]
    assert shown["mean"]["utilization"] == pytest.approx(record.utilization, rel=1e-15)


def test_a_number_that_changed_is_named(finished, home, tmp_path):
    """What is stored for a packing is altered in a copy of the study: the comparison must see it."""
    copy = tmp_path / "copy"
    shutil.copytree(finished[0], copy)
    with sqlite3.connect(copy / "study.db") as database:
        rows = database.execute(
            "select trial_user_attribute_id, value_json from trial_user_attributes where key='evaluations'"
        )
        for number, text in rows.fetchall():
            evaluations = json.loads(text)
            evaluations[0]["utilization"] = math.nextafter(evaluations[0]["utilization"], 2.0)
            database.execute(
                "update trial_user_attributes set value_json=? where trial_user_attribute_id=?",
                (json.dumps(evaluations), number),
            )
    out, _ = meso("show", copy, "--trial", 0, "--arm", "uniform", "--rebuild", cwd=home, expected=1)
    assert out.startswith("packing 0: utilization was 0.")
    assert out.count("\n") == 1
    _, error = meso("show", copy, "--trial", 99, cwd=home, expected=2)
    assert "must be the number of a trial of the structured search" in error
