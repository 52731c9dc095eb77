"""Strategies: how a model learns of tools and how it calls them. There are two, function calls and ReAct."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.agents.steps import AgentStep, ToolCall
from app.providers.models.chat_types import Chunk, ModelMessage
from app.providers.models.thoughts import TextChange
from app.tools.tool_types import ToolDescription


@dataclass(frozen=True)
class RoundReply:
    """What the model answered in one round. Without calls, `thought` is the answer.

    `written`: the whole text if the calls were read from it, else "".
    """

    thought: str
    calls: list[ToolCall]
    written: str = ""


class ReplyReader(Protocol):
    """Reads one answer of the model as it arrives."""

    def feed(self, chunk: Chunk) -> TextChange:
        """Add a chunk; return how the text changes that is shown to the end user."""

    def finish(self) -> tuple[RoundReply, TextChange]:
        """End the answer; return what it is, and the last change of the shown text."""


class Strategy(Protocol):
    """One way of offering tools to a model."""

    def messages(
        self, prompt: Sequence[ModelMessage], steps: Sequence[AgentStep], tools: Sequence[ToolDescription]
    ) -> list[ModelMessage]:
        """Return the messages of the next round. Without tools they ask for the answer."""

    def options(self, tools: Sequence[ToolDescription]) -> Mapping[str, Any]:
        """Return request options that are added to those of the app."""

    def reader(self, position: int) -> ReplyReader:
        """Return a reader for the answer of the round at a position, counted from 1."""
