"""Bodies of uploaded and remote files."""

from pydantic import AnyHttpUrl, ConfigDict, Field

from app.api.schemas.common import Body


class FileResponse(Body):
    id: str
    name: str
    size: int
    extension: str | None = None
    mime_type: str | None = None
    created_by: str | None = None
    created_at: int | None = None
    preview_url: str | None = None
    source_url: str | None = None
    reference: str | None = None
    original_url: str | None = None
    user_id: str | None = None
    tenant_id: str | None = None
    conversation_id: str | None = None
    file_key: str | None = None


class RemoteFileUploadPayload(Body):
    model_config = ConfigDict(
        json_schema_extra={"example": {"url": "https://www.python.org/static/img/python-logo.png"}}
    )

    url: AnyHttpUrl = Field(description="Remote file URL")


class FileWithSignedUrl(Body):
    id: str
    name: str
    size: int
    extension: str
    url: str | None
    mime_type: str | None
    created_by: str
    created_at: int


class RemoteFileInfo(Body):
    file_type: str
    file_length: int
