"""The variables of a run, found by selectors: `(node id, name, key …)`.

`sys`, `env` and `conversation` count as node ids, and the start node gives every `sys` variable as `sys.name`, too. The
engine writes when a node has ended; nodes read in several threads.
"""

import math
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
LIVE = math.inf


class Variables:
    """The variables of one scope: the whole graph, or one round of a container.

    A round's scope reads from the scopes around it (`outer`) and keeps the outputs of its own nodes to itself, so that
    parallel rounds of the same nodes stay apart.
    """

    def __init__(self, outer: "Variables | None" = None) -> None:
        self._outer = outer
        self._nodes: dict[str, dict[str, Any]] = {}
        self._types: dict[str, Mapping[str, str]] = {}
        self._start_id: str | None = outer._start_id if outer else None
        # By variable, the place in the journal of the write that gave its value; LIVE for one of this worker.
        self._places: dict[Selector, float] = {}
        # One lock for all scopes of a run: parallel rounds write variables of the scope around them.
        self._write_lock: threading.Lock = outer._write_lock if outer else threading.Lock()

    def set_start(self, node_id: str) -> None:
        """Say which node is the start, in all scopes that are made from this one."""
        self._start_id = node_id

    def set_node(self, node_id: str, values: Mapping[str, Any]) -> None:
        """Store a node's outputs, in place of any that it had."""
        self._nodes[node_id] = dict(values)

    def set_writable(self, node_id: str, values: Mapping[str, Any], types: Mapping[str, str]) -> None:
        """Store variables that assigner nodes may change, with their declared types: a conversation's or a loop's."""
        self.set_node(node_id, values)
        self._types[node_id] = dict(types)

    def writable_type(self, selector: Selector) -> str:
        """Return the declared type of a writable variable. Raises NodeFailed for one that is missing or read-only."""
        scope = self._writable_scope(selector)
        if scope is not None:
            return scope._types[selector[0]][selector[1]]
        if self.get(selector) is MISSING:
            raise NodeFailed(f"Variable {'.'.join(selector)} not found.", "VariableNotFoundError")
        raise NodeFailed(f"Variable {'.'.join(selector)} cannot be written to.", "VariableNotWritable")

    def write(self, selector: Selector, value: Any, place: float = LIVE) -> bool:
        """Change a variable in the nearest scope that declares it writable. Return False where no scope does.

        `place`: of a recorded write in the journal. A replay goes through one frame after the other, though they ran at
        the same time: of several writes the one that was recorded last counts.
        """
        scope = self._writable_scope(selector)
        if scope is None:
            return False
        with self._write_lock:
            if place < scope._places.get(selector, 0):
                return True
            scope._places[selector] = place
            # A new mapping, so that readers, who take no lock, see the old values or the new ones; the lock keeps two
            # writers from losing each other's change.
            scope._nodes[selector[0]] = scope._nodes[selector[0]] | {selector[1]: value}
        return True

    def _writable_scope(self, selector: Selector) -> "Variables | None":
        scope: Variables | None = self if len(selector) == 2 else None
        while scope is not None and selector[1] not in scope._types.get(selector[0], {}):
            scope = scope._outer
        return scope

    def get(self, selector: Selector) -> Any:
        """Return the value of a selector, or MISSING. Callers must not change it: others read the same object."""
        selector = self.canonical(selector)
        if len(selector) < 2:
            return MISSING
        values = self._node(selector[0])
        value: Any = values.get(selector[1], MISSING)
        for key in selector[2:]:
            if isinstance(value, Mapping):
                value = value.get(key, MISSING)
            elif isinstance(value, File):
                value = value.attribute(key) if key in File.ATTRIBUTES else MISSING
            else:
                return MISSING
        return value

    def canonical(self, selector: Selector) -> Selector:
        """Return a selector under the name by which its variable is kept: `sys` for its aliases (contract §3.3)."""
        if len(selector) < 2:
            return selector
        first, name, *keys = selector
        if first == self._start_id and (name.startswith("sys.") or (name == "sys" and keys)):
            # Editors write both: `[start, "sys.query"]` in selectors, `start.sys.query` in texts.
            return ("sys", *name.split(".")[1:], *keys)
        return (ALIASES.get(first, first), name, *keys)

    def require(self, selector: Selector) -> Any:
        """Return the value of a selector. Raises NodeFailed where there is none."""
        value = self.get(selector)
        if value is MISSING:
            raise NodeFailed(f"Variable {'.'.join(selector)} not found.", "VariableNotFoundError")
        return value

    def node(self, node_id: str) -> Mapping[str, Any]:
        """Return all outputs of one node by name; empty for a node that has not run."""
        return self._node(node_id)

    def _node(self, node_id: str) -> Mapping[str, Any]:
        scope: Variables | None = self
        while scope is not None:
            if node_id in scope._nodes:
                return scope._nodes[node_id]
            scope = scope._outer
        return {}
