"""`flask chat`: what a person in a terminal sees of an answer, and what is asked of them."""

import io
import json
import pathlib
import threading

import pytest

from app.cli.talk.answers import ShownAnswer
from app.cli.talk.questions import Questions
from app.cli.talk.terminal import EndOfInput, Screen, plain
from app.cli.talk.web_api import TalkFailed, VisitorApi
from tests.support.raw_server import CHUNKED, LAST, RawServer, chunked, say_and_close

TASK = "0b8a2f0e-6f0c-4c1e-9f52-6a4c1f0d9a10"


class Typed(io.StringIO):
    """Lines of a terminal."""

    def isatty(self) -> bool:
        return True


def answer(body: object, status: str = "200 OK", headers: str = "") -> bytes:
    content = json.dumps(body).encode()
    return (
        f"HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {len(content)}\r\n\r\n".encode() + content
    )


PASSPORT = say_and_close(answer({"access_token": "t"}))


def frame(number: int, event: str, **more: object) -> bytes:
    return f"id: {number}\ndata: {json.dumps({'event': event, 'task_id': TASK, **more})}\n\n".encode()


def api_of(server: RawServer) -> VisitorApi:
    return VisitorApi(f"http://127.0.0.1:{server.port}", "chat")


def screen(*lines: str, typed: bool = False) -> Screen:
    text = "".join(f"{line}\n" for line in lines)
    return Screen(io.StringIO(), io.StringIO(), Typed(text) if typed else io.StringIO(text))


def told(shown: Screen) -> tuple[str, str]:
    return shown._output.getvalue(), shown._notes.getvalue()


def show(*events: dict) -> tuple[ShownAnswer, Screen]:
    on = screen()
    shown = ShownAnswer(on)
    for event in events:
        shown.show(event)
    on.end_line()
    return shown, on


def run_event(name: str, **data: object) -> dict:
    return {"event": name, "data": data}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b]0;title\x07\x1b[2J", "␛]0;title␇␛[2J"),
        ("over\rwritten\b\b", "overwritten␈␈"),
        ("\x9b31m\u202etxt\u2066", "�31m�txt�"),
        ("a\tb\nc é 🎉", "a\tb\nc é 🎉"),
        ("half \ud83c", "half ?"),
    ],
)
def test_what_a_model_says_cannot_control_the_terminal(said, shown):
    assert plain(said) == shown


def test_words_are_shown_as_they_come_and_steps_beside_them():
    shown, on = show(
        run_event("node_started", id="1", node_type="start", title="Start"),
        run_event("node_started", id="2", node_type="llm", title="Answer\x1b[31m"),
        run_event("node_started", id="2", node_type="llm", title="Answer\x1b[31m"),
        {"event": "message", "answer": "Hel", "conversation_id": "c"},
        {"event": "message", "answer": "lo", "conversation_id": "c"},
        {"event": "message_end", "metadata": {"retriever_resources": [{"document_name": "a.md"}] * 2}},
        run_event("workflow_finished", status="succeeded", outputs={"answer": "Hello"}),
    )
    assert told(on) == ("Hello\n", "  · Answer␛[31m\n  sources: a.md\n")
    assert (shown.failure, shown.conversation_id) == ("", "c")


def test_an_agent_s_tools_are_steps():
    thought = {"event": "agent_thought", "id": "1", "tool": "calculator", "tool_input": '{"e": "2+2"}'}
    _, on = show(thought, {**thought, "observation": "4"}, {"event": "agent_message", "answer": "4"})
    assert told(on) == ("4\n", '  · uses calculator {"e": "2+2"}\n')


def test_an_answer_that_begins_again_says_so():
    _, on = show(
        {"event": "message", "answer": "one two"},
        {"event": "message_replace", "answer": "one two th"},
        {"event": "message_replace", "answer": ""},
        {"event": "message", "answer": "uno"},
    )
    assert told(on) == ("one two th\nuno\n", "  · the answer above is replaced by this one:\n")


def test_the_outputs_of_a_run_are_named_unless_they_were_shown():
    _, on = show(
        run_event("text_chunk", text="hi"), run_event("workflow_finished", status="succeeded", outputs={"r": "hi"})
    )
    assert told(on)[0] == "hi\n"
    _, on = show(run_event("workflow_finished", status="succeeded", outputs={"n": 7, "d": {"a": 1}}))
    assert told(on)[0] == 'n: 7\nd: {"a": 1}\n'


def test_a_failure_is_kept_for_the_end():
    shown, _ = show(run_event("workflow_finished", status="failed", error="Run failed: no."))
    assert shown.failure == "Run failed: no."
    shown, _ = show({"event": "error", "message": "The model is away.", "code": "x"})
    assert shown.failure == "The model is away."


FORM = [
    {"text-input": {"variable": "name", "label": "Name", "required": True, "max_length": 5}},
    {"select": {"variable": "size", "label": "Size", "options": ["small", "large"], "default": "small"}},
    {"number": {"variable": "count", "label": "Count"}},
    {"checkbox": {"variable": "sure", "label": "Sure"}},
    {"json_object": {"variable": "more", "label": "More"}},
]


@pytest.fixture
def api():
    with RawServer(PASSPORT) as server:
        yield api_of(server)


def test_inputs_are_read_by_their_kinds(api):
    lines = ("Ann", "2", "1.5", "yes", '{"a": [1]}')
    assert Questions(api, screen(*lines)).input_form(FORM, {}) == {
        "name": "Ann",
        "size": "large",
        "count": 1.5,
        "sure": True,
        "more": {"a": [1]},
    }


