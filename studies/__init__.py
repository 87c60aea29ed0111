"""What to change: search space, trials, storage, workers, reports, command line."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studies.config import StudyConfig
    from studies.evaluation import Evaluation, evaluate
    from studies.frontiers import frontier
    from studies.report import write_report
    from studies.run import StudyResult, run_study
    from studies.space import DesignSpace

__all__ = [
    "DesignSpace",
    "Evaluation",
    "StudyConfig",
    "StudyResult",
    "evaluate",
    "frontier",
    "run_study",
    "write_report",
]

# Optuna, Dask and pydantic take a second to import; `meso transport` and `import studies` do without them.
_HOMES = {
    "DesignSpace": "studies.space",
    "Evaluation": "studies.evaluation",
    "evaluate": "studies.evaluation",
    "frontier": "studies.frontiers",
    "StudyConfig": "studies.config",
    "StudyResult": "studies.run",
    "run_study": "studies.run",
    "write_report": "studies.report",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'studies' has no attribute {name!r}; it offers {', '.join(__all__)}")
