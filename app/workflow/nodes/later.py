"""Kinds that app files may have and this release does not run."""

from collections.abc import Mapping
from typing import Any

from app.workflow.events import Result
from app.workflow.failures import NodeFailed
from app.workflow.node import Context, Node


class Later(Node):
    """Stands in its place, so that the rest of the graph can be served."""

    def __init__(self, node_id: str, data: Mapping[str, Any], kind: str) -> None:
        self.kind = kind  # type: ignore[misc]
        super().__init__(node_id, data)

    def run(self, context: Context) -> Result:
        raise NodeFailed(f"Nodes of type {self.kind!r} are not served yet.", "NotServed")
