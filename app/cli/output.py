"""What commands print."""

import datetime
import json
from collections.abc import Sequence
from typing import Any

import click

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: Any) -> None:
    """Ids and times as texts."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest value."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        click.echo("  ".join(f"{value:{width}}" for value, width in zip(row, widths, strict=True)).rstrip())


def print_facts(facts: dict[str, Any]) -> None:
    """A line for each name and value; a list has a line for each item."""
    width = max(map(len, facts))
    for name, value in facts.items():
        items = (value or ["none"]) if isinstance(value, list) else [value]
        for number, item in enumerate(items):
            click.echo(f"{'' if number else name:{width}}  {item}")


def utc_time(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
