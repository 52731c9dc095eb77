"""Begin runs of workflow apps."""

import uuid
from typing import Any

from flask import current_app

from app.models.identifiers import new_id, now
from app.models.owners import Owner
from app.models.task_beginnings import NewRun, begin_workflow_run
from app.models.tasks import ClaimedTask
from app.services.auth.answer_limits import admitted
from app.services.definitions.input_forms import clean_inputs
from app.services.definitions.published_apps import PublishedApp
from app.services.files import file_values
from app.services.files.file_mappings import FileResolver
from app.services.process.origins import current_origin


def start(app: PublishedApp, end_user_id: uuid.UUID, inputs: dict[str, Any], files: list[Any]) -> ClaimedTask:
    """Begin a run: check all that can be refused, write the rows, return the task, which no worker has yet.

    Raises InvalidParam, AppUnavailable, TooManyRequests, RateLimitError.
    """
    config = app.definition.usable_workflow()
    own_files = FileResolver(Owner(app.id, end_user_id))
    cleaned = clean_inputs(config.user_input_form, inputs, own_files.choose, current_app.config["INPUT_CHARACTERS"])
    rules = config.file_rules
    # An app without file upload ignores files (contract endpoints.md).
    chosen = own_files.choose(files, rules) if rules is not None and files else []
    task_id, created_at = str(new_id()), now()
    with admitted(app.id, end_user_id, task_id):
        new = NewRun(
            run_id=str(new_id()),
            task_id=task_id,
            app_id=str(app.id),
            end_user_id=str(end_user_id),
            app_version_id=str(app.version_id),
            mode=app.mode,
            inputs=cleaned,
            files=file_values.stored(chosen),
            now=created_at,
            **current_origin(),
        )
        begin_workflow_run(new)
    return ClaimedTask(
        task_id=task_id,
        app_id=new.app_id,
        end_user_id=new.end_user_id,
        app_version_id=new.app_version_id,
        mode=app.mode,
        epoch=0,
        last_event=0,
        created_at=created_at,
        conversation_id="",
        message_id="",
        query="",
        inputs=cleaned,
        previous_message_id=None,
        message_created_at=created_at,
        options=None,
        workflow_run_id=new.run_id,
        request_id=new.request_id,
        traceparent=new.traceparent,
    )
