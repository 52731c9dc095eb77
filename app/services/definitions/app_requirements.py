"""Which packages an app needs that a lean installation leaves out."""

from collections.abc import Iterator

from app.providers.documents import parser_library
from app.services.definitions.app_file import AppDefinition
from app.tools.builtin_tools import PAGE_TOOL
from app.workflow.nodes.document_extractor import DocumentExtractor


def not_installed(definition: AppDefinition) -> list[str]:
    """Return a sentence for each list of packages that is missing here, with what the app needs it for.

    The list of MCP servers is not looked at: their tools cannot be found without it, and say so.
    """
    needed_for = [] if parser_library.is_installed() else list(_needs_parser(definition))
    return [f"{parser_library.NOT_INSTALLED} The app needs it for {', '.join(needed_for)}."] if needed_for else []


def _needs_parser(definition: AppDefinition) -> Iterator[str]:
    for node in definition.workflow.graph.nodes if definition.workflow is not None else ():
        data = node.data.stored
        if data.get("type") == DocumentExtractor.kind:
            yield f"the node {data.get('title') or node.stored.get('id')!r}"
    if any(tool.name == PAGE_TOOL for tool in definition.tools()):
        yield f"the tool {PAGE_TOOL!r}"
    if definition.datasets():
        yield "adding documents to its datasets"
