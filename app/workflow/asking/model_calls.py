"""Asking a model on behalf of a node, and what operators are told of it."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pydantic

from app import errors
from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import Chunk, ModelMessage, Options, ToolCallDelta, Usage
from app.providers.models.usage import usage_object
from app.workflow.contracts.node import ConfigPart, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.values.files import File

# For authors who branch on `error_type`: the names that the field's files use.
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
}


class NodeModel(ConfigPart):
    provider: str = ""
    name: str = pydantic.Field(min_length=1)
    mode: Literal["chat", "completion"] = "chat"
    completion_params: dict[str, Any] = {}

    def find(self, context: NodeContext) -> ChatModel:
        """Raises NodeFailed."""
        if context.services.models is None:
            raise NodeFailed("This run has no models.", ERROR_TYPES[errors.ProviderNotInitialize])
        try:
            return context.services.models.chat_model(self.provider, self.name, self.mode)
        except errors.ProviderError as error:
            raise provider_failure(error) from error


def provider_failure(error: errors.ProviderError) -> NodeFailed:
    return NodeFailed(error.message, ERROR_TYPES.get(type(error), "InvokeError"))


@dataclass
class ModelReply:
    """What a model answered. `text` holds thoughts between think tags, even if the server told them apart."""

    text: str = ""
    finish_reason: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    tool_calls: list[ToolCallDelta] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        """The JSON of the first tool call."""
        first = min((call.index for call in self.tool_calls), default=0)
        return "".join(call.arguments for call in self.tool_calls if call.index == first)


@dataclass(frozen=True)
class ModelCall:
    """One question to a model. `inputs` and `files` are what its messages were made from."""

    choice: NodeModel
    messages: Sequence[ModelMessage]
    options: Options
    inputs: Mapping[str, Any]
    files: Sequence[File] = ()

    def ask(self, context: NodeContext, model: ChatModel, hear: Callable[[str], None] | None = None) -> ModelReply:
        """The whole answer; `hear` is given its text piece by piece. Raises NodeFailed, Cancelled."""
        listening = _Listening(hear)
        stream = model.stream(self.messages, self.options, context.cancellation, context.deadline)
        try:
            with contextlib.closing(stream):
                for chunk in stream:
                    listening.take(chunk)
        except errors.ProviderError as error:
            failure = provider_failure(error)
            raise self.failure(failure.message, failure.error_type) from error
        return listening.end()

    def failure(
        self, message: str, error_type: str, reply: ModelReply | None = None, outputs: Mapping[str, Any] | None = None
    ) -> NodeFailed:
        """The node's failure once its model is asked."""
        return NodeFailed(message, error_type, self.inputs, self.process_data(reply), outputs)

    def process_data(self, reply: ModelReply | None = None) -> dict[str, Any]:
        """For operators. Images are named, not shown."""
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


class _Listening:
    """An answer on its way."""

    def __init__(self, hear: Callable[[str], None] | None) -> None:
        self._hear = hear
        self._began = time.monotonic()
        self._first: float | None = None
        self._texts: list[str] = []
        self._usage: Usage | None = None
        self._thinking = False
        self._reply = ModelReply()

    def take(self, chunk: Chunk) -> None:
        self._usage = chunk.usage or self._usage
        self._reply.finish_reason = chunk.finish_reason or self._reply.finish_reason
        self._reply.tool_calls += chunk.tool_calls
        if chunk.reasoning:
            self._say(chunk.reasoning if self._thinking else f"<think>\n{chunk.reasoning}")
            self._thinking = True
        if chunk.text:
            self._close_thought()
            self._say(chunk.text)

    def end(self) -> ModelReply:
        self._close_thought()
        self._reply.text = "".join(self._texts)
        self._reply.usage = usage_object(self._usage, self._began, self._first, time.monotonic())
        return self._reply

    def _close_thought(self) -> None:
        if self._thinking:
            self._say("\n</think>\n\n")
        self._thinking = False

    def _say(self, text: str) -> None:
        self._first = self._first or time.monotonic()
        # No database takes it.
        text = text.replace("\0", "")
        self._texts.append(text)
        if self._hear is not None:
            self._hear(text)
