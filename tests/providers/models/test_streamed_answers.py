from typing import Any

import orjson
import pytest

from app.errors import ProviderError, ProviderProtocolError, ProviderQuotaExceeded, ProviderServerError
from app.errors.answers import AnswerCutShort, AnswerFiltered, ToolNotOffered
from app.providers.models.chat_types import Chunk, ModelToolCall, Usage
from app.providers.models.streamed_answers import StreamedAnswer, read_usage

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
COUNTED = orjson.dumps({"choices": [], "usage": USAGE})
DONE = b" [DONE]"


def delta(finish_reason: Any = None, **members: Any) -> bytes:
    return orjson.dumps({"choices": [{"index": 0, "delta": members, "finish_reason": finish_reason}]})


def read(*events: bytes, offered: tuple[str, ...] = ()) -> tuple[Chunk | None, ProviderError | None]:
    """Return the chunk of an answer that consists of these events, and its failure."""
    answer = StreamedAnswer(offered)
    answer.add(events)
    answer.end()
    return answer.take(), answer.failure


def text_of(*events: bytes) -> str:
    chunk, failure = read(*events)
    assert failure is None
    return chunk.text if chunk is not None else ""


def test_deltas_are_joined_until_they_are_taken() -> None:
    answer = StreamedAnswer()

    answer.add([delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo")])

    assert answer.take() == Chunk("Hello")
    assert answer.take() is None


def test_the_end_has_reason_and_usage() -> None:
    answer = StreamedAnswer()

    answer.add([delta(content="!"), delta("stop"), COUNTED, DONE])
    assert answer.take() == Chunk("!")
    answer.end()

    assert answer.take() == Chunk("", "stop", Usage(3, 2, 5))
    assert answer.finished and answer.done


def test_the_last_of_several_counts_is_the_usage() -> None:
    counting = [{**orjson.loads(delta(content="x")), "usage": {**USAGE, "completion_tokens": n}} for n in (1, 2)]

    assert read(*map(orjson.dumps, counting), delta("stop")) == (Chunk("xx", "stop", Usage(3, 2, 5)), None)


@pytest.mark.parametrize(
    "ending",
    [[delta("stop")], [DONE], [COUNTED], [delta("stop"), COUNTED, DONE], [COUNTED, delta(content="")]],
)
def test_a_finish_reason_or_done_or_counts_make_an_answer_whole(ending: list[bytes]) -> None:
    assert text_of(delta(content="Hello"), *ending) == "Hello"


@pytest.mark.parametrize(
    "events",
    [
        [delta(content="Hello")],
        [COUNTED, delta(content="Hello")],
        [orjson.dumps({**orjson.loads(delta(content="Hello")), "usage": USAGE})],
        [delta("null", content="Hello")],
    ],
)
def test_a_stream_that_just_stops_is_cut_off_behind_its_text(events: list[bytes]) -> None:
    chunk, failure = read(*events)

    assert chunk == Chunk("Hello")
    assert isinstance(failure, ProviderProtocolError)


@pytest.mark.parametrize(
    "events",
    [
        [b'{"choices":[{"text":"Hel","finish_reason":null}]}', b'{"choices":[{"text":"lo","finish_reason":"stop"}]}'],
        [b'{"choices":[{"message":{"content":"Hello"}}]}'],
        [b'{"choices":[{"delta":{},"message":{"content":"Hello"},"finish_reason":"stop"}]}'],
        [b'{"choices":{"delta":{"content":"Hello"},"finish_reason":"stop"}}'],
        [b'{"choices":[{"delta":"Hello","finish_reason":"stop"}]}'],
        [delta(content="Hello"), b'{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}'],
        [b'[{"choices":[{"delta":{"content":"Hello"},"finish_reason":"stop"}]}]'],
        [b'{"choices":[{"delta":{"content":"Hello"},"logprobs":NaN,"finish_reason":"stop"}]} trailing'],
        [b'data: {"choices":[{"delta":{"content":"Hello"},"finish_reason":"stop"}]}'],
    ],
)
def test_a_text_may_come_in_other_forms(events: list[bytes]) -> None:
    assert text_of(*events) == "Hello"


@pytest.mark.parametrize(
    ("contents", "text"),
    [
        (["It costs ", 6, ".", 0, 5, " euros"], "It costs 6.05 euros"),
        ([1.5, None, True, False], "1.5truefalse"),
        (
            [[{"type": "text", "text": "So "}, {"type": "image_url", "image_url": {}}, {"text": "be"}], [" it"]],
            "So be it",
        ),
        ([{"type": "text", "text": "Yes"}], "Yes"),
        ([{"type": "text", "text": {"value": "Yes"}}], "Yes"),
        ([{"n": 5}], '{"n": 5}'),
        (["\0"], "\0"),
    ],
)
def test_content_that_is_no_text_is_read_as_one(contents: list[Any], text: str) -> None:
    assert text_of(*(delta(content=content) for content in contents), delta("stop")) == text


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([rb"\ud83d", rb"\ude00"], "😀"),
        ([rb"a\ud83d", b"", rb"\ude00b"], "a😀b"),
        ([rb"\ud83d", b"x"], "�x"),
        ([rb"\ude00", b"x"], "�x"),
        ([b"x", rb"\ud83d"], "x�"),
        ([rb"\ud83d\ud83d", rb"\ude00"], "�😀"),
        ([b"\xf0\x9f", b"\x98\x80!"], "😀!"),
        ([b"gr\xc3", b"\xb6\xc3\x9fe"], "größe"),
        ([b"x\xf0\x9f"], "x�"),
    ],
)
def test_a_character_may_be_cut_between_two_deltas(pieces: list[bytes], text: str) -> None:
    answer = StreamedAnswer()
    taken = []
    for piece in pieces:
        answer.add([b'{"choices":[{"delta":{"content":"%b"}}]}' % piece])
        taken.append(answer.take())
    answer.add([DONE])
    answer.end()
    taken.append(answer.take())

    found = "".join(chunk.text for chunk in taken if chunk is not None)
    assert found == text
    found.encode()


