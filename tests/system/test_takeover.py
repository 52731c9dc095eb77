"""A worker dies, hangs or is asked to stop: others finish its answers, and no event comes twice."""

from signal import SIGCONT, SIGSTOP, SIGTERM

from tests.support.sse import find_problem, numbered_text
from tests.support.stack import Stack
from tests.support.visitor import LiveStream, Visitor, wait_until


def assert_whole(visitor: Visitor, stream: LiveStream, chunks: int) -> None:
    """The open stream and the stored answer are complete, and a reader who comes now sees what this one saw."""
    assert find_problem(stream.frames, numbered_text(chunks)) is None
    assert visitor.stored_answer(stream.frames[0]) == numbered_text(chunks)
    again = visitor.resume(stream.frames[0].data["task_id"], 0).wait_for_end()
    assert again.frames == stream.frames


def test_killed_workers_answer_is_finished_by_another(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.chat(f"{mark} [[chunks:100]][[delay:25]]").wait_for_frames(10)

    stack.kill_worker(stack.worker_of(mark))
    stream.wait_for_end()

    assert stream.events.count("message_replace") == 1
    assert_whole(visitor, stream, 100)


def test_worker_killed_under_many_streams_loses_none(stack: Stack, mark: str) -> None:
    visitors = [Visitor(stack.base_url, "chat") for _ in range(20)]
    streams = [visitor.chat(f"{mark} [[chunks:100]][[delay:25]]") for visitor in visitors]
    for stream in streams:
        stream.wait_for_frames(3)

    stack.kill_worker(0)

    for visitor, stream in zip(visitors, streams, strict=True):
        stream.wait_for_end()
        assert_whole(visitor, stream, 100)


def test_both_workers_killed_and_started_again(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.chat(f"{mark} [[chunks:60]][[delay:25]]").wait_for_frames(10)

    stack.kill_worker(0)
    stack.kill_worker(0)
    stack.start_worker()
    stream.wait_for_end()

    assert_whole(visitor, stream, 60)


def test_stopped_worker_is_replaced_and_stays_silent_when_it_wakes(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.chat(f"{mark} [[chunks:200]][[delay:60]]").wait_for_frames(10)
    slept = stack.workers[stack.worker_of(mark)]
    asked = stack.model_requests()[-1]["client_port"]

    slept.signal(SIGSTOP)
    try:
        stream.wait_for_event("message_replace")
        stream.wait_for_frames(len(stream.frames) + 20)
    finally:
        slept.signal(SIGCONT)
    stream.wait_for_end()

    def left_the_model() -> bool:
        return any(
            request["client_port"] == asked and (request["closed_early"] or request["ended"])
            for request in stack.model_requests()
        )

    wait_until(left_the_model, 10, "the woken worker to give up its call")
    assert stream.events.count("message_replace") == 1
    assert_whole(visitor, stream, 200)


def test_worker_asked_to_end_loses_nothing(stack: Stack, visitor: Visitor, mark: str) -> None:
    stream = visitor.chat(f"{mark} [[chunks:100]][[delay:25]]").wait_for_frames(5)
    leaving = stack.workers[stack.worker_of(mark)]

    leaving.signal(SIGTERM)
    stream.wait_for_end()
    wait_until(lambda: not leaving.alive, 10, "the end of a worker with nothing left to do")

    assert_whole(visitor, stream, 100)
