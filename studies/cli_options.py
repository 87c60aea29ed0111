"""What the commands share: options, checks of them, and JSON."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from studies.errors import InputError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output.")]

Workers = Annotated[int | None, typer.Option(help="Worker processes. Default: one per core.")]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A running Dask scheduler whose workers are used: tcp://host:8786."),
]


def at_least(option: str, value: int | None, least: int) -> None:
    """Refuse a number that is too small; typer's own text does not name it."""
    if value is not None and value < least:
        raise InputError(f"--{option} must be {least} or more, got {value}; give a larger number")


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
