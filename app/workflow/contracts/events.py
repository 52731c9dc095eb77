"""The events of a run, in the past tense. `services/events/workflow_events.py` turns them into the public ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.workflow.values.variables import Selector

# The name under which a node reports a piece of its model's thoughts: `reasoning`, and `is_final` where they are over.
THOUGHTS = "thoughts"


@dataclass(frozen=True, slots=True)
class Execution:
    """One node execution: a node run once, in one round of the containers around it. `started_at` in Unix seconds.

    `id` is derived from the run and the place in it, so that a node which is run again after a take-over keeps it.
    `index` counts the executions of a run from 1. `resumed`: it waited, and its start was emitted before it did.
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
    """The result of a node execution. `handle`: which outgoing edges are taken. `writes`: writable variables to change.

    `usage`: of models, with prompt_tokens, completion_tokens and total_tokens; empty for nodes that ask none.
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
    """The base of all events."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NodeStarted(Event):
    """A node execution started."""

    execution: Execution


@dataclass(frozen=True, slots=True)
class NodeSucceeded(Event):
    """A node execution succeeded after `elapsed` seconds."""

    execution: Execution
    result: Result
    elapsed: float


@dataclass(frozen=True, slots=True)
class NodeExcepted(Event):
    """A node execution failed and its error strategy lets the run continue, with the outputs of `result`."""

    execution: Execution
    result: Result
    elapsed: float
    error: str


@dataclass(frozen=True, slots=True)
class NodeFailedForGood(Event):
    """A node execution failed and the run fails with it: no retry is left and there is no error strategy."""

    execution: Execution
    result: Result
    elapsed: float
    error: str


@dataclass(frozen=True, slots=True)
class NodeRetried(Event):
    """An attempt of a node execution failed and another follows. `attempt` counts the failed ones from 1."""

    execution: Execution
    result: Result
    elapsed: float
    error: str
    attempt: int


@dataclass(frozen=True, slots=True)
class NodeReported(Event):
    """A node reported a detail of its own kind while it ran.

    `name`: `form_filled`, `form_timeout`, `agent_log`, or THOUGHTS.
    """

    execution: Execution
    name: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RoundsStarted(Event):
    """An iteration or a loop started. `length`: its number of items, or its maximum number of rounds."""

    execution: Execution
    inputs: Mapping[str, Any]
    length: int


@dataclass(frozen=True, slots=True)
class RoundStarted(Event):
    """A round started; `index` counts from 0. `previous`: the loop's outputs so far, None in an iteration."""

    execution: Execution
    index: int
    previous: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RoundsEnded(Event):
    """An iteration or a loop ended after `elapsed` seconds. `error` is None if it succeeded. `steps`: rounds begun."""

    execution: Execution
    result: Result
    elapsed: float
    error: str | None
    steps: int


@dataclass(frozen=True, slots=True)
class TextStreamed(Event):
    """A piece of the run's text became known: of the answer, or of an end node's outputs. `selector`: its source.

    `removed`: so many of the last characters are taken back before.
    """

    text: str
    selector: Selector
    removed: int = 0


@dataclass(frozen=True, slots=True)
class TextReplaced(Event):
    """A run was continued from its journal. `text`: all of its text that the journal holds."""

    text: str
