"""`flask usage`: add tokens and money up."""

import csv
import dataclasses
import sys

import click
from flask.cli import with_appcontext

from app.cli.groups import OperatorCommand
from app.cli.output import as_json_option, print_json, print_table
from app.cli.report_options import filter_options
from app.models.reports.usage_reports import UsageReport
from app.services.reports import usage_reports
from app.services.reports.export_formats import safe_cell
from app.services.reports.report_filters import ReportFilter
from app.services.reports.usage_reports import USAGE_GROUPS

EMPTY = "-"


@click.command("usage", cls=OperatorCommand)
@filter_options("app", "since", "until", "end_user", "account")
@click.option("--by", default="app,model", show_default=True, help=f'Any of {", ".join(USAGE_GROUPS)}; "" for one sum.')
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="Rows at most.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@as_json_option
@with_appcontext
def show_usage(asked: ReportFilter, by: str, limit: int, as_csv: bool, as_json: bool) -> None:
    """Add up answers, tokens and money, by app, account, model, day or any combination.

    Days are those of UTC; times are those when answers began. Money is what the prices in MODELS_FILE said when tokens
    were used, by currency.
    """
    names = [name.strip().replace("-", "_") for name in by.split(",") if name.strip()]
    reports = usage_reports.usage(asked, names, limit + 1)
    more, reports = len(reports) > limit, reports[:limit]
    if as_json:
        print_json([dataclasses.asdict(report) for report in reports])
    else:
        _print(names, reports, as_csv)
    if more:
        click.echo(f"There is more than --limit {limit}.", err=True)


def _print(names: list[str], reports: list[UsageReport], as_csv: bool) -> None:
    currencies = sorted({currency for report in reports for currency in report.prices})
    headings = [*names, "answers", "calls", "prompt_tokens", "completion_tokens", "total_tokens", "unpriced_tokens"]
    headings += currencies
    rows = [
        [
            *(report.group[name] for name in names),
            *map(
                str,
                (
                    report.answers,
                    report.calls,
                    report.prompt_tokens,
                    report.completion_tokens,
                    report.total_tokens,
                    report.unpriced_tokens,
                ),
            ),
            *(f"{report.prices[currency]:f}" if currency in report.prices else "" for currency in currencies),
        ]
        for report in reports
    ]
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(headings)
        writer.writerows([safe_cell(cell) for cell in row] for row in rows)
        return
    shown = [[cell or EMPTY for cell in row] for row in rows]
    print_table([heading.replace("_", " ").upper() for heading in headings], shown)
