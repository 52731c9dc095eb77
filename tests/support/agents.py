"""Agent apps for tests: their tools, and what their streams say."""

import itertools
from collections.abc import Sequence
from typing import Any

from flask.testing import FlaskClient

from app.tools.registry import ToolRegistry
from app.tools.tool_types import Tool
from tests.support.factories import make_app
from tests.support.scripted_model import ScriptedModel
from tests.support.sse import Frame
from tests.support.web_client import WebVisitor


class House:
    """A provider of tools that count their calls."""

    icon = "https://tools.example/house.png"

    def __init__(self, *tools: Tool) -> None:
        self._tools = tools

    def tools(self) -> Sequence[Tool]:
        return self._tools

    def close(self) -> None:
        pass


def house_registry(*tools: Tool) -> ToolRegistry:
    """Return the tool registry of an installation whose file names one provider, `house`."""
    return ToolRegistry({"house": House(*tools)}, {})


def tool(name: str = "lookup", **more: Any) -> dict[str, Any]:
    """An entry of `agent_mode.tools`."""
    return {
        "enabled": True,
        "provider_id": "house",
        "provider_type": "api",
        "provider_name": "house",
        "tool_name": name,
        "tool_parameters": {},
    } | more


def agent(client: FlaskClient, *tools: dict[str, Any], **mode: Any) -> WebVisitor:
    """Return an end user of a new agent app.

    `config` holds keys of its model config, the other arguments are keys of its `agent_mode`.
    """
    settings = {
        "enabled": True,
        "strategy": "function_call",
        "max_iteration": 5,
        "tools": list(tools) or [tool()],
    } | mode
    config = settings.pop("config", {})
    return WebVisitor(client, make_app("agent-chat", agent_mode=settings, **config))


def names(frames: Sequence[Frame]) -> list[str]:
    """The events in their order, repeated ones once."""
    return [name for name, _ in itertools.groupby(frame.event for frame in frames)]


def thoughts(frames: Sequence[Frame]) -> list[dict[str, Any]]:
    """The last state of each thought, in order."""
    last: dict[str, Any] = {}
    for frame in frames:
        if frame.event == "agent_thought":
            last[frame.data["id"]] = frame.data
    return list(last.values())


def prompt(model: ScriptedModel, call: int = -1) -> list[dict[str, Any]]:
    """The messages that the model was sent."""
    return list(model.requests[call].body["messages"])
