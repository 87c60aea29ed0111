"""The rules that keep the project a house: what an import costs, and how large a room may grow."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for floor in ("meso", "solvers", "studies") for path in (ROOT / floor).rglob("*.py"))
LIGHT = {"numpy", "numba", "llvmlite", "scipy"}
"""What `import meso` and `import solvers` may bring in beside the standard library; Numba itself probes SciPy."""
OPTIONAL_PROBES = {"coverage", "cython_runtime", "yaml"}
"""What Numba imports for itself where it happens to be installed."""


def imported_roots(statement: str) -> set[str]:
    """Top-level third-party modules that are loaded after running one statement in a fresh process."""
    code = f"import sys; {statement}; print(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return {m for m in done.stdout.split() if m not in sys.stdlib_module_names and not m.startswith("_")}


@pytest.mark.parametrize("floor", ["meso", "solvers"])
def test_notebook_imports_are_light(floor):
    extra = imported_roots(f"import {floor}") - LIGHT - OPTIONAL_PROBES - {"meso", "solvers"}
    assert not extra, f"import {floor} also loads {sorted(extra)}"


def test_scipy_subpackages_are_imported_where_they_are_used():
    code = "import sys, solvers; print(' '.join(m for m in sys.modules if m.startswith('scipy.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    heavy = {"scipy.optimize", "scipy.spatial", "scipy.ndimage", "scipy.interpolate", "scipy.stats"}
    assert not heavy & set(done.stdout.split())


def test_a_transport_command_starts_without_the_search():
    assert not imported_roots("import studies.cli") & {
        "optuna",
        "distributed",
        "dask",
        "matplotlib",
        "pydantic",
    }


def test_only_rooms_for_files_touch_the_disk():
    """Below the studies: `io.py`, `file_checks.py`, the export of half-cells, and what is named after files."""
    touching = re.compile(
        r"\.open\(|\bopen\(|\.(read|write)_(text|bytes)\(|np\.(load|save)|mkstemp|\.unlink\("
    )
    for path in SOURCES:
        if path.is_relative_to(ROOT / "studies"):
            continue
        allowed = path.name in {"io.py", "file_checks.py", "bpx_export.py"} or path.name.endswith("_files.py")
        assert allowed or not touching.search(path.read_text(encoding="utf-8")), f"{path} touches the disk"


def test_no_module_hides_a_public_name():
    """Public names of studies are imported late; a module of the same name would take their place."""
    import studies

    assert not {path.stem for path in (ROOT / "studies").glob("*.py")} & set(studies.__all__)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rooms_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400, "a full room: give the second idea its own"
    cap = 80 if "_kernels" in path.parts else 40
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            size = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert size <= cap, f"{node.name} (line {node.lineno}) has {size} lines of body, the cap is {cap}"
