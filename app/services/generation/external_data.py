"""Fill in the variables of external data tools from an operator's API extension (contract dsl.md §2)."""

from collections.abc import Mapping
from typing import Any

from app.errors import RunFailed
from app.services.definitions.features import ExternalDataTool, FeatureSet
from app.services.generation import api_extensions


def add_external_data(config: FeatureSet, app_id: str, inputs: Mapping[str, Any], query: str) -> dict[str, Any]:
    """Return the inputs with the tools' variables filled in. Raises RunFailed where an extension fails."""
    filled = dict(inputs)
    for tool in config.data_tools:
        if tool.type == "api":
            filled[tool.variable] = _ask(tool, app_id, inputs, query)
    return filled


def _ask(tool: ExternalDataTool, app_id: str, inputs: Mapping[str, Any], query: str) -> str:
    params = {"app_id": app_id, "tool_variable": tool.variable, "inputs": dict(inputs), "query": query}
    result = api_extensions.ask(tool.config.api_based_extension_id, "app.external_data_tool.query", params).get(
        "result"
    )
    if not isinstance(result, str):
        raise RunFailed(f"Run failed: the external data tool {tool.variable} returned no text.")
    return result
