"""`start`: the inputs of a run (contract dsl.md §3.7)."""

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeContext


class Start(Node):
    """Outputs the run's inputs. Whoever starts the run stores them, validated, as variables under this node's id."""

    kind = "start"

    def run(self, context: NodeContext) -> Result:
        inputs = dict(context.variables.node(self.id))
        return Result(outputs=inputs, inputs=inputs)
