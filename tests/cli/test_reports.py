"""`flask conversations`, `feedback` and `usage`."""

import csv
import io
import json
import re

import pytest

from tests.support.factories import make_graph_app
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, graph, start


@pytest.fixture
def rated(alice):
    """The ids of a conversation and its message, which was rated."""
    last = alice.ask("=Tea?\x1b[31m")[-1].data
    alice.post(f"/messages/{last['message_id']}/feedbacks", {"rating": "dislike", "content": "Too cold."})
    return last["conversation_id"], last["message_id"]


def test_conversations_are_listed_page_by_page(run, alice):
    ids = [alice.ask()[-1].data["conversation_id"] for _ in range(3)][::-1]
    exit_code, out, err = run("conversations", "list", "--app", alice.app.code, "--limit", 2)
    assert exit_code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == ids[:2]
    (following,) = re.findall(r"--after (\S+)", err)
    rest = json.loads(run("conversations", "list", "--app", alice.app.code, "--after", following, "--json")[1])
    assert ([row["id"] for row in rest["data"]], rest["following"]) == (ids[2:], None)


@pytest.mark.parametrize("since", ["2026-01-31", "2026-01-31T12:00", "2026-01-31T12:00:00Z", "7d", "12h", "30m"])
def test_times_are_dates_or_how_long_ago(run, alice, rated, since):
    listed = json.loads(run("conversations", "list", "--app", alice.app.code, "--since", since, "--json")[1])
    assert [row["id"] for row in listed["data"]] == [rated[0]]
    assert (
        json.loads(run("conversations", "list", "--app", alice.app.code, "--until", since, "--json")[1])["data"] == []
    )


@pytest.mark.parametrize("command", [("conversations", "list"), ("feedback", "list"), ("usage",), ("runs", "list")])
def test_what_cannot_be_meant_is_one_line(run, command):
    for wrong, complaint in ((("--since", "soon"), "no time"), (("--app", "no-such-app"), "no app with code")):
        exit_code, out, err = run(*command, *wrong)
        assert exit_code != 0 and out == "" and complaint in err and "Traceback" not in err


def test_a_conversation_is_shown_without_signs_that_move_a_terminal(run, rated):
    exit_code, out, _ = run("conversations", "show", rated[0])
    assert exit_code == 0 and "\x1b" not in out
    for part in ("asked     =Tea?", "answered", "rated     dislike Too cold.", rated[1]):
        assert part in out
    shown = json.loads(run("conversations", "show", rated[0], "--json")[1])
    assert [message["rating_content"] for message in shown["messages"]] == ["Too cold."]


def test_a_conversation_of_a_chatflow_has_runs_and_nodes(run, client):
    visitor = WebVisitor(client, make_graph_app(graph(start(), answer("Hi"), "start > answer"), "advanced-chat"))
    conversation = visitor.ask()[-1].data["conversation_id"]
    out = run("conversations", "show", conversation)[1]
    assert "run       " in out and "answer (answer) succeeded" in out


def test_answers_are_exported_to_stdout_and_to_a_file(run, alice, rated, tmp_path):
    exit_code, out, err = run("conversations", "export", "--app", alice.app.code)
    assert (exit_code, err) == (0, "")
    assert [json.loads(line)["id"] for line in out.splitlines()] == [rated[1]]
    file = tmp_path / "answers.csv"
    exit_code, out, err = run("conversations", "export", "--app", alice.app.code, "-o", file, "--progress")
    assert (exit_code, out) == (0, "") and "1 rows" in err
    (row,) = csv.DictReader(io.StringIO(file.read_text(), newline=""))
    assert (row["id"], row["query"][:6]) == (rated[1], "'=Tea?")
    assert file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_export_leaves_the_file_that_was_there(run, alice, rated, tmp_path, monkeypatch):
    file = tmp_path / "answers.jsonl"
    file.write_text("before")
    monkeypatch.setattr("app.services.reports.exports.list_message_rows", lambda *_: 1 / 0)
    with pytest.raises(AssertionError, match="division"):
        run("conversations", "export", "--app", alice.app.code, "-o", file)
    assert list(tmp_path.iterdir()) == [file] and file.read_text() == "before"


def test_a_file_that_cannot_be_written_is_one_line(run, alice, tmp_path):
    exit_code, _, err = run("conversations", "export", "--app", alice.app.code, "-o", tmp_path / "no" / "x.csv")
    assert exit_code == 1 and "cannot be written: No such file" in err


def test_feedback_is_listed_and_exported(run, alice, rated):
    assert rated[1] in run("feedback", "list", "--app", alice.app.code)[1]
    listed = json.loads(run("feedback", "list", "--app", alice.app.code, "--rating", "dislike", "--json")[1])
    assert [row["message_id"] for row in listed["data"]] == [rated[1]]
    (row,) = csv.DictReader(io.StringIO(run("feedback", "export", "--app", alice.app.code, "--format", "csv")[1]))
    assert (row["message_id"], row["content"]) == (rated[1], "Too cold.")


def test_usage_is_added_up_by_any_combination(run, alice, rated):
    (row,) = json.loads(run("usage", "--app", alice.app.code, "--by", "app,account,model,day", "--json")[1])
    assert list(row["group"]) == ["app", "account", "model", "day"]
    assert (row["group"]["app"], row["answers"]) == (alice.app.code, 1)
    table = run("usage", "--app", alice.app.code)[1].splitlines()
    assert table[0].split()[:3] == ["APP", "MODEL", "ANSWERS"] and table[1].split()[0] == alice.app.code
    (line,) = csv.DictReader(io.StringIO(run("usage", "--app", alice.app.code, "--by", "", "--csv")[1]))
    assert line["answers"] == "1"
    assert run("usage", "--by", "colour")[0] == 1
