"""Open and answer forms, and upload files for them (contract human-input.md §5 to §8).

A form's token is the only credential: its readers need no login.
"""

import datetime
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app

from app.errors.forms import (
    FormExpired,
    FormNotFound,
    FormRateLimited,
    FormSubmitted,
    InvalidFormData,
    UploadTokenUnknown,
)
from app.models.form_recipients import store_file_of_form, store_upload_token
from app.models.forms import FormRow, FoundForm, find_form, find_form_of_upload_token, submit_form
from app.models.identifiers import now
from app.models.owners import Owner
from app.services.auth import rate_limits
from app.services.definitions.published_apps import PublishedApp, by_id
from app.services.generation.run_forms import TOKEN_LENGTH, oldest_creation
from app.services.visitor.form_values import clean_values
from app.workflow.contracts.human_forms import SUBMITTED, WAITING

WINDOW_SECONDS = 60
UPLOAD_PREFIX = "hitl_upload_"
UPLOAD_TOKEN_BYTES = 32


@dataclass(frozen=True)
class OpenForm:
    """A form that can be answered, and the app and end user of its run."""

    row: FormRow
    owner: Owner
    app: PublishedApp


def count_request(kind: str, client_address: str) -> None:
    """Count one request for forms. `kind`: what it asks for; each kind is counted for itself.

    Raises FormRateLimited where the address has had its requests of this kind for this minute.
    """
    most = current_app.config["FORM_IP_LIMIT"]
    if most and rate_limits.count(f"human input: {kind} of {client_address}", WINDOW_SECONDS) > most:
        raise FormRateLimited


def find(token: str) -> OpenForm:
    """Return the form of a token. Raises FormNotFound, FormSubmitted, FormExpired."""
    if len(token) != TOKEN_LENGTH or not (token.isascii() and token.isalnum()):
        raise FormNotFound
    row = find_form(token)
    app = None if row is None else by_id(row.app_id)
    if row is None or app is None:
        raise FormNotFound
    return _open(row, app, now())


def submit(form: OpenForm, action_id: str, inputs: dict[str, Any]) -> str | None:
    """Answer a form. Of several answers at the same time one is stored, the others are refused.

    Returns the id of the task that goes on, for the caller to enqueue; None where the run has ended.

    Raises InvalidFormData, FormSubmitted, FormExpired.
    """
    definition, moment = form.row.definition, now()
    values = clean_values(definition["inputs"], inputs, form.owner)
    if action_id not in [action["id"] for action in definition["actions"]]:
        raise InvalidFormData(f"Invalid action: {action_id}")
    missing = [
        shape["output_variable_name"] for shape in definition["inputs"] if shape["output_variable_name"] not in inputs
    ]
    if missing:
        raise InvalidFormData(f"Missing required inputs: {', '.join(missing)}")
    decided = submit_form(form.row.form_id, action_id, values, moment, oldest_creation(moment))
    if decided is None:
        find(form.row.token or "")
        raise FormSubmitted
    return decided.task_id


def issue_upload_token(form: OpenForm) -> tuple[str, int]:
    """Make a token for uploads; return it and its end in Unix seconds. Earlier tokens stay valid."""
    token = UPLOAD_PREFIX + secrets.token_urlsafe(UPLOAD_TOKEN_BYTES)
    store_upload_token(_hash(token), form.row.form_id, now())
    return token, int(form.row.expires_at.timestamp())


def find_by_upload_token(token: str) -> OpenForm:
    """Return the form of an upload token. Raises UploadTokenUnknown, FormSubmitted, FormExpired."""
    row = find_form_of_upload_token(_hash(token))
    app = None if row is None else by_id(row.app_id)
    if row is None or app is None:
        raise UploadTokenUnknown
    return _open(row, app, now())


def keep_file(form: OpenForm, file_id: str) -> None:
    """Store that a file was uploaded for a form."""
    store_file_of_form(form.row.form_id, file_id)


def _open(form: FoundForm, app: PublishedApp, moment: datetime.datetime) -> OpenForm:
    if form.status == SUBMITTED:
        raise FormSubmitted
    if form.status != WAITING or form.expires_at <= moment or form.created_at <= oldest_creation(moment):
        raise FormExpired(f"This form has expired, form_id={form.form_id}")
    return OpenForm(form, Owner(app.id, uuid.UUID(form.end_user_id)), app)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
