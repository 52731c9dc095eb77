"""A web process dies in mid-stream: the client continues where it was cut off, a reloaded page sees everything."""

from signal import SIGKILL

import psutil

from tests.support.sse import find_problem, numbered_text
from tests.support.stack import Stack
from tests.support.visitor import LiveStream, Visitor, wait_until

QUERY = "[[chunks:100]][[delay:30]]"
TEXT = numbered_text(100)


def wait_for_cut(stream: LiveStream) -> None:
    wait_until(lambda: stream.ended is not None, 10, "the cut")
    assert "message_end" not in stream.events


def test_reconnect_after_a_killed_web_worker_gives_exactly_the_rest(stack: Stack, visitor: Visitor) -> None:
    stream = visitor.chat(QUERY).wait_for_frames(10)
    assert stack.web is not None
    for worker in psutil.Process(stack.web.pid).children():
        worker.send_signal(SIGKILL)
    wait_for_cut(stream)
    stack.wait_for_health()

    rest = visitor.resume(stream.frames[0].data["task_id"], stream.last_number).wait_for_end()

    assert find_problem([*stream.frames, *rest.frames], TEXT) is None
    assert visitor.stored_answer(stream.frames[0]) == TEXT


def test_restarted_web_server_goes_on_by_task_id_and_by_message_id(stack: Stack, visitor: Visitor) -> None:
    stream = visitor.chat(QUERY).wait_for_frames(10)
    stack.restart_web()
    wait_for_cut(stream)

    rest = visitor.resume(stream.frames[0].data["task_id"], stream.last_number)
    whole = visitor.resume(stream.frames[0].data["message_id"])
    rest.wait_for_end()
    whole.wait_for_end()
    late = visitor.resume(stream.frames[0].data["task_id"], rest.last_number).wait_for_end()

    assert find_problem([*stream.frames, *rest.frames], TEXT) is None
    assert find_problem(whole.frames, TEXT) is None
    assert late.frames == []


def test_other_end_users_cannot_read_the_stream(stack: Stack, visitor: Visitor) -> None:
    stream = visitor.chat(QUERY).wait_for_frames(1)
    stranger = Visitor(stack.base_url, "chat")

    seen = [
        stranger.call("GET", f"/workflow/{stream.frames[0].data[key]}/events").status_code
        for key in ("task_id", "message_id")
    ]
    wrong = visitor.call("GET", f"/workflow/{stream.frames[0].data['task_id']}/events", headers={"Last-Event-ID": "x"})

    assert seen == [404, 404]
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_param")
    stream.wait_for_end()
