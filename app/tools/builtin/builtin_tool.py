"""What all built-in tools are made of."""

import base64
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.providers.cancellation import Cancellation
from app.tools.tool_types import ReadFile, Tool, ToolAnswer, ToolDescription, ToolFailed, ToolFile

LONGEST_TEXT = 20_000
Call = Callable[[Mapping[str, Any], float, Cancellation], str | ToolAnswer]


@dataclasses.dataclass(frozen=True)
class BuiltinTool:
    """A tool whose `answer` function returns a text or a whole answer."""

    description: ToolDescription
    answer: Call

    def call(self, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        answer = self.answer(arguments, seconds, cancellation)
        return ToolAnswer(answer) if isinstance(answer, str) else answer


@dataclasses.dataclass(frozen=True)
class FileReadingTool(BuiltinTool):
    """A tool that reads files of the run's end user (implements `ReadsFiles`). Outside of a run it has none."""

    answer_with: Callable[[ReadFile], Call]

    def reading(self, read: ReadFile) -> Tool:
        return BuiltinTool(self.description, self.answer_with(read))


@dataclasses.dataclass(frozen=True)
class BuiltinProvider:
    """Provides built-in tools. `icon`: a `data:` URL of its picture."""

    icon: str
    all_tools: Sequence[Tool]

    def tools(self) -> Sequence[Tool]:
        return self.all_tools

    def close(self) -> None:
        """Do nothing: built-in tools hold no connection."""


def tool(
    name: str,
    text: str,
    label: Mapping[str, str],
    answer: Call,
    required: Sequence[str] = (),
    /,
    **parameters: tuple[str, str],
) -> BuiltinTool:
    """Return a tool. Each parameter is a JSON type and a sentence; with the type "" it takes any value.

    App files write numbers and switches in many ways (`1`, `"5"`, `"true"`): such parameters have no type, and the tool
    reads them with `number` and `flag`.
    """
    properties = {
        parameter: ({"type": kind} if kind else {}) | {"description": about}
        for parameter, (kind, about) in parameters.items()
    }
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return BuiltinTool(ToolDescription(name, text, schema, label, ""), answer)


def file_tool(
    name: str,
    text: str,
    label: Mapping[str, str],
    answer_with: Callable[[ReadFile], Call],
    required: Sequence[str] = (),
    /,
    **parameters: tuple[str, str],
) -> FileReadingTool:
    """Return a tool that reads files, as `tool` does; `answer_with` takes what reads them."""
    plain = tool(name, text, label, answer_with(_no_files), required, **parameters)
    return FileReadingTool(plain.description, plain.answer, answer_with)


def _no_files(file: Mapping[str, Any], most_bytes: int, seconds: float, cancellation: Cancellation) -> ToolFile:
    raise ToolFailed("Files are not available here.")


def provider(emoji: str, *tools: BuiltinTool) -> BuiltinProvider:
    """Return a provider with an emoji as its icon. Clients load icons from a URL; this one contains the picture."""
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        '<rect width="32" height="32" rx="8" fill="#eef2ff"/>'
        f'<text x="16" y="22" font-size="18" text-anchor="middle">{emoji}</text></svg>'
    )
    icon = f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"
    shown = [dataclasses.replace(one, description=dataclasses.replace(one.description, icon=icon)) for one in tools]
    return BuiltinProvider(icon, shown)


def text(arguments: Mapping[str, Any], *names: str, default: str = "") -> str:
    """Return the first of these arguments that has a value, as a text."""
    for name in names:
        if arguments.get(name) not in (None, ""):
            return str(arguments[name])
    return default


def flag(arguments: Mapping[str, Any], name: str, default: bool) -> bool:
    """Return a switch, which app files write as a boolean, a number or a text."""
    value = arguments.get(name)
    if value in (None, ""):
        return default
    return value.strip().lower() in ("1", "true", "yes", "on") if isinstance(value, str) else bool(value)


def number(arguments: Mapping[str, Any], *names: str, default: int, least: int, most: int) -> int:
    """Return the first of these arguments that is a whole number, within its bounds. Raises ToolFailed for a text."""
    for name in names:
        value = arguments.get(name)
        if value not in (None, ""):
            try:
                return max(least, min(int(float(value)), most))
            except (TypeError, ValueError, OverflowError):
                raise ToolFailed(f"{name} must be a number, not {str(value)[:60]!r}.") from None
    return default


def cut(text: str, what: str) -> str:
    """Return a text that a model can read, and say where it is cut."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}\n(cut: the {what} has {len(text)} characters)"
