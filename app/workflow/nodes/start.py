"""`start`: the visitor's inputs (contract dsl.md §3.7)."""

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeContext


class Start(Node):
    """Gives what is under its own id: the engine puts the cleaned inputs there before the run."""

    kind = "start"

    def run(self, context: NodeContext) -> Result:
        inputs = dict(context.variables.node(self.id))
        return Result(outputs=inputs, inputs=inputs)
