"""POST /files/upload."""

from flask import Response
from flask_restx import Resource

from app.api.auth import Caller, caller_required
from app.api.bodies import reply
from app.api.document import REFUSALS, document
from app.api.multipart import receive_upload
from app.api.namespaces import web_ns
from app.api.schemas.files import FileResponse
from app.services import file_links
from app.services.published_apps import TENANT_ID


@web_ns.route("/files/upload")
class FileUpload(Resource):
    @document(
        "Upload a file",
        description="One file in the form field `file`; its id goes into `files` of a message or into an input of type file. "
        "Only the visitor who sent it can use it. `source_url` shows it for some minutes.",
        ok=FileResponse,
        ok_text="File uploaded successfully",
        status=201,
        refusals=REFUSALS | {400: "Bad request - invalid file or parameters", 413: "File too large", 415: "Unsupported file type"},
        file="The file",
    )
    @caller_required
    def post(self, caller: Caller) -> Response:
        stored = receive_upload(caller.owner)
        body = FileResponse(
            id=stored.id,
            name=stored.name,
            size=stored.size,
            extension=stored.extension,
            mime_type=stored.mime_type,
            created_by=str(caller.end_user.id),
            created_at=stored.created_at,
            source_url=file_links.link(stored.id),
            tenant_id=TENANT_ID,
        )
        return reply(body, 201)