def test_thoughts_are_kept_apart_and_show_that_the_model_has_begun() -> None:
    answer = StreamedAnswer()

    answer.add(
        [
            delta(reasoning_content="Hmm", reasoning="Hmm"),
            delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": ", well"}]}]),
            delta(reasoning=" then."),
            delta(content=[{"type": "text", "text": "So"}]),
        ]
    )

    assert answer.began
    assert answer.take() == Chunk("So", reasoning="Hmm, well then.")


def test_thoughts_that_are_blank_are_none() -> None:
    assert read(delta(reasoning_content="\n\n"), delta(content="Four."), delta("stop")) == (
        Chunk("Four.", "stop"),
        None,
    )
    assert read(delta(reasoning_content="\n\n"), delta(reasoning_content="Hm"), DONE)[0] == Chunk(
        "", reasoning="\n\nHm"
    )


def test_tool_calls_come_whole_in_the_last_chunk() -> None:
    call = {"index": 1, "id": "call_1", "type": "function", "function": {"name": "clock", "arguments": ""}}

    chunk, failure = read(
        delta(tool_calls=[call]),
        delta(tool_calls=[{"index": 1, "function": {"arguments": "{}"}}]),
        delta("tool_calls"),
        offered=("clock",),
    )

    assert chunk == Chunk("", "tool_calls", tool_calls=(ModelToolCall("call_1", "clock", "{}"),))
    assert failure is None


@pytest.mark.parametrize(
    "event",
    [
        b"not JSON",
        b": keepalive",
        b"ping",
        b"5",
        b"null",
        b'"ping"',
        b"[]",
        b"\xff",
        b"{",
        b"{}",
        b'{"choices": 5}',
        b'{"choices": [5]}',
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": [{}]}',
        b'{"error": null}',
        b'{"choices": [{"delta": 5.0e400}]}'[:20],
        b'{"choices": [{"delta": {"content": [null, {"type": "x"}]}}]}',
        b'{"choices": [{"delta": {"tool_calls": 5}}]}',
        b'{"choices": [{"delta": {"tool_calls": [5, {}, {"function": 5}]}}]}',
        b'{"usage": 5}',
        b'{"usage": {"prompt_tokens": "many"}}',
        b'{"type": "status", "message": "loading"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_a_frame_that_cannot_be_read_or_says_nothing_is_skipped(event: bytes) -> None:
    assert text_of(delta(content="Hel"), event, delta(content="lo"), event, delta("stop"), event) == "Hello"
    answer = StreamedAnswer()
    answer.add([event])
    assert (answer.take(), answer.failure, answer.began) == (None, None, False)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        (USAGE, Usage(3, 2, 5)),
        ({"prompt_tokens": 3.0, "completion_tokens": "2", "total_tokens": None}, Usage(3, 2, 5)),
        ({"prompt_tokens": 2.6, "completion_tokens": "x"}, Usage(3, 0, 3)),
        ({"input_tokens": 3, "output_tokens": 2}, Usage(3, 2, 5)),
        ({"prompt_tokens": {"total": 3}, "completion_tokens": 2}, Usage(0, 2, 2)),
        ({"prompt_tokens": True, "completion_tokens": -1, "total_tokens": 10**30}, None),
        ({"prompt_tokens": float("inf"), "completion_tokens": "nan"}, None),
        ({}, None),
        ([3, 2], None),
        ("5", None),
        (None, None),
    ],
)
def test_counts_are_read_as_well_as_can_be_or_left_out(counts: Any, usage: Usage | None) -> None:
    assert read_usage(counts) == usage


