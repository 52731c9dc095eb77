"""`flask runs …`: show the runs of workflows and chatflows, and stop one."""

import dataclasses

import click

from app.cli.groups import OperatorGroup
from app.cli.output import as_json_option, print_facts, print_json, print_table
from app.cli.report_options import filter_options, page_options, tell_following
from app.services.reports import run_records
from app.services.reports.report_filters import ReportFilter

runs_group = OperatorGroup("runs", help="Show the runs of workflows and chatflows, node by node; stop one.")


@runs_group.command("list")
@filter_options("app", "since", "until", "end_user", "account", "mode", "status", "words")
@page_options
@as_json_option
def list_runs(asked: ReportFilter, limit: int, after: str | None, as_json: bool) -> None:
    """List the runs, newest first: those of workflows and, by --mode advanced-chat, of chatflows, or both.

    --status is running, succeeded, partial-succeeded, failed, stopped or paused. --words are looked for in inputs,
    outputs and errors.
    """
    page = run_records.list_runs(asked, after, limit)
    if as_json:
        print_json([dataclasses.asdict(run) for run in page.rows])
        tell_following(page)
        return
    headings = ("RUN", "APP", "STATUS", "BEGAN", "SECONDS", "NODES", "TOKENS", "ERROR")
    rows = [
        (
            run.id,
            run.app,
            run.status,
            f"{run.created_at:%Y-%m-%d %H:%M:%S}",
            f"{run.elapsed:.2f}",
            str(run.steps),
            str(run.tokens),
            (run.error or "")[:80],
        )
        for run in page.rows
    ]
    print_table(headings, rows)
    tell_following(page)


@runs_group.command("show")
@click.argument("run_id")
@as_json_option
def show_run(run_id: str, as_json: bool) -> None:
    """Show a run: its inputs and outputs, each node's outputs and time, and its forms. Secrets are masked."""
    run = run_records.show(run_id)
    if as_json:
        print_json(dataclasses.asdict(run))
        return
    print_facts(dataclasses.asdict(run.summary) | {"inputs": str(run.inputs), "outputs": str(run.outputs)})
    rows = [
        (
            node.frame + node.node_id,
            node.kind,
            node.status,
            "" if node.elapsed is None else f"{node.elapsed:.3f}",
            node.error or str(node.outputs),
        )
        for node in run.nodes
    ]
    click.echo()
    print_table(("NODE", "KIND", "STATUS", "SECONDS", "OUTPUTS OR ERROR"), [(*row[:4], row[4][:120]) for row in rows])
    if run.forms:
        click.echo()
        forms = [
            (form.node_id, form.status, f"{form.expires_at:%Y-%m-%d %H:%M}", form.page or form.action or "")
            for form in run.forms
        ]
        print_table(("FORM OF", "STATUS", "EXPIRES", "PAGE OR ACTION"), forms)


@runs_group.command("stop")
@click.argument("run_id")
def stop_run(run_id: str) -> None:
    """Stop a running or paused run."""
    click.echo("The run was asked to stop." if run_records.stop(run_id) else "The run has ended already.")
