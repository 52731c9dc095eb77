"""The scripted model does what its markers and scripts say."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.scripted_model import ScriptedModel


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as running:
        yield running


def ask(model: ScriptedModel, text: str = "hi", *, stream: bool = True, **more: Any) -> requests.Response:
    body: Any = {"model": "scripted", "messages": [{"role": "user", "content": text}], "stream": stream} | more
    return requests.post(model.base_url + "/chat/completions", json=body, stream=stream, timeout=5)


def frames(answer: requests.Response) -> list[Any]:
    """The data frames as JSON; what is not JSON as text."""
    found: list[Any] = []
    for raw in answer.iter_lines():
        line = bytes(raw).decode()
        if line.startswith("data: "):
            text = line.removeprefix("data: ")
            found.append(json.loads(text) if re.fullmatch(r"\{\".*\}", text) else text)
    return found


def joined(found: list[Any]) -> str:
    choices = [choice for frame in found if isinstance(frame, dict) for choice in frame.get("choices", [])]
    return "".join(choice["delta"].get("content", "") for choice in choices)


def test_default_answer_is_numbered_and_ends_with_finish_usage_and_done(model: ScriptedModel) -> None:
    answer = ask(model, "[[chunks:4]]", stream_options={"include_usage": True})
    found = frames(answer)

    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert joined(found) == "tok0 tok1 tok2 tok3"
    assert [frame["choices"][0]["finish_reason"] for frame in found[:-2]] == [None] * 4 + ["stop"]
    assert found[-2]["usage"] == {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}
    assert found[-1] == "[DONE]"


def test_scripted_answers_come_in_turn_then_the_default(model: ScriptedModel) -> None:
    model.script("Hello", " world", finish="length")
    model.script(tool_calls=[("search", {"query": "x"})])

    first, second, third = frames(ask(model)), frames(ask(model)), frames(ask(model))

    assert joined(first) == "Hello world" and first[-2]["choices"][0]["finish_reason"] == "length"
    assert second[0]["choices"][0]["delta"]["tool_calls"][0]["function"] == {
        "name": "search",
        "arguments": '{"query": "x"}',
    }
    assert second[1]["choices"][0]["finish_reason"] == "tool_calls"
    assert joined(third) == "tok0 tok1 tok2"


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        ({"error": "quota"}, 429, "insufficient_quota"),
        ({"status": 429}, 429, "rate_limit_exceeded"),
        ({"status": 401}, 401, "invalid_api_key"),
        ({"status": 400}, 400, "context_length_exceeded"),
        ({"status": 404}, 404, "model_not_found"),
        ({"status": 500}, 500, None),
        ({"status": 503}, 503, None),
    ],
)
def test_errors_have_the_status_and_code_of_openai(
    model: ScriptedModel, script: dict[str, Any], status: int, code: str | None
) -> None:
    model.script(**script)
    answer = ask(model)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert ask(model, f"[[fail:{status}]]").status_code == status


def test_status_behind_chunks_is_an_error_frame(model: ScriptedModel) -> None:
    model.script("He", status=429)
    found = frames(ask(model))

    assert joined(found) == "He"
    assert found[1]["error"]["code"] == "rate_limit_exceeded"


def test_cut_ends_in_good_order_without_finish_or_done(model: ScriptedModel) -> None:
    found = frames(ask(model, "[[cut:2]]"))

    assert [frame["choices"][0]["finish_reason"] for frame in found] == [None, None]


def test_failing_stream_breaks_the_connection(model: ScriptedModel) -> None:
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        frames(ask(model, "[[fail-after:2]][[delay:1]]"))
    assert model.requests[0].chunks_sent == 2


def test_garbage_stands_between_chunks(model: ScriptedModel) -> None:
    found = frames(ask(model, "[[garbage:1]]"))

    assert found[1] == "this is {not JSON"
    assert joined(found) == "tok0 tok1 tok2"


def test_say_and_echo_choose_the_text(model: ScriptedModel) -> None:
    assert joined(frames(ask(model, "[[say:Grüße  an alle]]"))) == "Grüße  an alle"
    assert json.loads(joined(frames(ask(model, "[[echo]]")))) == [{"role": "user", "content": "[[echo]]"}]


def test_unstreamed_answers_have_text_and_usage(model: ScriptedModel) -> None:
    with requests.Session() as session:
        asked = {"messages": [{"role": "user", "content": "[[say:one two]]"}]}
        chat = session.post(model.base_url + "/chat/completions", json=asked, timeout=5)
        text = session.post(model.base_url + "/completions", json={"prompt": "[[chunks:2]]"}, timeout=5)
        models = session.get(model.base_url + "/models", timeout=5)

    assert chat.json()["choices"][0] | {"logprobs": None} == {
        "index": 0,
        "message": {"role": "assistant", "content": "one two"},
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert text.json()["choices"][0]["text"] == "tok0 tok1" and text.json()["usage"]["completion_tokens"] == 2
    assert "scripted" in [entry["id"] for entry in models.json()["data"]]


def test_streamed_chunks_keep_their_beat(model: ScriptedModel) -> None:
    frames(ask(model, "[[chunks:10]][[delay:20]]"))
    request = model.requests[0]
    model.wait_for(lambda _: request.ended is not None)

    assert request.ended is not None
    assert 0.19 <= request.ended - request.began < 0.6


@pytest.mark.parametrize("marker", ["[[hang]]", "[[hang-after:2]]", "[[chunks:1000]][[delay:10]]"])
def test_client_that_leaves_is_noticed_at_once(model: ScriptedModel, marker: str) -> None:
    body = json.dumps({"stream": True, "messages": [{"role": "user", "content": marker}]}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.create_connection(("127.0.0.1", model.port)) as client:
        client.sendall(head)
        client.sendall(body)
        model.wait_for(lambda seen: len(seen.requests) == 1)
    model.wait_for(lambda seen: seen.requests[0].closed_early is not None, seconds=1)

    assert model.requests[0].ended is None


def test_process_prints_its_address_and_tells_its_requests() -> None:
    command = [sys.executable, "-m", "tests.support.scripted_model", "--chunks", "2", "--delay-ms", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        root = base_url.removesuffix("/v1")
        body: Any = {"messages": [{"role": "user", "content": "hi"}], "stream": True}
        answer = requests.post(
            base_url + "/chat/completions", json=body, headers={"Authorization": "Bearer key"}, timeout=5
        )
        recorded = requests.get(root + "/_requests", timeout=5).json()
        requests.delete(root + "/_requests", timeout=5)
        left = requests.get(root + "/_requests", timeout=5).json()
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(5)

    assert "tok1" in answer.text
    assert [(entry["body"], entry["headers"]["authorization"], entry["chunks_sent"]) for entry in recorded] == [
        (body, "Bearer key", 2)
    ]
    assert left == []
    assert code == 0


def test_server_that_ends_as_soon_as_it_starts_ends_quietly() -> None:
    for _ in range(30):
        with ScriptedModel():
            pass
