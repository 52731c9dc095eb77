"""Find the end users that an operator names, and whatever has a given id."""

import uuid
from typing import NamedTuple

from sqlalchemy import text

from app.models.execution import fetch_all, fetch_values


class FoundThing(NamedTuple):
    """Something that has an id that was looked for.

    `kind`: app, end_user, conversation, message, run, task, form. `conversation_id` and `run_id`: where it is shown.
    """

    kind: str
    id: str
    conversation_id: str | None
    run_id: str | None


_BY_SESSION = text("SELECT id FROM end_users WHERE session_id = :reference ORDER BY id")
_BY_ID = text("SELECT id FROM end_users WHERE id = :id OR session_id = :reference ORDER BY id")
_BY_ACCOUNT = text("SELECT id FROM end_users WHERE kind = 'account' AND session_id = :email ORDER BY id")

_THINGS = text(
    """
SELECT 'conversation' AS kind, id::text, id::text AS conversation_id, NULL AS run_id
FROM conversations WHERE id = :id AND deleted_at IS NULL
UNION ALL SELECT 'message', message.id::text, conversation.id::text, NULL
FROM messages message JOIN conversations conversation ON conversation.id = message.conversation_id
WHERE message.id = :id AND conversation.deleted_at IS NULL
UNION ALL SELECT 'run', id::text, NULL, id::text FROM workflow_runs WHERE id = :id
UNION ALL SELECT 'task', task.id::text, task.conversation_id::text, task.workflow_run_id::text
FROM tasks task LEFT JOIN conversations conversation ON conversation.id = task.conversation_id
WHERE task.id = :id AND conversation.deleted_at IS NULL
UNION ALL SELECT 'form', id::text, NULL, run_id::text FROM human_input_forms WHERE id = :id
UNION ALL SELECT 'end_user', id::text, NULL, NULL FROM end_users WHERE id = :id
UNION ALL SELECT 'app', id::text, NULL, NULL FROM apps WHERE id = :id
"""
)


def list_end_user_ids(reference: str, end_user_id: uuid.UUID | None) -> list[uuid.UUID]:
    """Return the ids of the end users of a session in all apps; with `end_user_id` also of the one of that id."""
    if end_user_id is None:
        return fetch_values(_BY_SESSION, {"reference": reference})
    return fetch_values(_BY_ID, {"reference": reference, "id": end_user_id})


def list_end_user_ids_of_account(email: str) -> list[uuid.UUID]:
    """Return the ids of the end users that an account is, one for each app that it used."""
    return fetch_values(_BY_ACCOUNT, {"email": email})


def list_things_of_id(wanted: uuid.UUID) -> list[FoundThing]:
    """Return whatever has this id and is not deleted."""
    return fetch_all(_THINGS, {"id": wanted}, FoundThing)
