"""How a graph, a node and a run fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class GraphInvalid(Exception):
    """The graph cannot run; the text is one line that names the node."""


class NodeFailed(Exception):
    """A node's error: told to the run, answered by the node's error strategy. `error_type` names its kind for later nodes.

    `inputs` and `process_data` are for the operator's records; `outputs` are seen by later nodes where a strategy lets the run go on.
    """

    def __init__(
        self,
        message: str,
        error_type: str = "NodeError",
        inputs: Mapping[str, Any] | None = None,
        process_data: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.error_type = message, error_type
        self.inputs, self.process_data, self.outputs = dict(inputs or {}), dict(process_data or {}), dict(outputs or {})


class GraphRunFailed(Exception):
    """The run cannot go on: a node without an error strategy failed, or a limit was passed."""


class RunTimedOut(GraphRunFailed):
    """The run took longer than it may."""


@dataclass(frozen=True)
class Pause:
    """Why a node waits. `details` are the node's own; `node_id`, `node_title` and the id of its run say who."""

    execution_id: str
    node_id: str
    node_title: str
    details: Mapping[str, Any] = field(default_factory=dict)


class NodePaused(Exception):
    """A node waits for something outside; the run goes on later, from here."""

    def __init__(self, details: Mapping[str, Any]) -> None:
        super().__init__()
        self.details = details


class RunPaused(Exception):
    """Nothing of a frame can go on until what its nodes wait for has come."""

    def __init__(self, pauses: tuple[Pause, ...]) -> None:
        super().__init__()
        self.pauses = pauses
