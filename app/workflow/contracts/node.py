"""The base class of nodes, their configuration and their context. Each kind of node is a class in a file of nodes/."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import pydantic

from app.providers.cancellation import Cancellation
from app.providers.models.thoughts import TextChange
from app.workflow.contracts.events import Execution, Result
from app.workflow.contracts.node_services import NodeServices
from app.workflow.failures import GraphInvalid, RunTimedOut
from app.workflow.values.variables import Selector, Variables

FAIL_BRANCH = "fail-branch"
LONGEST_RETRY_PAUSE = 60.0


class ConfigPart(pydantic.BaseModel):
    """A part of a node's `data`. Unknown keys are ignored, null counts as absent, numbers are accepted as texts."""

    model_config = pydantic.ConfigDict(extra="ignore", protected_namespaces=(), frozen=True, coerce_numbers_to_str=True)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, Mapping) else data


def handle_name(value: Any) -> str:
    """Return a handle as the text that edges are compared by. Hand-written files have `true` and `false` unquoted."""
    return str(value).lower() if isinstance(value, bool) else str(value or "")


class DefaultValue(ConfigPart):
    """The value of one output under the error strategy `default-value`."""

    key: str
    type: str = "string"
    value: Any = None

    def typed(self) -> Any:
        """Return the value in its type: editors write numbers, objects and arrays as JSON text."""
        if self.type == "string" or not isinstance(self.value, str):
            return self.value
        try:
            return json.loads(self.value)
        except ValueError:
            return self.value


class RetryConfig(ConfigPart):
    """How often a failed node is run again. `retry_interval` in milliseconds."""

    retry_enabled: bool = False
    max_retries: int = 0
    retry_interval: float = 0


class NodeConfig(ConfigPart):
    """The part of a node's `data` that all kinds share."""

    title: str = ""
    error_strategy: str | None = None
    default_value: list[DefaultValue] | None = None
    retry_config: RetryConfig | None = None


class Rounds(Protocol):
    """Runs the children of a container node, in rounds, for one execution of the container."""

    def begin(self, inputs: Mapping[str, Any], length: int) -> None:
        """Emit that the container starts; not again where it is resumed."""

    def run_round(
        self, index: int, variables: Variables, previous: Mapping[str, Any] | None = None, emit_start: bool = True
    ) -> bool:
        """Run the children once in the scope `variables`. Return whether a loop-end node ended the loop.

        `emit_start` False leaves out the event that the round starts. Raises GraphRunFailed, RunPaused, Cancelled.
        """

    def run_jobs(self, jobs: Sequence[Callable[[], None]], limit: int) -> None:
        """Run jobs that each call `run_round`, at most `limit` at once; return when all have ended.

        A job must not raise. The caller's thread runs jobs too, so that nested containers never wait for a free thread.
        """

    def cancel_rounds(self) -> None:
        """Cancel the rounds that `run_jobs` has begun: they raise Cancelled."""

    def finish(self, result: Result, error: str | None) -> None:
        """Emit that the container ended; `error` None means that it succeeded."""


@dataclass(slots=True)
class NodeContext:
    """What a node may use in one execution. `deadline` in monotonic seconds.

    `stream(name, change)` changes the streamed output `name`; `report(name, details)` emits NodeReported.
    `progress`: what an earlier worker, which was lost in this execution, has kept of it by `keep_progress`; None where
    there is nothing. `authored`: what selectors may begin with whose values the author's own code or template made, or
    the author wrote.
    """

    variables: Variables
    services: NodeServices
    execution: Execution
    cancellation: Cancellation
    deadline: float
    stream: Callable[[str, TextChange], None]
    report: Callable[[str, Mapping[str, Any]], None]
    rounds: Rounds
    authored: frozenset[str]
    progress: Mapping[str, Any] | None
    keep_progress: Callable[[Mapping[str, Any]], None]

    def seconds_left(self, most: float) -> float:
        """Return `most` seconds, or what the run has left if that is less. Raises RunTimedOut, Cancelled."""
        self.cancellation.raise_if_cancelled()
        left = min(most, self.deadline - time.monotonic())
        if left <= 0:
            raise RunTimedOut
        return left


class Node(ABC):
    """One node of a graph: built and checked once per app version, then run in many threads. It keeps no state of runs.

    `has_side_effects`: an execution acts on something outside or is costly, so its end is saved before others follow.
    `container`: it runs its children in rounds. `branches`: only the edges of the chosen handle are taken.
    `silent`: no events are emitted for it (the nodes that open a container's round).
    """

    kind: ClassVar[str]
    Config: ClassVar[type[NodeConfig]] = NodeConfig
    has_side_effects: ClassVar[bool] = False
    container: ClassVar[bool] = False
    branches: ClassVar[bool] = False
    silent: ClassVar[bool] = False

    def __init__(self, node_id: str, data: Mapping[str, Any]) -> None:
        """Validate `data`, the node's part of the app file. Raises GraphInvalid, which names the node."""
        self.id = node_id
        title = data.get("title")
        self.title = title if isinstance(title, str) and title else node_id
        try:
            self.config: Any = self.Config.model_validate(data)
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise GraphInvalid(f"{self.name}: {place}: {str(first['msg']).removeprefix('Value error, ')}") from None
        self.check()

    @property
    def name(self) -> str:
        """The node's title, kind and id, for messages to the app's author."""
        return (
            f"node {self.title!r} ({self.kind})"
            if self.title == self.id
            else f"node {self.title!r} ({self.kind}, id {self.id})"
        )

    def check(self) -> None:  # noqa: B027 (a hook: most kinds have no rules beyond their model's)
        """Check the rules of this kind that its pydantic model cannot express. Raises GraphInvalid."""

    @property
    def own_handles(self) -> tuple[str, ...]:
        """The handles that a branching node can choose in an execution that succeeds."""
        return ("source",)

    @property
    def handles(self) -> tuple[str, ...]:
        """Every handle that an execution can choose, including that of a failure."""
        return (*self.own_handles, FAIL_BRANCH) if self.config.error_strategy == FAIL_BRANCH else self.own_handles

    def takes(self, edge_handle: str, chosen: str) -> bool:
        """Return whether an edge is taken when the node ended with the handle `chosen` (contract dsl.md §3.6)."""
        if chosen == FAIL_BRANCH or self.branches:
            return edge_handle == chosen
        return self.config.error_strategy != FAIL_BRANCH or edge_handle != FAIL_BRANCH

    def is_authored(self, authored: Collection[str]) -> bool:
        """Return whether the author's own code or template makes the outputs; `authored`: nodes of which that is so."""
        return False

    @property
    def text_parts(self) -> tuple[str | Selector, ...] | None:
        """The text that the node contributes to the run's text: literals and selectors in order. None: no text."""
        return None

    @property
    def targets(self) -> Sequence[Selector]:
        """The variables that an execution changes. While it runs no other execution changes any."""
        return ()

    @abstractmethod
    def run(self, context: NodeContext) -> Result:
        """Execute the node. Raises NodeFailed, NodePaused, RunTimedOut, Cancelled; containers also RunPaused."""