def test_what_is_left_out_has_its_default_or_is_absent(api):
    assert Questions(api, screen("Ann", "", "", "", "")).input_form(FORM, {}) == {"name": "Ann", "size": "small"}


@pytest.mark.parametrize(
    ("line", "why"),
    [("", "Name: A value is needed."), ("too long", "Name: At most 5 characters are taken; these are 8.")],
)
def test_a_script_ends_with_what_cannot_be_used(api, line, why):
    with pytest.raises(TalkFailed) as failed:
        Questions(api, screen(line)).input_form(FORM, {})
    assert str(failed.value) == why


def test_values_may_be_given_before_and_unknown_ones_are_refused(api):
    given = {"name": "Ann", "size": "Large", "count": "3", "sure": "n", "more": "{}"}
    assert Questions(api, screen()).input_form(FORM, given)["size"] == "large"
    with pytest.raises(TalkFailed, match="The app has no input 'nmae'; it has: count, more, name, size, sure"):
        Questions(api, screen()).input_form(FORM, {**given, "nmae": "Ann"})


def test_inputs_that_end_too_early_end_the_talk(api):
    with pytest.raises(EndOfInput):
        Questions(api, screen("Ann")).input_form(FORM, {})


@pytest.mark.parametrize("decision", ["2", "Reject", "reject", "no"])
def test_a_form_s_decision_is_its_number_title_or_id(api, decision):
    form = {
        "inputs": [{"type": "paragraph", "output_variable_name": "comment", "default": {"value": "fine"}}],
        "actions": [{"id": "yes", "title": "Approve"}, {"id": "no", "title": "Reject"}],
    }
    assert Questions(api, screen("", decision)).form(form) == {"inputs": {"comment": "fine"}, "action": "no"}


def test_a_file_that_cannot_be_read_is_told(api, tmp_path):
    form = [{"file": {"variable": "f", "label": "F", "allowed_file_types": ["image"]}}]
    missing = pathlib.Path(tmp_path, "none.png")
    with pytest.raises(TalkFailed, match="No such file"):
        Questions(api, screen(str(missing))).input_form(form, {})
    link = Questions(api, screen("https://example.com/a.png")).input_form(form, {})
    assert link == {"f": {"type": "image", "transfer_method": "remote_url", "url": "https://example.com/a.png"}}


def test_an_answer_goes_on_after_cuts():
    """Cut in the middle of a frame, refused once, closed without an end: each event comes once."""
    beginning = CHUNKED + chunked(frame(1, "message", answer="a"), frame(2, "message", answer="b"), b"id: 3\ndata: {")
    middle = CHUNKED + chunked(frame(3, "message", answer="c")) + LAST
    rest = CHUNKED + chunked(b"event: ping\n\n", frame(4, "message_end")) + LAST
    away = say_and_close(answer({"message": "away"}, "503 Service Unavailable"))
    asked: list[bytes] = []

    def noted(behaviour):
        def behave(connection):
            asked.append(connection.recv(65_536, 2))
            behaviour(connection)

        return behave

    steps = [PASSPORT, *map(noted, (say_and_close(beginning), away, say_and_close(middle), say_and_close(rest)))]
    with RawServer(*steps) as server:
        events = [event for event in api_of(server).stream("chat-messages", {}).events()]
    assert [event.get("answer", event["event"]) for event in events] == ["a", "b", "c", "message_end"]
    numbers = [line for request in asked[1:] for line in request.split(b"\r\n") if line.startswith(b"Last-Event-ID")]
    assert numbers == [b"Last-Event-ID: 2", b"Last-Event-ID: 2", b"Last-Event-ID: 3"]
    assert all(f"/api/workflow/{TASK}/events".encode() in request for request in asked[1:])


def test_a_cut_before_the_first_event_is_told():
    with (
        RawServer(PASSPORT, say_and_close(CHUNKED)) as server,
        pytest.raises(TalkFailed, match="cut before the answer began"),
    ):
        list(api_of(server).stream("chat-messages", {}).events())


def test_a_stop_waits_for_the_answer_s_name():
    go_on = threading.Event()

    def slow(connection):
        connection.recv(65_536)
        connection.sendall(CHUNKED + chunked(b"event: ping\n\n"))
        go_on.wait(10)
        connection.sendall(chunked(frame(1, "message_end")) + LAST)

    with RawServer(PASSPORT, slow) as server:
        asked = api_of(server).stream("chat-messages", {})
        assert not asked.begun.is_set()
        go_on.set()
        assert len(list(asked.events())) == 1 and asked.begun.is_set()


@pytest.mark.parametrize(
    ("refusal", "told_as"),
    [
        (answer({"code": "not_found", "message": "no"}, "404 Not Found"), "There is no app 'chat' at"),
        (answer({"code": "unauthorized", "message": "no"}, "401 Unauthorized"), "asks for a login"),
        (answer({"message": "slow down"}, "429 Too Many", "Retry-After: 7\r\n"), r"slow down \(try again in 7 s\)"),
        (answer(["x"], "500 Oops"), "HTTP status 500"),
    ],
)
def test_refusals_are_told_in_plain_words(refusal, told_as):
    with RawServer(say_and_close(refusal)) as server, pytest.raises(TalkFailed, match=told_as):
        api_of(server)


def test_the_kind_of_app_is_found_by_what_refuses_an_empty_question():
    def refuse(code: str):
        return say_and_close(answer({"code": code, "message": ""}, "400 Bad Request"))

    with RawServer(PASSPORT, refuse("not_chat_app"), refuse("invalid_param")) as server:
        assert api_of(server).path_of_mode() == "completion-messages"
