"""Make the public events of a message, as JSON (contract streaming.md §2, §3.1, §5)."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.agents.steps import AgentStep
from app.errors import AppError, InvalidParam
from app.models.tasks import ClaimedTask, TaskState
from app.services.files.file_values import link_to

AGENT = "agent-chat"
RUN_FAILED = "Run failed:"


class MessageEvents:
    """The events of one message: mode `chat` and its family, or `completion` (no `conversation_id`)."""

    def __init__(self, task: ClaimedTask | TaskState) -> None:
        common: dict[str, Any] = {} if task.mode == "completion" else {"conversation_id": task.conversation_id}
        common |= {"message_id": task.message_id, "created_at": int(task.message_created_at.timestamp())}
        self._error_part = common
        self._common = common | {"task_id": task.task_id}
        self._id = task.message_id
        # Written once, because an answer has hundreds of pieces.
        name = "agent_message" if task.mode == AGENT else "message"
        start = {"event": name, **self._common, "id": self._id}
        self._message_start = orjson.dumps(start)[:-1] + b',"from_variable_selector":'

    def text(self, delta: str, selector: Sequence[str] | None = None) -> bytes:
        """`message`, or an agent's `agent_message`. `selector`: the variable of a chatflow that `delta` comes from."""
        source = b"null" if selector is None else orjson.dumps(selector)
        return self._message_start + source + b',"answer":' + orjson.dumps(delta) + b"}"

    def agent_thought(self, step: AgentStep) -> bytes:
        """A step as it stands: sent again as it fills, under the same id."""
        return self._event(
            "agent_thought",
            id=step.id,
            position=step.position,
            thought=step.thought,
            observation=step.observation,
            tool=step.tool,
            tool_labels=step.tool_labels,
            tool_input=step.tool_input,
            message_files=[file["id"] for file in step.files],
        )

    def message_file(self, file: Mapping[str, Any]) -> bytes:
        """A file that a tool made. `file`: its stored object."""
        return self._event("message_file", id=file["id"], type=file["type"], belongs_to="assistant", url=link_to(file))

    def text_replace(self, text: str, reason: str = "") -> bytes:
        """`message_replace`: `text` takes the place of the whole answer."""
        return self._event("message_replace", answer=text, reason=reason)

    def message_end(self, details: dict[str, Any], files: Sequence[Any] = ()) -> bytes:
        """`details`: the stored metadata, of which end users get the retrieved sources alone (§3.2).

        `files`: those that the assistant made.
        """
        return self._event("message_end", id=self._id, metadata=public_details(details), files=list(files))

    def tts_message(self, sound: bytes) -> bytes:
        """A piece of the answer's speech, MP3."""
        return self._event("tts_message", audio=base64.b64encode(sound).decode())

    def tts_message_end(self) -> bytes:
        return self._event("tts_message_end", audio="")

    def error(self, failure: dict[str, Any]) -> bytes:
        """Error frames carry no `task_id` (§2)."""
        return orjson.dumps({"event": "error", **self._error_part, **failure})

    def blocking_body(self, mode: str, answer: str, metadata: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of blocking mode (§7.1, §7.2)."""
        return {
            "event": "message",
            **self._common,
            "id": self._id,
            "mode": mode,
            "answer": answer,
            "metadata": metadata,
        }

    def _event(self, name: str, **fields: Any) -> bytes:
        return orjson.dumps({"event": name, **self._common, **fields})


def public_details(details: dict[str, Any]) -> dict[str, Any]:
    """Return a message's metadata without what only the history shows."""
    return {name: value for name, value in details.items() if name not in ("usage", "annotation_reply")}


def failure_of_run(error: str | None) -> dict[str, Any]:
    """Return the failure that callers get for a failed workflow run (contract streaming.md §5). `error`: the run's."""
    text = error or ""
    return failure_of(InvalidParam(text if text.startswith(RUN_FAILED) else f"{RUN_FAILED} {text}"))


def failure_of(error: AppError) -> dict[str, Any]:
    """Return an error's code, status and message, as rows and `error` events hold them."""
    return {"code": error.code, "status": error.status, "message": error.message}
