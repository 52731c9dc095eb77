"""The tools that need no tools file: the current time, a calculator, the text of a web page."""

import base64
import dataclasses
import datetime
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.providers.cancellation import Cancellation
from app.providers.documents.document_texts import DocumentUnreadable, DocumentUnsupported, extract_text
from app.providers.fetch.guarded_http import GuardedHttp, Limits
from app.providers.fetch.request_gate import FetchFailed
from app.tools.tool_types import Tool, ToolAnswer, ToolDescription, ToolFailed

if TYPE_CHECKING:
    from app.providers.sandbox import Sandbox

LARGEST_PAGE = 4 * 1024 * 1024
LONGEST_TEXT = 20_000
PAGE_SECONDS = 30.0
PAGE_TOOL = "webscraper"
Call = Callable[[Mapping[str, Any], float, Cancellation], str]


@dataclasses.dataclass(frozen=True)
class BuiltinTool:
    """A tool whose `answer` function returns text."""

    description: ToolDescription
    answer: Call

    def call(self, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        return ToolAnswer(self.answer(arguments, seconds, cancellation))


@dataclasses.dataclass(frozen=True)
class BuiltinProvider:
    """Provides built-in tools. `icon`: a `data:` URL of its picture."""

    icon: str
    all_tools: Sequence[Tool]

    def tools(self) -> Sequence[Tool]:
        return self.all_tools

    def close(self) -> None:
        """Do nothing: built-in tools hold no connection."""


def builtin_providers(http: Callable[[], GuardedHttp], sandbox: Callable[[], "Sandbox"]) -> dict[str, BuiltinProvider]:
    """Return the built-in providers by the names that app files give them.

    `http` and `sandbox` are called when a tool needs one.
    """
    time = _provider(
        "🕒",
        _tool(
            "current_time",
            "The current date and time.",
            {"en_US": "Current time", "zh_Hans": "当前时间"},
            _current_time,
            timezone=("string", "IANA time zone, such as Europe/Berlin; UTC by default"),
            format=("string", "strftime format; %Y-%m-%d %H:%M:%S by default"),
        ),
    )
    calculator = _provider(
        "🧮",
        *(
            _tool(
                name,
                "Evaluates an arithmetic expression: + - * / // % **, parentheses, "
                "sqrt, abs, round, min, max, log, exp, sin, cos, tan, pi, e.",
                {"en_US": "Calculator", "zh_Hans": "计算器"},
                lambda arguments, seconds, cancellation: _calculate(sandbox(), arguments, seconds, cancellation),
                ("expression",),
                expression=("string", "For example (3 + 4) * 2.5"),
            )
            for name in ("calculator", "eval_expression")
        ),
    )
    page = _provider(
        "🌐",
        _tool(
            PAGE_TOOL,
            "Reads a web page and gives its text.",
            {"en_US": "Web page", "zh_Hans": "网页"},
            lambda arguments, seconds, cancellation: _page(http(), arguments, seconds, cancellation),
            ("url",),
            url=("string", "The address of the page, http or https"),
        ),
    )
    return {"time": time, "calculator": calculator, "maths": calculator, PAGE_TOOL: page}


def _tool(
    name: str,
    text: str,
    label: Mapping[str, str],
    answer: Call,
    required: Sequence[str] = (),
    **parameters: tuple[str, str],
) -> BuiltinTool:
    properties = {parameter: {"type": kind, "description": about} for parameter, (kind, about) in parameters.items()}
    return BuiltinTool(
        ToolDescription(
            name, text, {"type": "object", "properties": properties, "required": list(required)}, label, ""
        ),
        answer,
    )


def _provider(emoji: str, *tools: BuiltinTool) -> BuiltinProvider:
    """Return a provider with an emoji as its icon. Clients load icons from a URL; this one contains the picture."""
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        '<rect width="32" height="32" rx="8" fill="#eef2ff"/>'
        f'<text x="16" y="22" font-size="18" text-anchor="middle">{emoji}</text></svg>'
    )
    icon = f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"
    shown = [dataclasses.replace(tool, description=dataclasses.replace(tool.description, icon=icon)) for tool in tools]
    return BuiltinProvider(icon, shown)


def _current_time(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    name = arguments.get("timezone") or "UTC"
    try:
        zone = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ToolFailed(f"There is no time zone {name[:60]!r}: use an IANA name such as Europe/Berlin.") from None
    try:
        return datetime.datetime.now(zone).strftime(arguments.get("format") or "%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise ToolFailed("The format is not a valid strftime format.") from None


def _calculate(sandbox: "Sandbox", arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    # Imported here with the sandbox: web processes list tools and call none.
    from app.tools.arithmetic import ArithmeticFailed, evaluate

    try:
        return evaluate(arguments["expression"], sandbox, seconds, cancellation)
    except ArithmeticFailed as failure:
        raise ToolFailed(str(failure)) from None


def _page(http: GuardedHttp, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> str:
    seconds = min(seconds, PAGE_SECONDS)
    try:
        with http.request(
            "GET", arguments["url"].strip(), limits=Limits(total=seconds, size=LARGEST_PAGE), cancellation=cancellation
        ) as answer:
            if answer.status >= 400:
                raise ToolFailed(f"The page answered {answer.status}.")
            content, kind = answer.read(), answer.headers.get("Content-Type", "text/html")
        text = extract_text(content, "txt" if kind.startswith("text/plain") else "", kind, seconds, cancellation)
    except FetchFailed as failure:
        raise ToolFailed(str(failure)) from None
    except (DocumentUnsupported, DocumentUnreadable) as failure:
        raise ToolFailed(str(failure)) from None
    text = text.strip()
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}\n(cut: the page has {len(text)} characters)"
