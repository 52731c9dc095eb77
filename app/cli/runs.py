"""`flask runs …`: show the runs of workflows and chatflows, and stop one."""

import dataclasses

import click

from app.cli.groups import OperatorGroup
from app.cli.output import as_json_option, print_facts, print_json, print_table
from app.services.reports import run_records
from app.services.reports.report_filters import ReportFilter

runs_group = OperatorGroup("runs", help="Show the runs of workflows and chatflows, node by node; stop one.")


@runs_group.command("list")
@click.option("--app", "code", help="Only runs of the app with this code.")
@click.option(
    "--status", help="Only runs with this status: running, succeeded, partial-succeeded, failed, stopped, paused."
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@as_json_option
def list_runs(code: str | None, status: str | None, limit: int, as_json: bool) -> None:
    """List the runs, newest first."""
    runs = run_records.list_runs(ReportFilter(app=code, status=status), limit=limit).rows
    if as_json:
        print_json([dataclasses.asdict(run) for run in runs])
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
        for run in runs
    ]
    print_table(headings, rows)


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
