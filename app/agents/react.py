"""Tools by reasoning in plain text (ReAct): for models, and servers, that know no function calls."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.agents.steps import AgentStep, ToolCall
from app.agents.strategies import PartialReply
from app.providers.models.chat_types import Chunk, ModelMessage
from app.providers.models.json_answers import read_json
from app.tools.tool_types import ToolDescription

STOP = "\nObservation:"
FINAL = "final answer"
# With the first character of the answer: blanks before it are not part of it.
_FINAL_MARK = re.compile(r"final answer\s*:\s*(?=\S)", re.IGNORECASE)
_FENCED = re.compile(r"```[a-zA-Z]*\s*(\{.*?\})\s*```", re.DOTALL)
_ACTION_LINES = re.compile(r"Action\s*:\s*`?([\w.-]+)`?\s*\n+\s*Action Input\s*:\s*(.*)", re.IGNORECASE | re.DOTALL)
_HEADS = re.compile(r"^\s*(?:thought\s*:)\s*", re.IGNORECASE)
_TAILS = re.compile(r"\s*Action\s*:\s*$", re.IGNORECASE)

INSTRUCTIONS = """You can use these tools. Each is described by its name, what it does, and the JSON schema of its input:

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
    """The strategy `react`. `template`: the author's own instructions, with `{{tools}}`, `{{tool_names}}` and `{{instruction}}`."""

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

    def reader(self, position: int) -> "ReactReader":
        return ReactReader(position)

    def _instructions(self, own: str, tools: Sequence[ToolDescription]) -> str:
        if not tools:
            return own
        listed = "\n".join(
            f"- {tool.name}: {tool.description} Input: {orjson.dumps(tool.parameters).decode()}" for tool in tools
        )
        names = ", ".join(tool.name for tool in tools)
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


class ReactReader:
    """Only what follows "Final Answer:" is for the visitor, and that as it comes."""

    def __init__(self, position: int) -> None:
        self._position = position
        self._text = ""
        self._answer_from: int | None = None
        self._told = 0

    def feed(self, chunk: Chunk) -> str:
        self._text += chunk.text.replace("\0", "")
        if self._answer_from is None:
            mark = _FINAL_MARK.search(self._text)
            # In the JSON of an action the words are no mark.
            if mark is None or "{" in self._text[: mark.start()]:
                return ""
            self._answer_from = self._told = mark.end()
        fresh = self._text[self._told :]
        self._told = len(self._text)
        return fresh

    def finish(self) -> tuple[PartialReply, str]:
        if self._answer_from is not None:
            return PartialReply(self._text[self._answer_from :], []), ""
        before, action = _action(self._text)
        if action is None:
            mark = _FINAL_MARK.search(self._text)
            answer = (self._text[mark.end() :] if mark is not None else _HEADS.sub("", self._text)).strip()
            return PartialReply(answer, []), answer
        name, arguments = action
        if name.strip().lower() == FINAL:
            answer = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
            return PartialReply(answer, []), answer
        written = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
        call = ToolCall(f"call_{self._position}_0", name.strip(), written)
        return PartialReply(_TAILS.sub("", _HEADS.sub("", before)).strip(), [call], self._text.strip()), ""


def _action(text: str) -> tuple[str, tuple[str, Any] | None]:
    """What was written before the action, and the action: its name and its input; None where there is none."""
    for match in (_FENCED.search(text), _bare_object(text)):
        found = _named(match[1]) if match else None
        if match is not None and found is not None:
            return text[: match.start()], found
    lines = _ACTION_LINES.search(text)
    if lines is not None:
        written = lines[2].strip().strip("`")
        value = _loaded(written)
        return text[: lines.start()], (lines[1], value if isinstance(value, dict) else written)
    return text, None


def _bare_object(text: str) -> re.Match[str] | None:
    return re.search(r"(\{[^{}]*\"action\"\s*:.*\})", text, re.DOTALL)


def _named(written: str) -> tuple[str, Any] | None:
    value = _loaded(written)
    if not isinstance(value, dict) or not isinstance(value.get("action"), str):
        return None
    given = value.get("action_input", value.get("input", {}))
    return value["action"], {} if given is None else given


def _loaded(written: str) -> Any:
    try:
        return read_json(written, repair=True)
    except ValueError:
        return None


def _written(step: AgentStep) -> str:
    """A step as the model wrote it, or should have."""
    call = step.calls[0] if step.calls else None
    if step.written or call is None:
        return step.written or step.thought
    action = orjson.dumps({"action": call.name, "action_input": call.input}).decode()
    return f"Thought: {step.thought}\nAction:\n```json\n{action}\n```"


def _observed(step: AgentStep) -> str:
    return "\n".join(call.observation or "" for call in step.calls)
