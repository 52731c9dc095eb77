"""Which tools an app names (contract dsl.md §2, `agent_mode`; §3.7, tool and agent nodes)."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.tools.tool_types import ToolChoice

DATASET_PROVIDERS = ("dataset", "dataset-retrieval")


def tools_of(definition: Mapping[str, Any]) -> list[ToolChoice]:
    """The tools of an app, each once, in the order of the file."""
    chosen = [
        *agent_tools(_mapping(_mapping(definition.get("model_config")).get("agent_mode"))),
        *_of_nodes(definition),
    ]
    return list({(choice.provider, choice.name): choice for choice in chosen}.values())


def agent_tools(agent_mode: Mapping[str, Any]) -> list[ToolChoice]:
    """The enabled tools of `agent_mode`; knowledge is no tool here."""
    if not agent_mode.get("enabled", True):
        return []
    return [choice for entry in _entries(agent_mode.get("tools")) if (choice := choice_of(entry)) is not None]


def choice_of(entry: Mapping[str, Any]) -> ToolChoice | None:
    """One entry of a list of tools, in an agent app's spelling or a node's; None for what is off, or no tool."""
    kind = str(entry.get("provider_type") or entry.get("type") or "builtin")
    name = entry.get("tool_name")
    if not entry.get("enabled", True) or kind in DATASET_PROVIDERS or not isinstance(name, str) or not name:
        return None
    provider_name = str(entry.get("provider_name") or "")
    settings = {**_mapping(entry.get("settings")), **_mapping(entry.get("tool_parameters") or entry.get("parameters"))}
    return ToolChoice(kind, str(entry.get("provider_id") or provider_name), name, provider_name, settings)


def _of_nodes(definition: Mapping[str, Any]) -> Iterator[ToolChoice]:
    graph = _mapping(_mapping(definition.get("workflow")).get("graph"))
    for node in _entries(graph.get("nodes")):
        data = _mapping(node.get("data"))
        if data.get("type") == "tool":
            # What a node's parameters say is filled in when it runs.
            choice = choice_of({**data, "tool_parameters": data.get("tool_configurations"), "enabled": True})
            if choice is not None:
                yield choice
        elif data.get("type") == "agent":
            tools = _mapping(_mapping(data.get("agent_parameters")).get("tools")).get("value")
            yield from (choice for entry in _entries(tools) if (choice := choice_of(entry)) is not None)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _entries(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
