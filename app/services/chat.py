"""Messages of chat apps: begin one, stop one."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.errors import AppUnavailable, ConversationNotFound, InvalidParam
from app.extensions import autocommit_engine, redis_client
from app.models.generations import BEGIN_CONVERSATION, CONTINUE_CONVERSATION, OWNED_RUNNING, ClaimedTask
from app.models.identifiers import new_id, now
from app.services.definitions import SERVED_MODES, ModelConfig
from app.services.input_forms import clean_inputs
from app.services.prompts import fill
from app.services.published_apps import PublishedApp, version
from app.streams import stops

NAME_LENGTH = 20
FILES_NOT_SERVED = "File uploads are not served yet: please send the message without files."


@dataclass(frozen=True)
class Question:
    """What a visitor sends. `parent_given`: whether the client said which message this one follows."""

    query: str
    inputs: dict[str, Any]
    conversation_id: str | None = None
    parent_message_id: str | None = None
    parent_given: bool = False
    files: tuple[Any, ...] = ()


def start(app: PublishedApp, end_user_id: uuid.UUID, question: Question) -> ClaimedTask:
    """Check everything that can be refused, write the rows, give the task (not yet taken by a worker).

    Raises InvalidParam, ConversationNotFound, AppUnavailable.
    """
    if app.mode not in SERVED_MODES:
        raise AppUnavailable
    query = question.query.replace("\0", "")
    if not query:
        raise InvalidParam("query is required")
    with autocommit_engine().connect() as connection:
        version_id = app.version_id
        if question.conversation_id is not None:
            version_id = _version_of(connection, app, end_user_id, question.conversation_id)
        config = ModelConfig.from_definition(app.definition if version_id == app.version_id else version(version_id))
        if question.files and config.accepts_files:
            raise InvalidParam(FILES_NOT_SERVED)
        inputs = clean_inputs(config.user_input_form, question.inputs)
        row = _row(app, end_user_id, version_id, question, query, inputs)
        if question.conversation_id is None:
            introduction = fill(config.opening_statement, inputs) if config.opening_statement else config.opening_statement
            connection.execute(BEGIN_CONVERSATION, row | {"name": _first_name(query), "introduction": introduction or ""})
        elif connection.execute(CONTINUE_CONVERSATION, row).one_or_none() is None:
            raise ConversationNotFound
    return _task(row)


def request_stop(app_id: uuid.UUID, end_user_id: uuid.UUID, task_id: str) -> bool:
    """Stop a running task of this end user, whatever the app's mode; False where there is none."""
    try:
        values = {"task_id": uuid.UUID(task_id), "app_id": app_id, "end_user_id": end_user_id}
    except ValueError:
        return False
    with autocommit_engine().connect() as connection:
        if connection.execute(OWNED_RUNNING, values).first() is None:
            return False
    stops.request_stop(redis_client.client, str(values["task_id"]))
    return True


def _version_of(connection: Connection, app: PublishedApp, end_user_id: uuid.UUID, conversation_id: str) -> uuid.UUID:
    """The app version that a visible conversation began with."""
    statement = text(
        "SELECT app_version_id::text FROM conversations"
        " WHERE id = :id AND app_id = :app_id AND end_user_id = :end_user_id AND deleted_at IS NULL"
    )
    row = connection.execute(statement, {"id": conversation_id, "app_id": app.id, "end_user_id": end_user_id}).one_or_none()
    if row is None:
        raise ConversationNotFound
    return uuid.UUID(row[0])


def _row(
    app: PublishedApp, end_user_id: uuid.UUID, version_id: uuid.UUID, question: Question, query: str, inputs: dict[str, Any]
) -> dict[str, Any]:
    return {
        "task_id": str(new_id()), "app_id": str(app.id), "end_user_id": str(end_user_id), "app_version_id": str(version_id),
        "mode": app.mode, "conversation_id": question.conversation_id or str(new_id()), "message_id": str(new_id()),
        "parent_message_id": question.parent_message_id, "after_latest": not question.parent_given,
        "query": query, "inputs": inputs, "now": now(),
    }  # fmt: skip


def _task(row: dict[str, Any]) -> ClaimedTask:
    created_at: datetime.datetime = row["now"]
    return ClaimedTask(
        row["task_id"], row["app_id"], row["end_user_id"], row["app_version_id"], row["mode"], 0, 0, created_at,
        row["conversation_id"], row["message_id"], row["query"], row["inputs"], None, created_at,
    )  # fmt: skip


def _first_name(query: str) -> str:
    return query[:NAME_LENGTH] + ("…" if len(query) > NAME_LENGTH else "")
