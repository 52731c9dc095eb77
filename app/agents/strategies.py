"""How a model is told of tools and how it asks for them. Two ways: OpenAI's function calls, and reasoning in plain text (ReAct)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.agents.steps import AgentStep, ToolCall
from app.providers.models.chat_types import Chunk, ModelMessage
from app.tools.tool_types import ToolDescription


@dataclass(frozen=True)
class PartialReply:
    """What a round came to. No calls: `thought` is the answer. `written`: the text that the calls were read from."""

    thought: str
    calls: list[ToolCall]
    written: str = ""


class ReplyReader(Protocol):
    """Reads one answer of the model as it comes."""

    def feed(self, chunk: Chunk) -> str:
        """The text that the visitor may read now."""

    def finish(self) -> tuple[PartialReply, str]:
        """What it was, and text that the visitor has still to read."""


class Strategy(Protocol):
    def messages(
        self, prompt: Sequence[ModelMessage], steps: Sequence[AgentStep], tools: Sequence[ToolDescription]
    ) -> list[ModelMessage]:
        """What the model reads in the next round. Without tools it is to answer now."""

    def options(self, tools: Sequence[ToolDescription]) -> Mapping[str, Any]:
        """Request parameters beside the app's own."""

    def reader(self, position: int) -> ReplyReader: ...
