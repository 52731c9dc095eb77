"""The variables of a run: each is named by a selector, `(node id, name, key …)`; `sys`, `env` and `conversation` count as node ids."""

from collections.abc import Mapping
from typing import Any

from app.workflow.events import Selector
from app.workflow.failures import NodeFailed
from app.workflow.files import File

ALIASES = {"userinput": "sys"}


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class Variables:
    """Values by node id. One of a container's round sees those outside it, and keeps what its own nodes give."""

    def __init__(self, outer: "Variables | None" = None) -> None:
        self._outer = outer
        self._nodes: dict[str, dict[str, Any]] = {}

    def set_node(self, node_id: str, values: Mapping[str, Any]) -> None:
        """Take what a node gives."""
        self._nodes[node_id] = dict(values)

    def write(self, selector: Selector, value: Any) -> None:
        """Change a variable where it lives. Raises NodeFailed where nothing has made it."""
        scope: Variables | None = self
        node_id, name = ALIASES.get(selector[0], selector[0]), selector[1]
        while scope is not None:
            if name in scope._nodes.get(node_id, {}):
                scope._nodes[node_id] = scope._nodes[node_id] | {name: value}
                return
            scope = scope._outer
        raise NodeFailed(f"Variable {'.'.join(selector)} does not exist.", "VariableNotFoundError")

    def get(self, selector: Selector) -> Any:
        """The value of a selector, MISSING where there is none. Never change a value that you got."""
        if len(selector) < 2:
            return MISSING
        values = self._node(ALIASES.get(selector[0], selector[0]))
        value: Any = values.get(selector[1], MISSING)
        for key in selector[2:]:
            if isinstance(value, Mapping):
                value = value.get(key, MISSING)
            elif isinstance(value, File):
                value = value.attribute(key) if key in File.ATTRIBUTES else MISSING
            else:
                return MISSING
        return value

    def require(self, selector: Selector) -> Any:
        """The value of a selector. Raises NodeFailed where there is none."""
        value = self.get(selector)
        if value is MISSING:
            raise NodeFailed(f"Variable {'.'.join(selector)} not found.", "VariableNotFoundError")
        return value

    def node(self, node_id: str) -> Mapping[str, Any]:
        """All that one node gave."""
        return self._node(node_id)

    def _node(self, node_id: str) -> Mapping[str, Any]:
        scope: Variables | None = self
        while scope is not None:
            if node_id in scope._nodes:
                return scope._nodes[node_id]
            scope = scope._outer
        return {}
