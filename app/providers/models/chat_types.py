"""The types of requests to chat models and of their answers."""

import dataclasses
import decimal
from collections.abc import Mapping, Sequence
from typing import Any

# An app file's completion_params: temperature, top_p, max_tokens, stop, response_format …
# `request_parameters.py` says which of them are sent.
Options = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class ModelMessage:
    """One message of a prompt. The content is a text or a list of OpenAI's content parts (`{"type": "image_url", …}`).

    `tool_calls`: the calls that an assistant's message asked for; `tool_call_id`: the call whose result a message of
    role `tool` holds.
    """

    role: str
    content: str | Sequence[Mapping[str, Any]]
    tool_calls: tuple["ModelToolCall", ...] = ()
    tool_call_id: str = ""

    def wire(self) -> dict[str, Any]:
        """Return the message as an object of OpenAI's protocol."""
        wire: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls:
            wire["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self.tool_calls
            ]
        if self.tool_call_id:
            wire["tool_call_id"] = self.tool_call_id
        return wire

    def text(self) -> str:
        """Return the text of the content; images and other parts are left out."""
        if isinstance(self.content, str):
            return self.content
        return "".join(str(part.get("text", "")) for part in self.content if part.get("type") == "text")


@dataclasses.dataclass(frozen=True, slots=True)
class ModelPrices:
    """What the tokens of a model cost: `prompt` and `completion` in `currency` for `unit` tokens.

    `currency`: three capital letters. `unit`: a thousand or a million.
    """

    prompt: decimal.Decimal
    completion: decimal.Decimal
    unit: int
    currency: str


@dataclasses.dataclass(frozen=True, slots=True)
class ModelSource:
    """The model that answered a call, as its server knows it. `prices` None: none are known."""

    endpoint: str = ""
    model: str = ""
    prices: ModelPrices | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one call, as the model server counted them. `source`: the model that answered."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    source: ModelSource = dataclasses.field(default=ModelSource(), compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class ModelToolCall:
    """A whole call of a tool that a model made: the arguments are JSON, unless the model wrote something else."""

    id: str
    name: str
    arguments: str


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """What arrived of an answer in one read: joined text, and in the last chunk all that is known once it is whole.

    That is the finish reason, the usage and the tool calls in order; some servers send no reason or count nothing.
    `reasoning`: what the model thought before the text, from servers that tell the two apart.
    """

    text: str
    finish_reason: str | None = None
    usage: Usage | None = None
    tool_calls: tuple[ModelToolCall, ...] = ()
    reasoning: str = ""
