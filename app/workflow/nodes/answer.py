"""`answer`: a text of the answer in a chatflow (contract dsl.md §3.7)."""

from typing import Any

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.values.files import File
from app.workflow.values.templates import empty, parse
from app.workflow.values.values import markdown_of
from app.workflow.values.variables import Selector


class AnswerConfig(NodeConfig):
    """The configuration of an answer node. `answer`: a text with references."""

    answer: str


class Answer(Node):
    """Renders its text: outputs `answer` and `files`, the files that its references name."""

    kind = "answer"
    Config = AnswerConfig

    @property
    def text_parts(self) -> tuple[str | Selector, ...]:
        return parse(self.config.answer).parts

    def run(self, context: NodeContext) -> Result:
        template = parse(self.config.answer)
        text = template.render(context.variables, markdown_of, missing=empty)
        files = [file for selector in template.selectors for file in _files(context.variables.get(selector))]
        return Result(outputs={"answer": text, "files": files})


def _files(value: Any) -> list[File]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, File)]
