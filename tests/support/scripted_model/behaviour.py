"""What the scripted model does with one request: as a test scripted it, or as markers in the last user message say."""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

MARKER = re.compile(r"\[\[([a-z-]+)(?::(.*?))?\]\]", re.DOTALL)

# Statuses and codes as OpenAI's servers use them: (status, type, code, message).
ERRORS: Mapping[str, tuple[int, str, str | None, str]] = {
    "quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "rate_limit": (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for requests per min. Please try again in 20s.",
    ),
    "bad_key": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-scripted."),
    "context_length": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 4096 tokens.",
    ),
    "model_not_found": (404, "invalid_request_error", "model_not_found", "The model `scripted` does not exist."),
    "tools_refused": (400, "invalid_request_error", None, "This model does not support tools."),
    "server_error": (
        500,
        "server_error",
        None,
        "The server had an error while processing your request. Sorry about that!",
    ),
    "overloaded": (503, "service_unavailable", None, "The engine is currently overloaded, please try again later."),
}
ERROR_OF_STATUS = {
    429: "rate_limit",
    401: "bad_key",
    400: "context_length",
    404: "model_not_found",
    500: "server_error",
    503: "overloaded",
}


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """One answer, and `reasoning` sent before it.

    A count names the chunks that are sent before the thing happens; None means that it does not.
    """

    chunks: tuple[str, ...]
    delay: float = 0.0
    finish: str | None = "stop"
    usage: bool = True
    error: str | None = None
    tool_calls: tuple[tuple[str, str], ...] = ()
    reasoning: tuple[str, ...] = ()
    fail_after: int | None = None
    cut_after: int | None = None
    garbage_after: int | None = None
    error_frame_after: int | None = None
    frame_error: str = "server_error"
    hang: bool = False
    hang_after: int | None = None
    echo: bool = False

    def sent_chunks(self) -> int:
        """How many chunks leave before the stream ends in whichever way comes first."""
        stops = (self.fail_after, self.cut_after, self.error_frame_after, self.hang_after)
        return min([len(self.chunks), *(stop for stop in stops if stop is not None)])


def numbered(count: int) -> tuple[str, ...]:
    """The default answer: "tok0", " tok1", " tok2" …"""
    return tuple(f" tok{number}" if number else "tok0" for number in range(count))


def words(text: str) -> tuple[str, ...]:
    """A chunk for each word, with the space before it, so that the joined chunks are the text."""
    return tuple(re.findall(r"\s*\S+|\s+$", text))


def error_name(name: str) -> str:
    """The key in ERRORS of a marker's or a test's word: such a key itself, or an HTTP status."""
    if name in ERRORS:
        return name
    return ERROR_OF_STATUS[int(name)]


def error_body(name: str) -> tuple[int, dict[str, Any]]:
    """HTTP status and JSON body of an error."""
    status, kind, code, message = ERRORS[name]
    return status, {"error": {"message": message, "type": kind, "param": None, "code": code}}


def last_user_text(body: Mapping[str, Any]) -> str:
    """The text that may hold markers: the last user message, or a completion's prompt."""
    if "messages" not in body:
        return str(body.get("prompt", ""))
    for message in reversed(body["messages"]):
        if message.get("role") == "user":
            return message_text(message.get("content"))
    return ""


def message_text(content: str | Sequence[Mapping[str, Any]] | None) -> str:
    """The text of a message's content, which may be a list of parts with images between them."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content or [])


def steered(behaviour: Behaviour, text: str) -> Behaviour:
    """The behaviour with the markers of a text applied. A malformed marker raises ValueError or KeyError."""
    changes: dict[str, Any] = {}
    for name, value in MARKER.findall(text):
        changes.update(_marker(name, value))
    return dataclasses.replace(behaviour, **changes) if changes else behaviour


def with_next_call(behaviour: Behaviour, asked: str, body: Mapping[str, Any]) -> Behaviour:
    """[[call:NAME {…}]]: each round asks for the next of these tools, and the round after them answers."""
    calls = [value.partition(" ") for name, value in MARKER.findall(asked) if name == "call"]
    made = 0
    for message in body.get("messages", ()):
        made = 0 if message.get("role") == "user" else made + bool(message.get("tool_calls"))
    if made >= len(calls) or not body.get("tools"):
        return behaviour
    name, _, arguments = calls[made]
    return dataclasses.replace(behaviour, tool_calls=((name, arguments or "{}"),), chunks=(f"Asking {name}.",))


def _marker(name: str, value: str) -> dict[str, Any]:
    match name:
        case "chunks":
            return {"chunks": numbered(int(value))}
        case "say":
            return {"chunks": words(value)}
        case "delay":
            return {"delay": float(value) / 1000}
        case "fail":
            return {"error": error_name(value)}
        case "hang" | "echo":
            return {name: True}
        case "fail-after" | "cut" | "garbage" | "hang-after" | "error-frame":
            field = name.replace("-", "_").removesuffix("_after") + "_after"
            return {field: int(value)}
    return {}


def echoed(body: Mapping[str, Any]) -> tuple[str, ...]:
    """What [[echo]] answers: the JSON of the messages (or the prompt) as the server received them."""
    return words(json.dumps(body.get("messages", body.get("prompt")), ensure_ascii=False))
