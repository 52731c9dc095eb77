"""Turns a behaviour into the bytes of an HTTP reply, made once for each kind of request and then only copied out.

Ids and times are the same in every reply: making them anew for each chunk would cost more than sending it.
"""

import dataclasses
import functools
import http
import json
import time
from typing import Any, Literal

from tests.support.scripted_model.behaviour import Behaviour, error_body

Ending = Literal["complete", "drop", "hang"]
CREATED = int(time.time())
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
GARBAGE = b"data: this is {not JSON\n\n"
DONE = b"data: [DONE]\n\n"


@dataclasses.dataclass(frozen=True)
class Request:
    """What of a request its reply depends on."""

    chat: bool
    stream: bool
    model: str
    include_usage: bool
    prompt_tokens: int


@dataclasses.dataclass(frozen=True)
class Reply:
    """Writes to make, `delay` seconds before each, and what happens to the connection after the last."""

    writes: tuple[bytes, ...]
    delay: float
    chunks: int
    ending: Ending

    def chunks_in(self, writes: int) -> int:
        """How many chunks the first so many writes hold: one in each, but with no delay all of them in the only one."""
        return self.chunks if writes == len(self.writes) else writes


def json_reply(body: Any, status: int = 200) -> bytes:
    """A whole HTTP reply with a JSON body."""
    content = json.dumps(body, ensure_ascii=False).encode()
    head = (
        f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


@functools.lru_cache(maxsize=1024)
def make_reply(request: Request, behaviour: Behaviour) -> Reply:
    """The reply to a request."""
    if behaviour.hang:
        return Reply((), 0, 0, "hang")
    if behaviour.error is not None:
        status, body = error_body(behaviour.error)
        return Reply((json_reply(body, status),), 0, 0, "complete")
    if not request.stream:
        return _whole(request, behaviour)
    return _streamed(request, behaviour)


def _whole(request: Request, behaviour: Behaviour) -> Reply:
    count = behaviour.sent_chunks()
    delay = behaviour.delay * len(behaviour.chunks)
    if behaviour.hang_after is not None:
        return Reply((), 0, 0, "hang")
    if behaviour.error_frame_after is not None:
        status, body = error_body(behaviour.frame_error)
        return Reply((json_reply(body, status),), delay, 0, "complete")
    if behaviour.fail_after is not None:
        return Reply((b"",), delay, 0, "drop")
    text = "".join(behaviour.chunks[:count])
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if behaviour.tool_calls:
        message["tool_calls"] = _tool_calls(behaviour)
    choice = {"index": 0, "message": message} if request.chat else {"index": 0, "text": text}
    body = _envelope(request, "chat.completion" if request.chat else "text_completion") | {
        "choices": [choice | {"logprobs": None, "finish_reason": _finish(behaviour)}],
        "usage": _usage(request, count) if behaviour.usage else None,
    }
    return Reply((json_reply(body),), delay, count, "complete")


def _streamed(request: Request, behaviour: Behaviour) -> Reply:
    count = behaviour.sent_chunks()
    writes = [
        _http_chunk(_content_frame(request, text, number)) for number, text in enumerate(behaviour.chunks[:count], 1)
    ]
    if behaviour.reasoning:
        thoughts = (_delta_frame(request, {"reasoning_content": thought}) for thought in behaviour.reasoning)
        _prefix(writes, _http_chunk(b"".join(thoughts)))
    if behaviour.garbage_after is not None:
        _insert(writes, behaviour.garbage_after, _http_chunk(GARBAGE))
    ending: Ending = "complete"
    if count == behaviour.fail_after:
        ending = "drop"
    elif count == behaviour.hang_after:
        ending = "hang"
    else:
        _insert(writes, count, _tail(request, behaviour, count))
    _prefix(writes, STREAM_HEAD)
    if behaviour.delay:
        return Reply(tuple(writes), behaviour.delay, count, ending)
    return Reply((b"".join(writes),), 0, count, ending)


def _tail(request: Request, behaviour: Behaviour, count: int) -> bytes:
    if count == behaviour.error_frame_after:
        return _http_chunk(_frame(error_body(behaviour.frame_error)[1]) + DONE) + LAST_CHUNK
    frames = b""
    if behaviour.tool_calls:
        frames += _delta_frame(
            request, {"tool_calls": [{"index": n} | call for n, call in enumerate(_tool_calls(behaviour))]}
        )
    if count == behaviour.cut_after:
        return (_http_chunk(frames) if frames else b"") + LAST_CHUNK
    frames += _delta_frame(request, {}, finish=_finish(behaviour))
    if behaviour.usage and request.include_usage:
        envelope = _envelope(request, "chat.completion.chunk" if request.chat else "text_completion")
        frames += _frame(envelope | {"choices": [], "usage": _usage(request, count)})
    return _http_chunk(frames + DONE) + LAST_CHUNK


def _insert(writes: list[bytes], after: int, extra: bytes) -> None:
    """Say something right behind a chunk, in the same write, so that it does not shift the beat of the others."""
    if after == 0:
        _prefix(writes, extra)
    else:
        writes[min(after, len(writes)) - 1] += extra


def _prefix(writes: list[bytes], extra: bytes) -> None:
    if writes:
        writes[0] = extra + writes[0]
    else:
        writes.append(extra)


def _content_frame(request: Request, text: str, number: int) -> bytes:
    return _delta_frame(request, {"role": "assistant", "content": text} if number == 1 else {"content": text})


def _delta_frame(request: Request, delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice: dict[str, Any] = (
        {"index": 0, "delta": delta} if request.chat else {"index": 0, "text": delta.get("content", "")}
    )
    kind = "chat.completion.chunk" if request.chat else "text_completion"
    return _frame(_envelope(request, kind) | {"choices": [choice | {"logprobs": None, "finish_reason": finish}]})


def _frame(body: Any) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _http_chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def _envelope(request: Request, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-scripted", "object": kind, "created": CREATED, "model": request.model}


def _finish(behaviour: Behaviour) -> str | None:
    return "tool_calls" if behaviour.tool_calls and behaviour.finish == "stop" else behaviour.finish


def _usage(request: Request, completion_tokens: int) -> dict[str, int]:
    prompt = request.prompt_tokens
    return {"prompt_tokens": prompt, "completion_tokens": completion_tokens, "total_tokens": prompt + completion_tokens}


def _tool_calls(behaviour: Behaviour) -> list[dict[str, Any]]:
    return [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, (name, arguments) in enumerate(behaviour.tool_calls)
    ]
