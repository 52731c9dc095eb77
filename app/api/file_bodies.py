"""Kept files as answers."""

from app.api.schemas.files import FileResponse, FileWithSignedUrl
from app.services.definitions.published_apps import TENANT_ID
from app.services.files import file_links
from app.services.files.uploads import StoredUpload


def uploaded(stored: StoredUpload) -> FileResponse:
    """A file that its visitor sent."""
    return FileResponse(
        id=stored.id,
        name=stored.name,
        size=stored.size,
        extension=stored.extension,
        mime_type=stored.mime_type,
        created_by=str(stored.owner.end_user_id),
        created_at=stored.created_at,
        source_url=file_links.link(stored.id),
        tenant_id=TENANT_ID,
    )


def fetched(stored: StoredUpload) -> FileWithSignedUrl:
    """A file that came from another server."""
    return FileWithSignedUrl(
        id=stored.id,
        name=stored.name,
        size=stored.size,
        extension=stored.extension,
        url=file_links.link(stored.id),
        mime_type=stored.mime_type,
        created_by=str(stored.owner.end_user_id),
        created_at=stored.created_at,
    )
