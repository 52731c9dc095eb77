"""A fixture that adds kinds of nodes for a test."""

import pytest

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeContext
from app.workflow.nodes import _KINDS


@pytest.fixture
def kind(monkeypatch):
    """A function that adds a kind of node. Its `behave(context)` returns the outputs, or None for none."""

    def add(name, behave):
        class Own(Node):
            kind = name

            def run(self, context: NodeContext) -> Result:
                return Result(behave(context) or {})

        monkeypatch.setitem(_KINDS, name, Own)

    return add
