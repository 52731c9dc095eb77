"""Join the events of a streamed answer into chunks."""

from collections.abc import Iterable
from typing import Any

import orjson

from app.errors import ProviderError, ProviderProtocolError
from app.providers.models.chat_types import Chunk, ToolCallDelta, Usage
from app.providers.models.model_failures import error_in, failure_of_event


class StreamedAnswer:
    """Collects the events of one answer between two chunks.

    `began`: a text, thought or tool call has come; `finished`: the finish reason has come; `done`: `[DONE]` has come;
    `failure`: the error to raise once the text before it is taken.
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
        """Add events, up to the first that reports a failure or cannot be read."""
        try:
            for event in events:
                if event.strip() == b"[DONE]":
                    self.done = True
                    return
                self._add_event(event)
        except ProviderError as failure:
            self.failure = failure

    def take(self) -> Chunk | None:
        """Return everything since the last call as one chunk; None if nothing has come."""
        # Counts that come with every event are held back until the last of them.
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

    def _add_event(self, event: bytes) -> None:
        try:
            body = orjson.loads(event)
        except orjson.JSONDecodeError:
            raise ProviderProtocolError from None
        if not isinstance(body, dict):
            raise ProviderProtocolError
        error = error_in(body)
        if error is not None:
            raise failure_of_event(error)
        choices = body.get("choices")
        if choices:
            if not isinstance(choices, list) or not isinstance(choices[0], dict):
                raise ProviderProtocolError
            self._add_choice(choices[0])
        # Some servers count in every event; the last count is the total.
        usage = body.get("usage")
        if usage:
            self._usage = _usage(usage)

    def _add_choice(self, choice: dict[str, Any]) -> None:
        # `message` in a whole document, `text` from completion models.
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
    """Return the text of a delta: a string, or a list of parts of which only text counts."""
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
    return [_tool_call(position, call) for position, call in enumerate(calls)]


def _tool_call(position: int, call: dict[str, Any]) -> ToolCallDelta:
    function = call.get("function") or {}
    index = call.get("index", position)
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
