"""The strategy `react`: tools by reasoning in plain text (ReAct), for models and servers without function calls.

The prompt describes the tools and asks for `Thought:`, then an action as JSON, or for `Final Answer:`. `ReactReader`
reads what models make of that.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.agents.react_reader import ReactReader
from app.agents.steps import AgentStep
from app.providers.models.chat_types import ModelMessage
from app.tools.tool_types import ToolDescription

STOP = "\nObservation:"

INSTRUCTIONS = """\
You can use these tools. Each is described by its name, what it does, and the JSON schema of its input:

{tools}

Work in steps. To use a tool, write exactly this and nothing after it:

Thought: why you need the tool
Action:
```json
{{"action": "<one of: {names}>", "action_input": {{...}}}}
```

You are then given a line that begins with "Observation:". Use its content; never write an observation yourself.
Once you know enough, or if no tool helps, write:

Thought: what you know now
Final Answer: your answer to the user"""
NO_TOOLS = 'No more tools can be used. Answer the user now. Begin with "Final Answer:".'


class React:
    """Offers tools in the system message; observations are user messages (implements `Strategy`).

    `template`: the author's instructions in the place of ours, with `{{tools}}`, `{{tool_names}}`, `{{instruction}}`.
    """

    def __init__(self, template: str = "") -> None:
        self._template = template

    def messages(
        self, prompt: Sequence[ModelMessage], steps: Sequence[AgentStep], tools: Sequence[ToolDescription]
    ) -> list[ModelMessage]:
        own = prompt[0].text() if prompt and prompt[0].role == "system" else ""
        others = prompt[1:] if own else prompt
        system = self._instructions(own, tools)
        messages = [ModelMessage("system", system)] if system else []
        messages += others
        for step in steps:
            messages.append(ModelMessage("assistant", _written(step)))
            messages.append(ModelMessage("user", f"Observation: {_observed(step)}"))
        if not tools and steps:
            messages.append(ModelMessage("user", NO_TOOLS))
        return messages

    def options(self, tools: Sequence[ToolDescription]) -> Mapping[str, Any]:
        return {"stop": [STOP]} if tools else {}

    def reader(self, position: int) -> ReactReader:
        return ReactReader(position)

    def _instructions(self, own: str, tools: Sequence[ToolDescription]) -> str:
        if not tools:
            return own
        listed = "\n".join(
            f"- {tool.name}: {tool.description} Input: {orjson.dumps(tool.parameters).decode()}" for tool in tools
        )
        names = ", ".join(tool.name for tool in tools)
        # A template without any of these would leave the model without its tools.
        if any(place in self._template for place in ("{{tools}}", "{{tool_names}}", "{{instruction}}")):
            filled = (
                self._template.replace("{{tools}}", listed)
                .replace("{{tool_names}}", names)
                .replace("{{instruction}}", own)
            )
            return (
                filled.replace("{{historic_messages}}", "")
                .replace("{{query}}", "")
                .replace("{{agent_scratchpad}}", "")
                .strip()
            )
        return f"{own}\n\n{INSTRUCTIONS.format(tools=listed, names=names)}".strip()


def _written(step: AgentStep) -> str:
    """Return a step as the model wrote it. Of a stored step only thought and call are known: it is written anew."""
    call = step.calls[0] if step.calls else None
    if step.written or call is None:
        return step.written or step.thought
    action = orjson.dumps({"action": call.name, "action_input": call.input}).decode()
    return f"Thought: {step.thought}\nAction:\n```json\n{action}\n```"


def _observed(step: AgentStep) -> str:
    return "\n".join(call.observation or "" for call in step.calls)
