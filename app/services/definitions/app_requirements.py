"""Which packages an app needs that a lean installation leaves out."""

from collections.abc import Collection, Iterator

from app.providers.documents import parser_library
from app.services.definitions.app_file import AppDefinition
from app.tools.builtin import exports
from app.tools.builtin.pages import READERS
from app.workflow.nodes.document_extractor import DocumentExtractor


def not_installed(definition: AppDefinition) -> list[str]:
    """Return a sentence for each list of packages that is missing here, with what the app needs it for.

    The list of MCP servers is not looked at: their tools cannot be found without it, and say so.
    """
    reading = [] if parser_library.is_installed() else list(_needs_parser(definition))
    making = [] if exports.is_installed() else _tools_named(definition, exports.TOOLS)
    return [
        f"{sentence} The app needs it for {', '.join(needed_for)}."
        for sentence, needed_for in ((parser_library.NOT_INSTALLED, reading), (exports.NOT_INSTALLED, making))
        if needed_for
    ]


def _tools_named(definition: AppDefinition, names: Collection[str]) -> list[str]:
    return [f"the tool {tool.name!r}" for tool in definition.tools() if tool.name in names]


def _needs_parser(definition: AppDefinition) -> Iterator[str]:
    for node in definition.workflow.graph.nodes if definition.workflow is not None else ():
        data = node.data.stored
        if data.get("type") == DocumentExtractor.kind:
            yield f"the node {data.get('title') or node.stored.get('id')!r}"
    yield from _tools_named(definition, READERS)
    if definition.datasets():
        yield "adding documents to its datasets"
