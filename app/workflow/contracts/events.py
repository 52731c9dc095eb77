"""What happens in a run, in the past tense. The public names are made at the edge (services/workflow_events.py)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.workflow.values.variables import Selector


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of one node. `id` is the same when the node is run again after a worker was lost; `started_at` in Unix seconds.

    `resumed`: it waited for something, and its begin was told before.
    """

    id: str
    node_id: str
    kind: str
    title: str
    index: int
    predecessor_node_id: str | None
    iteration_id: str | None
    loop_id: str | None
    started_at: float
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What a node gives. `handle`: the edges that are taken. `writes`: variables outside the node that it set.

    `usage` has prompt_tokens, completion_tokens and total_tokens.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)
    handle: str = "source"
    inputs: Mapping[str, Any] = field(default_factory=dict)
    process_data: Mapping[str, Any] = field(default_factory=dict)
    writes: tuple[tuple[Selector, Any], ...] = ()
    usage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def total_tokens(self) -> int:
        return int(self.usage.get("total_tokens") or 0)


class Event:
    """Anything that happens in a run."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NodeStarted(Event):
    execution: Execution


@dataclass(frozen=True, slots=True)
class NodeSucceeded(Event):
    execution: Execution
    result: Result
    elapsed: float


@dataclass(frozen=True, slots=True)
class NodeExcepted(Event):
    """The node failed and its error strategy lets the run go on."""

    execution: Execution
    result: Result
    elapsed: float
    error: str


@dataclass(frozen=True, slots=True)
class NodeFailedForGood(Event):
    execution: Execution
    result: Result
    elapsed: float
    error: str


@dataclass(frozen=True, slots=True)
class NodeRetried(Event):
    """The node failed and is tried again. `attempt` counts from 1."""

    execution: Execution
    result: Result
    elapsed: float
    error: str
    attempt: int


@dataclass(frozen=True, slots=True)
class NodeReported(Event):
    """Something that a node tells while it runs. `name` is its own word for it (`form_filled`, `agent_log` …)."""

    execution: Execution
    name: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RoundsStarted(Event):
    """An iteration or a loop begins. `length`: items, or the most rounds."""

    execution: Execution
    inputs: Mapping[str, Any]
    length: int


@dataclass(frozen=True, slots=True)
class RoundStarted(Event):
    """`previous`: what a loop's variables hold so far."""

    execution: Execution
    index: int
    previous: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RoundsEnded(Event):
    """`error` None: all went well. `steps`: rounds that were begun."""

    execution: Execution
    result: Result
    elapsed: float
    error: str | None
    steps: int
    excepted: bool = False


@dataclass(frozen=True, slots=True)
class TextStreamed(Event):
    """A piece of the answer, or of the end nodes' outputs."""

    text: str
    selector: Selector


@dataclass(frozen=True, slots=True)
class TextReplaced(Event):
    """All the text so far, after another worker had spoken."""

    text: str
