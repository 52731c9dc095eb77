"""What the services read from the definition of a chat, completion or agent app (contract dsl.md §2).

The view is tolerant: a field of another type counts as absent. `app_files` refuses such files at import.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from app.errors import AppUnavailable
from app.services.definitions.app_tools import agent_tools
from app.services.definitions.file_rules import FileRules
from app.services.definitions.input_fields import InputField, form_fields, start_fields
from app.tools.tool_types import ToolChoice

MODEL_CONFIG_MODES = ("chat", "completion", "agent-chat")
WORKFLOW_MODES = ("workflow", "advanced-chat")
MODES = (*MODEL_CONFIG_MODES, *WORKFLOW_MODES)

# What a feature is where a model config does not say (contract endpoints.md, GET /parameters).
FEATURE_DEFAULTS: Mapping[str, dict[str, Any]] = {
    "suggested_questions_after_answer": {"enabled": False},
    "speech_to_text": {"enabled": False},
    "text_to_speech": {"enabled": False},
    "retriever_resource": {"enabled": True},
    "annotation_reply": {"enabled": False},
    "more_like_this": {"enabled": False},
    "sensitive_word_avoidance": {"enabled": False, "type": "", "config": {}},
}
AGENT_ROUNDS = 10
WORKFLOW_FEATURE_DEFAULTS: Mapping[str, dict[str, Any]] = {**FEATURE_DEFAULTS, "retriever_resource": {"enabled": False}}
FILE_UPLOAD_DEFAULT: dict[str, Any] = {
    "image": {"enabled": False, "number_limits": 3, "detail": "high", "transfer_methods": ["remote_url", "local_file"]}
}


@dataclass(frozen=True)
class ModelChoice:
    """Which model an app asks, and how. `mode` is `chat` or `completion`."""

    provider: str
    name: str
    mode: str = "chat"
    completion_params: dict[str, Any] = field(default_factory=dict)

    @property
    def stop(self) -> list[str]:
        return _texts(self.completion_params.get("stop"))


@dataclass(frozen=True)
class PromptMessage:
    """One message of an advanced chat prompt."""

    role: str
    text: str


@dataclass(frozen=True)
class CompletionPrompt:
    """An advanced prompt for a completion model."""

    text: str = ""
    user_prefix: str = ""
    assistant_prefix: str = ""


@dataclass(frozen=True)
class ExternalDataTool:
    """A variable that an operator's endpoint fills. `extension_id` names the endpoint."""

    variable: str
    type: str
    extension_id: str


@dataclass(frozen=True)
class AgentMode:
    """How an agent works. `strategy` is `function_call` or `react`; `template`: the author's own instructions for the latter."""

    strategy: str
    most_rounds: int
    tools: tuple[ToolChoice, ...]
    template: str


@dataclass(frozen=True)
class DeclaredVariable:
    """An environment or conversation variable (contract dsl.md §3.2)."""

    id: str
    name: str
    type: str
    value: Any


