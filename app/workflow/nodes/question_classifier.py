"""`question-classifier`: a model chooses the class of a text, and with it a branch (contract dsl.md §3.7)."""

import json

import pydantic

from app.providers.models.json_answers import find_object
from app.workflow.asking.model_questions import QuestionFields
from app.workflow.asking.structured_output import Schema, request_options
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.values.variables import Selector

TASK = """You sort texts into classes. Choose the one class that fits the user's text best; do not answer the text.
Say nothing but a JSON object with the id and the name of that class, exactly as they are in the list:
{{"category_id": "…", "category_name": "…"}}

The classes:
{classes}"""


class Class(ConfigPart):
    """One class; its id is the handle of its branch."""

    model_config = pydantic.ConfigDict(coerce_numbers_to_str=True)

    id: str
    name: str = ""
    label: str = ""


class QuestionClassifierConfig(NodeConfig, QuestionFields):
    """The configuration of a question classifier."""

    query_variable_selector: Selector
    classes: list[Class] = pydantic.Field(min_length=1)


class QuestionClassifier(Node):
    """Chooses a class: outputs `class_name`, `class_label`, `class_id` and `usage`. No JSON in the answer fails it."""

    kind = "question-classifier"
    Config = QuestionClassifierConfig
    has_side_effects = True
    branches = True

    @property
    def own_handles(self) -> tuple[str, ...]:
        return tuple(known.id for known in self.config.classes)

    def run(self, context: NodeContext) -> Result:
        model = self.config.model.find(context)
        call = self.config.question(
            context, model, self._task, self.config.query_variable_selector, request_options(self._schema)
        )
        reply = call.ask(context, model)
        found = find_object(reply.written)
        if found is None:
            raise call.failure("could not find json block in the output.", "OutputParserError", reply)
        chosen = self._class(found.get("category_id"))
        outputs = {
            "class_name": chosen.name,
            "class_label": chosen.label or chosen.name,
            "class_id": chosen.id,
            "usage": reply.usage,
        }
        return Result(outputs, chosen.id, call.inputs, call.process_data(reply), usage=reply.usage)

    def _class(self, wanted: object) -> Class:
        """Return the class with an id; the first class for an unknown id (contract dsl.md §3.7)."""
        known: list[Class] = self.config.classes
        return next((candidate for candidate in known if candidate.id == str(wanted)), known[0])

    @property
    def _task(self) -> str:
        classes = [{"category_id": known.id, "category_name": known.name} for known in self.config.classes]
        return TASK.format(classes=json.dumps(classes, ensure_ascii=False))

    @property
    def _schema(self) -> Schema:
        names = {"category_id": list(self.own_handles), "category_name": [known.name for known in self.config.classes]}
        return {
            "type": "object",
            "properties": {
                name: {"type": "string", "enum": list(dict.fromkeys(values))} for name, values in names.items()
            },
            "required": list(names),
            "additionalProperties": False,
        }
