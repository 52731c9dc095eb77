"""What every kind of node has in common. A kind is one class in a file of its own under nodes/, registered there."""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pydantic

from app.providers.cancellation import Cancellation
from app.workflow.contracts.events import Execution, Result
from app.workflow.contracts.node_services import NodeServices
from app.workflow.contracts.rounds import Rounds
from app.workflow.failures import GraphInvalid, RunTimedOut
from app.workflow.values.variables import Selector, Variables

FAIL_BRANCH, SUCCESS_BRANCH = "fail-branch", "success-branch"
LONGEST_RETRY_PAUSE = 60.0


class ConfigPart(pydantic.BaseModel):
    """A part of a node's `data`. Keys that nobody reads are allowed, null means absent, a bare number is taken where a text is wanted."""

    model_config = pydantic.ConfigDict(extra="ignore", protected_namespaces=(), frozen=True, coerce_numbers_to_str=True)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, Mapping) else data


def handle_name(value: Any) -> str:
    """A handle as graphs compare it: hand-written files say true and false without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value or "")


class DefaultValue(ConfigPart):
    key: str
    type: str = "string"
    value: Any = None

    def typed(self) -> Any:
        """The value; editors write numbers, objects and arrays as texts."""
        if self.type == "string" or not isinstance(self.value, str):
            return self.value
        try:
            return json.loads(self.value)
        except ValueError:
            return self.value


class RetryConfig(ConfigPart):
    """`retry_interval` in milliseconds."""

    retry_enabled: bool = False
    max_retries: int = 0
    retry_interval: float = 0


class NodeConfig(ConfigPart):
    """The `data` that all nodes have."""

    title: str = ""
    error_strategy: str | None = None
    default_value: list[DefaultValue] | None = None
    retry_config: RetryConfig | None = None


@dataclass(slots=True)
class NodeContext:
    """What a node may use while it runs. `deadline` in monotonic seconds.

    `stream(name, piece)` says a piece of an output that grows; `report(name, details)` tells an event of the node's own.
    """

    variables: Variables
    services: NodeServices
    execution: Execution
    cancellation: Cancellation
    deadline: float
    stream: Callable[[str, str], None]
    report: Callable[[str, Mapping[str, Any]], None]
    rounds: Rounds

    def seconds(self, most: float) -> float:
        """So many seconds, or what the run has left. Raises TimeIsUp, Cancelled."""
        self.cancellation.raise_if_cancelled()
        left = min(most, self.deadline - time.monotonic())
        if left <= 0:
            raise RunTimedOut
        return left


class Node(ABC):
    """One node of a graph, read and checked once, then run by many threads: it keeps nothing of a run.

    `has_side_effects`: it touches the world or takes long, so that its end is stored before anything follows.
    `container`: it runs its children itself. `branches`: only the edges of one handle are taken.
    """

    kind: ClassVar[str]
    Config: ClassVar[type[NodeConfig]] = NodeConfig
    has_side_effects: ClassVar[bool] = False
    container: ClassVar[bool] = False
    branches: ClassVar[bool] = False
    # Whether events tell of it; the helpers that open a container's round are silent.
    silent: ClassVar[bool] = False

    def __init__(self, node_id: str, data: Mapping[str, Any]) -> None:
        """Raises GraphInvalid, which names the node."""
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
        """For messages to the author."""
        return (
            f"node {self.title!r} ({self.kind})"
            if self.title == self.id
            else f"node {self.title!r} ({self.kind}, id {self.id})"
        )

    def check(self) -> None:  # noqa: B027 (a hook: most kinds have no rules beyond their model's)
        """Check the rules of this kind that its pydantic model cannot express. Raises GraphInvalid."""

    @property
    def own_handles(self) -> tuple[str, ...]:
        """The handles that a branching node may choose."""
        return ("source",)

    @property
    def handles(self) -> tuple[str, ...]:
        """Every handle that may be chosen, that of a failure too."""
        return (*self.own_handles, FAIL_BRANCH) if self.config.error_strategy == FAIL_BRANCH else self.own_handles

    def takes(self, edge_handle: str, chosen: str) -> bool:
        """Whether an edge is taken when the node ended with a handle (contract dsl.md §3.6)."""
        if chosen == FAIL_BRANCH or self.branches:
            return edge_handle == chosen
        return self.config.error_strategy != FAIL_BRANCH or edge_handle != FAIL_BRANCH

    @property
    def text_parts(self) -> tuple[str | Selector, ...] | None:
        """For nodes whose text is streamed to the visitor: literal texts and selectors, in order; None for all others."""
        return None

    @abstractmethod
    def run(self, context: NodeContext) -> Result:
        """Do it. Raises NodeFailed, NodePaused, Cancelled, TimeIsUp; containers RunPaused too."""
