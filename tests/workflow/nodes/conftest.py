"""Kinds of nodes that a test makes up."""

import pytest

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeContext
from app.workflow.nodes import _KINDS


@pytest.fixture
def kind(monkeypatch):
    """Adds a kind of node whose run is a function of the context; it gives outputs or None."""

    def add(name, behave):
        class Own(Node):
            kind = name

            def run(self, context: NodeContext) -> Result:
                return Result(behave(context) or {})

        monkeypatch.setitem(_KINDS, name, Own)

    return add
