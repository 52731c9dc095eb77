"""Print the results of commands: as JSON, as tables, as lists of facts."""

import datetime
import json
from collections.abc import Sequence
from typing import Any

import click

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: Any) -> None:
    """Print a value as JSON, ids and times as texts."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose columns are as wide as their widest value."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        click.echo("  ".join(f"{value:{width}}" for value, width in zip(row, widths, strict=True)).rstrip())


def print_facts(facts: dict[str, Any]) -> None:
    """Print a line for each name and value; a list has a line for each item."""
    width = max(map(len, facts))
    for name, value in facts.items():
        items = (value or ["none"]) if isinstance(value, list) else [value]
        for number, item in enumerate(items):
            click.echo(f"{'' if number else name:{width}}  {item}")


def utc_time(moment: datetime.datetime) -> str:
    """Return a time in UTC as `2026-01-31T12:00:00Z`."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
