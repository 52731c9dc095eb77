"""What stands behind what the specification leaves open (`{}`), for the OpenAPI 3.1 document."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from typing_extensions import TypeAliasType

from app.api.schemas.common import Body
from app.api.schemas.human_input import FormInputConfig, UserActionConfig
from app.api.schemas.stream_parts import CONVERSATION, MESSAGE, MOMENT, TASK, AnswerMetadata


class FeatureSwitch(Body):
    """A feature of the app: whether it is on, and its settings."""

    model_config = ConfigDict(extra="allow")

    enabled: bool = False


class InputFormField(Body):
    """A field of the app's input form."""

    model_config = ConfigDict(extra="allow")

    variable: str
    label: str | None = None
    required: bool | None = None
    max_length: int | None = None
    default: Any = None
    options: list[str] | None = None
    hide: bool | None = None


class ToolIcon(Body):
    """An emoji on a colour."""

    background: str
    content: str


class UploadFeature(Body):
    """Which files end users may send."""

    model_config = ConfigDict(extra="allow")

    enabled: bool | None = None
    allowed_file_types: list[str] | None = None
    allowed_file_extensions: list[str] | None = None
    allowed_file_upload_methods: list[str] | None = None
    number_limits: int | None = None
    image: dict[str, Any] | None = None


class FileMapping(Body):
    """A file of a message or an input: one that was uploaded, or one at an address."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"type": "image", "transfer_method": "local_file", "upload_file_id": MESSAGE, "url": ""}
        }
    )

    type: str | None = None
    transfer_method: Literal["local_file", "remote_url", "tool_file"]
    upload_file_id: str | None = None
    url: str | None = None


class BlockingAnswer(Body):
    """The answer of blocking mode."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "event": "message",
                "task_id": TASK,
                "id": MESSAGE,
                "message_id": MESSAGE,
                "conversation_id": CONVERSATION,
                "mode": "chat",
                "answer": "Good morning.",
                "metadata": {"retriever_resources": []},
                "created_at": MOMENT,
            }
        }
    )

    event: Literal["message"]
    task_id: str
    id: str
    message_id: str
    conversation_id: str | None = Field(None, description="Absent in completion apps")
    mode: str
    answer: str
    metadata: AnswerMetadata
    created_at: int


class BlockingPause(Body):
    """The answer of blocking mode where the run waits for people."""

    model_config = ConfigDict(extra="allow")

    event: Literal["workflow_paused"]
    task_id: str
    id: str
    message_id: str
    conversation_id: str
    workflow_run_id: str
    mode: str
    answer: str
    metadata: AnswerMetadata
    created_at: int
    data: dict[str, Any]


class ErrorBody(Body):
    """An error."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"code": "not_found", "message": "Conversation Not Exists.", "status": 404}}
    )

    code: str
    message: str
    status: int
    params: str | None = Field(None, description="The offending parameter, where one is known")


ChatAnswer = TypeAliasType("ChatAnswer", Annotated[BlockingAnswer | BlockingPause, Field(discriminator="event")])

_SWITCHES = (
    "suggested_questions_after_answer",
    "speech_to_text",
    "text_to_speech",
    "retriever_resource",
    "annotation_reply",
    "more_like_this",
    "sensitive_word_avoidance",
)
# By shape and member.
OPEN_MEMBERS: Mapping[tuple[str, str], Any] = {
    **{("Parameters", name): FeatureSwitch for name in _SWITCHES},
    ("Parameters", "opening_statement"): str | None,
    ("Parameters", "user_input_form"): list[dict[str, InputFormField]],
    ("Parameters", "file_upload"): UploadFeature,
    ("AppMetaResponse", "tool_icons"): dict[str, str | ToolIcon],
    ("AppSiteModelConfigResponse", "suggested_questions"): list[str] | None,
    ("AppSiteModelConfigResponse", "suggested_questions_after_answer"): FeatureSwitch | None,
    ("AppSiteModelConfigResponse", "more_like_this"): FeatureSwitch | None,
    ("AppSiteModelConfigResponse", "model"): dict[str, Any] | None,
    ("AppSiteModelConfigResponse", "user_input_form"): list[dict[str, InputFormField]] | None,
    ("AgentThought", "tool_labels"): dict[str, dict[str, str]],
    ("WebMessageListItem", "metadata"): AnswerMetadata | None,
    ("HumanInputFormDefinitionResponse", "form_content"): str,
    ("HumanInputFormDefinitionResponse", "inputs"): list[FormInputConfig],
    ("HumanInputFormDefinitionResponse", "user_actions"): list[UserActionConfig],
    ("ChatMessagePayload", "files"): list[FileMapping] | None,
    ("CompletionMessagePayload", "files"): list[FileMapping] | None,
    ("WorkflowRunPayload", "files"): list[FileMapping] | None,
}
