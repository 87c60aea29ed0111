"""What the documentation site adds to Markdown: notebooks as pages, measured numbers, formulas as MathML, no requests."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
LAST_DIGIT = 1e-6
"""Differences below it are not shown, and the tests do not hold the page to them."""

MEASURED = ROOT / "docs" / "measured.json"

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
"""What arithmatex leaves of $…$ and $$…$$."""

OUTSIDE = re.compile(
    r"\[([^\]\n]+)\]\((?:\.\./)+(?:benchmarks|tests|meso|solvers|studies|README|CONTRIBUTING)\b[^)]*\)"
)
"""Links from a page into the repository."""

REQUEST = re.compile(r"""<(?:script|img|iframe|link)[^>]*?(?:src|href)=["']?(?:https?:)?//[^>]*>""")
"""Whatever a browser would fetch from elsewhere when it opens a page; links that people follow may stay."""


def on_config(config: Any) -> Any:
    """List all decisions there are, and pages that have no place yet."""
    chapter = next(entry for entry in config.nav if "Decisions" in entry)
    chapter["Decisions"] += [
        f"decisions/{path.name}" for path in sorted((ROOT / "docs/decisions").glob("0*.md"))
    ]
    listed = {page for entry in config.nav for pages in entry.values() for page in pages}
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/howto").glob("*.md")]
    others = sorted({str(path.relative_to(ROOT / "docs")) for path in pages} - listed)
    if others:
        config.nav.append({"More": others})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Turn every notebook into a page: its text as Markdown, its code as blocks."""
    for path in sorted((ROOT / "examples").glob("*.py")):
        uri = f"examples/{path.stem}.md"
        files.append(File.generated(config, uri, content=page_of(path.read_text("utf-8"), path.name)))
    return files


def page_of(text: str, name: str) -> str:
    """Write a percent-script as Markdown."""
    head, *cells = re.split(r"^# %%", text, flags=re.MULTILINE)
    del head
    blocks = []
    for cell in cells:
        kind, _, body = cell.partition("\n")
        if "[markdown]" in kind:
            blocks.append("\n".join(line.removeprefix("#").removeprefix(" ") for line in body.splitlines()))
        else:
            blocks.append(f"```python\n{body.strip()}\n```\n")
    title, *rest = blocks
    note = f'\n\n!!! note ""\n    This is `examples/{name}`; [run it](index.md) to see the numbers and the pictures.\n'
    return "\n\n".join([title.rstrip() + note, *rest])


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the tables of measured numbers, commands and keys where a page asks for them."""
    markdown = re.sub(r"<!-- measured: (\w+) -->", lambda match: table_of(match[1]), markdown)
    # The sources are not part of the site: what a reader of the repository can follow is only named here.
    markdown = OUTSIDE.sub(r"\1", markdown)
    writers = {"commands": commands, "parameters": parameters, "tables": tables}
    for name, write in writers.items():
        mark = f"<!-- {name} -->"
        if mark in markdown:
            markdown = markdown.replace(mark, write())
    return markdown


def table_of(chapter: str) -> str:
    """Tabulate what the tests of a chapter measured."""
    entries = [entry for entry in json.loads(MEASURED.read_text("utf-8")) if entry["chapter"] == chapter]
    if not entries:
        raise PluginError(f"no test measures anything for the chapter {chapter!r}")
    lines = ["| what | should be | is | off by | allowed | should be, because |", "|---|---|---|---|---|---|"]
    for entry in entries:
        expected, value, allowed = entry["expected"], entry["value"], entry["allowed"]
        if entry["absolute"]:
            off = f"{value - expected:+.1e}" if abs(value - expected) > LAST_DIGIT else "< 1e-6"
            limit = f"{allowed:.1g}"
        else:
            off, limit = (
                f"{100 * (value / expected - 1):+.4f} %".replace("-0.0000", "0.0000"),
                f"{100 * allowed:.4g} %",
            )
        lines.append(
            f"| {entry['what']} | {expected:.6g} | {value:.6g} | {off} | {limit} | {entry['source']} |"
        )
    return "\n".join(lines)


def on_page_content(html: str, **_: Any) -> str:
    """Write formulas as MathML, which browsers draw themselves, and references of docstrings as text."""

    def drawn(match: re.Match[str]) -> str:
        display = "block" if match[1] == "div" else "inline"
        return convert(unescape(match[2]), display=display)

    html = FORMULA.sub(drawn, html)
    return re.sub(r"(?:\.\. )?\[(\d)\](_?)", r"[\1]", html)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Refuse a page that would ask another server for something."""
    found = REQUEST.search(re.sub(r'<link rel="canonical"[^>]*>', "", output))
    if found:
        raise PluginError(
            f"{page.file.src_uri}: would load {found[0]!r} from elsewhere; the site must be self-contained"
        )
    return output


def commands() -> str:
    """Describe every command of the command line, from the command line itself."""
    import typer

    from studies.cli import app

    group: Any = typer.main.get_command(app)
    blocks = []
    for name, command in group.commands.items():
        places = " ".join(
            p.metavar or p.name.upper() for p in command.params if p.param_type_name == "argument"
        )
        rows = [
            f"| `{', '.join(p.opts)}` | {escape(p.help or '')} |"
            for p in command.params
            if p.param_type_name == "option" and p.name != "help"
        ]
        table = ["| option | |", "|---|---|", *rows] if rows else []
        arguments = [
            f"- `{p.metavar or p.name.upper()}` {p.help}"
            for p in command.params
            if p.param_type_name == "argument" and p.help
        ]
        blocks.append(
            "\n".join([f"## `meso {name} {places}`", "", command.help.strip(), "", *arguments, "", *table])
        )
    return "\n\n".join(blocks)


def parameters() -> str:
    """Tabulate what a study may vary, from the table that validates it."""
    from studies.parameters import TABLE

    lines = ["| key | what it is | limits | default | uniform value |", "|---|---|---|---|---|"]
    for entry in TABLE:
        limits = ", ".join(entry.words) if entry.words else f"{entry.low:g} … {entry.high:g}"
        default, plain = (("" if value is None else f"`{value}`") for value in (entry.default, entry.plain))
        lines.append(f"| `{entry.name}` | {entry.meaning} | {limits} | {default or 'needed'} | {plain} |")
    return "\n".join(lines)


def tables() -> str:
    """Ask for the docstring of every other table of a study file."""
    from studies.config import StudyConfig
    from studies.ranges import Table

    blocks = []
    for name, field in StudyConfig.model_fields.items():
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if name != "electrode" and isinstance(kind, type) and issubclass(kind, Table):
                options = "{members: false, show_root_heading: false, show_bases: false, heading_level: 3}"
                blocks.append(
                    f"## `[{name}]`\n\n::: {kind.__module__}.{kind.__name__}\n    options: {options}"
                )
    return "\n\n".join(blocks)
