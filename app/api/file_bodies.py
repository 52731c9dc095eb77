"""Make the API's bodies of stored files (contract endpoints.md, POST /files/upload and /remote-files/upload)."""

from app.api.schemas.files import FileResponse, FileWithSignedUrl
from app.services.definitions.published_apps import TENANT_ID
from app.services.files import file_links
from app.services.files.uploads import StoredUpload


def upload_body(stored: StoredUpload) -> FileResponse:
    """Return a file that its end user uploaded."""
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


def remote_file_body(stored: StoredUpload) -> FileWithSignedUrl:
    """Return a file that was fetched from another server."""
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
