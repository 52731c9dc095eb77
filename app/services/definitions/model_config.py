"""The model config of a chat, completion or agent app (contract dsl.md §2)."""

from typing import Annotated, Any, ClassVar, Literal, Self

import pydantic
from pydantic_core import PydanticKnownError

from app.services.definitions.agent_mode import AgentMode
from app.services.definitions.dataset_configs import DatasetConfigs, ids_in_use
from app.services.definitions.features import OFF, Feature, FeatureSet, Moderation
from app.services.definitions.file_parts import STORED, UNCHECKED, Fallback, FilePart, ListOf, at_import
from app.services.definitions.input_forms import InputForm

MOST_PROMPT_MESSAGES = 10

_Name = Annotated[str, Fallback("")]


def _check_stop(params: dict[str, Any]) -> None:
    stop = params.get("stop")
    if stop is not None and not (isinstance(stop, list) and all(isinstance(text, str) for text in stop)):
        raise ValueError("stop must be a list of texts")


def _check_number(messages: tuple["PromptMessage", ...]) -> None:
    if len(messages) > MOST_PROMPT_MESSAGES:
        sizes = {"field_type": "List", "max_length": MOST_PROMPT_MESSAGES, "actual_length": len(messages)}
        raise PydanticKnownError("too_long", sizes)


class ModelChoice(FilePart):
    """Which model is asked, and how. An empty name stands for the default route's model."""

    provider: _Name
    name: _Name
    mode: Annotated[Literal["chat", "completion"], Fallback("chat")] = "chat"
    completion_params: Annotated[dict[str, Any], at_import(_check_stop)] = {}


class PromptMessage(FilePart):
    """One message of an advanced prompt for a chat model."""

    role: Annotated[Literal["system", "user", "assistant"], Fallback("user")]
    text: Annotated[str, Fallback("")]


class ChatPrompt(FilePart):
    """The advanced prompt for a chat model."""

    prompt: Annotated[ListOf[PromptMessage], at_import(_check_number)] = ()


class CompletionText(FilePart):
    """The text of an advanced prompt for a completion model."""

    text: str = ""


class HistoryRoles(FilePart):
    """What the two sides of a conversation are called in a prompt; empty: Human and Assistant."""

    user_prefix: str = ""
    assistant_prefix: str = ""


class CompletionPrompt(FilePart):
    """The advanced prompt for a completion model."""

    prompt: CompletionText = CompletionText.read({})
    conversation_histories_role: HistoryRoles = HistoryRoles.read({})


class PromptSettings(FilePart):
    """The model of an app and what it is told."""

    model: Annotated[ModelChoice, Fallback(ModelChoice.read({}))]
    pre_prompt: str = ""
    prompt_type: Literal["simple", "advanced"] = "simple"
    chat_prompt_config: ChatPrompt = ChatPrompt.read({})
    completion_prompt_config: CompletionPrompt = CompletionPrompt.read({})

    @pydantic.model_validator(mode="after")
    def _check_advanced_prompt(self, info: pydantic.ValidationInfo) -> Self:
        if info.context == STORED or self.prompt_type != "advanced":
            return self
        if self.model.mode == "chat" and not self.chat_prompt_config.prompt:
            raise ValueError("chat_prompt_config.prompt must have a message, as prompt_type is 'advanced'")
        if self.model.mode == "completion" and not self.completion_prompt_config.prompt.text:
            raise ValueError("completion_prompt_config.prompt.text must be there, as prompt_type is 'advanced'")
        return self


# Bases from right to left: the order in which an import checks the fields.
class ModelConfig(FeatureSet, PromptSettings):
    """Everything that a chat, completion or agent app says beside its name and looks."""

    checked: ClassVar[bool] = True

    retriever_resource: Feature = Feature.read({"enabled": True})
    sensitive_word_avoidance: Moderation = Moderation.read(OFF | {"type": "", "config": {}})
    user_input_form: InputForm = ()
    agent_mode: AgentMode = AgentMode.read({})
    dataset_configs: DatasetConfigs = DatasetConfigs.read({})
    dataset_query_variable: Annotated[str, UNCHECKED] = ""

    @property
    def dataset_ids(self) -> list[str]:
        """The datasets that are switched on, each once; older files have them among the agent's tools."""
        listed = [entry.dataset for entry in self.dataset_configs.datasets.datasets]
        return ids_in_use([*listed, *(entry.dataset for entry in self.agent_mode.tools)])
