"""Fixtures that every test folder shares."""

from pathlib import Path

import pytest

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "reference"


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of published reference data beside the checkout; a fresh clone does not have it."""
    if not (REFERENCE / "README.md").is_file():
        pytest.skip(f"reference data is not here: {REFERENCE}")
    return REFERENCE
