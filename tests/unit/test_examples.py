"""Every notebook of examples/ runs at small size and holds what its last cell asserts."""

import runpy
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize("name", [path.stem for path in sorted(EXAMPLES.glob("*.py"))])
def test_notebook(name, monkeypatch, tmp_path):
    monkeypatch.setenv("EXAMPLE_SIZE", "small")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("TOMOGRAM", raising=False)
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert text.startswith("# ---\n# jupyter:\n"), "jupytext knows it by its header"
    assert "\nassert " in text.rsplit("# %%", 1)[1], "the last cell holds numbers"
    with mpl.rc_context({"backend": "agg"}):
        # Not as __main__: worker processes would import it again.
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="notebook")
        plt.close("all")
