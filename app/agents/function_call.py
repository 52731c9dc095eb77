"""The strategy `function_call`: tools by OpenAI's function calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.agents.steps import AgentStep, ToolCall
from app.agents.strategies import RoundReply
from app.providers.models.chat_types import Chunk, ModelMessage, ToolCallDelta
from app.tools.tool_types import ToolDescription

UNNAMED = "unnamed"


class FunctionCall:
    """Offers tools as functions; calls and observations are messages of their own (implements `Strategy`)."""

    def messages(
        self, prompt: Sequence[ModelMessage], steps: Sequence[AgentStep], tools: Sequence[ToolDescription]
    ) -> list[ModelMessage]:
        messages = list(prompt)
        for step in steps:
            calls = tuple(
                ToolCallDelta(index, call.id, call.name, call.arguments or "{}")
                for index, call in enumerate(step.calls)
            )
            messages.append(ModelMessage("assistant", step.thought, calls))
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
    """Reads one answer. All of its text is shown to the end user; calls come beside it (implements `ReplyReader`)."""

    def __init__(self, position: int) -> None:
        self._position = position
        self._texts: list[str] = []
        self._calls: dict[int, ToolCall] = {}

    def feed(self, chunk: Chunk) -> str:
        for delta in chunk.tool_calls:
            self._take(delta)
        text = chunk.text.replace("\0", "")
        self._texts.append(text)
        return text

    def finish(self) -> tuple[RoundReply, str]:
        calls = [call for _, call in sorted(self._calls.items())]
        for number, call in enumerate(calls):
            # Some servers send no ids, and some send one id for all calls; observations need one each.
            if not call.id or any(other.id == call.id for other in calls[:number]):
                call.id = f"call_{self._position}_{number}"
            call.name = call.name or UNNAMED
        return RoundReply("".join(self._texts), calls), ""

    def _take(self, delta: ToolCallDelta) -> None:
        index = delta.index
        known = self._calls.get(index)
        if known is not None and delta.id and known.id and delta.id != known.id and delta.name:
            # A new id and a name begin another call: some servers number all calls 0.
            index = max(self._calls) + 1
            known = None
        if known is None:
            self._calls[index] = ToolCall(delta.id, delta.name, delta.arguments.replace("\0", ""))
            return
        known.id, known.name = known.id or delta.id, known.name or delta.name
        known.arguments += delta.arguments.replace("\0", "")
