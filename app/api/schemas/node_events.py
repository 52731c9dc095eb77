"""Server-sent events of nodes (contract streaming.md §3.3). They describe, as stream_events.py does."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.api.schemas.common import Body
from app.api.schemas.stream_parts import MOMENT, NODE, StreamedFile, in_run

_NODE = {"id": NODE, "node_id": "llm", "node_type": "llm", "title": "Answer", "created_at": MOMENT}


class RunEventBase(Body):
    """The keys of every event of a run. Those of the message are there in chatflows."""

    workflow_run_id: str
    task_id: str
    conversation_id: str | None = None
    message_id: str | None = None
    created_at: int | None = None


class NodeEventData(Body):
    """What all events of a node's execution say."""

    id: str = Field(description="The id of the node execution")
    node_id: str
    node_type: str
    title: str
    created_at: int


class NodeStartedData(NodeEventData):
    index: int
    predecessor_node_id: str | None
    inputs: None
    extras: dict[str, Any]
    iteration_id: str | None
    loop_id: str | None


class NodeStartedEvent(RunEventBase):
    """A node begins."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run(
                "node_started",
                **_NODE,
                index=2,
                predecessor_node_id="start",
                inputs=None,
                extras={},
                iteration_id=None,
                loop_id=None,
            )
        }
    )

    event: Literal["node_started"]
    data: NodeStartedData


class NodeFinishedData(NodeEventData):
    """Inputs, outputs and errors of nodes are kept from end users."""

    index: int
    predecessor_node_id: str | None
    inputs: None
    process_data: None
    outputs: None
    status: Literal["succeeded", "failed", "exception", "retry"]
    error: None
    elapsed_time: float
    execution_metadata: None
    finished_at: int
    files: list[StreamedFile]
    iteration_id: str | None
    loop_id: str | None


_FINISHED = _NODE | {
    "index": 2,
    "predecessor_node_id": "start",
    "inputs": None,
    "process_data": None,
    "outputs": None,
    "status": "succeeded",
    "error": None,
    "elapsed_time": 0.7,
    "execution_metadata": None,
    "finished_at": MOMENT,
    "files": [],
    "iteration_id": None,
    "loop_id": None,
}


class NodeFinishedEvent(RunEventBase):
    """A node ended."""

    model_config = ConfigDict(json_schema_extra={"example": in_run("node_finished", **_FINISHED)})

    event: Literal["node_finished"]
    data: NodeFinishedData


class NodeRetryData(NodeFinishedData):
    retry_index: int
    inputs_truncated: bool
    process_data_truncated: bool
    outputs_truncated: bool


class NodeRetryEvent(RunEventBase):
    """A node failed and is tried again."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run(
                "node_retry",
                **_FINISHED
                | {
                    "status": "retry",
                    "retry_index": 1,
                    "inputs_truncated": False,
                    "process_data_truncated": False,
                    "outputs_truncated": False,
                },
            )
        }
    )

    event: Literal["node_retry"]
    data: NodeRetryData


class RoundsStartedData(NodeEventData):
    extras: dict[str, Any]
    metadata: dict[str, Any]
    inputs: dict[str, Any]
    inputs_truncated: bool


class RoundsStartedEvent(RunEventBase):
    """An iteration or a loop begins; `metadata` has its length where that is known."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run(
                "iteration_started",
                **_NODE | {"node_id": "each", "node_type": "iteration"},
                extras={},
                metadata={"iteration_length": 3},
                inputs={"iterator_selector": ["a", "b", "c"]},
                inputs_truncated=False,
            )
        }
    )

    event: Literal["iteration_started", "loop_started"]
    data: RoundsStartedData


class RoundData(NodeEventData):
    index: int
    extras: dict[str, Any]
    pre_loop_output: Any = None


class RoundStartedEvent(RunEventBase):
    """A round of an iteration or a loop begins."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run(
                "iteration_next", **_NODE | {"node_id": "each", "node_type": "iteration"}, index=1, extras={}
            )
        }
    )

    event: Literal["iteration_next", "loop_next"]
    data: RoundData


class RoundsEndedData(NodeEventData):
    outputs: dict[str, Any] | None
    outputs_truncated: bool
    extras: dict[str, Any] | None
    inputs: dict[str, Any] | None
    inputs_truncated: bool
    status: str
    error: str | None
    elapsed_time: float
    total_tokens: int
    execution_metadata: dict[str, Any]
    finished_at: int
    steps: int


class RoundsEndedEvent(RunEventBase):
    """An iteration or a loop ended."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run(
                "iteration_completed",
                **_NODE | {"node_id": "each", "node_type": "iteration"},
                outputs={"output": ["A", "B", "C"]},
                outputs_truncated=False,
                extras={},
                inputs={},
                inputs_truncated=False,
                status="succeeded",
                error=None,
                elapsed_time=2.1,
                total_tokens=30,
                execution_metadata={},
                finished_at=MOMENT,
                steps=3,
            )
        }
    )

    event: Literal["iteration_completed", "loop_completed"]
    data: RoundsEndedData


class AgentLogData(Body):
    node_execution_id: str
    id: str
    label: str
    parent_id: str | None
    error: str | None
    status: str
    data: dict[str, Any]
    metadata: dict[str, Any]
    node_id: str


class AgentLogEvent(RunEventBase):
    """A step of an agent node, sent again under the same id as it goes on."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run(
                "agent_log",
                node_execution_id=NODE,
                id=NODE,
                label="ROUND 1",
                parent_id=None,
                error=None,
                status="success",
                data={},
                metadata={},
                node_id="agent",
            )
        }
    )

    event: Literal["agent_log"]
    data: AgentLogData


class ReasoningData(Body):
    node_id: str
    reasoning: str
    is_final: bool = Field(description="Whether the model has thought; `reasoning` may be empty then")
    message_id: str | None = Field(None, description="In chatflows")


class ReasoningChunkEvent(RunEventBase):
    """A piece of the thoughts of a model whose answer is kept free of them: append it, by node."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": in_run("reasoning_chunk", node_id="llm", reasoning="They greet me.", is_final=False)
        }
    )

    event: Literal["reasoning_chunk"]
    data: ReasoningData


NodeEvent = (
    NodeStartedEvent
    | NodeFinishedEvent
    | NodeRetryEvent
    | RoundsStartedEvent
    | RoundStartedEvent
    | RoundsEndedEvent
    | AgentLogEvent
    | ReasoningChunkEvent
)
