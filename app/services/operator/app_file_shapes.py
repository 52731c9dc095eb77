"""The shapes in an app file that the services rely on; everything else in it is kept unread (contract dsl.md §1, §2)."""

import dataclasses
import re
from typing import Annotated, Any, Literal, Self, TypeVar

import pydantic

from app.errors import InvalidParam
from app.services.definitions.app_configs import MODES, WORKFLOW_MODES
from app.services.definitions.input_fields import form_fields
from app.services.definitions.input_forms import clean_inputs

MOST_PROMPT_MESSAGES = 10
# ASCII letters, digits and underscores, CJK ideographs, common emoji.
_LETTERS = "A-Za-z_\u4e00-\u9fff\u2600-\u27bf\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff"
VARIABLE = re.compile(f"[{_LETTERS}][{_LETTERS}0-9]{{0,99}}")
FIELD_TYPES = (
    "text-input",
    "paragraph",
    "number",
    "select",
    "checkbox",
    "file",
    "file-list",
    "json_object",
    "external_data_tool",
)

Name = Annotated[str, pydantic.Field(min_length=1)]
Texts = list[str] | None
Feature = dict[str, Any] | None


class InvalidShape(Exception):
    """A part of the file is not what it should be; the text is `place: what is wrong`."""


class _Shape(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True, extra="ignore", protected_namespaces=())


_AnyShape = TypeVar("_AnyShape", bound=_Shape)


class AppSection(_Shape):
    """Name and looks of the app."""

    name: Annotated[str, pydantic.Field(min_length=1, max_length=255)]
    mode: str
    icon: str | None = None
    icon_type: str | None = None
    icon_background: str | None = None
    description: str | None = None
    use_icon_as_answer_icon: bool | None = None


class Model(_Shape):
    provider: Name
    name: Name
    mode: Literal["chat", "completion"] = "chat"
    completion_params: dict[str, Any] | None = None

    @pydantic.field_validator("completion_params")
    @classmethod
    def _stops_are_texts(cls, params: dict[str, Any] | None) -> dict[str, Any] | None:
        stop = (params or {}).get("stop")
        if stop is not None and not (isinstance(stop, list) and all(isinstance(text, str) for text in stop)):
            raise ValueError("stop must be a list of texts")
        return params


class PromptMessage(_Shape):
    role: Literal["system", "user", "assistant"]
    text: str


class ChatPrompt(_Shape):
    prompt: Annotated[list[PromptMessage], pydantic.Field(max_length=MOST_PROMPT_MESSAGES)] | None = None


class CompletionText(_Shape):
    text: str | None = None


class HistoryRoles(_Shape):
    user_prefix: str | None = None
    assistant_prefix: str | None = None


class CompletionPrompt(_Shape):
    prompt: CompletionText | None = None
    conversation_histories_role: HistoryRoles | None = None


class FormField(_Shape):
    """One variable of the input form. Optional texts may be there and empty, as editors write them."""

    variable: str
    label: Name
    required: bool | None = None
    max_length: Annotated[int, pydantic.Field(ge=0)] | Literal[""] | None = None
    options: Texts = None
    default: Any = None
    hide: bool | None = None

    @pydantic.field_validator("variable")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not VARIABLE.fullmatch(name):
            raise ValueError(f"{name!r} must have 1 to 100 letters, digits and underscores, and no digit at its begin")
        return name


class ModelConfig(_Shape):
    model: Model
    pre_prompt: str | None = None
    prompt_type: Literal["simple", "advanced"] | None = None
    chat_prompt_config: ChatPrompt | None = None
    completion_prompt_config: CompletionPrompt | None = None
    opening_statement: str | None = None
    suggested_questions: Texts = None
    user_input_form: list[dict[str, FormField]] | None = None
    suggested_questions_after_answer: Feature = None
    speech_to_text: Feature = None
    text_to_speech: Feature = None
    retriever_resource: Feature = None
    annotation_reply: Feature = None
    more_like_this: Feature = None
    sensitive_word_avoidance: Feature = None
    file_upload: Feature = None
    agent_mode: Feature = None
    dataset_configs: Feature = None
    external_data_tools: list[dict[str, Any]] | None = None

    @pydantic.field_validator("user_input_form")
    @classmethod
    def _form_is_sound(cls, form: list[dict[str, FormField]] | None) -> list[dict[str, FormField]] | None:
        seen: set[str] = set()
        for entry in form or []:
            if len(entry) != 1:
                raise ValueError("each entry must have one key, the type of its field")
            ((kind, field),) = entry.items()
            _check_field(kind, field)
            if field.variable in seen:
                raise ValueError(f"the variable {field.variable!r} is there twice")
            seen.add(field.variable)
        return form

    @pydantic.model_validator(mode="after")
    def _advanced_prompt_is_there(self) -> Self:
        if self.prompt_type != "advanced":
            return self
        if self.model.mode == "chat" and not (self.chat_prompt_config and self.chat_prompt_config.prompt):
            raise ValueError("chat_prompt_config.prompt must have a message, as prompt_type is 'advanced'")
        prompt = self.completion_prompt_config and self.completion_prompt_config.prompt
        if self.model.mode == "completion" and not (prompt and prompt.text):
            raise ValueError("completion_prompt_config.prompt.text must be there, as prompt_type is 'advanced'")
        return self


class Graph(_Shape):
    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]] | None = None


class Workflow(_Shape):
    graph: Graph
    features: Feature = None
    environment_variables: list[dict[str, Any]] | None = None
    conversation_variables: list[dict[str, Any]] | None = None


def check(definition: dict[str, Any]) -> AppSection:
    """The checked head of a definition. Raises InvalidShape for the first thing that is wrong."""
    section = definition.get("app")
    if not isinstance(section, dict) or not section:
        raise InvalidShape("Missing app data in YAML content: there is no mapping 'app'")
    mode = section.get("mode")
    if not mode:
        raise InvalidShape("app.mode: missing app mode")
    if mode not in MODES:
        raise InvalidShape(f"app.mode: Invalid app mode {mode!r}; known are {', '.join(MODES)}")
    head = _checked(AppSection, section, "app")
    if mode in WORKFLOW_MODES:
        if not isinstance(definition.get("workflow"), dict):
            raise InvalidShape("Missing workflow data for workflow/advanced chat app")
        _checked(Workflow, definition["workflow"], "workflow")
    else:
        if not isinstance(definition.get("model_config"), dict):
            raise InvalidShape("Missing model_config for chat/agent-chat/completion app")
        _checked(ModelConfig, definition["model_config"], "model_config")
    return head


def _check_field(kind: str, field: FormField) -> None:
    if kind not in FIELD_TYPES:
        raise ValueError(f"{field.variable!r} has an unknown type {kind!r}; known are {', '.join(FIELD_TYPES)}")
    if kind == "select" and not field.options:
        raise ValueError(f"{field.variable!r} is a select without options")
    if kind in ("file", "file-list", "external_data_tool"):
        return
    (view,) = form_fields([{kind: field.model_dump()}])
    try:
        clean_inputs([dataclasses.replace(view, required=False)], {}, lambda mappings, rules: ())
    except InvalidParam as error:
        raise ValueError(f"the default of {field.variable!r} cannot be used: {error.message}") from None


def _checked(shape: type[_AnyShape], value: Any, place: str) -> _AnyShape:
    try:
        return shape.model_validate(value)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
        raise InvalidShape(f"{place}{steps}: {str(first['msg']).removeprefix('Value error, ')}") from None
