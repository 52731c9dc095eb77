"""`template-transform`: a Jinja2 template (contract dsl.md §3.7)."""

from collections.abc import Collection

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.rules.named_values import NamedSelector, named_values, render_template


class TemplateConfig(NodeConfig):
    """The configuration of a template node."""

    template: str
    variables: list[NamedSelector] = []


class TemplateTransform(Node):
    """Renders its template with the named variables: outputs `output`, a text."""

    kind = "template-transform"
    Config = TemplateConfig

    def is_authored(self, authored: Collection[str]) -> bool:
        return True

    def run(self, context: NodeContext) -> Result:
        inputs = named_values(self.config.variables, context.variables)
        try:
            return Result(outputs={"output": render_template(context, self.config.template, inputs)}, inputs=inputs)
        except NodeFailed as failure:
            raise NodeFailed(failure.message, failure.error_type, inputs) from None
