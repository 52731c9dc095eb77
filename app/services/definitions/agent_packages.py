"""Portable agents (app files of 0.7.0): read as what is served, apps of mode `agent-chat` and agent nodes.

A file carries its agents in `agent_packages`; an app of mode `agent` is one of them, a node of `agent_node_kind`
`dify_agent` names one. Each has a `soul`: the instructions, the model, and features of the app.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

AGENT_MODE = "agent"
# What a soul may hold that is not served.
_NOT_SERVED = ("skills", "files", "knowledge", "human_contacts", "contacts", "sandbox", "env", "memory")
_FEATURES = ("opening_statement", "suggested_questions", "suggested_questions_after_answer", "speech_to_text")
_MORE_FEATURES = ("text_to_speech", "retriever_resource", "sensitive_word_avoidance", "file_upload")


class BadPackage(ValueError):
    """A file names an agent that it does not carry; the text is one line that names the place."""


def with_agents(definition: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the file with its portable agents written as what is served, and sentences for what is not.

    A file without them is returned as it is. Raises BadPackage.
    """
    if not _has_agents(definition):
        return dict(definition), []
    whole = copy.deepcopy(dict(definition))
    packages, warnings = _mapping(whole.get("agent_packages")), []
    for name, package in packages.items():
        warnings += [f"agent_packages.{name}: {sentence}" for sentence in _left_out(_mapping(package))]
    app = _mapping(whole.get("app"))
    if app.get("mode") == AGENT_MODE:
        package = _package(packages, _mapping(whole.get("agent")).get("package_ref"), "agent.package_ref")
        whole["app"] = {**app, "mode": "agent-chat"}
        whole["model_config"] = _model_config(_mapping(package.get("soul")))
        warnings.insert(0, "The app is of the mode 'agent': it is served as one of the mode 'agent-chat'.")
    for data in _agent_nodes(whole):
        binding = _mapping(data.get("agent_binding"))
        place = f"node {data.get('title')!r}: agent_binding.package_ref"
        _write_node(data, _mapping(_package(packages, binding.get("package_ref"), place).get("soul")))
    return whole, warnings


def _has_agents(definition: Mapping[str, Any]) -> bool:
    return _mapping(definition.get("app")).get("mode") == AGENT_MODE or any(_agent_nodes(definition))


def _agent_nodes(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    nodes = _mapping(_mapping(definition.get("workflow")).get("graph")).get("nodes")
    for node in nodes if isinstance(nodes, list) else []:
        data = _mapping(node).get("data")
        if isinstance(data, dict) and data.get("type") == "agent" and data.get("agent_node_kind") == "dify_agent":
            yield data


def _package(packages: Mapping[str, Any], name: Any, place: str) -> Mapping[str, Any]:
    package = packages.get(name) if isinstance(name, str) else None
    if not isinstance(package, Mapping):
        raise BadPackage(f"{place}: there is no agent {name!r} in agent_packages")
    return package


def _model_config(soul: Mapping[str, Any]) -> dict[str, Any]:
    model, features = _mapping(soul.get("model")), _mapping(soul.get("app_features"))
    return {
        "model": {
            "provider": str(model.get("model_provider") or ""),
            "name": str(model.get("model") or ""),
            "mode": "chat",
            "completion_params": dict(_mapping(model.get("model_settings"))),
        },
        "pre_prompt": _instructions(soul),
        "prompt_type": "simple",
        "agent_mode": {"enabled": True, "strategy": "function_call", "tools": _tools(soul)},
    } | {name: features[name] for name in (*_FEATURES, *_MORE_FEATURES) if features.get(name) is not None}


def _write_node(data: dict[str, Any], soul: Mapping[str, Any]) -> None:
    """Add to an agent node what the engine reads of one."""
    model, job = _mapping(soul.get("model")), _mapping(data.get("agent_job"))
    references = job.get("previous_node_output_refs")
    given = [
        f"{{{{#{'.'.join(map(str, reference['selector']))}#}}}}"
        for reference in (references if isinstance(references, list) else [])
        if isinstance(_mapping(reference).get("selector"), list)
    ]
    parameters = {
        "model": {
            "provider": str(model.get("model_provider") or ""),
            "name": str(model.get("model") or ""),
            "mode": "chat",
            "completion_params": dict(_mapping(model.get("model_settings"))),
        },
        "instruction": _instructions(soul),
        "query": "\n\n".join([str(job.get("workflow_prompt") or ""), *given]).strip(),
        "tools": _tools(soul),
    }
    data["agent_strategy_name"] = "function_calling"
    data["agent_parameters"] = {name: {"type": "constant", "value": value} for name, value in parameters.items()}
    declared = job.get("declared_outputs")
    data["declared_outputs"] = declared if isinstance(declared, list) else []


def _instructions(soul: Mapping[str, Any]) -> str:
    return str(_mapping(soul.get("prompt")).get("system_prompt") or "")


def _tools(soul: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the soul's tools in an agent app's spelling; what names no tool is left out."""
    listed = soul.get("tools")
    if isinstance(listed, Mapping):
        listed = [tool for tools in listed.values() if isinstance(tools, list) for tool in tools]
    found = []
    for tool in listed if isinstance(listed, list) else []:
        entry = _mapping(tool)
        if entry.get("tool_name"):
            provider = entry.get("provider_id") or entry.get("provider_name") or entry.get("provider") or ""
            parameters = entry.get("tool_parameters") or entry.get("parameters") or {}
            found.append(
                {
                    "enabled": entry.get("enabled", True),
                    "provider_type": str(entry.get("provider_type") or "builtin"),
                    "type": str(entry.get("provider_type") or "builtin"),
                    "provider_id": str(provider),
                    "provider_name": str(entry.get("provider_name") or provider),
                    "tool_name": str(entry["tool_name"]),
                    "tool_parameters": dict(_mapping(parameters)),
                    "parameters": dict(_mapping(parameters)),
                }
            )
    return found


def _left_out(package: Mapping[str, Any]) -> Iterator[str]:
    soul = _mapping(package.get("soul"))
    used = [name for name in _NOT_SERVED if soul.get(name)]
    if used:
        yield f"what its agent has of these is not served: {', '.join(used)}."
    assets = package.get("omitted_assets")
    names = [str(_mapping(asset).get("name") or "") for asset in (assets if isinstance(assets, list) else [])]
    if names:
        yield f"the file does not carry these files and skills of its agent: {', '.join(names)}."


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
