"""`template-transform`: a Jinja2 template (contract dsl.md §3.7)."""

from app.providers.sandbox import SandboxFailed
from app.workflow.events import Result
from app.workflow.failures import NodeFailed
from app.workflow.node import Config, Context, Node, Shape
from app.workflow.values import plain
from app.workflow.variables import MISSING

LONGEST_RUN = 15.0


class Variable(Shape):
    variable: str
    value_selector: tuple[str, ...] = ()


class TemplateConfig(Config):
    template: str
    variables: list[Variable] = []


class TemplateTransform(Node):
    kind = "template-transform"
    Config = TemplateConfig

    def run(self, context: Context) -> Result:
        if context.outside.sandbox is None:
            raise NodeFailed("There is no sandbox to render templates in.", "TemplateError")
        found = {entry.variable: context.variables.get(entry.value_selector) for entry in self.config.variables}
        inputs = {name: None if value is MISSING else plain(value) for name, value in found.items()}
        try:
            text = context.outside.sandbox.render(self.config.template, inputs, context.seconds(LONGEST_RUN), context.cancellation)
        except SandboxFailed as failure:
            raise NodeFailed(str(failure), "TemplateError", inputs) from None
        return Result(outputs={"output": text}, inputs=inputs)
