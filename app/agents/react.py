"""The strategy `react`: tools by reasoning in plain text (ReAct), for models and servers without function calls.

The prompt describes the tools and asks for `Thought:`, then an action as JSON, or for `Final Answer:`. Models keep to
that loosely, so a reader accepts what can be understood: JSON in a fence, bare JSON, `Action:` lines, or no marks.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.agents.steps import AgentStep, ToolCall
from app.agents.strategies import RoundReply
from app.providers.models.chat_types import Chunk, ModelMessage
from app.providers.models.json_answers import read_json
from app.tools.tool_types import ToolDescription

STOP = "\nObservation:"
FINAL = "final answer"
# The look-ahead waits for the first character of the answer: blanks between the mark and it are not shown.
_FINAL_MARK = re.compile(r"final answer\s*:\s*(?=\S)", re.IGNORECASE)
_FENCED = re.compile(r"```[a-zA-Z]*\s*(\{.*?\})\s*```", re.DOTALL)
_ACTION_LINES = re.compile(r"Action\s*:\s*`?([\w.-]+)`?\s*\n+\s*Action Input\s*:\s*(.*)", re.IGNORECASE | re.DOTALL)
_HEADS = re.compile(r"^\s*(?:thought\s*:)\s*", re.IGNORECASE)
_TAILS = re.compile(r"\s*Action\s*:\s*$", re.IGNORECASE)

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

    def reader(self, position: int) -> "ReactReader":
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


class ReactReader:
    """Reads one answer. Only the text behind "Final Answer:" is shown, as it arrives (implements `ReplyReader`).

    Text without that mark is held back until the end, when it is known whether it calls a tool.
    """

    def __init__(self, position: int) -> None:
        self._position = position
        self._text = ""
        self._answer_from: int | None = None
        self._shown = 0

    def feed(self, chunk: Chunk) -> str:
        self._text += chunk.text.replace("\0", "")
        if self._answer_from is None:
            mark = _FINAL_MARK.search(self._text)
            # Behind a brace the words may be part of an action's JSON ("action": "Final Answer"); `finish` decides.
            if mark is None or "{" in self._text[: mark.start()]:
                return ""
            self._answer_from = self._shown = mark.end()
        fresh = self._text[self._shown :]
        self._shown = len(self._text)
        return fresh

    def finish(self) -> tuple[RoundReply, str]:
        if self._answer_from is not None:
            return RoundReply(self._text[self._answer_from :], []), ""
        before, action = _action(self._text)
        if action is None:
            mark = _FINAL_MARK.search(self._text)
            answer = (self._text[mark.end() :] if mark is not None else _HEADS.sub("", self._text)).strip()
            return RoundReply(answer, []), answer
        name, arguments = action
        if name.strip().lower() == FINAL:
            answer = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
            return RoundReply(answer, []), answer
        written = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
        call = ToolCall(f"call_{self._position}_0", name.strip(), written)
        return RoundReply(_TAILS.sub("", _HEADS.sub("", before)).strip(), [call], self._text.strip()), ""


def _action(text: str) -> tuple[str, tuple[str, Any] | None]:
    """Return the text before an action, and the action's name and input, or None without an action.

    Tried in the order of reliability: JSON in a code fence, bare JSON with `"action"`, lines of `Action:` and `Input:`.
    """
    for match in (_FENCED.search(text), _bare_object(text)):
        found = _name_and_input(match[1]) if match else None
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


def _name_and_input(written: str) -> tuple[str, Any] | None:
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
    """Return a step as the model wrote it. Of a stored step only thought and call are known: it is written anew."""
    call = step.calls[0] if step.calls else None
    if step.written or call is None:
        return step.written or step.thought
    action = orjson.dumps({"action": call.name, "action_input": call.input}).decode()
    return f"Thought: {step.thought}\nAction:\n```json\n{action}\n```"


def _observed(step: AgentStep) -> str:
    return "\n".join(call.observation or "" for call in step.calls)
