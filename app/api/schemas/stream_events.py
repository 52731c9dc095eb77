"""Server-sent events of messages and of streams as a whole (contract streaming.md §2, §3.1, §5).

These shapes describe: the OpenAPI 3.1 document is made from them, and tests hold every streamed event against them.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from typing_extensions import TypeAliasType

from app.api.schemas.common import Body
from app.api.schemas.run_events import RunEvent
from app.api.schemas.stream_parts import StreamedFile, StreamedSource, in_message


class MessageEventBase(Body):
    """The keys of every event of a message."""

    conversation_id: str | None = Field(None, description="Absent in completion apps")
    message_id: str
    created_at: int = Field(description="When the message was made, in Unix seconds")
    task_id: str = Field(description="The id for the stop operation")


class MessageDeltaEvent(MessageEventBase):
    """A piece of the answer: append it."""

    model_config = ConfigDict(json_schema_extra={"example": in_message("message", answer="Good ")})

    event: Literal["message"]
    id: str
    answer: str
    from_variable_selector: list[str] | None = Field(None, description="In chatflows the node and variable it is from")


class AgentMessageDeltaEvent(MessageEventBase):
    """A piece of an agent's answer: append it."""

    model_config = ConfigDict(json_schema_extra={"example": in_message("agent_message", answer="Good ")})

    event: Literal["agent_message"]
    id: str
    answer: str
    from_variable_selector: list[str] | None = None


class AgentThoughtEvent(MessageEventBase):
    """A round of an agent, sent again under the same id as it fills: replace, do not append."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_message(
                "agent_thought",
                position=1,
                thought="",
                observation='{"current_time": "2026-01-01 12:00:00"}',
                tool="current_time",
                tool_labels={"current_time": {"en_US": "Current Time"}},
                tool_input='{"current_time": {}}',
                message_files=[],
            )
        }
    )

    event: Literal["agent_thought"]
    id: str
    position: int
    thought: str | None
    observation: str | None
    tool: str | None = Field(description="Several are joined by `;`")
    tool_labels: dict[str, dict[str, str]]
    tool_input: str | None = Field(description="JSON text, by tool")
    message_files: list[str] | None


class MessageFileEvent(MessageEventBase):
    """A file that a tool made."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_message(
                "message_file", type="image", belongs_to="assistant", url="https://desk.example/files/1/file-preview"
            )
        }
    )

    event: Literal["message_file"]
    id: str
    type: str
    belongs_to: str
    url: str


class MessageReplaceEvent(MessageEventBase):
    """The whole answer so far is replaced."""

    model_config = ConfigDict(json_schema_extra={"example": in_message("message_replace", answer="", reason="")})

    event: Literal["message_replace"]
    answer: str
    reason: str


class StreamedMetadata(Body):
    """What end users are told of an answer at its end."""

    retriever_resources: list[StreamedSource] | None = None


class MessageEndEvent(MessageEventBase):
    """The end of the answer."""

    model_config = ConfigDict(
        json_schema_extra={"example": in_message("message_end", metadata={"retriever_resources": []}, files=[])}
    )

    event: Literal["message_end"]
    id: str
    metadata: StreamedMetadata
    files: list[StreamedFile] | None = None


class SpeechEvent(Body):
    """A piece of the spoken answer."""

    model_config = ConfigDict(json_schema_extra={"example": in_message("tts_message", audio="//NExAA=")})

    event: Literal["tts_message"]
    audio: str = Field(description="MP3 in base64")
    task_id: str
    message_id: str | None = None
    conversation_id: str | None = None
    workflow_run_id: str | None = None
    created_at: int | None = None


class SpeechEndEvent(Body):
    """The end of the spoken answer."""

    model_config = ConfigDict(json_schema_extra={"example": in_message("tts_message_end", audio="")})

    event: Literal["tts_message_end"]
    audio: str
    task_id: str
    message_id: str | None = None
    conversation_id: str | None = None
    workflow_run_id: str | None = None
    created_at: int | None = None


class ErrorEvent(Body):
    """The answer failed; nothing follows."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "event": "error",
                "message_id": "018f7a2e-0000-7000-8000-000000000002",
                "created_at": 1767268800,
                "code": "completion_request_error",
                "status": 400,
                "message": "The model server could not answer.",
            }
        }
    )

    event: Literal["error"]
    code: str
    status: int
    message: str
    conversation_id: str | None = None
    message_id: str | None = None
    workflow_run_id: str | None = None
    created_at: int | None = None


_SPEECH = SpeechEvent | SpeechEndEvent
_MESSAGE = (
    MessageDeltaEvent
    | AgentMessageDeltaEvent
    | AgentThoughtEvent
    | MessageFileEvent
    | MessageReplaceEvent
    | MessageEndEvent
)
ChatStreamEvent = TypeAliasType(
    "ChatStreamEvent", Annotated[_MESSAGE | RunEvent | _SPEECH | ErrorEvent, Field(discriminator="event")]
)
CompletionStreamEvent = TypeAliasType(
    "CompletionStreamEvent",
    Annotated[
        MessageDeltaEvent | MessageReplaceEvent | MessageEndEvent | _SPEECH | ErrorEvent, Field(discriminator="event")
    ],
)
RunStreamEvent = TypeAliasType(
    "RunStreamEvent", Annotated[RunEvent | _SPEECH | ErrorEvent, Field(discriminator="event")]
)
