"""`find_problem` finds every fault of a stream."""

import json

import pytest

from tests.support.sse import answer_text, find_problem, parse_frames


def body(*frames: tuple[int | None, str, str]) -> str:
    """Frames of (number, event, answer), with pings between them."""
    lines = []
    for number, event, answer in frames:
        head = "" if number is None else f"id: {number}\n"
        lines.append(f"{head}data: {json.dumps({'event': event, 'answer': answer})}\n\n")
    return "event: ping\n\n".join(lines)


def test_whole_stream_has_no_problem() -> None:
    frames = parse_frames(body((1, "message", "Hel"), (2, "message", "lo"), (3, "message_end", "")))

    assert answer_text(frames) == "Hello"
    assert find_problem(frames, "Hello") is None


def test_replacement_counts_from_there_on() -> None:
    frames = parse_frames(
        body((4, "message", "Half"), (5, "message_replace", ""), (6, "message", "Whole"), (7, "message_end", ""))
    )

    assert find_problem(frames, "Whole", after=3) is None


@pytest.mark.parametrize(
    ("frames", "problem"),
    [
        ([], "no frames"),
        ([(1, "message", "a"), (3, "message_end", "")], "at frame 2 stands 3"),
        ([(1, "message", "a"), (1, "message", "a"), (2, "message_end", "")], "at frame 2 stands 1"),
        ([(1, "message", "a"), (None, "message_end", "")], "at frame 2 stands None"),
        ([(1, "message", "a")], "ends are []"),
        (
            [(1, "message", "a"), (2, "message_end", ""), (3, "message_end", "")],
            "ends are ['message_end', 'message_end']",
        ),
        ([(1, "message_end", ""), (2, "message", "a")], "last frame is message"),
        ([(1, "message", "a"), (2, "error", "")], "ends are ['error']"),
        ([(1, "message", "b"), (2, "message_end", "")], "text differs"),
    ],
)
def test_every_fault_is_found(frames: list[tuple[int | None, str, str]], problem: str) -> None:
    assert problem in (find_problem(parse_frames(body(*frames)), "a") or "")
