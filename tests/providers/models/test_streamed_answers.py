from typing import Any

import orjson
import pytest

from app.errors import ProviderError, ProviderProtocolError, ProviderQuotaExceeded, ProviderServerError
from app.providers.models.chat_types import Chunk, ToolCallDelta, Usage
from app.providers.models.streamed_answers import StreamedAnswer

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def delta(finish_reason: str | None = None, **members: Any) -> bytes:
    return orjson.dumps({"choices": [{"index": 0, "delta": members, "finish_reason": finish_reason}]})


def test_deltas_are_joined_until_they_are_taken() -> None:
    answer = StreamedAnswer()

    answer.add([delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo")])

    assert answer.take() == Chunk("Hello")
    assert answer.take() is None


def test_the_end_has_reason_and_usage() -> None:
    answer = StreamedAnswer()

    answer.add([delta(content="!"), delta("stop"), orjson.dumps({"choices": [], "usage": USAGE}), b" [DONE]"])

    assert answer.take() == Chunk("!", "stop", Usage(3, 2, 5))
    assert answer.finished and answer.done


def test_usage_may_come_after_the_reason_was_taken() -> None:
    answer = StreamedAnswer()

    answer.add([delta("length")])
    assert answer.take() == Chunk("", "length")

    answer.add([orjson.dumps({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})])
    assert answer.take() == Chunk("", usage=Usage(3, 2, 5))
    assert answer.take() is None


def test_counts_on_the_way_are_not_the_usage() -> None:
    answer = StreamedAnswer()

    for count in (1, 2):
        answer.add([orjson.dumps({**orjson.loads(delta(content="x")), "usage": {**USAGE, "completion_tokens": count}})])
        assert answer.take() == Chunk("x")
    answer.add([delta("stop")])

    assert answer.take() == Chunk("", "stop", Usage(3, 2, 5))


def test_text_of_a_completion_model_and_of_a_whole_answer_count() -> None:
    answer = StreamedAnswer()

    answer.add(
        [
            b'{"choices":[{"text":"Hel","finish_reason":null}]}',
            b'{"choices":[{"message":{"content":"lo"},"finish_reason":"stop"}]}',
        ]
    )

    assert answer.take() == Chunk("Hello", "stop")


def test_reasoning_is_kept_apart_and_shows_that_the_model_has_begun() -> None:
    answer = StreamedAnswer()

    answer.add(
        [
            delta(reasoning_content="Hmm"),
            delta(content=[{"type": "thinking", "text": "Hm"}, {"type": "text", "text": "So"}]),
        ]
    )

    assert answer.began
    assert answer.take() == Chunk("So", reasoning="Hmm")


def test_tool_calls_come_in_pieces() -> None:
    answer = StreamedAnswer()
    call = {"index": 1, "id": "call_1", "type": "function", "function": {"name": "clock", "arguments": ""}}

    answer.add(
        [
            delta(tool_calls=[call]),
            delta(tool_calls=[{"index": 1, "function": {"arguments": "{}"}}]),
            delta("tool_calls"),
        ]
    )

    assert answer.take() == Chunk(
        "", "tool_calls", tool_calls=(ToolCallDelta(1, "call_1", "clock", ""), ToolCallDelta(1, "", "", "{}"))
    )


@pytest.mark.parametrize(
    "event",
    [
        b"not JSON",
        b"5",
        b"[]",
        b"\xff",
        b'{"choices": 5}',
        b'{"choices": [5]}',
        b'{"choices": [{"delta": 5}]}',
        b'{"choices": [{"delta": {"content": 5}}]}',
        b'{"choices": [{"delta": {"content": [5]}}]}',
        b'{"choices": [{"delta": {"tool_calls": 5}}]}',
        b'{"choices": [{"delta": {"tool_calls": [5]}}]}',
        b'{"choices": [{"delta": {"tool_calls": [{"function": 5}]}}]}',
        b'{"choices": [{"delta": {"tool_calls": [{"index": "x"}]}}]}',
        b'{"usage": 5}',
        b'{"usage": {"prompt_tokens": "many"}}',
    ],
)
def test_a_frame_that_cannot_be_read_is_a_protocol_error_behind_its_text(event: bytes) -> None:
    answer = StreamedAnswer()

    answer.add([delta(content="Hello"), event, delta(content="never")])

    assert answer.take() == Chunk("Hello")
    assert isinstance(answer.failure, ProviderProtocolError)


@pytest.mark.parametrize(
    "event", [b"{}", b'{"choices": []}', b'{"choices": null}', b'{"choices": [{}]}', b'{"error": null}']
)
def test_a_frame_that_says_nothing_is_skipped(event: bytes) -> None:
    answer = StreamedAnswer()

    answer.add([event])

    assert answer.take() is None
    assert answer.failure is None
    assert not answer.began


@pytest.mark.parametrize(
    ("event", "failure"),
    [
        (b'{"error": {"message": "no", "code": "insufficient_quota"}}', ProviderQuotaExceeded),
        (b'{"object": "error", "message": "no", "type": "InternalServerError", "code": 500}', ProviderServerError),
        (b'{"error": "sk-secret is wrong"}', ProviderServerError),
    ],
)
def test_an_error_frame_is_a_failure(event: bytes, failure: type[ProviderError]) -> None:
    answer = StreamedAnswer()

    answer.add([event])

    assert type(answer.failure) is failure
    assert "sk-" not in answer.failure.message
