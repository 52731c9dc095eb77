"""Begin the answer to a message, whatever the app's mode, and stop a running task."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app

from app.errors import ConversationNotFound, InvalidParam
from app.extensions import redis_client
from app.models.identifiers import new_id, now
from app.models.owners import Owner
from app.models.task_beginnings import NewAnswer, begin_conversation, continue_conversation
from app.models.tasks import ClaimedTask, has_running_task
from app.services.definitions.input_forms import clean_inputs
from app.services.definitions.model_config import ModelConfig
from app.services.definitions.prompts import fill
from app.services.definitions.published_apps import PublishedApp
from app.services.definitions.workflow_config import WorkflowConfig
from app.services.files import file_values
from app.services.files.file_mappings import FileResolver
from app.services.process.origins import current_origin
from app.streams import signals

NAME_LENGTH = 20
UNNAMED = "New conversation"


@dataclass(frozen=True)
class Question:
    """What an end user sends.

    `parent_given`: whether the client said which message this one follows. Then `parent_message_id` counts, where None
    begins a new thread; else the message follows the latest one.
    """

    query: str
    inputs: dict[str, Any]
    conversation_id: str | None = None
    parent_message_id: str | None = None
    parent_given: bool = False
    files: tuple[Any, ...] = ()


@dataclass(frozen=True)
class QuestionContext:
    """Who asks, and the app version that answers.

    `task_id` is made before the rows, because the limit of running answers counts it first.
    """

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
    """Check inputs and files, write conversation, message and task, return the task, which no worker has yet.

    `options`: model parameters of this answer alone, in place of the app's.
    Raises InvalidParam, ConversationNotFound.
    """
    query = question.query.replace("\0", "")
    longest = current_app.config["QUERY_CHARACTERS"]
    if longest and len(query) > longest:
        raise InvalidParam(f"query must be at most {longest} characters")
    own_files = FileResolver(Owner(asker.app.id, asker.end_user_id))
    inputs = clean_inputs(
        config.user_input_form, question.inputs, own_files.choose, current_app.config["INPUT_CHARACTERS"]
    )
    features = config.features if isinstance(config, WorkflowConfig) else config
    rules = features.file_rules
    # An app without file upload ignores files (contract endpoints.md).
    files = own_files.choose(question.files, rules) if rules is not None and question.files else []
    is_new = question.conversation_id is None
    new = NewAnswer(
        task_id=asker.task_id,
        app_id=str(asker.app.id),
        end_user_id=str(asker.end_user_id),
        app_version_id=str(asker.version_id),
        mode=asker.app.mode,
        conversation_id=question.conversation_id or str(new_id()),
        message_id=str(new_id()),
        parent_message_id=question.parent_message_id,
        after_latest=not question.parent_given,
        query=query,
        inputs=inputs,
        files=file_values.stored(files) or None,
        options=options,
        run_id=str(new_id()) if isinstance(config, WorkflowConfig) else None,
        now=now(),
        name=first_name(query) if is_new else "",
        introduction=fill(features.opening_statement or "", inputs) if is_new else "",
        **current_origin(),
    )
    if is_new:
        begin_conversation(new)
    elif not continue_conversation(new):
        raise ConversationNotFound
    return _task(new)


def request_stop(app_id: uuid.UUID, end_user_id: uuid.UUID, task_id: str) -> bool:
    """Ask the worker to stop a running task of this end user; return False where there is none."""
    try:
        wanted = uuid.UUID(task_id)
    except ValueError:
        return False
    if not has_running_task(Owner(app_id, end_user_id), wanted):
        return False
    signals.request_stop(redis_client.client, str(wanted))
    return True


def _task(new: NewAnswer) -> ClaimedTask:
    """Return the task as it is before a worker claims it."""
    return ClaimedTask(
        task_id=new.task_id,
        app_id=new.app_id,
        end_user_id=new.end_user_id,
        app_version_id=new.app_version_id,
        mode=new.mode,
        epoch=0,
        last_event=0,
        created_at=new.now,
        conversation_id=new.conversation_id,
        message_id=new.message_id,
        query=new.query,
        inputs=new.inputs,
        previous_message_id=None,
        message_created_at=new.now,
        options=new.options,
        workflow_run_id=new.run_id,
        files=new.files,
        request_id=new.request_id,
        traceparent=new.traceparent,
    )


def first_name(query: str) -> str:
    """Return the name that a conversation has until it gets a better one (contract endpoints.md, /chat-messages)."""
    return query[:NAME_LENGTH] + ("…" if len(query) > NAME_LENGTH else "") or UNNAMED
