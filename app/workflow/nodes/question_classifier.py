"""`question-classifier`: a model chooses the class of a text, and with it a branch (contract dsl.md §3.7)."""

import json
from collections.abc import Mapping
from typing import Any

import pydantic

from app.providers.models.json_answers import find_object
from app.workflow.asking.model_questions import QuestionFields
from app.workflow.asking.structured_output import Schema, request_options
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.values.variables import Selector

_AROUND_IDS = " \t\r\n\"'`“”‘’"
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
        found = find_object(reply.written, names=("category_id", "category_name"))
        if found is None:
            raise call.failure("could not find json block in the output.", "OutputParserError", reply)
        chosen = self._class(found)
        outputs = {
            "class_name": chosen.name,
            "class_label": chosen.label or chosen.name,
            "class_id": chosen.id,
            "usage": reply.usage,
        }
        return Result(outputs, chosen.id, call.inputs, call.process_data(reply), usage=reply.recorded_usage)

    def _class(self, found: Mapping[str, Any]) -> Class:
        """Return the class that an answer names; the first class where it names none (contract dsl.md §3.7).

        The id decides. Models also write a class's name in its place, or the name alone.
        """
        known: list[Class] = self.config.classes
        wanted = _plain(found.get("category_id")) or _plain(found.get("category_name"))
        by_id = (candidate for candidate in known if candidate.id.strip() == wanted)
        by_name = (candidate for candidate in known if candidate.name.strip().casefold() == wanted.casefold())
        return next(by_id, None) or next(by_name, known[0])

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


def _plain(value: Any) -> str:
    """Return an id or a name as a text without the quotation marks and the list that models put around it."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None or isinstance(value, dict) else str(value).strip(_AROUND_IDS)
