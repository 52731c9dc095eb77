"""The exceptions by which graphs are refused and by which nodes and runs fail, pause and time out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class GraphInvalid(Exception):
    """A graph that cannot run. The text is one line that names the node, for the app's author."""


class NodeFailed(Exception):
    """A failed attempt of a node. Its retries and error strategy decide what follows (contract dsl.md §3.6, rule 6).

    `message` and `error_type` become the outputs `error_message` and `error_type`, on which authors branch.
    `inputs` and `process_data` go to the operator's records; `outputs` are recorded where no strategy applies.
    `usage`: what models were asked for all the same, as a Result has it.
    """

    def __init__(
        self,
        message: str,
        error_type: str = "NodeError",
        inputs: Mapping[str, Any] | None = None,
        process_data: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        usage: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.usage = dict(usage or {})
        self.message, self.error_type = message, error_type
        self.inputs, self.process_data, self.outputs = dict(inputs or {}), dict(process_data or {}), dict(outputs or {})


class GraphRunFailed(Exception):
    """The end of a run whose node failed without an error strategy, or that passed a limit.

    `cause`: the kind of the node and of its error, for logs; the class of the exception where no node failed.
    """

    def __init__(self, message: str = "", cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause or type(self).__name__


class StepsExceeded(GraphRunFailed):
    """The end of a run that executed more nodes than it may."""


class RunTimedOut(GraphRunFailed):
    """The end of a run that took longer than its time limit. No error strategy applies to it."""


@dataclass(frozen=True)
class Pause:
    """One node execution that waits, with the `details` of its kind (human input: `draft`, a FormDraft)."""

    execution_id: str
    node_id: str
    node_title: str
    details: Mapping[str, Any] = field(default_factory=dict)


class NodePaused(Exception):
    """Raised by a node that has to wait for people. The run continues later with the same node execution."""

    def __init__(self, details: Mapping[str, Any]) -> None:
        super().__init__()
        self.details = details


class RunPaused(Exception):
    """Raised by a frame in which every node has ended, was skipped, or waits, and at least one waits."""

    def __init__(self, pauses: tuple[Pause, ...]) -> None:
        super().__init__()
        self.pauses = pauses
