"""`document-extractor`: the text of a file, or of each file in a list (contract dsl.md §3.7)."""

import math
from typing import Any

from app.providers.documents.document_texts import (
    LONGEST_READ_SECONDS,
    DocumentUnreadable,
    DocumentUnsupported,
    extract_text,
)
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.values.files import File

LARGEST_DOCUMENT = 100 * 1024 * 1024


class DocumentExtractorConfig(NodeConfig):
    """The configuration of a document extractor. The selector names a file or a list of files."""

    variable_selector: tuple[str, ...]


class DocumentExtractor(Node):
    """Extracts text: outputs `text`, a string for a file, a list of strings for a list."""

    kind = "document-extractor"
    Config = DocumentExtractorConfig
    has_side_effects = True

    def run(self, context: NodeContext) -> Result:
        value = context.variables.require(self.config.variable_selector)
        inputs = {"variable_selector": value}
        if isinstance(value, File):
            return Result(outputs={"text": self._text(context, value, inputs)}, inputs=inputs)
        if not isinstance(value, list) or not all(isinstance(item, File) for item in value):
            raise NodeFailed("The variable must be a file or a list of files.", "DocumentExtractorError", inputs)
        return Result(outputs={"text": [self._text(context, file, inputs) for file in value]}, inputs=inputs)

    def _text(self, context: NodeContext, file: File, inputs: dict[str, Any]) -> str:
        if context.services.files is None:
            raise NodeFailed("Files are not available in this run.", "FileDownloadError", inputs)
        content = context.services.files.read(
            file, LARGEST_DOCUMENT, context.seconds_left(LONGEST_READ_SECONDS), context.cancellation
        )
        try:
            return extract_text(
                content,
                file.extension,
                file.mime_type,
                context.seconds_left(math.inf),
                context.cancellation,
                context.services.owner,
            )
        except DocumentUnsupported as failure:
            raise NodeFailed(str(failure), "UnsupportedFileTypeError", inputs) from None
        except DocumentUnreadable as failure:
            # A run whose time is over ends as such, whatever it was waiting for.
            context.seconds_left(math.inf)
            raise NodeFailed(str(failure), "TextExtractionError", inputs) from None
