"""Forms: those of one run for the worker that runs it, and the end of those that nobody answered in time."""

import datetime
import secrets
import string
import uuid
from collections.abc import Sequence
from typing import Any

import structlog
from flask import current_app

from app.models.accounts import list_active_emails, list_emails_of
from app.models.forms import FormRow, expire_forms, load_forms
from app.models.identifiers import now
from app.models.owners import Owner
from app.services.auth.accounts import is_email
from app.services.files.file_values import opened
from app.services.process.stored_values import dump
from app.workflow.contracts.human_forms import EXPIRED, FormDraft, FormMail, HumanForm
from app.workflow.failures import Pause

log = structlog.get_logger(__name__)

TOKEN_LENGTH = 22
_TOKEN_LETTERS = string.ascii_letters + string.digits
MOST_RECIPIENTS = 500
MOST_EXPIRED = 100


def oldest_creation(moment: datetime.datetime) -> datetime.datetime:
    """Return when a form must have been made for its run to wait on at `moment` (contract human-input.md §7.2)."""
    return moment - datetime.timedelta(seconds=current_app.config["FORM_MAX_SECONDS"])


def new_token() -> str:
    """Return a random token. Whoever has it may answer the form, so it must not be guessable."""
    return "".join(secrets.choice(_TOKEN_LETTERS) for _ in range(TOKEN_LENGTH))


def expire(moment: datetime.datetime, most: int = MOST_EXPIRED) -> list[str]:
    """Close the forms that nobody answered by `moment`, the oldest first; returns the tasks to be enqueued again.

    A form that passed its node's timeout takes the node's timeout branch; one that is older than FORM_MAX_SECONDS ends
    its run (contract human-input.md §7).
    """
    decided = expire_forms(moment, oldest_creation(moment), most)
    return sorted({form.task_id for form in decided if form.task_id is not None})


class RunForms:
    """Implements the engine's FormStore for one run. `load` reads the forms; what has expired by then stays expired."""

    def __init__(self, owner: Owner, run_id: str) -> None:
        self._owner = owner
        self._run_id = run_id
        self._rows: dict[str, FormRow] = {}
        # Of the forms that `rows_to_store` made.
        self.tokens_to_mail: list[str] = []

    def load(self) -> None:
        """Read the run's forms as they are now."""
        moment = now()
        self._rows = {row.form_id: row for row in load_forms(self._run_id, moment, oldest_creation(moment))}

    @property
    def expired_node(self) -> str | None:
        """The node whose form is older than FORM_MAX_SECONDS, which ends the run; None where there is none."""
        return next((row.node_id for row in self._rows.values() if row.status == EXPIRED), None)

    def find(self, execution_id: str) -> HumanForm | None:
        row = self._rows.get(execution_id)
        if row is None:
            return None
        values = opened(self._owner, row.submitted or {})
        return HumanForm(
            row.status, row.definition["content"], int(row.expires_at.timestamp()), row.action_id or "", values
        )

    def rows_to_store(self, pauses: Sequence[Pause]) -> dict[str, str]:
        """Return forms and recipients of the nodes that wait for the first time, as `pause_run` takes them."""
        forms: list[dict[str, Any]] = []
        recipients: list[dict[str, Any]] = []
        for pause in pauses:
            draft: FormDraft | None = pause.details.get("draft")
            if draft is not None:
                forms.append(_form_row(pause, draft))
                recipients += _recipient_rows(pause.execution_id, draft)
        self.tokens_to_mail = [row["token"] for row in recipients if row["email"] is not None]
        return {"forms": dump(forms), "recipients": dump(recipients)}


def _form_row(pause: Pause, draft: FormDraft) -> dict[str, Any]:
    definition = {
        "content": draft.content,
        "inputs": draft.inputs,
        "actions": draft.actions,
        "defaults": draft.defaults,
        "display_in_ui": draft.display_in_ui,
    }
    return {
        "id": str(uuid.UUID(pause.execution_id)),
        "node_id": pause.node_id,
        "node_title": pause.node_title,
        "definition": definition,
        "mails": [{"subject": mail.subject, "body": mail.body} for mail in draft.mails] or None,
        "expires_at": now().timestamp() + draft.seconds,
    }


def _recipient_rows(form_id: str, draft: FormDraft) -> list[dict[str, Any]]:
    kinds = ["backstage", "standalone_web_app"] if draft.display_in_ui else ["backstage"]
    rows: list[dict[str, Any]] = [
        {"token": new_token(), "form_id": form_id, "kind": kind, "email": None, "mail": None} for kind in kinds
    ]
    for index, mail in enumerate(draft.mails):
        members = _members(mail)
        addresses = [(address, "email_member") for address in members]
        others = [address for address in dict.fromkeys(mail.addresses) if address not in members and is_email(address)]
        addresses += [(address, "email_external") for address in others]
        if not addresses:
            log.warning("form.mail_without_recipients", form_id=form_id)
        rows += [
            {"token": new_token(), "form_id": form_id, "kind": kind, "email": address, "mail": index}
            for address, kind in addresses[:MOST_RECIPIENTS]
        ]
    return rows


def _members(mail: FormMail) -> list[str]:
    """Return the addresses of this installation's accounts. Account ids of another installation find none."""
    if mail.everybody:
        return list_active_emails(MOST_RECIPIENTS)
    return list_emails_of(list(mail.members)) if mail.members else []
