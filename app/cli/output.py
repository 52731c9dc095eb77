"""Print the results of commands: as JSON, as tables, as lists of facts."""

import datetime
import json
import re
from collections.abc import Sequence
from typing import Any

import click

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


# What moves the cursor, rings, or turns a line's direction: visitors' texts are shown to an operator's terminal.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return a text without the signs that do something to a terminal; ends of lines and tabs stay."""
    return _CONTROLS.sub("\ufffd", text)


def print_json(value: Any) -> None:
    """Print a value as JSON, ids and times as texts."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose columns are as wide as their widest value."""
    rows = [[printable(" ".join(cell.splitlines())) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        click.echo("  ".join(f"{value:{width}}" for value, width in zip(row, widths, strict=True)).rstrip())


def print_facts(facts: dict[str, Any]) -> None:
    """Print a line for each name and value; a list has a line for each item."""
    width = max(map(len, facts))
    for name, value in facts.items():
        items = (value or ["none"]) if isinstance(value, list) else [value]
        for number, item in enumerate(items):
            click.echo(printable(f"{'' if number else name:{width}}  {item}"))


def utc_time(moment: datetime.datetime) -> str:
    """Return a time in UTC as `2026-01-31T12:00:00Z`."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
