"""The nodes that open and end a container's round; they have no fields."""

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeContext


class IterationStart(Node):
    kind = "iteration-start"
    silent = True

    def run(self, context: NodeContext) -> Result:
        return Result()


class LoopStart(IterationStart):
    kind = "loop-start"


class LoopEnd(Node):
    """Ends the loop at once."""

    kind = "loop-end"

    def run(self, context: NodeContext) -> Result:
        return Result()
