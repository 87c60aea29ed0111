"""What the documentation promises about itself: its numbers belong to tests, its commands exist, its links lead somewhere."""

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from studies.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def test_every_printed_number_belongs_to_a_test():
    entries = json.loads((ROOT / "docs" / "measured.json").read_text(encoding="utf-8"))
    assert len(entries) > 50
    for entry in entries:
        file, name = entry["test"].split("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), entry["what"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_exist(page):
    commands = get_command(app).commands
    text = re.sub(r"\\\n", " ", page.read_text(encoding="utf-8"))
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
        for line in re.findall(r"(?:^|/)meso ([^#\n]*)", block, flags=re.MULTILINE):
            name, *words = line.split()
            if name.startswith("--"):
                continue
            assert name in commands, line
            options = {option for parameter in commands[name].params for option in parameter.opts}
            asked = {word.split("=")[0] for word in words if word.startswith("--")}
            assert asked <= options, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_are_python(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        compile(block, str(page), "exec")


def test_the_tour_runs(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot as plt

    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/tour.md").read_text(encoding="utf-8"), re.DOTALL
    )
    names = {}
    exec("\n".join(blocks), names)
    plt.close("all")
    # 40 to 24 % pores from front to back: the resistances of the slices lie above those of Bruggeman's spheres.
    assert names["transport"].tortuosity_factor > 0.32**-0.5
    assert names["budget"].limiting == "solid_diffusion"
