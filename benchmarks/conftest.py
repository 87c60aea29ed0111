"""Options of the benchmarks, and the records that the table is written from.

``python -m pytest benchmarks`` measures ours. ``--peers`` measures the other programs in the same run (some ten
minutes), ``--large`` adds the images above 256³, ``--report`` writes RESULTS.md and the plot.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import report, structures_report
from benchmarks.machine import describe, triad_bandwidth

HERE = Path(__file__).parent


class Records:
    """Measurements by name: ours and the peers' in one file each, so that either can be measured again alone."""

    def __init__(self):
        self.paths = {"ours": HERE / "ours.json", "peers": HERE / "peers.json"}
        self.tables = {
            who: json.loads(path.read_text()) if path.is_file() else {} for who, path in self.paths.items()
        }
        self.new = set()

    def note(self, who, name, **record):
        self.tables[who][name] = {**describe(), **record, "bandwidth": triad_bandwidth()}
        self.new.add(who)
        self.paths[who].write_text(json.dumps(self.tables[who], indent=1, sort_keys=True) + "\n")
        return self.tables[who][name]


def pytest_addoption(parser):
    group = parser.getgroup("benchmarks of this project")
    group.addoption(
        "--peers", action="store_true", help="run the other programs, too, instead of taking peers.json"
    )
    group.addoption("--large", action="store_true", help="add images above 256³ (up to 16 GB, minutes)")
    group.addoption("--report", action="store_true", help="write benchmarks/RESULTS.md and its plot")


def pytest_configure(config):
    config.addinivalue_line("markers", "large: needs --large")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--large"):
        skip = pytest.mark.skip(reason="needs --large")
        for item in items:
            if "large" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def records():
    return Records()


@pytest.fixture
def peer(request, records):
    """Measure another program now (--peers), or take what it measured before on the same image."""

    def take(name, measure, image=None):
        if request.config.getoption("--peers"):
            return records.note("peers", name, **measure())
        stored = records.tables["peers"].get(name)
        if stored is None or (image is not None and stored["image"] != image):
            pytest.skip(f"{name}: nothing stored for this image, run with --peers")
        return stored

    return take


def pytest_sessionfinish(session):
    if session.config.getoption("--report"):
        tables = Records().tables
        report.write(tables["ours"], tables["peers"], HERE)
        structures_report.write(tables["ours"], tables["peers"], HERE)
