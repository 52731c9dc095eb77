"""Agents on real processes: a worker dies in a tool, after one, or in the answer; what was stored is not done again."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.support.agents import thoughts
from tests.support.factories import chat_definition
from tests.support.sse import answer_text, numbered_text
from tests.support.stack import Stack
from tests.support.visitor import Visitor, wait_until
from tests.support.web_service import DESCRIPTION, WebService
from tests.support.workflow.graphs import answer, app_file, graph, node, start

WORKERS = 2
LOOK = '[[call:getPet {"pet_id": "tom"}]]'
SLOWLY = "[[chunks:60]][[delay:25]]"
FINAL = numbered_text(60)


@pytest.fixture(scope="module")
def service() -> Iterator[WebService]:
    with WebService() as started:
        yield started


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory, service: WebService) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("agents")
    (directory / "pets.json").write_text(json.dumps(DESCRIPTION))
    server = [sys.executable, "-m", "tests.support.mcp_server", "stdio"]
    providers = {
        "pets": {"openapi": {"description": "pets.json", "base_url": service.url, "headers": {"X-Key": "$PETS_KEY"}}},
        "house": {"mcp": {"command": server, "environment": {"PYTHONPATH": "$HERE"}}},
    }
    (directory / "tools.yml").write_text(json.dumps({"providers": providers}))
    environment = {"TOOLS_FILE": str(directory / "tools.yml"), "PETS_KEY": "sesame", "HERE": os.getcwd()}
    with Stack(directory, worker_processes=WORKERS, environment=environment) as stack:
        names = (("pets", "getPet"), ("house", "whoami"), ("time", "current_time"))
        tools = [
            {
                "enabled": True,
                "provider_id": provider,
                "provider_name": provider,
                "provider_type": "api",
                "tool_name": name,
                "tool_parameters": {},
            }
            for provider, name in names
        ]
        definition = chat_definition(
            agent_mode={"enabled": True, "strategy": "function_call", "max_iteration": 5, "tools": tools}
        )
        definition["app"]["mode"] = "agent-chat"
        file = directory / "agent.yml"
        file.write_text(json.dumps(definition, ensure_ascii=False))
        assert stack.import_app(file, "agent")[0]["warnings"] == []
        flow = graph(start(), agent_node(), answer("{{#agent.text#}}"), "start > agent > answer")
        file.write_text(app_file(flow, "advanced-chat", "node"))
        assert stack.import_app(file, "node")[0]["warnings"] == []
        yield stack


def agent_node() -> dict[str, Any]:
    """An agent inside a chatflow, which may look a pet up."""
    model = {"provider": "openai", "model": "scripted", "mode": "chat", "completion_params": {}}
    tool = {"enabled": True, "type": "api", "provider_name": "pets", "tool_name": "getPet"}
    given = {"model": model, "query": "{{#sys.query#}}", "instruction": "", "tools": [tool]}
    parameters = {name: {"type": "constant", "value": value} for name, value in given.items()}
    return node("agent", "agent", agent_strategy_name="function_calling", agent_parameters=parameters)


@pytest.fixture
def stack(own_stack: Stack, service: WebService) -> Stack:
    own_stack.workers = [worker for worker in own_stack.workers if worker.alive]
    while len(own_stack.workers) < WORKERS:
        own_stack.start_worker()
    own_stack.wait_for_health()
    service.asked.clear()
    return own_stack


@pytest.fixture
def visitor(stack: Stack) -> Visitor:
    return Visitor(stack.base_url, "agent")


def test_a_worker_killed_in_a_tool_leaves_the_call_to_another(
    stack: Stack, service: WebService, visitor: Visitor, mark: str
) -> None:
    service.says = [(0, {}, b"")]
    stream = visitor.chat(f"{mark} {LOOK} {SLOWLY}")
    wait_until(lambda: service.asked, 20, "the tool to be called")

    stack.kill_worker(stack.worker_of(mark))
    stream.wait_for_end()

    first, second = thoughts(stream.frames)
    assert len(service.asked) == 2
    assert json.loads(first["observation"])["getPet"].startswith('{"method":"GET"')
    assert second["thought"] == FINAL
    assert answer_text(stream.frames) == f"Asking getPet.\n{FINAL}" == visitor.stored_answer(stream.frames[0])


def test_a_worker_killed_in_the_answer_does_not_have_the_tool_called_again(
    stack: Stack, service: WebService, visitor: Visitor, mark: str
) -> None:
    stream = visitor.chat(f"{mark} {LOOK} {SLOWLY}")
    wait_until(lambda: len(answer_text(stream.frames)) > 60, 20, "some of the answer")

    stack.kill_worker(stack.worker_of(mark))
    stream.wait_for_event("message_replace")
    stream.wait_for_end()

    assert len(service.asked) == 1
    assert [thought["position"] for thought in thoughts(stream.frames)] == [1, 2]
    assert answer_text(stream.frames) == f"Asking getPet.\n{FINAL}" == visitor.stored_answer(stream.frames[0])
    (message,) = visitor.messages(stream.frames[0].data["conversation_id"])
    assert [thought["id"] for thought in message["agent_thoughts"]] == [
        thought["id"] for thought in thoughts(stream.frames)
    ]


def test_a_node_s_tool_is_not_called_again_by_the_worker_that_takes_over(
    stack: Stack, service: WebService, mark: str
) -> None:
    visitor = Visitor(stack.base_url, "node")
    stream = visitor.chat(f"{mark} {LOOK} {SLOWLY}")
    wait_until(lambda: len(answer_text(stream.frames)) > 60, 20, "some of the answer")

    stack.kill_worker(stack.worker_of(mark))
    stream.wait_for_event("message_replace")
    stream.wait_for_end()

    assert len(service.asked) == 1
    assert answer_text(stream.frames) == f"Asking getPet.\n{FINAL}" == visitor.stored_answer(stream.frames[0])


def test_several_tools_and_a_worker_killed_behind_each(
    stack: Stack, service: WebService, visitor: Visitor, mark: str
) -> None:
    calls = " ".join(f'[[call:getPet {{"pet_id": "{name}"}}]]' for name in "abc")
    stream = visitor.chat(f"{mark} {calls} {SLOWLY}")
    for number in (1, 2):
        wait_until(lambda number=number: len(service.asked) >= number, 20, f"call {number}")
        stack.kill_worker(stack.worker_of(mark))
        stack.start_worker()
    stream.wait_for_end(60)

    paths = [asked["path"] for asked in service.asked]
    assert [thought["position"] for thought in thoughts(stream.frames)] == [1, 2, 3, 4]
    assert list(dict.fromkeys(paths)) == ["/pets/a", "/pets/b", "/pets/c"]
    # A call whose end was not stored when its worker died is made again; no other is.
    assert len(paths) <= 5
    assert answer_text(stream.frames).endswith(FINAL)


def test_a_stop_in_a_tool_ends_it_at_once(stack: Stack, service: WebService, visitor: Visitor, mark: str) -> None:
    service.says = [(0, {}, b"")]
    stream = visitor.chat(f"{mark} {LOOK} {SLOWLY}")
    wait_until(lambda: service.asked, 20, "the tool to be called")

    visitor.stop(stream.frames[0].data["task_id"])
    stream.wait_for_end(5)

    assert stream.frames[-1].event == "message_end"
    assert visitor.stored_answer(stream.frames[0]) == "Asking getPet."


def test_a_reader_who_comes_late_sees_every_thought(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.chat(f"{mark} {LOOK} [[chunks:3]]").wait_for_end()
    stack.restart_redis()
    again = visitor.resume(stream.frames[0].data["task_id"], None).wait_for_end()
    assert [(thought["id"], thought["observation"]) for thought in thoughts(again.frames)] == [
        (thought["id"], thought["observation"]) for thought in thoughts(stream.frames)
    ]
    assert answer_text(again.frames) == answer_text(stream.frames)


def test_a_tool_s_process_ends_with_its_worker(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.chat(f'{mark} [[call:whoami {{"variable": "SECRET_KEY"}}]] {SLOWLY}')
    wait_until(lambda: any(thought["observation"] for thought in thoughts(stream.frames)), 30, "the tool's answer")
    number, secret = json.loads(thoughts(stream.frames)[0]["observation"])["whoami"].split(":")
    assert secret == "unset"

    stack.kill_worker(stack.worker_of(mark))
    stream.wait_for_end()

    wait_until(lambda: not psutil.pid_exists(int(number)), 10, "the tool's process to end")
