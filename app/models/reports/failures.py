"""What failed last."""

import datetime
from typing import NamedTuple

from sqlalchemy import Connection, text

from app.models.execution import fetch_all


class RecentFailure(NamedTuple):
    """A task that failed. `message`: what went wrong; `app` is the app's code."""

    task_id: str
    app: str
    mode: str
    created_at: datetime.datetime
    message: str
    conversation_id: str | None
    run_id: str | None


_LIST = text(
    """
SELECT task.id::text AS task_id, app.code AS app, task.mode, task.created_at,
    coalesce(task.failure ->> 'message', run.error, message.error, '') AS message, task.conversation_id::text,
    run.id::text AS run_id
FROM (
    SELECT * FROM tasks WHERE created_at >= :since AND status = 'failed' ORDER BY created_at DESC LIMIT :most
) task JOIN apps app ON app.id = task.app_id LEFT JOIN messages message ON message.id = task.message_id
LEFT JOIN workflow_runs run ON run.id = task.workflow_run_id
LEFT JOIN conversations conversation ON conversation.id = task.conversation_id
WHERE conversation.deleted_at IS NULL ORDER BY task.created_at DESC
"""
)


def list_recent_failures(connection: Connection, since: datetime.datetime, most: int) -> list[RecentFailure]:
    """Return the tasks that began since then and failed, the newest first, at most `most`."""
    return fetch_all(_LIST, {"since": since, "most": most}, RecentFailure, connection)
