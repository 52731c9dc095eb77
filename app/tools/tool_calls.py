"""Calls tools, and tells traces of each call."""

from collections.abc import Mapping
from typing import Any

import orjson

from app import tracing
from app.providers.cancellation import Cancellation
from app.tools.tool_types import Tool, ToolAnswer


def call_tool(
    tool: Tool, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation, call_id: str | None = None
) -> ToolAnswer:
    """Call a tool. `call_id`: what a model names its call by. Raises what `Tool.call` raises."""
    name = tool.description.name
    attributes = {
        tracing.ROLE: "TOOL",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": call_id,
        "tool.name": name,
    }
    with tracing.span(f"execute_tool {name}", attributes) as span:
        if span.has_content:
            written = orjson.dumps(dict(arguments), default=str).decode()
            span.set({"gen_ai.tool.call.arguments": tracing.cut(written), "input.value": tracing.cut(written)})
        answer = tool.call(arguments, seconds, cancellation)
        if span.has_content:
            span.set({"gen_ai.tool.call.result": tracing.cut(answer.text), "output.value": tracing.cut(answer.text)})
        return answer
