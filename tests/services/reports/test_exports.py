"""Exports of answers and feedback."""

import itertools

import pytest

from app.services.reports import exports
from app.services.reports.exports import export_answers, export_feedback
from app.services.reports.report_filters import ReportFilter, ReportRefused
from tests.support.factories import make_app, make_graph_app
from tests.support.people import execute
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, end, graph, node, start


@pytest.fixture(params=[1, 2, 500])
def page_rows(request, monkeypatch):
    """Pages of one row, of two, and of more than there are."""
    monkeypatch.setattr(exports, "PAGE_ROWS", request.param)


def exported(visitor, **asked):
    return list(export_answers(ReportFilter(app=visitor.app.code, **asked)))


def test_messages_come_whole_and_once_the_oldest_first(alice, page_rows):
    ids = [alice.ask(text)[-1].data["message_id"] for text in ("One", "Two", "Three")]
    found = exported(alice)
    assert [(row.kind, row.id, row.query) for row in found] == [
        ("message", ids[0], "One"),
        ("message", ids[1], "Two"),
        ("message", ids[2], "Three"),
    ]
    assert all(row.answer and row.total_tokens > 0 for row in found)


def test_messages_of_the_same_moment_are_not_lost_between_pages(alice, page_rows):
    for _ in range(4):
        alice.ask()
    execute("UPDATE messages SET created_at = '2026-03-01T12:00Z' WHERE app_id = :id", id=alice.app.id)
    assert len({row.id for row in exported(alice)}) == 4


def test_a_page_ends_early_for_its_bytes(alice, monkeypatch):
    monkeypatch.setattr(exports, "PAGE_BYTES", 1)
    alice.ask()
    alice.ask()
    assert len(exported(alice)) == 2


def test_runs_of_workflows_stand_between_messages_secrets_masked(client, page_rows):
    environment = [{"id": "e", "name": "key", "value_type": "secret", "value": "s3cret-value"}]
    keep = node("keep", "variable-aggregator", title="Keep it", variables=[["env", "key"]])
    flow = graph(start(text="text-input"), keep, end(r=["start", "text"], k=["keep", "output"]), "start > keep > end")
    workflow = WebVisitor(client, make_graph_app(flow, environment_variables=environment), user_id="somebody-x")
    chat = WebVisitor(client, make_app(), user_id="somebody-x")
    expected = []
    for _ in range(2):
        expected.append(("run", workflow.run(text="tea")[0].data["workflow_run_id"]))
        expected.append(("message", chat.ask()[-1].data["message_id"]))
    ids = {name for _, name in expected}
    found = [row for row in export_answers(ReportFilter(end_user="somebody-x")) if row.id in ids]
    assert [(row.kind, row.id) for row in found] == expected
    assert (found[0].mode, found[0].inputs, found[0].outputs) == (
        "workflow",
        {"text": "tea"},
        {"r": "tea", "k": "********"},
    )
    (run,) = list(itertools.islice(export_answers(ReportFilter(app=workflow.app.code), with_nodes=True), 1))
    assert [entry.node_id for entry in run.nodes or ()] == ["start", "keep", "end"]
    assert "s3cret-value" not in str(run)


def test_a_filter_narrows_both_kinds(client):
    visitor = WebVisitor(client, make_graph_app(graph(start(), end(), "start > end")))
    visitor.run()
    assert len(exported(visitor)) == len(exported(visitor, mode="workflow")) == 1
    assert (
        exported(visitor, rating="like") == exported(visitor, mode="chat") == exported(visitor, status="failed") == []
    )


def test_a_chatflow_s_nodes_come_with_its_message(client):
    flow = graph(start(), answer("{{#sys.query#}}!"), "start > answer")
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat"))
    visitor.ask("Hi")
    (row,) = export_answers(ReportFilter(app=visitor.app.code), with_nodes=True)
    assert (row.kind, row.answer, [entry.node_id for entry in row.nodes or ()]) == (
        "message",
        "Hi!",
        ["start", "answer"],
    )


def test_completions_are_among_them(client):
    visitor = WebVisitor(client, make_app("completion"))
    visitor.post("/completion-messages", {"inputs": {"query": "x"}, "response_mode": "blocking"})
    assert [(row.kind, row.mode) for row in exported(visitor)] == [("message", "completion")]


def test_what_begins_later_is_not_waited_for(alice, monkeypatch):
    monkeypatch.setattr(exports, "PAGE_ROWS", 1)
    first = alice.ask()[-1].data["message_id"]
    found = export_answers(ReportFilter(app=alice.app.code))
    assert next(found).id == first
    alice.ask()
    assert list(found) == []


def test_deleted_conversations_are_left_out(alice):
    alice.delete(f"/conversations/{alice.ask()[-1].data['conversation_id']}")
    assert exported(alice) == []


def test_no_connection_is_held_between_pages(alice, monkeypatch):
    monkeypatch.setattr(exports, "PAGE_ROWS", 1)
    alice.ask()
    alice.ask()
    found = export_answers(ReportFilter(app=alice.app.code))
    next(found)
    busy = (
        "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
    )
    assert execute(busy)[0][0] == 0


def test_feedback_is_exported_with_question_and_answer(alice, page_rows):
    alice.ask()
    ids = []
    for rating in ("like", "dislike"):
        ids.append(alice.ask("Tea?")[-1].data["message_id"])
        alice.post(f"/messages/{ids[-1]}/feedbacks", {"rating": rating, "content": "So."})
    found = list(export_feedback(ReportFilter(app=alice.app.code)))
    assert [(row.message_id, row.rating, row.content, row.query) for row in found] == [
        (ids[0], "like", "So.", "Tea?"),
        (ids[1], "dislike", "So.", "Tea?"),
    ]
    assert [row.message_id for row in export_feedback(ReportFilter(app=alice.app.code, rating="dislike"))] == ids[1:]


def test_a_filter_that_fits_nothing_is_refused_before_the_first_row(app):
    with pytest.raises(ReportRefused):
        export_answers(ReportFilter(app="no-such-app"))
