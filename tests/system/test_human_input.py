"""Human input on real processes: whatever dies between pause, submission and end, the run ends well, once."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest
import requests

from tests.support.stack import Stack
from tests.support.visitor import LiveStream, Visitor, wait_until
from tests.support.workflow.forms import human, paragraph
from tests.support.workflow.graphs import app_file, end, graph, node, start

WORKERS = 2
CHUNKS = 20
TEXT = " ".join(f"tok{number}" for number in range(CHUNKS))


def llm(name: str) -> dict[str, Any]:
    prompt = [{"role": "user", "text": f"{{{{#start.mark#}}}} {name}. [[chunks:{CHUNKS}]][[delay:25]]"}]
    model = {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}}
    return node(name, "llm", model=model, prompt_template=prompt, context={"enabled": False})


def asking() -> str:
    """A draft by the model, a form, an answer by the model."""
    asks = human("ask", "yes", "no", content="{{#draft.text#}}", inputs=[paragraph("comment")], timeout=1)
    outputs = end(
        draft=["draft", "text"], comment=["ask", "comment"], action=["ask", "__action_id"], final=["final", "text"]
    )
    paths = ["start > draft > ask:yes > final > end", "ask:no > end", "ask:__timeout > end"]
    definition = graph(start(mark="text-input"), llm("draft"), asks, llm("final"), outputs, *paths)
    return app_file(definition, "workflow", "Ask")


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Its web server takes any number of requests of one address, its clock looks every second."""
    environment = {"FORM_IP_LIMIT": "0", "FORM_SCAN_SECONDS": "1"}
    with Stack(tmp_path_factory.mktemp("people"), worker_processes=WORKERS, environment=environment) as stack:
        file = stack.directory / "ask.yml"
        file.write_text(asking())
        stack.import_app(file, "ask")
        yield stack


@pytest.fixture
def stack(own_stack: Stack) -> Stack:
    while len(own_stack.workers) < WORKERS:
        own_stack.start_worker()
    own_stack.wait_for_health()
    return own_stack


@pytest.fixture
def visitor(stack: Stack) -> Visitor:
    return Visitor(stack.base_url, "ask")


def form(stream: LiveStream) -> dict[str, Any]:
    (found,) = [frame.data["data"] for frame in stream.frames if frame.event == "human_input_required"]
    return dict(found)


def submit(stack: Stack, token: str, action: str = "yes") -> requests.Response:
    url = f"{stack.base_url}/api/form/human_input/{token}"
    return requests.post(url, json={"inputs": {"comment": "fine"}, "action": action}, timeout=30)


def went_on(visitor: Visitor, stream: LiveStream) -> LiveStream:
    """The rest of a run that waited."""
    return visitor.resume(stream.frames[0].data["workflow_run_id"], stream.last_number)


def assert_ended_well(stream: LiveStream, action: str = "yes") -> None:
    stream.wait_for_end()
    outputs = {"draft": TEXT, "comment": "fine", "action": action, "final": TEXT}
    assert (stream.frames[-1].data["data"]["status"], stream.frames[-1].data["data"]["outputs"]) == (
        "succeeded",
        outputs,
    )


def calls(stack: Stack, mark: str) -> Counter[str]:
    asked = [json.dumps(request["body"]) for request in stack.model_requests()]
    return Counter(text.split(f"{mark} ")[1].split(".")[0] for text in asked if mark in text)


def test_of_two_hundred_answers_at_once_one_counts(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.run(mark=mark).wait_for_end()
    token = form(stream)["form_token"]
    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(lambda number: submit(stack, token, "yes" if number % 2 else "no"), range(200)))
    codes = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert codes == {(200, None): 1, (412, "human_input_form_submitted"): 199}
    rest = went_on(visitor, stream).wait_for_end()
    assert rest.events.count("human_input_form_filled") == rest.events.count("workflow_finished") == 1
    assert calls(stack, mark)["draft"] == 1


def test_a_worker_that_dies_before_the_pause_sends_one_form(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.run(mark=mark)
    wait_until(lambda: calls(stack, mark)["draft"], 20, "the draft")
    stack.kill_worker(stack.worker_of(f"{mark} draft."))
    stream.wait_for_end()
    assert stream.events[-1] == "workflow_paused"
    assert form(stream)["form_content"] == TEXT
    submit(stack, form(stream)["form_token"])
    assert_ended_well(went_on(visitor, stream))


def test_an_answer_that_comes_while_no_worker_lives_is_kept(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.run(mark=mark).wait_for_end()
    while stack.workers:
        stack.kill_worker(0)
    assert submit(stack, form(stream)["form_token"]).status_code == 200
    rest = went_on(visitor, stream)
    for _ in range(WORKERS):
        stack.start_worker()
    assert_ended_well(rest)
    assert calls(stack, mark) == {"draft": 1, "final": 1}


def test_a_worker_that_dies_behind_the_answer_does_not_lose_it(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.run(mark=mark).wait_for_end()
    submit(stack, form(stream)["form_token"])
    rest = went_on(visitor, stream)
    wait_until(lambda: calls(stack, mark)["final"], 20, "the final text")
    stack.kill_worker(stack.worker_of(f"{mark} final."))
    assert_ended_well(rest)
    assert calls(stack, mark) == {"draft": 1, "final": 2}


def test_a_web_server_that_dies_while_people_think_is_not_missed(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.run(mark=mark).wait_for_end()
    stack.restart_web()
    assert submit(stack, form(stream)["form_token"]).status_code == 200
    assert_ended_well(went_on(visitor, stream))


def test_a_redis_that_forgot_everything_is_not_missed(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.run(mark=mark).wait_for_end()
    stack.restart_redis()
    stack.wait_for_health()
    wait_until(lambda: submit(stack, form(stream)["form_token"]).status_code in (200, 412), 20, "the answer")
    rest = went_on(visitor, stream)
    assert_ended_well(rest)


def test_a_form_is_answered_after_a_restart_of_everything(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.run(mark=mark).wait_for_end()
    stack.restart_everything()
    waiting = visitor.resume(stream.frames[0].data["workflow_run_id"])
    assert submit(stack, form(stream)["form_token"]).status_code == 200
    assert_ended_well(waiting)
    assert waiting.events[:2] == ["workflow_started", "human_input_form_filled"]
    assert waiting.frames[0].number == stream.last_number + 1


def test_a_clock_that_died_and_came_back_lets_forms_run_out(stack: Stack, visitor: Visitor, mark: str) -> None:
    stack.start_beat()
    stream = visitor.run(mark=mark).wait_for_end()
    stack.kill_beat()
    with psycopg2.connect(stack.postgres.url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE human_input_forms SET expires_at = now() - interval '1 second' WHERE id = %s",
            [form(stream)["form_id"]],
        )
    rest = went_on(visitor, stream)
    stack.start_beat()
    rest.wait_for_end()
    assert "human_input_form_timeout" in rest.events
    assert rest.frames[-1].data["data"]["outputs"]["action"] == ""
