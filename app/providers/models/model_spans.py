"""The spans of model calls, by OpenTelemetry's conventions for generative AI (`gen_ai.…`).

The attributes `llm.…`, `input.value` and `output.value` say the same by OpenInference's, which some tools read alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app import tracing
from app.providers.models.chat_types import Chunk, ModelMessage, ModelToolCall, Usage
from app.providers.models.endpoint import Endpoint
from app.tracing import TraceSpan

# Of the parameters of a request, those that the conventions know, by the names that they have there.
PARAMETERS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "seed": "seed",
}


# By operation; all others are calls of text models.
ROLES = {"embeddings": "EMBEDDING", "rerank": "RERANKER"}


def model_span(operation: str, model: str, endpoint: Endpoint, more: Mapping[str, Any] | None = None) -> TraceSpan:
    """Return the span of a call that begins now. `operation`: chat, text_completion, embeddings, rerank."""
    host, port = endpoint.address
    attributes = {
        tracing.ROLE: ROLES.get(operation, "LLM"),
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": endpoint.name,
        # Its name in earlier versions of the conventions, which most tools still read.
        "gen_ai.system": endpoint.name,
        "gen_ai.request.model": model,
        "llm.model_name": model,
        "server.address": host,
        "server.port": port,
    }
    return tracing.span(f"{operation} {model}", {**attributes, **(more or {})}, kind="client")


class AnswerSpan:
    """The span of a chat call: from its request to the end of its stream."""

    def __init__(self, model: str, mode: str, endpoint: Endpoint) -> None:
        self._span = model_span("chat" if mode == "chat" else "text_completion", model, endpoint)
        self._texts: list[str] = []
        self._calls: tuple[ModelToolCall, ...] = ()
        self._usage: Usage | None = None
        self._reason: str | None = None

    def asked(self, request: Mapping[str, Any], messages: Sequence[ModelMessage]) -> None:
        """Note what is asked."""
        if self._span.is_kept:
            self._span.set(
                {f"gen_ai.request.{known}": request[name] for name, known in PARAMETERS.items() if name in request}
            )
            if self._span.has_content:
                asked = _dump([_message(message) for message in messages])
                self._span.set({"gen_ai.input.messages": asked, "input.value": asked})

    def answered(self, chunk: Chunk) -> None:
        """Note a piece of the answer."""
        self._usage, self._reason = chunk.usage or self._usage, chunk.finish_reason or self._reason
        if self._span.has_content:
            self._texts.append(chunk.text)
            self._calls += chunk.tool_calls

    def fail(self, error: BaseException) -> None:
        """Note that the call failed."""
        self._span.fail(type(error).__name__)

    def end(self) -> None:
        """End the span."""
        if self._span.is_kept:
            if self._usage is not None:
                self._span.set(
                    {
                        "gen_ai.usage.input_tokens": self._usage.prompt_tokens,
                        "gen_ai.usage.output_tokens": self._usage.completion_tokens,
                        "llm.token_count.prompt": self._usage.prompt_tokens,
                        "llm.token_count.completion": self._usage.completion_tokens,
                    }
                )
            if self._reason is not None:
                self._span.set({"gen_ai.response.finish_reasons": [self._reason]})
            if self._span.has_content:
                text = "".join(self._texts)
                said = _message(ModelMessage("assistant", text, self._calls)) | {"finish_reason": self._reason}
                self._span.set({"gen_ai.output.messages": _dump([said]), "output.value": tracing.cut(text)})
        self._span.end()


def _message(message: ModelMessage) -> dict[str, Any]:
    """Return a message as the conventions write it."""
    if message.tool_call_id:
        parts = [{"type": "tool_call_response", "id": message.tool_call_id, "response": tracing.cut(message.text())}]
    else:
        parts = [{"type": "text", "content": tracing.cut(message.text())}]
    parts += [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": tracing.cut(call.arguments)}
        for call in message.tool_calls
    ]
    return {"role": message.role, "parts": parts}


def _dump(content: Any) -> str:
    return orjson.dumps(content, default=str).decode("utf-8", "replace")
