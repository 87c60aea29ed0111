"""Fixtures that every test folder shares."""

import json
import math
from pathlib import Path

import pytest

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "reference"
MEASURED = Path(__file__).resolve().parents[1] / "docs" / "measured.json"
"""Numbers of the documentation's validation page; only tests write them."""

DRIFT, LAST_DIGIT = 0.05, 1e-6
"""How far a number may be from the printed one: relative to what the test allows, or to what the page shows."""


def pytest_addoption(parser):
    parser.addoption(
        "--record-measured", action="store_true", help="write what tests measure into docs/measured.json"
    )


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of published reference data beside the checkout; a fresh clone does not have it."""
    if not (REFERENCE / "README.md").is_file():
        pytest.skip(f"reference data is not here: {REFERENCE}")
    return REFERENCE


@pytest.fixture
def measured(request):
    """
    Check a number, and hold the documentation to it.

    ``measured(chapter, what, value, expected, source=…, rel=…)`` or ``abs=…`` asserts that the value is what it should be, and
    that the validation page prints this value with this expectation.
    """

    def check(chapter, what, value, expected, *, source, rel=None, abs=None):  # noqa: A002  as pytest.approx says
        entry = {
            "chapter": chapter, "what": what, "value": float(value), "expected": float(expected),
            "allowed": rel if abs is None else abs, "absolute": abs is not None,
            "source": source, "test": request.node.nodeid.partition("[")[0],
        }  # fmt: skip
        assert entry["value"] == pytest.approx(entry["expected"], rel=rel or 0, abs=abs or 0), what
        if request.config.getoption("--record-measured"):
            _print(entry)
        else:
            _compare(entry)

    return check


def _printed():
    """Read what the validation page prints."""
    return json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.is_file() else []


def _print(entry):
    """Put a number on the validation page."""
    printed = {(e["chapter"], e["what"]): e for e in _printed()}
    printed[entry["chapter"], entry["what"]] = entry
    entries = list(printed.values())
    MEASURED.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _compare(entry):
    """Hold the validation page to a number."""
    remedy = "run the test with --record-measured and look at the page"
    pages = [e for e in _printed() if (e["chapter"], e["what"]) == (entry["chapter"], entry["what"])]
    assert pages, f"{entry['what']}: not on the validation page; {remedy}"
    scale = 1.0 if entry["absolute"] else math.fabs(entry["expected"])
    close = pytest.approx(pages[0]["value"], rel=0, abs=max(DRIFT * entry["allowed"], LAST_DIGIT) * scale)
    assert entry["value"] == close, f"{entry['what']}: the validation page prints another number; {remedy}"
    # What is expected may be computed, and rounded otherwise in another version.
    numbers = {"value": 0, "expected": pytest.approx(pages[0]["expected"], rel=1e-6, abs=1e-12)}
    assert entry | {"value": 0} == pages[0] | numbers, (
        f"{entry['what']}: described otherwise on the validation page; {remedy}"
    )
