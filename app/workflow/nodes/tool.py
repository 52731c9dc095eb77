"""`tool`: one call of a tool (contract dsl.md §3.7)."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.providers.models.usage import added_usage
from app.tools.bound_tools import fixed_settings
from app.tools.tool_calls import call_tool
from app.tools.tool_types import ToolAnswer, ToolChoice, ToolFailed
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.values.files import File
from app.workflow.values.templates import empty, filled
from app.workflow.values.values import plain
from app.workflow.values.variables import MISSING, Variables

LONGEST_CALL = 600.0


class ToolParameter(ConfigPart):
    """One argument of the tool. `type` `mixed`: a text with references; `variable`: a selector; `constant`: a value."""

    type: str = "mixed"
    value: Any = None

    def resolved(self, variables: Variables) -> Any:
        """Return the argument's JSON value; None where a selector finds none."""
        if self.type == "variable":
            selector = tuple(map(str, self.value)) if isinstance(self.value, list) else ()
            value = variables.get(selector)
            return None if value is MISSING else plain(value)
        return filled(self.value, variables, missing=empty) if self.type == "mixed" else self.value


class ToolConfig(NodeConfig):
    """The configuration of a tool node: settings in `tool_configurations`, arguments in `tool_parameters`."""

    provider_id: str = ""
    provider_type: str = "builtin"
    provider_name: str = ""
    tool_name: str
    tool_configurations: dict[str, Any] = {}
    tool_parameters: dict[str, Any] = {}


class ToolNode(Node):
    """Calls a tool: outputs `text`, `files`, `json` (a list of objects) and the variables that the tool declares."""

    kind = "tool"
    Config = ToolConfig
    has_side_effects = True

    def run(self, context: NodeContext) -> Result:
        config = self.config
        if context.services.tools is None:
            raise NodeFailed("No tools are available in this run.", "ToolNodeError")
        arguments = self._arguments(context.variables)
        choice = ToolChoice(
            config.provider_type, config.provider_id or config.provider_name, config.tool_name, config.provider_name
        )
        try:
            tool = context.services.tools.find(choice)
            known = tool.description.parameters.get("properties", {})
            accepted = {name: value for name, value in arguments.items() if name in known or not known}
            answer = call_tool(tool, accepted, context.seconds_left(LONGEST_CALL), context.cancellation)
        except ToolFailed as failure:
            raise NodeFailed(str(failure), "ToolInvokeError", arguments, usage=_usage(failure.usage)) from None
        files = _stored(context, answer)
        outputs = {
            **answer.variables,
            "text": answer.text,
            "files": [*files, *answer.stored_files],
            "json": [dict(item) for item in answer.json],
        }
        return Result(outputs=outputs, inputs=arguments, usage=_usage(answer.usage))

    def _arguments(self, variables: Variables) -> dict[str, Any]:
        """Return the author's settings, overridden by the node's parameters; those without a value are left out."""
        config = self.config
        # Editors leave nulls and lists in the settings, which mean nothing (contract dsl.md §3.7).
        settings = {
            name: value
            for name, value in config.tool_configurations.items()
            if value is not None and not isinstance(value, list)
        }
        arguments: dict[str, Any] = {}
        for name, value in {**settings, **config.tool_parameters}.items():
            if isinstance(value, Mapping) and "value" in value:
                arguments[name] = ToolParameter.model_validate(value).resolved(variables)
            else:
                arguments[name] = filled(value, variables, missing=empty)
        return fixed_settings(arguments)


def _usage(stored: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a tool asked models for as records have it; most ask none."""
    return added_usage([{"models": stored}]) if stored else {}


def _stored(context: NodeContext, answer: ToolAnswer) -> list[File]:
    if not answer.files:
        return []
    if context.services.files is None:
        raise NodeFailed("Files are not available in this run.", "ToolFileError")
    return [context.services.files.store(file.name, file.content, file.mime_type) for file in answer.files]
