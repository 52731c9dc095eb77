"""The variables of a run: each is named by a selector, `(node id, name, key …)`; `sys`, `env` and `conversation` count as node ids."""

import threading
from collections.abc import Mapping
from typing import Any

from app.workflow.failures import NodeFailed
from app.workflow.values.files import File

ALIASES = {"userinput": "sys"}

Selector = tuple[str, ...]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class Variables:
    """Values by node id. One of a container's round sees those outside it, and keeps what its own nodes give."""

    def __init__(self, outer: "Variables | None" = None) -> None:
        self._outer = outer
        self._nodes: dict[str, dict[str, Any]] = {}
        self._types: dict[str, Mapping[str, str]] = {}
        # Rounds that run side by side write to what is outside them.
        self._writing: threading.Lock = outer._writing if outer else threading.Lock()

    def set_node(self, node_id: str, values: Mapping[str, Any]) -> None:
        """Take what a node gives."""
        self._nodes[node_id] = dict(values)

    def set_writable(self, node_id: str, values: Mapping[str, Any], types: Mapping[str, str]) -> None:
        """Take variables that assigners may write to, with their declared types: those of the conversation, those of a loop."""
        self.set_node(node_id, values)
        self._types[node_id] = dict(types)

    def writable_type(self, selector: Selector) -> str:
        """The declared type of a variable. Raises NodeFailed where it is not there, or none that may be written to."""
        scope = self._writable_scope(selector)
        if scope is not None:
            return scope._types[selector[0]][selector[1]]
        if self.get(selector) is MISSING:
            raise NodeFailed(f"Variable {'.'.join(selector)} not found.", "VariableNotFoundError")
        raise NodeFailed(f"Variable {'.'.join(selector)} cannot be written to.", "VariableNotWritable")

    def write(self, selector: Selector, value: Any) -> bool:
        """Change a variable where it lives; False where it cannot be written to from here."""
        scope = self._writable_scope(selector)
        if scope is None:
            return False
        with self._writing:
            scope._nodes[selector[0]] = scope._nodes[selector[0]] | {selector[1]: value}
        return True

    def _writable_scope(self, selector: Selector) -> "Variables | None":
        scope: Variables | None = self if len(selector) == 2 else None
        while scope is not None and selector[1] not in scope._types.get(selector[0], {}):
            scope = scope._outer
        return scope

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