@dataclass(frozen=True)
class ModelConfig:
    """The model config of an app. `features` has every key of FEATURE_DEFAULTS. Shared: never change its dicts."""

    model: ModelChoice
    pre_prompt: str
    prompt_type: str
    chat_prompt: tuple[PromptMessage, ...]
    completion_prompt: CompletionPrompt
    opening_statement: str | None
    suggested_questions: tuple[str, ...]
    user_input_form: tuple[InputField, ...]
    external_data_tools: tuple[ExternalDataTool, ...]
    file_upload: dict[str, Any]
    features: dict[str, dict[str, Any]]
    agent_mode: AgentMode
    # The search settings as the file has them; `retrieval_settings` reads them where a search is made.
    dataset_configs: dict[str, Any]
    dataset_ids: tuple[str, ...]
    dataset_query_variable: str

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> Self:
        """The view of a definition, made in some microseconds. Raises AppUnavailable where no model is configured."""
        config = _mapping(definition.get("model_config"))
        return cls(
            model=_model(_mapping(config.get("model"))),
            pre_prompt=_text(config.get("pre_prompt")),
            prompt_type="advanced" if config.get("prompt_type") == "advanced" else "simple",
            chat_prompt=_chat_prompt(_mapping(config.get("chat_prompt_config"))),
            completion_prompt=_completion_prompt(_mapping(config.get("completion_prompt_config"))),
            opening_statement=_text(config.get("opening_statement")) or None,
            suggested_questions=tuple(_texts(config.get("suggested_questions"))),
            user_input_form=form_fields(config.get("user_input_form")),
            external_data_tools=tuple(external_data_tools(config)),
            file_upload=_mapping(config.get("file_upload")) or FILE_UPLOAD_DEFAULT,
            features={name: _mapping(config.get(name)) or default for name, default in FEATURE_DEFAULTS.items()},
            agent_mode=_agent_mode(_mapping(config.get("agent_mode"))),
            dataset_configs=_mapping(config.get("dataset_configs")),
            dataset_ids=tuple(dataset_ids(config)),
            dataset_query_variable=_text(config.get("dataset_query_variable")),
        )

    @property
    def file_rules(self) -> FileRules | None:
        """What files messages may carry; None: none."""
        return FileRules.of_feature(self.file_upload)


@dataclass(frozen=True)
class WorkflowConfig:
    """What surrounds the graph of a workflow or a chatflow. `features` has every key of FEATURE_DEFAULTS. Shared: never change it."""

    graph: dict[str, Any]
    opening_statement: str | None
    suggested_questions: tuple[str, ...]
    user_input_form: tuple[InputField, ...]
    file_upload: dict[str, Any]
    features: dict[str, dict[str, Any]]
    environment: tuple[DeclaredVariable, ...]
    conversation_variables: tuple[DeclaredVariable, ...]

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> Self:
        """The view of a definition. Raises AppUnavailable where there is no graph."""
        workflow = _mapping(definition.get("workflow"))
        features = _mapping(workflow.get("features"))
        graph = _mapping(workflow.get("graph"))
        if not graph.get("nodes"):
            raise AppUnavailable
        return cls(
            graph=graph,
            opening_statement=_text(features.get("opening_statement")) or None,
            suggested_questions=tuple(_texts(features.get("suggested_questions"))),
            user_input_form=form_fields(
                [{str(variable.get("type", "text-input")): variable} for variable in start_fields(workflow)]
            ),
            file_upload=_mapping(features.get("file_upload")) or FILE_UPLOAD_DEFAULT,
            features={
                name: _mapping(features.get(name)) or default for name, default in WORKFLOW_FEATURE_DEFAULTS.items()
            },
            environment=_declared(workflow.get("environment_variables")),
            conversation_variables=_declared(workflow.get("conversation_variables")),
        )

    @property
    def file_rules(self) -> FileRules | None:
        """What files runs and messages may carry; None: none."""
        return FileRules.of_feature(self.file_upload)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that no record may show."""
        return tuple(
            str(variable.value) for variable in self.environment if variable.type == "secret" and variable.value
        )


def model_of(definition: Mapping[str, Any]) -> ModelChoice:
    """The model that an app goes by: its own, or that of its graph's first node that asks one. Raises AppUnavailable."""
    if "workflow" not in definition:
        return ModelConfig.from_definition(definition).model
    nodes = WorkflowConfig.from_definition(definition).graph["nodes"]
    for node in nodes if isinstance(nodes, list) else []:
        model = _mapping(_mapping(_mapping(node).get("data")).get("model"))
        if _text(model.get("name")):
            return _model(model)
    # No name at all: the route table's default answers.
    return ModelChoice("", "default")


def is_enabled(feature: Any) -> bool:
    """Whether a feature's object says so."""
    return isinstance(feature, Mapping) and feature.get("enabled") is True


