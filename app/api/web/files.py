"""POST /files/upload: store a file of an end user."""

from flask import Response
from flask_restx import Resource

from app.api import file_bodies
from app.api.auth import Caller, caller_required
from app.api.bodies import reply
from app.api.document import REFUSALS, document, web_ns
from app.api.multipart import receive_upload
from app.api.schemas.files import FileResponse


@web_ns.route("/files/upload")
class FileUploadResource(Resource):
    @document(
        "Upload a file",
        description="One file in the form field `file`; its id goes into `files` of a message or into an input of type "
        "file. "
        "Only the visitor who sent it can use it. `source_url` shows it for some minutes.",
        ok=FileResponse,
        ok_text="File uploaded successfully",
        status=201,
        refusals=REFUSALS
        | {400: "Bad request - invalid file or parameters", 413: "File too large", 415: "Unsupported file type"},
        file="The file",
    )
    @caller_required
    def post(self, caller: Caller) -> Response:
        return reply(file_bodies.upload_body(receive_upload(caller.asker)), 201)
