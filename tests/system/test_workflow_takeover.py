"""A worker dies in a workflow run: another finishes it from the last node that ended; what ended is not done again."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.support.stack import Stack
from tests.support.visitor import LiveStream, Visitor, wait_until
from tests.support.workflow.graphs import answer, app_file, end, graph, node, start

NODES = 10
CHUNKS = 24
CODE = "chain"


def llm(number: int) -> dict[str, Any]:
    prompt = [{"role": "user", "text": f"{{{{#sys.query#}}}} node{number}. [[chunks:{CHUNKS}]][[delay:25]]"}]
    model = {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}}
    return node(f"n{number}", "llm", model=model, prompt_template=prompt, context={"enabled": False})


@pytest.fixture(scope="module")
def chain(running_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A chatflow of models, one behind the other; the answer has the texts of all."""
    numbers = range(1, NODES + 1)
    text = " ".join(f"{{{{#n{number}.text#}}}}" for number in numbers)
    path = " > ".join(["start", *(f"n{number}" for number in numbers), "answer"])
    file = tmp_path_factory.mktemp("apps") / "chain.yml"
    file.write_text(app_file(graph(start(), *map(llm, numbers), answer(text), path), "advanced-chat", CODE))
    running_stack.import_app(file, CODE)
    return CODE


def calls(stack: Stack, mark: str) -> Counter[str]:
    """How often each node asked the model."""
    asked = [json.dumps(request["body"]) for request in stack.model_requests()]
    return Counter(text.split(f"{mark} ")[1].split(".")[0] for text in asked if mark in text)


def assert_whole(visitor: Visitor, stream: LiveStream) -> None:
    whole = " ".join(" ".join(f"tok{number}" for number in range(CHUNKS)) for _ in range(NODES))
    assert stream.text == whole
    assert stream.events[-2:] == ["message_end", "workflow_finished"]
    assert stream.frames[-1].data["data"]["status"] == "succeeded"
    assert visitor.stored_answer(stream.frames[-1]) == whole


@pytest.mark.parametrize("numbers", [(1, 4, 7), (2, 5, 8), (3, 6, 9, 10)], ids=str)
def test_a_node_cut_in_mid_stream_is_run_again_and_no_other(
    stack: Stack, chain: str, mark: str, numbers: tuple[int, ...]
) -> None:
    visitor = Visitor(stack.base_url, chain)
    stream = visitor.chat(mark)
    for number in numbers:
        wait_until(lambda number=number: calls(stack, mark)[f"node{number}"], 20, f"node {number}")
        stream.wait_for_frames(len(stream.frames) + 1)
        stack.kill_worker(stack.worker_of(f"{mark} node{number}."))
        stack.start_worker()
    stream.wait_for_end()

    assert_whole(visitor, stream)
    # A busy machine may be late with a kill: then it cuts a later node, or comes between two.
    repeated = calls(stack, mark) - Counter(f"node{number}" for number in range(1, NODES + 1))
    assert set(repeated.values()) == {1}
    assert len(repeated) <= len(numbers)


@pytest.mark.parametrize("number", [2, 5])
def test_a_worker_killed_right_behind_a_node_does_not_repeat_it(
    stack: Stack, chain: str, mark: str, number: int
) -> None:
    visitor = Visitor(stack.base_url, chain)
    stream = visitor.chat(mark)
    wait_until(lambda: calls(stack, mark)[f"node{number}"], 20, f"node {number}")
    worker = stack.worker_of(f"{mark} node{number}.")
    ended = stream.events.count("node_finished")
    wait_until(lambda: stream.events.count("node_finished") > ended, 20, f"the end of node {number}")

    stack.kill_worker(worker)
    stream.wait_for_end()

    assert_whole(visitor, stream)
    assert all(calls(stack, mark)[f"node{other}"] == 1 for other in range(1, number + 1))


def test_a_stopped_run_ends_as_stopped(stack: Stack, chain: str, mark: str) -> None:
    visitor = Visitor(stack.base_url, chain)
    stream = visitor.chat(mark)
    wait_until(lambda: calls(stack, mark)["node2"], 20, "node 2")
    visitor.stop(stream.frames[0].data["task_id"])
    stream.wait_for_end()
    assert stream.events[-2:] == ["message_end", "workflow_finished"]
    assert (stream.frames[-1].data["data"]["status"], stream.frames[-1].data["data"]["error"]) == (
        "stopped",
        "Stopped by user.",
    )
    assert "node3" not in calls(stack, mark)


def test_a_snapshot_and_what_follows_are_the_whole(stack: Stack, chain: str, mark: str) -> None:
    visitor = Visitor(stack.base_url, chain)
    stream = visitor.chat(mark)
    wait_until(lambda: calls(stack, mark)["node3"], 20, "node 3")
    late = visitor.snapshot(stream.frames[0].data["workflow_run_id"]).wait_for_end()
    stream.wait_for_end()
    assert (late.events[:2], late.pings > 0) == (["workflow_started", "message_replace"], True)
    assert late.text == stream.text
    assert {frame.data["data"]["node_id"] for frame in late.frames if frame.event == "node_finished"} >= {
        "start",
        "n1",
        "n10",
        "answer",
    }


def test_a_workflow_of_parallel_branches_survives_too(stack: Stack, mark: str, tmp_path: Any) -> None:
    numbers = range(1, 4)
    paths = [f"start > n{number} > end" for number in numbers]
    nodes = [llm(number) for number in numbers]
    for entry in nodes:
        entry["data"]["prompt_template"][0]["text"] = entry["data"]["prompt_template"][0]["text"].replace(
            "sys.query", "start.mark"
        )
    file = tmp_path / "parallel.yml"
    outputs = end(**{f"t{number}": [f"n{number}", "text"] for number in numbers})
    file.write_text(app_file(graph(start(mark="text-input"), *nodes, outputs, *paths), "workflow", CODE))
    stack.import_app(file, "parallel")
    visitor = Visitor(stack.base_url, "parallel")
    stream = visitor.run(mark=mark)
    wait_until(lambda: len(calls(stack, mark)) == 3, 20, "all branches at work")

    stack.kill_worker(stack.worker_of(f"{mark} node1."))
    stream.wait_for_end()

    said = " ".join(f"tok{number}" for number in range(CHUNKS))
    assert stream.frames[-1].data["data"]["outputs"] == {f"t{number}": said for number in numbers}
