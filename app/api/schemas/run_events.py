"""Server-sent events of workflow runs (contract streaming.md §3.3). They describe, as stream_events.py does."""

from typing import Any, Literal

from pydantic import ConfigDict

from app.api.schemas.common import Body
from app.api.schemas.human_input import FormInputConfig, UserActionConfig
from app.api.schemas.node_events import NodeEvent, RunEventBase
from app.api.schemas.stream_parts import MOMENT, NODE, RUN, StreamedFile, in_run

_FORM = {
    "form_id": NODE,
    "node_id": "ask",
    "node_title": "Ask",
    "form_content": "Shall we? {{#$output.comment#}}",
    "inputs": [{"type": "paragraph", "output_variable_name": "comment"}],
    "actions": [{"id": "yes", "title": "Yes", "button_style": "primary"}],
    "display_in_ui": True,
    "form_token": "aB3dE5fG7hJ9kL1mN3pQ5r",
    "resolved_default_values": {},
    "expiration_time": MOMENT,
}


class RunStartedData(Body):
    id: str
    workflow_id: str
    inputs: dict[str, Any]
    created_at: int
    reason: Literal["initial", "resumption"]


class WorkflowStartedEvent(RunEventBase):
    """A run begins, or goes on after a pause."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run(
                "workflow_started", id=RUN, workflow_id=NODE, inputs={"text": "Hi"}, created_at=MOMENT, reason="initial"
            )
        }
    )

    event: Literal["workflow_started"]
    data: RunStartedData


class TextData(Body):
    text: str
    from_variable_selector: list[str] | None = None


class TextChunkEvent(RunEventBase):
    """A piece of a workflow's output text: append it."""

    model_config = ConfigDict(
        json_schema_extra={"example": in_run("text_chunk", text="Good ", from_variable_selector=["llm", "text"])}
    )

    event: Literal["text_chunk"]
    data: TextData


class TextReplaceEvent(RunEventBase):
    """The whole output text so far is replaced."""

    model_config = ConfigDict(json_schema_extra={"example": in_run("text_replace", text="")})

    event: Literal["text_replace"]
    data: TextData


class FormData(Body):
    """A form that waits for a person's answer."""

    form_id: str
    node_id: str
    node_title: str
    form_content: str
    inputs: list[FormInputConfig]
    actions: list[UserActionConfig]
    display_in_ui: bool
    form_token: str | None
    resolved_default_values: dict[str, Any]
    expiration_time: int


class FormRequiredEvent(RunEventBase):
    """The run needs a person's answer."""

    model_config = ConfigDict(json_schema_extra={"example": in_run("human_input_required", **_FORM)})

    event: Literal["human_input_required"]
    data: FormData


class FormFilledData(Body):
    node_id: str
    node_title: str
    rendered_content: str
    action_id: str
    action_text: str
    submitted_data: dict[str, Any] | None = None


class FormFilledEvent(RunEventBase):
    """Somebody answered the form."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run(
                "human_input_form_filled",
                node_id="ask",
                node_title="Ask",
                rendered_content="Shall we? Gladly.",
                action_id="yes",
                action_text="Yes",
                submitted_data={"comment": "Gladly."},
            )
        }
    )

    event: Literal["human_input_form_filled"]
    data: FormFilledData


class FormTimeoutData(Body):
    node_id: str
    node_title: str
    expiration_time: int


class FormTimeoutEvent(RunEventBase):
    """Nobody answered the form in time."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run("human_input_form_timeout", node_id="ask", node_title="Ask", expiration_time=MOMENT)
        }
    )

    event: Literal["human_input_form_timeout"]
    data: FormTimeoutData


class PauseReason(FormData):
    TYPE: Literal["human_input_required"]


class RunPausedData(Body):
    workflow_run_id: str
    paused_nodes: list[str]
    outputs: dict[str, Any]
    reasons: list[PauseReason]
    status: Literal["paused"]
    created_at: int
    elapsed_time: float
    total_tokens: int
    total_steps: int


class WorkflowPausedEvent(RunEventBase):
    """The run waits for people; the stream ends."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run(
                "workflow_paused",
                workflow_run_id=RUN,
                paused_nodes=["ask"],
                outputs={},
                reasons=[{"TYPE": "human_input_required", **_FORM}],
                status="paused",
                created_at=MOMENT,
                elapsed_time=0.1,
                total_tokens=0,
                total_steps=2,
            )
        }
    )

    event: Literal["workflow_paused"]
    data: RunPausedData


class RunOwner(Body):
    """The end user who began a run."""

    id: str
    user: str | None = None


class RunFinishedData(Body):
    id: str
    workflow_id: str
    status: Literal["succeeded", "failed", "stopped", "partial-succeeded"]
    outputs: dict[str, Any] | None
    error: str | None
    elapsed_time: float
    total_tokens: int
    total_steps: int
    created_by: RunOwner
    created_at: int
    finished_at: int | None
    exceptions_count: int
    files: list[StreamedFile]


class WorkflowFinishedEvent(RunEventBase):
    """The run ended."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run(
                "workflow_finished",
                id=RUN,
                workflow_id=NODE,
                status="succeeded",
                outputs={"text": "Good morning."},
                error=None,
                elapsed_time=0.9,
                total_tokens=12,
                total_steps=3,
                created_by={"id": NODE, "user": NODE},
                created_at=MOMENT,
                finished_at=MOMENT,
                exceptions_count=0,
                files=[],
            )
        }
    )

    event: Literal["workflow_finished"]
    data: RunFinishedData


RunEvent = (
    WorkflowStartedEvent
    | NodeEvent
    | TextChunkEvent
    | TextReplaceEvent
    | FormRequiredEvent
    | FormFilledEvent
    | FormTimeoutEvent
    | WorkflowPausedEvent
    | WorkflowFinishedEvent
)
