"""`iteration-start`, `loop-start` and `loop-end`: nodes without fields that open a container's round or end a loop."""

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeContext


class IterationStart(Node):
    """Opens a round of an iteration. No events are emitted for it."""

    kind = "iteration-start"
    silent = True

    def run(self, context: NodeContext) -> Result:
        return Result()


class LoopStart(IterationStart):
    """Opens a round of a loop. No events are emitted for it."""

    kind = "loop-start"


class LoopEnd(Node):
    """Ends the loop: the frame runs no further nodes of the round once this node has ended (engine/frame.py)."""

    kind = "loop-end"

    def run(self, context: NodeContext) -> Result:
        return Result()
