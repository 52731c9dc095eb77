"""Join the events of a streamed answer into chunks."""

from collections.abc import Collection, Iterable
from typing import Any

from app.errors import ProviderError, ProviderProtocolError
from app.providers.models.answer_endings import ending_failure
from app.providers.models.chat_types import Chunk, Usage
from app.providers.models.model_failures import UNKNOWN_CALL, CallDescription, error_in, failure_of_event, hint_of_error
from app.providers.models.text_pieces import TextPieces
from app.providers.models.tool_call_pieces import ToolCallPieces
from app.providers.models.wire_values import read_content, read_objects, scalar_text, whole_number

DONE = b"[DONE]"
# What some servers send for "none yet".
NO_REASON = ("", "null", "none")
PLAIN_DELTA = {"content", "role"}


class StreamedAnswer:
    """Collects the events of one answer between two chunks.

    `began`: a text, thought or tool call has come; `finished`: the finish reason has come; `done`: `[DONE]` has come;
    `failure`: the error to raise once the text before it is taken. `offered`: the names of the tools that the model may
    call; `call`: for the log.

    An answer is whole once a finish reason, `[DONE]`, a whole message or counts in an event of their own have come.
    """

    def __init__(self, offered: Collection[str] = (), call: CallDescription = UNKNOWN_CALL) -> None:
        self.began = self.finished = self.done = False
        self.failure: ProviderError | None = None
        self._offered = offered
        self._call = call
        self._texts, self._thoughts = TextPieces(), TextPieces()
        self._blank_thoughts: str | None = ""
        self._tool_calls = ToolCallPieces(offered)
        self._finish_reason: str | None = None
        self._usage: Usage | None = None
        self._counted_last = self._has_message = self._has_text = self._ended = False
        self._readable = 0
        # An event that may report an error in a form of its server's own: counts if no answer comes.
        self._hint: Any = None

    @property
    def is_whole(self) -> bool:
        """Whether the answer would count as whole if nothing more came."""
        return self.finished or self.done or self._counted_last or self._has_message

    def add(self, events: Iterable[bytes]) -> None:
        """Add events, up to the first that reports a failure. What cannot be read is skipped."""
        for event in events:
            if event.strip() == DONE:
                self.done = True
                return
            for body in read_objects(event):
                error = error_in(body)
                if error is not None:
                    self.failure = failure_of_event(error, self._call)
                    return
                self._add_body(body)
                if self.failure is not None:
                    return

    def end(self, beginning: bytes = b"") -> None:
        """Note that nothing follows; sets `failure` where that leaves no usable answer. `beginning`: of what came."""
        if self.failure is not None:
            return
        if self.is_whole and self._readable:
            self._ended = True
            self.failure = ending_failure(
                self._finish_reason, self._has_text, len(self._tool_calls), bool(self._offered), self.began
            )
            if self.failure is not None:
                self._call.log_ending(self._finish_reason, self.failure)
        elif self._hint is not None:
            self.failure = failure_of_event(self._hint, self._call)
        else:
            if not self._readable:
                self._call.log_unreadable(beginning)
            self.failure = ProviderProtocolError()

    def take(self) -> Chunk | None:
        """Return everything since the last call as one chunk; None if nothing has come.

        Finish reason, usage and tool calls are in the last chunk, after `end`.
        """
        over = self._ended or self.failure is not None
        text, thoughts = self._texts.take(end=over), self._thoughts.take(end=over)
        if not self._ended:
            return Chunk(text, reasoning=thoughts) if text or thoughts else None
        calls = self._tool_calls.finish() if self.failure is None else ()
        if not (text or thoughts or calls or self._finish_reason or self._usage):
            return None
        return Chunk(text, self._finish_reason, self._usage, calls, thoughts)

    def _add_body(self, body: dict[str, Any]) -> None:
        choice = _first_choice(body.get("choices"))
        if choice is not None:
            self._readable += 1
            if choice.get("error"):
                self.failure = failure_of_event(choice["error"], self._call)
            self._add_choice(choice)
        # Some servers count in every event; the last count is the total.
        usage = read_usage(body.get("usage"))
        if usage is None and choice is not None:
            usage = read_usage(choice.get("usage"))
        if usage is None and "x_groq" in body:
            usage = read_usage(_under(body, "x_groq").get("usage"))
        self._usage = usage or self._usage
        if self.began and choice is None and usage is not None:
            self._counted_last = True
        if choice is None and usage is None:
            self._hint = self._hint or hint_of_error(body)

    def _add_choice(self, choice: dict[str, Any]) -> None:
        # `message` in a whole document, `text` from completion models. Some servers repeat the message at the end.
        delta = choice.get("delta")
        if not delta and not self.began and choice.get("message"):
            delta, self._has_message = choice["message"], True
        if not isinstance(delta, dict):
            delta = {"content": delta}
        content = choice.get("text") if delta.get("content") is None else delta["content"]
        if isinstance(content, str) and delta.keys() <= PLAIN_DELTA:
            # Nearly every event of a stream: it holds nothing else.
            self._add_text(content)
        else:
            self._add_members(delta, content)
        given = choice.get("finish_reason")
        reason = "" if given is None else scalar_text(given)
        if reason and reason.lower() not in NO_REASON:
            self._finish_reason = reason
            self.finished = True

    def _add_members(self, delta: dict[str, Any], content: Any) -> None:
        """Add what a delta holds, of whatever kind."""
        text, thoughts = read_content(content)
        text += "".join(read_content(delta.get("refusal")))
        own_thoughts = next(
            (delta[name] for name in ("reasoning_content", "reasoning", "thinking") if delta.get(name)), ""
        )
        self._add_thoughts("".join(read_content(own_thoughts)) + thoughts)
        self._add_text(text)
        for member in ("tool_calls", "function_call"):
            if delta.get(member) and self._tool_calls.add(delta[member]):
                self._arrive()

    def _add_text(self, text: str) -> None:
        if text:
            self._texts.add(text)
            self._arrive()
            self._has_text = self._has_text or not text.isspace()

    def _add_thoughts(self, thoughts: str) -> None:
        """Add thoughts; blanks wait for the first that are not blank, for some servers send nothing but blanks."""
        if self._blank_thoughts is not None:
            thoughts = self._blank_thoughts + thoughts
            self._blank_thoughts = thoughts if not thoughts or thoughts.isspace() else None
        if self._blank_thoughts is None and thoughts:
            self._thoughts.add(thoughts)
            self._arrive()

    def _arrive(self) -> None:
        """Note that a piece of the answer has come: counts before it were not the last."""
        self.began, self._counted_last = True, False


def _first_choice(choices: Any) -> dict[str, Any] | None:
    """Return the first choice of an event, None where it has none."""
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    entries = choices if isinstance(choices, list) else [choices]
    return next((entry for entry in entries if isinstance(entry, dict)), None)


def _under(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def read_usage(counts: Any) -> Usage | None:
    """Return what a server counted, as far as it can be read; None where it counted nothing that can be."""
    if not isinstance(counts, dict):
        return None
    prompt, completion, total = (
        next((count for count in map(whole_number, map(counts.get, names)) if count is not None), None)
        for names in (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"), ("total_tokens",))
    )
    if prompt is None and completion is None and total is None:
        return None
    return Usage(prompt or 0, completion or 0, total or (prompt or 0) + (completion or 0))
