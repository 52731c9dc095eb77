"""Forms of human input: read one, submit it, upload a file for it (contract human-input.md §5 to §8)."""

from flask import Response, request
from flask_restx import Resource

from app.api import file_bodies
from app.api.bodies import parse_body, reply
from app.api.client_address import client_address
from app.api.document import document, web_ns
from app.api.multipart import receive_upload_or_url
from app.api.request_lines import note_app
from app.api.schemas.files import FileResponse
from app.api.schemas.human_input import (
    HumanInputFileUploadFormPayload,
    HumanInputFormDefinitionResponse,
    HumanInputFormSubmitPayload,
    HumanInputFormSubmitResponse,
    HumanInputUploadTokenResponse,
    form_input,
)
from app.errors import Forbidden
from app.errors.forms import UploadTokenMalformed, UploadTokenMissing
from app.services.auth.asker import Asker
from app.services.events import form_views
from app.services.visitor import app_info, forms
from app.services.visitor.forms import OpenForm
from app.tasks import enqueue_resumed

NOT_ACTIVE = {404: "Form not found", 412: "The form was submitted, or has expired", 429: "Too many requests"}


@web_ns.route("/form/human_input/<string:form_token>")
class HumanInputFormResource(Resource):
    @document(
        "Get human input form definition by token",
        description="What is asked, and how it may be answered. Who has the token may read it: no passport is needed.",
        ok=HumanInputFormDefinitionResponse,
        refusals=NOT_ACTIVE | {403: "The app's site is disabled"},
        passport=False,
    )
    def get(self, form_token: str) -> Response:
        forms.count_request("reads", client_address())
        form = _form_of(form_token)
        if not form.app.enabled:
            raise Forbidden
        definition = form.row.definition
        body = HumanInputFormDefinitionResponse(
            form_content=definition["content"],
            inputs=[form_input(shape) for shape in definition["inputs"]],
            resolved_default_values=form_views.default_texts(form.row),
            user_actions=definition["actions"],
            expiration_time=int(form.row.expires_at.timestamp()),
            site=app_info.site(form.app),
        )
        return reply(body)

    @document(
        "Submit human input form by token",
        description="Answer a form with one of its actions. The first answer counts, and the run goes on.",
        body=HumanInputFormSubmitPayload,
        ok=HumanInputFormSubmitResponse,
        refusals=NOT_ACTIVE | {400: "The body, or a value in it, is not valid"},
        passport=False,
    )
    def post(self, form_token: str) -> Response:
        payload = parse_body(HumanInputFormSubmitPayload)
        forms.count_request("submissions", client_address())
        task_id = forms.submit(_form_of(form_token), payload.action, payload.inputs)
        enqueue_resumed(task_id)
        return reply(HumanInputFormSubmitResponse())


@web_ns.route("/form/human_input/<string:form_token>/upload-token")
class HumanInputUploadTokenResource(Resource):
    @document(
        "Issue an upload token for a human input form",
        description="A bearer token for `POST /human-input-forms/files`, as long as the form can be answered.",
        ok=HumanInputUploadTokenResponse,
        refusals=NOT_ACTIVE,
        passport=False,
    )
    def post(self, form_token: str) -> Response:
        forms.count_request("upload tokens", client_address())
        token, expires_at = forms.issue_upload_token(_form_of(form_token))
        return reply(HumanInputUploadTokenResponse(upload_token=token, expires_at=expires_at))


@web_ns.route("/human-input-forms/files")
class HumanInputFilesResource(Resource):
    @document(
        "Upload one local file or remote URL file for a HITL human input form",
        description="One file in the form field `file`, or the address of one in `url`; its id goes into the form's "
        "answer.",
        ok=FileResponse,
        ok_text="File uploaded successfully",
        status=201,
        refusals={
            400: "Bad request - invalid file or parameters",
            401: "No upload token",
            403: "The upload token is not valid",
            412: "The form was submitted, or has expired",
            413: "File too large",
            415: "Unsupported file type",
        },
        headers={"Authorization": "Bearer, and an upload token"},
        fields=HumanInputFileUploadFormPayload,
        file="The file, where no url is given",
        passport=False,
    )
    def post(self) -> Response:
        form = forms.find_by_upload_token(_upload_token())
        note_app(form.app)
        asker = Asker(form.owner.app_id, form.owner.end_user_id, None, client_address())
        stored, from_address = receive_upload_or_url(asker)
        forms.keep_file(form, stored.id)
        body = file_bodies.remote_file_body(stored) if from_address else file_bodies.upload_body(stored)
        return reply(body, 201)


def _form_of(token: str) -> OpenForm:
    """Return the form of a token, and let the request's line name its app. Raises what `forms.find` raises."""
    form = forms.find(token)
    note_app(form.app)
    return form


def _upload_token() -> str:
    """Return the upload token of the request. Raises UploadTokenMissing, UploadTokenMalformed."""
    parts = request.headers.get("Authorization", "").split()
    if len(parts) != 2:
        raise UploadTokenMissing
    if parts[0].lower() != "bearer" or not parts[1].startswith(forms.UPLOAD_PREFIX):
        raise UploadTokenMalformed
    return parts[1]
