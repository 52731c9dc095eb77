"""Calls a chat model on behalf of a node and records the call for operators."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app import errors
from app.errors import answers
from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import Chunk, ModelMessage, ModelToolCall, Options, Usage
from app.providers.models.thoughts import TextChange, ThoughtReader
from app.providers.models.usage import UsageSum, recorded_usage, usage_object
from app.workflow.contracts.node import ConfigPart, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.values.files import File

# Authors branch on `error_type`: these are the names that existing app files compare it with.
ERROR_TYPES: Mapping[type[errors.ProviderError], str] = {
    errors.ProviderNotInitialize: "ProviderTokenNotInitError",
    errors.ProviderQuotaExceeded: "QuotaExceededError",
    errors.ModelNotSupported: "ModelCurrentlyNotSupportError",
    errors.ModelNotFound: "ModelNotExistError",
    errors.ProviderAuthFailed: "InvokeAuthorizationError",
    errors.ProviderRateLimited: "InvokeRateLimitError",
    errors.ProviderTimeout: "InvokeConnectionError",
    errors.ProviderUnreachable: "InvokeConnectionError",
    errors.ProviderServerError: "InvokeServerUnavailableError",
    errors.ProviderProtocolError: "InvokeServerUnavailableError",
    errors.ProviderBadRequest: "InvokeBadRequestError",
    errors.ContextTooLong: "InvokeBadRequestError",
    answers.AnswerFiltered: "InvokeBadRequestError",
    answers.AnswerCutShort: "InvokeBadRequestError",
    answers.ModelBusy: "InvokeRateLimitError",
}


class NodeModel(ConfigPart):
    """The model that a node's configuration names, with its completion parameters; without a name the default one."""

    provider: str = ""
    name: str
    mode: Literal["chat", "completion"] = "chat"
    completion_params: dict[str, Any] = {}

    def find(self, context: NodeContext) -> ChatModel:
        """Return the configured model. Raises NodeFailed."""
        if context.services.models is None:
            raise NodeFailed("No models are available in this run.", ERROR_TYPES[errors.ProviderNotInitialize])
        try:
            return context.services.models.chat_model(self.provider, self.name, self.mode)
        except errors.ProviderError as error:
            raise provider_failure(error) from error


def provider_failure(error: errors.ProviderError) -> NodeFailed:
    """Return the failure of a node whose model failed."""
    return NodeFailed(error.message, ERROR_TYPES.get(type(error), "InvokeError"))


@dataclass
class ModelReply:
    """The whole answer of a model.

    `text`: with its thoughts in think tags, or without; `written`: as the server sent it; `reasoning`: the thoughts.
    `usage`: the usage object that app authors get; `tokens`: what it was made of.
    """

    text: str = ""
    written: str = ""
    reasoning: str = ""
    finish_reason: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    tokens: UsageSum = field(default_factory=UsageSum)
    tool_calls: list[ModelToolCall] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        """The JSON arguments of the first tool call, "" without one."""
        return self.tool_calls[0].arguments if self.tool_calls else ""

    @property
    def recorded_usage(self) -> dict[str, Any]:
        """The usage that is recorded of the node, by model as well."""
        return recorded_usage(self.usage, self.tokens)


@dataclass(frozen=True)
class ModelCall:
    """One call of a model. `inputs` and `files`: the values from which its messages were made, for the records."""

    choice: NodeModel
    messages: Sequence[ModelMessage]
    options: Options
    inputs: Mapping[str, Any]
    files: Sequence[File] = ()

    def ask(
        self,
        context: NodeContext,
        model: ChatModel,
        on_change: Callable[[TextChange], None] | None = None,
        *,
        tagged: bool = True,
        on_thoughts: Callable[[str, bool], None] | None = None,
    ) -> ModelReply:
        """Call the model and return its whole answer. Raises NodeFailed, Cancelled.

        `on_change` is called with each change of the text as it arrives. `tagged`: the text keeps the thoughts.
        `on_thoughts` is called with each piece of the thoughts, and with whether they are over.
        """
        reply = _ReplyBuilder(on_change, tagged, on_thoughts)
        stream = model.stream(self.messages, self.options, context.cancellation, context.deadline)
        try:
            with contextlib.closing(stream):
                for chunk in stream:
                    reply.add(chunk)
        except errors.ProviderError as error:
            failure = provider_failure(error)
            raise self.failure(failure.message, failure.error_type) from error
        return reply.finish()

    def failure(
        self, message: str, error_type: str, reply: ModelReply | None = None, outputs: Mapping[str, Any] | None = None
    ) -> NodeFailed:
        """Return a failure of the node with the records of this call."""
        usage = None if reply is None else reply.recorded_usage
        return NodeFailed(message, error_type, self.inputs, self.process_data(reply), outputs, usage)

    def process_data(self, reply: ModelReply | None = None) -> dict[str, Any]:
        """Return the record of the call for operators: model, prompts, usage. Images are listed as files."""
        with_images = [message for message in self.messages if not isinstance(message.content, str)]
        prompts = [
            {
                "role": message.role,
                "text": message.text(),
                "files": list(self.files) if with_images and message is with_images[-1] else [],
            }
            for message in self.messages
        ]
        asked = {
            "model_mode": self.choice.mode,
            "model_provider": self.choice.provider,
            "model_name": self.choice.name,
            "prompts": prompts,
        }
        return asked if reply is None else asked | {"usage": reply.usage, "finish_reason": reply.finish_reason}


class _ReplyBuilder:
    """Builds a ModelReply from the chunks of a streamed answer."""

    def __init__(
        self,
        on_change: Callable[[TextChange], None] | None,
        tagged: bool,
        on_thoughts: Callable[[str, bool], None] | None,
    ) -> None:
        self._on_change, self._on_thoughts = on_change, on_thoughts
        self._has_open_thoughts = False
        self._began = time.monotonic()
        self._first: float | None = None
        self._reader = ThoughtReader(tagged=tagged)
        self._written: list[str] = []
        self._usage: Usage | None = None
        self._reply = ModelReply()

    def add(self, chunk: Chunk) -> None:
        self._usage = chunk.usage or self._usage
        self._reply.finish_reason = chunk.finish_reason or self._reply.finish_reason
        self._reply.tool_calls += chunk.tool_calls
        # PostgreSQL refuses NUL in texts and in JSON: one such character would lose the whole answer.
        text, reasoning = chunk.text.replace("\0", ""), chunk.reasoning.replace("\0", "")
        self._written.append(text)
        if text or reasoning:
            self._first = self._first or time.monotonic()
            self._pass_on(self._reader.feed(text, reasoning))

    def finish(self) -> ModelReply:
        self._pass_on(self._reader.finish())
        self._tell_thoughts("", are_over=self._has_open_thoughts)
        self._reply.text, self._reply.reasoning = self._reader.text, self._reader.reasoning
        self._reply.written = "".join(self._written)
        self._reply.tokens = UsageSum.of(self._usage)
        self._reply.usage = usage_object(self._reply.tokens, self._began, self._first, time.monotonic())
        return self._reply

    def _pass_on(self, change: TextChange) -> None:
        thoughts = self._reader.take_thoughts()
        self._tell_thoughts(thoughts, are_over=self._has_open_thoughts and not thoughts and bool(change.text.strip()))
        if self._on_change is not None and (change.text or change.removed):
            self._on_change(change)

    def _tell_thoughts(self, thoughts: str, *, are_over: bool) -> None:
        if self._on_thoughts is not None and (thoughts or are_over):
            self._has_open_thoughts = not are_over
            self._on_thoughts(thoughts, are_over)
