"""The frames of a streamed answer, joined into chunks."""

from collections.abc import Iterable
from typing import Any

import orjson

from app.errors import ProviderError, ProviderProtocolError
from app.providers.models.chat_types import Chunk, ToolCallDelta, Usage
from app.providers.models.model_failures import error_in, failure_of_frame


class StreamedAnswer:
    """What has come of one answer and was not taken yet.

    `began`: the model has said something; `finished`: it said why it stopped; `done`: nothing follows;
    `failure`: what to raise once the text before it is taken.
    """

    def __init__(self) -> None:
        self.began = self.finished = self.done = False
        self.failure: ProviderError | None = None
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._tool_calls: list[ToolCallDelta] = []
        self._finish_reason: str | None = None
        self._usage: Usage | None = None

    def add(self, events: Iterable[bytes]) -> None:
        """Take in frames, up to the first that is a failure."""
        try:
            for event in events:
                if event.strip() == b"[DONE]":
                    self.done = True
                    return
                self._add_frame(event)
        except ProviderError as failure:
            self.failure = failure

    def take(self) -> Chunk | None:
        """Everything since the last take as one chunk; None if that is nothing."""
        usage = self._usage if self.finished else None
        if not (self._texts or self._thoughts or self._tool_calls or self._finish_reason or usage):
            return None
        chunk = Chunk(
            "".join(self._texts), self._finish_reason, usage, tuple(self._tool_calls), "".join(self._thoughts)
        )
        self._texts, self._thoughts, self._tool_calls, self._finish_reason = [], [], [], None
        if self.finished:
            self._usage = None
        return chunk

    def _add_frame(self, event: bytes) -> None:
        try:
            frame = orjson.loads(event)
        except orjson.JSONDecodeError:
            raise ProviderProtocolError from None
        if not isinstance(frame, dict):
            raise ProviderProtocolError
        error = error_in(frame)
        if error is not None:
            raise failure_of_frame(error)
        choices = frame.get("choices")
        if choices:
            if not isinstance(choices, list) or not isinstance(choices[0], dict):
                raise ProviderProtocolError
            self._add_choice(choices[0])
        # Some servers count in every frame; the last count is the whole one.
        usage = frame.get("usage")
        if usage:
            self._usage = _usage(usage)

    def _add_choice(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta") or choice.get("message") or {}
        if not isinstance(delta, dict):
            raise ProviderProtocolError
        text = _text(delta.get("content") or choice.get("text"))
        if text:
            self._texts.append(text)
            self.began = True
        if delta.get("tool_calls"):
            self._tool_calls += _tool_calls(delta["tool_calls"])
            self.began = True
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought:
            self._thoughts.append(_text(thought))
            self.began = True
        reason = choice.get("finish_reason")
        if reason:
            self._finish_reason = str(reason)
            self.finished = True


def _text(content: Any) -> str:
    """A delta's text: plain, or in parts, of which only text counts."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(str(part.get("text") or "") for part in content if part.get("type") == "text")
    raise ProviderProtocolError


def _tool_calls(calls: Any) -> list[ToolCallDelta]:
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise ProviderProtocolError
    return [_tool_call(place, call) for place, call in enumerate(calls)]


def _tool_call(place: int, call: dict[str, Any]) -> ToolCallDelta:
    function = call.get("function") or {}
    index = call.get("index", place)
    if not isinstance(function, dict) or not isinstance(index, int):
        raise ProviderProtocolError
    return ToolCallDelta(
        index, str(call.get("id") or ""), str(function.get("name") or ""), str(function.get("arguments") or "")
    )


def _usage(counts: Any) -> Usage:
    if not isinstance(counts, dict):
        raise ProviderProtocolError
    prompt, completion, total = (
        counts.get(name) or 0 for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    )
    if not all(isinstance(count, int) for count in (prompt, completion, total)):
        raise ProviderProtocolError
    return Usage(prompt, completion, total or prompt + completion)
