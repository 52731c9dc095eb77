"""The files of a message, as its history shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.api.schemas.messages import MessageFile
from app.services.files.file_values import link_to


def message_files(files: Sequence[Mapping[str, Any]]) -> list[MessageFile]:
    """With links that work now."""
    return [
        MessageFile.model_construct(
            id=file["id"],
            filename=file["filename"],
            type=file["type"],
            url=link_to(file),
            mime_type=file["mime_type"],
            size=file["size"],
            transfer_method=file["transfer_method"],
            belongs_to=file["belongs_to"],
            upload_file_id=file["related_id"],
        )
        for file in files
    ]
