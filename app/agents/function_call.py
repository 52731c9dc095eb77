"""The strategy `function_call`: tools by OpenAI's function calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.agents.steps import AgentStep, ToolCall
from app.agents.strategies import RoundReply
from app.providers.models.answer_endings import is_out_of_tokens
from app.providers.models.chat_types import Chunk, ModelMessage, ModelToolCall
from app.providers.models.thoughts import TextChange, ThoughtReader, without_thoughts
from app.tools.tool_types import ToolDescription

UNNAMED = "unnamed"


class FunctionCall:
    """Offers tools as functions; calls and observations are messages of their own (implements `Strategy`)."""

    def messages(
        self, prompt: Sequence[ModelMessage], steps: Sequence[AgentStep], tools: Sequence[ToolDescription]
    ) -> list[ModelMessage]:
        messages = list(prompt)
        for step in steps:
            # Servers refuse arguments that are no JSON object, also when they are read back to their model.
            calls = tuple(ModelToolCall(call.id, call.name, _object_text(call)) for call in step.calls)
            messages.append(ModelMessage("assistant", without_thoughts(step.thought), calls))
            messages += [ModelMessage("tool", call.observation or "", tool_call_id=call.id) for call in step.calls]
        return messages

    def options(self, tools: Sequence[ToolDescription]) -> Mapping[str, Any]:
        functions = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
            }
            for tool in tools
        ]
        return {"tools": functions} if functions else {}

    def reader(self, position: int) -> "FunctionCallReader":
        return FunctionCallReader(position)


class FunctionCallReader:
    """Reads one answer. All of its text is shown to the end user, thoughts in think tags; calls come beside it.

    Implements `ReplyReader`.
    """

    def __init__(self, position: int) -> None:
        self._position = position
        self._text = ThoughtReader(tagged=True)
        self._calls: list[ToolCall] = []
        self._finish_reason = ""

    def feed(self, chunk: Chunk) -> TextChange:
        self._finish_reason = chunk.finish_reason or self._finish_reason
        self._calls += [
            ToolCall(call.id, call.name or UNNAMED, call.arguments.replace("\0", "")) for call in chunk.tool_calls
        ]
        return self._text.feed(chunk.text.replace("\0", ""), chunk.reasoning.replace("\0", ""))

    def finish(self) -> tuple[RoundReply, TextChange]:
        rest = self._text.finish()
        if self._calls and is_out_of_tokens(self._finish_reason) and not self._calls[-1].arguments.strip():
            # Its input had not begun; one that had tells by itself that its end is missing.
            self._calls[-1].is_cut = True
        taken: set[str] = set()
        for number, call in enumerate(self._calls):
            # Some servers send no ids, and some send one id for all calls; observations need one each.
            if not call.id or call.id in taken:
                call.id = f"call_{self._position}_{number}"
            taken.add(call.id)
        return RoundReply(self._text.text, self._calls), rest


def _object_text(call: ToolCall) -> str:
    """Return the arguments of a call where they are a JSON object, else an empty one."""
    return call.arguments if call.arguments and isinstance(call.input, dict) else "{}"
