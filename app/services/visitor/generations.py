"""The rows that every generation begins with, and the request to stop one."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from app.errors import ConversationNotFound
from app.extensions import autocommit_engine, redis_client
from app.models.generations import (
    BEGIN_CHATFLOW,
    BEGIN_CONVERSATION,
    CONTINUE_CHATFLOW,
    CONTINUE_CONVERSATION,
    OWNED_RUNNING,
    ClaimedTask,
)
from app.models.identifiers import new_id, now
from app.services.definitions.app_configs import ModelConfig, WorkflowConfig
from app.services.definitions.input_forms import clean_inputs
from app.services.definitions.prompts import fill
from app.services.definitions.published_apps import PublishedApp
from app.services.files import file_values
from app.services.files.file_mappings import FileResolver
from app.services.process.owners import Owner
from app.streams import stop_signals

NAME_LENGTH = 20
UNNAMED = "New conversation"


@dataclass(frozen=True)
class Question:
    """What a visitor sends. `parent_given`: whether the client said which message this one follows."""

    query: str
    inputs: dict[str, Any]
    conversation_id: str | None = None
    parent_message_id: str | None = None
    parent_given: bool = False
    files: tuple[Any, ...] = ()


@dataclass(frozen=True)
class QuestionContext:
    """Who asks, of which version of which app. `task_id` is made before the rows, for the limits."""

    app: PublishedApp
    end_user_id: uuid.UUID
    version_id: uuid.UUID
    task_id: str


def begin(
    asker: QuestionContext,
    config: ModelConfig | WorkflowConfig,
    question: Question,
    options: dict[str, Any] | None = None,
) -> ClaimedTask:
    """Check inputs and files, write conversation, message and task, give the task (no worker has it yet).

    Raises InvalidParam, ConversationNotFound.
    """
    query = question.query.replace("\0", "")
    own_files = FileResolver(Owner(asker.app.id, asker.end_user_id))
    inputs = clean_inputs(config.user_input_form, question.inputs, own_files.choose)
    rules = config.file_rules
    # An app without the feature ignores files.
    files = own_files.choose(question.files, rules) if rules is not None and question.files else []
    row = _row(asker, question, query, inputs) | {"options": options, "files": file_values.stored(files) or None}
    if question.conversation_id is None:
        introduction = fill(config.opening_statement, row["inputs"]) if config.opening_statement else ""
        row |= {"name": _first_name(query), "introduction": introduction}
    has_run = isinstance(config, WorkflowConfig)
    row["run_id"] = str(new_id()) if has_run else None
    with autocommit_engine().connect() as connection:
        if question.conversation_id is None:
            connection.execute(BEGIN_CHATFLOW if has_run else BEGIN_CONVERSATION, row)
        elif connection.execute(CONTINUE_CHATFLOW if has_run else CONTINUE_CONVERSATION, row).one_or_none() is None:
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
    stop_signals.request_stop(redis_client.client, str(values["task_id"]))
    return True


def _row(asker: QuestionContext, question: Question, query: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "task_id": asker.task_id,
        "app_id": str(asker.app.id),
        "end_user_id": str(asker.end_user_id),
        "app_version_id": str(asker.version_id),
        "mode": asker.app.mode,
        "conversation_id": question.conversation_id or str(new_id()),
        "message_id": str(new_id()),
        "parent_message_id": question.parent_message_id,
        "after_latest": not question.parent_given,
        "query": query,
        "inputs": inputs,
        "now": now(),
    }


def _task(row: dict[str, Any]) -> ClaimedTask:
    created_at: datetime.datetime = row["now"]
    return ClaimedTask(
        row["task_id"],
        row["app_id"],
        row["end_user_id"],
        row["app_version_id"],
        row["mode"],
        0,
        0,
        created_at,
        row["conversation_id"],
        row["message_id"],
        row["query"],
        row["inputs"],
        None,
        created_at,
        row["options"],
        row["run_id"],
        row["files"],
    )


def _first_name(query: str) -> str:
    return query[:NAME_LENGTH] + ("…" if len(query) > NAME_LENGTH else "") or UNNAMED
