"""Every notebook of examples/ runs at small size, in a process of its own, and holds what its last cell asserts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Not as __main__: worker processes would import it again.
RUN = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='notebook')"


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_notebook(path, tmp_path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ---\n# jupyter:\n"), "jupytext knows it by its header"
    assert "\nassert " in text.rsplit("# %%", 1)[1], "the last cell holds numbers"
    changes = {"EXAMPLE_SIZE": "small", "TOMOGRAM": "", "TMPDIR": str(tmp_path), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(path)],
        cwd=ROOT, env=os.environ | changes, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
