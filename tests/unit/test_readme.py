"""The README's notebook lines run as they stand."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def test_notebook_lines_run_and_name_what_limits(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(code, str(README), "exec"), {})
    tortuosity_factor, utilization, limiting = capsys.readouterr().out.split()
    # Solid diffusion alone leaves 1 − 1/(15 S) of a sphere's capacity, S = D t/R² = 0.8 for the median particle; the
    # larger ones of the size distribution leave less.
    assert 0.87 < float(utilization) < 1 - 1 / (15 * 0.8) + 0.01
    # Hashin–Shtrikman: no isotropic structure of porosity ε lies below (3 − ε)/2, and 0.32 are pores.
    assert float(tortuosity_factor) > (3 - 0.32) / 2
    assert limiting == "solid_diffusion"