def test_counts_may_stand_in_the_choice() -> None:
    event = orjson.dumps({"choices": [{"delta": {}, "finish_reason": "stop", "usage": USAGE}]})

    assert read(delta(content="x"), event)[0] == Chunk("x", "stop", Usage(3, 2, 5))


@pytest.mark.parametrize(
    ("event", "failure"),
    [
        (b'{"error": {"message": "no", "code": "insufficient_quota"}}', ProviderQuotaExceeded),
        (b'[{"error": {"message": "no", "code": 429, "status": "insufficient_quota"}}]', ProviderError),
        (b'{"object": "error", "message": "no", "type": "InternalServerError", "code": 500}', ProviderServerError),
        (b'{"type": "error", "error": {"type": "overloaded_error", "message": "no"}}', ProviderServerError),
        (b'{"choices": [{"delta": {}, "error": {"code": 502, "message": "no"}}]}', ProviderServerError),
        (b'{"error": "sk-secret is wrong"}', ProviderServerError),
    ],
)
def test_an_error_frame_is_a_failure_behind_its_text(event: bytes, failure: type[ProviderError]) -> None:
    chunk, found = read(delta(content="Hello"), event, delta(content="never"), delta("stop"))

    assert chunk == Chunk("Hello")
    assert isinstance(found, failure)
    assert "sk-" not in found.message


@pytest.mark.parametrize(
    "event",
    [
        b'{"detail": "no"}',
        b'{"code": 500, "msg": "no", "data": null}',
        b'{"error_code": 336100, "error_msg": "busy"}',
        b'{"errors": [{"message": "no"}]}',
    ],
)
def test_an_error_in_a_form_of_its_own_counts_where_no_answer_comes(event: bytes) -> None:
    assert isinstance(read(event)[1], ProviderServerError)
    assert text_of(event, delta(content="Hello"), delta("stop")) == "Hello"


def test_a_refusal_is_the_answer() -> None:
    assert text_of(delta(content=None, refusal="I cannot"), delta(refusal=" help."), delta("stop")) == "I cannot help."
    assert text_of(b'{"choices":[{"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]}') == "No."


@pytest.mark.parametrize(
    ("events", "failure"),
    [
        ([delta("content_filter")], AnswerFiltered),
        ([delta("content_filter", content="Hello")], AnswerFiltered),
        ([delta("length")], AnswerCutShort),
        ([delta(reasoning_content="Hmm"), delta("length")], AnswerCutShort),
        ([delta("function_call", function_call={"name": "clock", "arguments": "{}"})], ToolNotOffered),
        ([delta("tool_calls", tool_calls=[{"function": {"name": "clock", "arguments": "{}"}}])], ToolNotOffered),
        ([DONE], ProviderProtocolError),
        ([COUNTED, DONE], ProviderProtocolError),
        ([b'{"choices":[{}]}', DONE], ProviderProtocolError),
        ([], ProviderProtocolError),
    ],
)
def test_an_answer_that_says_nothing_is_an_error_with_its_cause(
    events: list[bytes], failure: type[ProviderError]
) -> None:
    assert type(read(*events)[1]) is failure


def test_a_model_may_have_nothing_to_say() -> None:
    assert read(delta("stop", content="")) == (Chunk("", "stop"), None)
