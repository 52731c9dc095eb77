"""`flask conversations …`: list, show and export what people asked and were answered."""

import dataclasses
import json
import pathlib
import textwrap
from typing import Any

import click

from app.agents.steps import AgentStep
from app.cli.exports import export_options, write_export
from app.cli.groups import OperatorGroup
from app.cli.output import as_json_option, print_facts, print_json, print_table, printable, utc_time
from app.cli.report_options import filter_options, page_options, tell_following
from app.services.reports import conversation_reports, exports
from app.services.reports.conversation_reports import MessageReport
from app.services.reports.export_formats import Format
from app.services.reports.exports import ExportedAnswer
from app.services.reports.report_filters import ReportFilter

NAME_WIDTH = 40
VALUE_WIDTH = 400

conversations_group = OperatorGroup("conversations", help="Show and export what people asked and were answered.")


@conversations_group.command("list")
@filter_options("app", "since", "until", "end_user", "account", "rating", "mode", "status", "words")
@page_options
@as_json_option
def list_conversations(asked: ReportFilter, limit: int, after: str | None, as_json: bool) -> None:
    """List conversations, the last active first; a completion is a conversation of one message.

    Times are those of the last activity. --rating, --status (normal, error, paused) and --words ask for conversations
    with such a message.
    """
    page = conversation_reports.list_conversations(asked, after, limit)
    if as_json:
        print_json({"data": [dataclasses.asdict(row) for row in page.rows], "following": page.following})
        return
    rows = [
        (
            row.id,
            row.app,
            row.mode,
            utc_time(row.updated_at),
            str(row.messages),
            str(row.tokens),
            str(row.failures or ""),
            f"+{row.likes} -{row.dislikes}" if row.likes or row.dislikes else "",
            row.account or row.end_user,
            textwrap.shorten(row.name, NAME_WIDTH, placeholder="…"),
        )
        for row in page.rows
    ]
    headings = (
        "CONVERSATION",
        "APP",
        "MODE",
        "LAST ACTIVE",
        "MESSAGES",
        "TOKENS",
        "FAILED",
        "RATED",
        "END USER",
        "NAME",
    )
    print_table(headings, rows)
    tell_following(page)


@conversations_group.command("show")
@click.argument("conversation_id")
@page_options
@as_json_option
def show_conversation(conversation_id: str, limit: int, after: str | None, as_json: bool) -> None:
    """Show a conversation: questions, answers, thoughts, tools, citations, files, ratings, runs with their nodes."""
    found = conversation_reports.show_conversation(conversation_id, after, limit, with_runs=True)
    if as_json:
        messages = [dataclasses.asdict(message) for message in found.messages.rows]
        shown = {"conversation": dataclasses.asdict(found.summary), "messages": messages}
        print_json(shown | {"following": found.messages.following})
        return
    print_facts(dataclasses.asdict(found.summary))
    for message in found.messages.rows:
        click.echo()
        _print_message(message)
    tell_following(found.messages)


@conversations_group.command("export")
@filter_options("app", "since", "until", "end_user", "account", "rating", "mode", "status", "words")
@click.option("--nodes", is_flag=True, help="With the node executions of workflow runs, secrets masked.")
@export_options
def export_answers(
    asked: ReportFilter, nodes: bool, form: Format | None, file: pathlib.Path | None, progress: bool | None
) -> None:
    """Export messages and workflow runs, one a line, the oldest first: of chats, agents, completions and workflows.

    Times are those when answers began. Memory stays the same however many there are.
    """
    write_export(exports.export_answers(asked, with_nodes=nodes), ExportedAnswer, form, file, progress)


def _print_message(message: MessageReport) -> None:
    price, currency = message.usage.get("total_price"), message.usage.get("currency")
    paid = f", {price} {currency}" if price not in (None, "0.0") else ""
    tokens = f"{message.prompt_tokens} + {message.answer_tokens} tokens{paid}"
    click.echo(f"{message.id}  {utc_time(message.created_at)}  {message.status}, {message.latency:.2f} s, {tokens}")
    _print_part("asked", message.query)
    _print_part("inputs", message.inputs)
    for file in message.files:
        _print_part("file", f"{file.get('filename') or file.get('name')} ({file.get('type')})")
    for step in message.steps:
        _print_step(step)
    _print_part("answered", message.answer)
    _print_part("error", message.error)
    for source in message.citations:
        _print_part("cites", f"{source.get('document_name')}, {source.get('dataset_name')}: {source.get('content')}")
    if message.rating is not None:
        _print_part("rated", f"{message.rating} {message.rating_content or ''}".rstrip())
    _print_part("saved", "yes" if message.saved else None)
    if message.run is not None:
        _print_part("run", f"{message.run.summary.id} {message.run.summary.status}")
        for node in message.run.nodes:
            seconds = "" if node.elapsed is None else f", {node.elapsed:.3f} s"
            said = node.error or json.dumps(node.outputs, ensure_ascii=False, default=str)
            _print_part("node", f"{node.frame}{node.node_id} ({node.kind}) {node.status}{seconds}: {said}", VALUE_WIDTH)


def _print_step(step: AgentStep) -> None:
    _print_part("thought", step.thought)
    for call in step.calls:
        _print_part("tool", f"{call.name} {json.dumps(call.input, ensure_ascii=False, default=str)}", VALUE_WIDTH)
        _print_part("result", call.observation, VALUE_WIDTH)


def _print_part(name: str, value: Any, most: int | None = None) -> None:
    """Print a part of a message under its name; nothing where it is empty."""
    if not value:
        return
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if most is not None and len(text) > most:
        text = f"{text[:most]}…"
    first, *others = printable(text).splitlines() or [""]
    click.echo(f"  {name:9} {first}")
    for line in others:
        click.echo(f"  {'':9} {line}")
