"""Texts of completion apps survive the same failures as chat answers."""

import pytest

from tests.support.sse import find_problem, numbered_text
from tests.support.stack import Stack
from tests.support.visitor import Visitor, wait_until


@pytest.fixture
def writer(stack: Stack) -> Visitor:
    return Visitor(stack.base_url, "completion")


def test_killed_workers_text_is_finished_by_another(stack: Stack, writer: Visitor, mark: str) -> None:
    stream = writer.write(f"{mark} [[chunks:100]][[delay:25]]").wait_for_frames(10)

    stack.kill_worker(stack.worker_of(mark))
    stream.wait_for_end()

    assert find_problem(stream.frames, numbered_text(100)) is None
    again = writer.resume(stream.frames[0].data["message_id"]).wait_for_end()
    assert again.frames == stream.frames


def test_a_cut_text_goes_on_where_it_was(stack: Stack, writer: Visitor) -> None:
    stream = writer.write("[[chunks:100]][[delay:20]]").wait_for_frames(10)
    stream.leave()

    rest = writer.resume(stream.frames[0].data["task_id"], stream.last_number).wait_for_end()

    assert find_problem(rest.frames, after=stream.last_number) is None
    assert (stream.text + rest.text) == numbered_text(100)


@pytest.mark.parametrize("family", ["chat-messages", "completion-messages"])
def test_a_stop_through_either_path_stops_it(stack: Stack, writer: Visitor, family: str) -> None:
    stream = writer.write("[[chunks:2000]][[delay:20]]").wait_for_frames(5)

    answer = writer.call("POST", f"/{family}/{stream.frames[0].data['task_id']}/stop")
    stream.wait_for_end(5)

    assert answer.json() == {"result": "success"}
    assert stream.events[-1] == "message_end" and numbered_text(2000).startswith(stream.text)
    assert stream.text != numbered_text(2000)


def test_deleting_a_conversation_stops_its_answer(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.chat(f"{mark} [[chunks:2000]][[delay:20]]").wait_for_frames(5)

    answer = visitor.call("DELETE", f"/conversations/{stream.frames[0].data['conversation_id']}")
    stream.wait_for_end(5)

    assert answer.status_code == 204
    wait_until(lambda: stack.model_requests()[-1]["closed_early"], 3, "the model's connection to be closed")
