"""/remote-files: describe a file on another server, and store a copy of it."""

from flask import Response, request
from flask_restx import Resource

from app.api import file_bodies
from app.api.auth import Caller, caller_required
from app.api.bodies import parse_body, reply
from app.api.document import REFUSALS, document, web_ns
from app.api.multipart import fetch_upload
from app.api.schemas.files import FileWithSignedUrl, RemoteFileInfo, RemoteFileUploadPayload
from app.services.auth import answer_limits
from app.services.files import remote_files


@web_ns.route("/remote-files/upload")
class RemoteFileUploadResource(Resource):
    @document(
        "Upload a file from a remote URL",
        description="Fetches a file from a public address and keeps it, as if the visitor had sent it.",
        body=RemoteFileUploadPayload,
        ok=FileWithSignedUrl,
        ok_text="Remote file uploaded successfully",
        status=201,
        refusals=REFUSALS
        | {
            400: "Bad request - invalid URL or parameters",
            413: "File too large",
            415: "Unsupported file type",
            500: "Failed to fetch remote file",
        },
    )
    @caller_required
    def post(self, caller: Caller) -> Response:
        stored = fetch_upload(caller.asker, str(parse_body(RemoteFileUploadPayload).url))
        return reply(file_bodies.remote_file_body(stored), 201)


# Two slashes in a row belong to the URL and must not be merged.
@web_ns.route("/remote-files/<path:url>", merge_slashes=False)
class RemoteFileResource(Resource):
    @document(
        "Get information about a remote file",
        description="Type and length of a file at a public address; the URL may be percent-encoded as a whole. "
        "`file_length` is -1 where the other server does not say.",
        ok=RemoteFileInfo,
        ok_text="Remote file information retrieved successfully",
        refusals=REFUSALS
        | {400: "Bad request - invalid URL", 404: "Remote file not found", 500: "Failed to fetch remote file"},
        path={"url": "URL of the file"},
    )
    @caller_required
    def get(self, caller: Caller, url: str) -> Response:
        answer_limits.count_request("remote files", caller.asker)
        about = remote_files.describe(url, request.query_string.decode("latin-1"))
        return reply(RemoteFileInfo(file_type=about.mime_type, file_length=about.size))
