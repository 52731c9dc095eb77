"""Builds the prompt of an `llm` node (contract dsl.md §3.7)."""

from collections.abc import Mapping
from typing import Any, Literal

from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage, Options
from app.providers.models.context_window import message_tokens, prompt_room
from app.workflow.asking.prompt_history import MemoryConfig, VisionConfig
from app.workflow.asking.structured_output import Schema, instructed
from app.workflow.contracts.node import ConfigPart, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.rules.named_values import NamedSelector, named_values, render_template
from app.workflow.values.files import File
from app.workflow.values.templates import Template, parse
from app.workflow.values.values import text_of
from app.workflow.values.variables import MISSING, Selector

# Marks that look like references but name no node: the node's context, and the conversation in a completion prompt.
CONTEXT, HISTORIES = "{{#context#}}", "{{#histories#}}"
_JINJA_NAMES = {CONTEXT: "context_of_the_node", HISTORIES: "histories_of_the_node"}
_QUERY: Selector = ("sys", "query")


class PromptPart(ConfigPart):
    """One message of a chat prompt, or a whole completion prompt."""

    role: Literal["system", "user", "assistant"] = "user"
    text: str = ""
    edition_type: str = "basic"
    jinja2_text: str = ""


class PromptConfig(ConfigPart):
    """The variables of prompts that are Jinja2 templates."""

    jinja2_variables: list[NamedSelector] = []


class ContextConfig(ConfigPart):
    """The variable whose text stands for `{{#context#}}`."""

    enabled: bool = False
    variable_selector: Selector = ()

    def text(self, context: NodeContext) -> str:
        """Return the text for `{{#context#}}`: of an array, its texts and retrieved passages, a line for each."""
        value = context.variables.get(self.variable_selector) if self.enabled else MISSING
        if value is MISSING:
            return ""
        return "\n".join(map(_passage, value)) if isinstance(value, list) else _passage(value)


class PromptFields(ConfigPart):
    """The part of an `llm` node's configuration that makes its prompt."""

    prompt_template: list[PromptPart] | PromptPart = []
    prompt_config: PromptConfig = PromptConfig()
    memory: MemoryConfig | None = None
    context: ContextConfig = ContextConfig()
    vision: VisionConfig = VisionConfig()


class LlmPrompt:
    """The prompt of one node execution. `inputs` and `images`: the values from which it is made, for the records."""

    def __init__(self, fields: PromptFields, context: NodeContext) -> None:
        self.inputs: dict[str, Any] = {}
        self._fields, self._context = fields, context
        self.images: list[File] = fields.vision.images(context)
        if self.images:
            self.inputs["#files#"] = self.images
        self._special = {CONTEXT: fields.context.text(context), HISTORIES: ""}
        if fields.context.enabled:
            self.inputs["#context#"] = self._special[CONTEXT]

    def messages(self, model: ChatModel, options: Options, schema: Schema | None) -> list[ModelMessage]:
        """Return the messages for a model, without as many of the oldest turns as must go for the rest to fit.

        Raises NodeFailed where the prompt is empty or a reference finds nothing.
        """
        template, room = self._fields.prompt_template, prompt_room(options, model.context)
        if model.mode == "completion":
            self.images = []
        if isinstance(template, PromptPart):
            return self._completion(template, room, schema)
        return self._chat(template, room, schema)

    def _chat(self, template: list[PromptPart], room: int, schema: Schema | None) -> list[ModelMessage]:
        memory = self._fields.memory
        configured = _without_empty(ModelMessage(part.role, self._rendered(part)) for part in template)
        query = _without_empty([ModelMessage("user", self._query(memory))] if memory is not None else [])
        if not (configured or query or self.images):
            raise NodeFailed("The prompt of this node is empty.", "NoPromptFoundError", self.inputs)
        if schema is not None:
            configured = instructed(configured, schema)
        fixed = self._fields.vision.with_images([*configured, *query], self.images, self._context)
        history = memory.history(self._context, room - sum(map(message_tokens, fixed))) if memory is not None else []
        return [*fixed[: len(configured)], *history, *fixed[len(configured) :]]

    def _completion(self, part: PromptPart, room: int, schema: Schema | None) -> list[ModelMessage]:
        memory, text = self._fields.memory, self._rendered(part)
        query = self._query(memory) if memory is not None else ""
        if not (text or query):
            raise NodeFailed("The prompt of this node is empty.", "NoPromptFoundError", self.inputs)
        if memory is not None:
            room -= message_tokens(ModelMessage("user", f"{text}{query}"))
            self._special[HISTORIES] = memory.dialogue(memory.history(self._context, room))
            text = self._rendered(part)
            if query and not self._has_query(part):
                text = (
                    f"{text}\n{memory.dialogue([ModelMessage('user', query), ModelMessage('assistant', '')])}".rstrip()
                )
        if HISTORIES not in (part.jinja2_text if part.edition_type == "jinja2" else part.text):
            text = f"{self._special[HISTORIES]}\n{text}"
        messages = [ModelMessage("user", text)]
        messages = instructed(messages, schema) if schema is not None else messages
        return self._fields.vision.with_images(messages, self.images, self._context)

    def _has_query(self, part: PromptPart) -> bool:
        """Return whether a completion prompt contains the end user's query already."""
        jinja = [variable.value_selector for variable in self._fields.prompt_config.jinja2_variables]
        selectors = jinja if part.edition_type == "jinja2" else parse(part.text).selectors
        return any(self._context.variables.canonical(selector) == _QUERY for selector in selectors)

    def _query(self, memory: MemoryConfig) -> str:
        """Return the query that ends the prompt; "" in a run without a conversation."""
        if memory.query_prompt_template:
            return self._filled(parse(memory.query_prompt_template))
        value = self._context.variables.get(_QUERY)
        query = "" if value is MISSING else text_of(value)
        self.inputs["#sys.query#"] = query
        return query

    def _rendered(self, part: PromptPart) -> str:
        if part.edition_type == "jinja2":
            return self._jinja(part.jinja2_text)
        return self._filled(parse(part.text))

    def _filled(self, template: Template) -> str:
        variables = self._context.variables
        for selector in template.selectors:
            # Environment variables may be secrets, and inputs are shown in records.
            if selector[0] != "env":
                self.inputs[f"#{'.'.join(selector)}#"] = variables.require(selector)
        parts = tuple(
            _with_special(piece, self._special) if isinstance(piece, str) else piece for piece in template.parts
        )
        return Template(parts).render(variables)

    def _jinja(self, text: str) -> str:
        context = self._context
        values = named_values(self._fields.prompt_config.jinja2_variables, context.variables)
        self.inputs |= values
        text = _with_special(text, {mark: f"{{{{ {name} }}}}" for mark, name in _JINJA_NAMES.items()})
        values |= {name: self._special[mark] for mark, name in _JINJA_NAMES.items()}
        return render_template(context, text, values)


def _with_special(text: str, special: Mapping[str, str]) -> str:
    """Return the text with values in place of its marks. Marks inside the values stay: end users can write them."""
    for mark in (CONTEXT, HISTORIES):
        if mark in text:
            return special[mark].join(_with_special(piece, special) for piece in text.split(mark))
    return text


def _without_empty(messages: Any) -> list[ModelMessage]:
    return [message for message in messages if message.content]


def _passage(value: Any) -> str:
    """Return the text of a value in the context; a retrieved passage is an object with the text as `content`."""
    content = value.get("content") if isinstance(value, Mapping) else None
    return content if isinstance(content, str) else text_of(value)