def dataset_ids(config: Mapping[str, Any]) -> list[str]:
    """The datasets of a model config that are switched on, each once; older files have them among the agent's tools."""
    chosen = _mapping(_mapping(config.get("dataset_configs")).get("datasets")).get("datasets")
    tools = _mapping(config.get("agent_mode")).get("tools")
    entries = [entry for part in (chosen, tools) if isinstance(part, list) for entry in part]
    datasets = [_mapping(_mapping(entry).get("dataset")) for entry in entries]
    return list(
        dict.fromkeys(
            _text(dataset.get("id"))
            for dataset in datasets
            if dataset.get("enabled", True) and _text(dataset.get("id"))
        )
    )


def _declared(variables: Any) -> tuple[DeclaredVariable, ...]:
    entries = [_mapping(entry) for entry in variables] if isinstance(variables, list) else []
    return tuple(
        DeclaredVariable(
            _text(entry.get("id")) or _text(entry.get("name")),
            _text(entry.get("name")),
            kind,
            _first_value(kind, entry),
        )
        for entry in entries
        if _text(entry.get("name")) and (kind := _text(entry.get("value_type")) or "string")
    )


def _first_value(kind: str, entry: Mapping[str, Any]) -> Any:
    """The value in the file; an empty one of its type where there is none."""
    value = entry.get("value")
    if kind == "number" and isinstance(value, str):
        number = float(value) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) else 0.0
        return int(number) if number.is_integer() else number
    if value is None or (value == "" and kind not in ("string", "secret")):
        return [] if kind.startswith("array") else {"number": 0, "boolean": False, "object": {}}.get(kind, "")
    return value


def _model(model: Mapping[str, Any]) -> ModelChoice:
    provider, name = _text(model.get("provider")), _text(model.get("name"))
    if not name:
        raise AppUnavailable
    mode = "completion" if model.get("mode") == "completion" else "chat"
    return ModelChoice(provider, name, mode, _mapping(model.get("completion_params")))


def _chat_prompt(config: Mapping[str, Any]) -> tuple[PromptMessage, ...]:
    prompt = config.get("prompt")
    messages = [_mapping(message) for message in prompt] if isinstance(prompt, list) else []
    return tuple(
        PromptMessage(_text(message.get("role")) or "user", _text(message.get("text"))) for message in messages
    )


def _completion_prompt(config: Mapping[str, Any]) -> CompletionPrompt:
    prompt, roles = _mapping(config.get("prompt")), _mapping(config.get("conversation_histories_role"))
    return CompletionPrompt(
        _text(prompt.get("text")), _text(roles.get("user_prefix")), _text(roles.get("assistant_prefix"))
    )


def _agent_mode(mode: Mapping[str, Any]) -> AgentMode:
    rounds = mode.get("max_iteration")
    return AgentMode(
        strategy="react" if mode.get("strategy") in ("react", "react_router", "cot") else "function_call",
        most_rounds=rounds if isinstance(rounds, int) and rounds > 0 else AGENT_ROUNDS,
        tools=tuple(agent_tools(mode)),
        template=_text(_mapping(mode.get("prompt")).get("first_prompt")),
    )


def external_data_tools(config: Mapping[str, Any]) -> Iterator[ExternalDataTool]:
    """From the list of tools, and from input forms of older files."""
    tools, form = config.get("external_data_tools"), config.get("user_input_form")
    entries = list(tools) if isinstance(tools, list) else []
    entries += [_mapping(entry).get("external_data_tool") for entry in form] if isinstance(form, list) else []
    for entry in map(_mapping, entries):
        if entry.get("enabled", True) and _text(entry.get("variable")):
            extension_id = _text(_mapping(entry.get("config")).get("api_based_extension_id"))
            yield ExternalDataTool(_text(entry["variable"]), _text(entry.get("type")), extension_id)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
