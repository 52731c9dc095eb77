"""Tasks: one row for every answer or workflow run that is generated, whatever the app's mode.

Every state of a task, and who moves it:

    (no row)
       │ web: begin_conversation, continue_conversation, begin_workflow_run
       ▼
    RUNNING, epoch 0: no worker has it yet
       │   └── web: fail_unclaimed_task, where it could not be queued ──────────────────────────────► FAILED
       │ worker: claim_task raises the epoch
       ▼
    RUNNING, epoch 1 and more
       │   ├── worker: finish_answer, finish_run ───────────────────────────────────────────────────► SUCCEEDED
       │   ├── worker: the same, with an error ─────────────────────────────────────────────────────► FAILED
       │   ├── worker: the same, after a stop by the end user or an operator ───────────────────────► STOPPED
       │   └── worker: claim_task raises the epoch again, at a take-over or a resumption ───────────► RUNNING
       │                                   ▲
       │ worker: pause_run,                │ web: submit_form, a person's answer
       │ the run waits for people          │ housekeeping: expire_forms, the time of a form is up
       ▼                                   │ operator: close_forms, to stop the run
    PAUSED ────────────────────────────────┘

A worker writes under the epoch that its claim gave; where the row has another one, it writes nothing. A form that is
decided while its task runs is counted, and the task does not pause before its worker has looked at the forms again.
Workers look for tasks that run without a lease in Redis (list_unfinished_tasks) and queue them again. The rows of tasks
go with those of their message or run.
"""

import datetime
import uuid
from typing import Any, NamedTuple, TypedDict

from sqlalchemy import BigInteger, Connection, ForeignKey, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import fetch_one, fetch_value, fetch_values, json_text
from app.models.identifiers import new_id, now
from app.models.owners import Owner, owned
from app.models.usage_records import SAVE_TASK_USAGE

RUNNING = "running"
SUCCEEDED = "succeeded"
FAILED = "failed"
STOPPED = "stopped"
PAUSED = "paused"


class Task(Base):
    """One answer or workflow run to be generated.

    `epoch` counts the workers that claimed it: what an older epoch writes is refused, in the row and in the event log.
    `last_event` is the number of the event with which it came to rest, kept for the time after the event log, and
    `rested_epoch` the epoch that sent it; both are 0 before. `options` override the app's model parameters for this
    answer. A workflow run rests as `paused` while people have its forms: `decisions` counts those that were answered or
    ran out, `resumed_at` says since when it runs again. `losses` counts the workers that were lost with it one after
    another at the same step, and `lost_at` says at which (app/models/task_losses.py). `request_id` and `traceparent`
    name the request that began it.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_running", "created_at", postgresql_where=text("status = 'running'")),
        Index("tasks_by_time", "created_at"),
        Index("tasks_paused", "app_id", postgresql_where=text("status = 'paused'")),
        Index("tasks_message", "message_id", unique=True),
        Index("tasks_workflow_run", "workflow_run_id", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID]
    end_user_id: Mapped[uuid.UUID]
    app_version_id: Mapped[uuid.UUID]
    mode: Mapped[str] = mapped_column(String(32))
    conversation_id: Mapped[uuid.UUID | None]
    message_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    workflow_run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("workflow_runs.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(32), server_default=RUNNING, default=RUNNING)
    epoch: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    last_event: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    rested_epoch: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    options: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    decisions: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    resumed_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    finished_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    losses: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    lost_at: Mapped[str | None] = mapped_column(String(255))
    request_id: Mapped[str | None] = mapped_column(String(64))
    traceparent: Mapped[str | None] = mapped_column(String(64))


class ClaimedTask(NamedTuple):
    """A task and the message that it answers; a run of mode `workflow` has no message, and empty texts for it.

    `decisions`: how many forms of the run were decided so far. `age`: seconds since its creation, where it waited since
    it runs again, by the database's clock. `rested_epoch`: the epoch that sent `last_event`, 0 before the task's first
    rest. `losses`: how many workers were lost with it at the step where it is. `request_id` and `traceparent`: of the
    request that began it.
    """

    task_id: str
    app_id: str
    end_user_id: str
    app_version_id: str
    mode: str
    epoch: int
    last_event: int
    created_at: datetime.datetime
    conversation_id: str
    message_id: str
    query: str
    inputs: dict[str, Any]
    previous_message_id: str | None
    message_created_at: datetime.datetime
    options: dict[str, Any] | None
    workflow_run_id: str | None = None
    files: list[dict[str, Any]] | None = None
    decisions: int = 0
    rested_epoch: int = 0
    age: float = 0.0
    losses: int = 0
    request_id: str | None = None
    traceparent: str | None = None

    @property
    def last_event_is_known(self) -> bool:
        """Whether no worker had the task behind `last_event`: its next event is the one after that."""
        return self.rested_epoch == self.epoch - 1

    @property
    def owner(self) -> Owner:
        """The end user who asked for it."""
        return Owner(uuid.UUID(self.app_id), uuid.UUID(self.end_user_id))


class TaskState(NamedTuple):
    """How a task stands, and the answer that is stored for it. `details`: the message's metadata."""

    task_id: str
    mode: str
    status: str
    epoch: int
    last_event: int
    failure: dict[str, Any] | None
    created_at: datetime.datetime
    conversation_id: str
    message_id: str
    message_created_at: datetime.datetime
    answer: str
    details: dict[str, Any] | None
    workflow_run_id: str | None = None
    query: str = ""
    app_id: str = ""


class AnswerEnd(TypedDict):
    """What is stored when the answer of a message ends. `status` is the message's: normal or error.

    `last_event`: the number of the event that will tell of the end. `failure`: the error as clients get it. `latency`
    in seconds. `usage`: the rows of `usage_records`.
    """

    task_id: str
    epoch: int
    task_status: str
    failure: dict[str, Any] | None
    last_event: int
    now: datetime.datetime
    answer: str
    status: str
    error: str | None
    details: dict[str, Any]
    prompt_tokens: int
    answer_tokens: int
    latency: float
    usage: list[dict[str, Any]]


# Raising the epoch and reading are one statement: between two, another worker could claim the task, and this one would
# go on with an epoch that is not its own. The UPDATE waits for a writer that ends the task just now, then sees its
# status. The message is joined from outside, as runs of mode `workflow` have none.
_CLAIM = text(
    """
WITH task AS (
    UPDATE tasks SET epoch = epoch + 1 WHERE id = :task_id AND status = 'running' RETURNING *
)
SELECT task.id::text AS task_id, task.app_id::text, task.end_user_id::text, task.app_version_id::text, task.mode,
    task.epoch, task.last_event, task.created_at, coalesce(conversation_id::text, '') AS conversation_id,
    coalesce(message_id::text, '') AS message_id, coalesce(message.query, '') AS query,
    coalesce(message.inputs, '{}') AS inputs, message.previous_message_id::text,
    coalesce(message.created_at, task.created_at) AS message_created_at, task.options, task.workflow_run_id::text,
    message.files, task.decisions, task.rested_epoch, task.losses, task.request_id, task.traceparent,
    extract(epoch FROM clock_timestamp() - coalesce(task.resumed_at, task.created_at))::float8 AS age
FROM task LEFT JOIN LATERAL (
    SELECT query, inputs, files, previous_message_id, created_at FROM messages WHERE id = task.message_id
) AS message ON true
"""
)

# The task first, under its epoch: a worker that was taken over changes no row and leaves the message alone. Both rows
# change in one statement, so that no reader finds a task that has ended beside a message without its answer.
_FINISH_ANSWER = json_text(
    f"""
WITH task AS (
    UPDATE tasks SET status = :task_status, failure = :failure, last_event = :last_event, rested_epoch = epoch,
        finished_at = :now
    WHERE id = :task_id AND epoch = :epoch AND status = 'running'
    RETURNING id, app_id, end_user_id, created_at, message_id
), usage AS ({SAVE_TASK_USAGE})
UPDATE messages SET answer = :answer, status = :status, error = :error, metadata = :details,
    prompt_tokens = :prompt_tokens, answer_tokens = :answer_tokens, latency = :latency
FROM task WHERE messages.id = task.message_id RETURNING messages.id
""",
    "failure",
    "details",
    "usage",
)

_IS_SUPERSEDED = text("SELECT 1 FROM tasks WHERE id = :task_id AND epoch <> :epoch")

# `epoch = 0`: a worker that found the task all the same goes on with it, and is stopped instead.
_FAIL_UNCLAIMED = json_text(
    """
WITH task AS (
    UPDATE tasks SET status = 'failed', failure = :failure, finished_at = :now
    WHERE id = :task_id AND status = 'running' AND epoch = 0 RETURNING id, message_id, workflow_run_id
), message AS (
    UPDATE messages SET status = 'error', error = :error FROM task WHERE messages.id = task.message_id
), run AS (
    UPDATE workflow_runs SET status = 'failed', error = :error, finished_at = :now
    FROM task WHERE workflow_runs.id = task.workflow_run_id
)
SELECT id FROM task
""",
    "failure",
)

# Clients name a task by the id that their stream has told them, which depends on the app's mode: each of the three has
# an index. What belongs to a deleted conversation is gone for them, though its rows are there until they are purged.
_FIND = """
SELECT tasks.id::text AS task_id, tasks.mode, tasks.status, tasks.epoch, tasks.last_event, tasks.failure,
    tasks.created_at, coalesce(tasks.conversation_id::text, '') AS conversation_id,
    coalesce(tasks.message_id::text, '') AS message_id,
    coalesce(message.created_at, tasks.created_at) AS message_created_at, coalesce(message.answer, '') AS answer,
    message.metadata AS details, tasks.workflow_run_id::text, coalesce(message.query, '') AS query,
    tasks.app_id::text
FROM tasks LEFT JOIN messages message ON message.id = tasks.message_id
LEFT JOIN conversations conversation ON conversation.id = tasks.conversation_id
WHERE (tasks.id = :id OR tasks.message_id = :id OR tasks.workflow_run_id = :id) AND conversation.deleted_at IS NULL
"""
_FIND_ANY = text(_FIND)
_FIND_OWNED = text(f"{_FIND} AND {owned('tasks')}")

_OWNED_RUNNING = text(f"SELECT 1 FROM tasks WHERE id = :task_id AND {owned('tasks')} AND status = 'running'")

_UNFINISHED = text(
    """
SELECT id::text FROM tasks WHERE status = 'running' AND created_at < clock_timestamp() - make_interval(secs => :age)
ORDER BY created_at LIMIT :most
"""
)

_RUNNING_OF_CONVERSATION = text(
    """
SELECT tasks.id::text FROM tasks JOIN messages ON messages.id = message_id
WHERE messages.conversation_id = :conversation_id AND tasks.status = 'running'
"""
)

_USED_TOKENS = text(
    """
SELECT COALESCE(run.total_tokens, message.prompt_tokens + message.answer_tokens, 0) FROM tasks
LEFT JOIN workflow_runs run ON run.id = tasks.workflow_run_id
LEFT JOIN messages message ON message.id = tasks.message_id
WHERE tasks.id = :task_id
"""
)
_RUNNING_OF_APP = text("SELECT id FROM tasks WHERE app_id = :app_id AND status = 'running'")


def claim_task(task_id: str) -> ClaimedTask | None:
    """Claim a running task under its next epoch; None where it is not running (any more)."""
    return fetch_one(_CLAIM, {"task_id": task_id}, ClaimedTask)


def finish_answer(end: AnswerEnd) -> bool:
    """Store the end of a message's answer and of its task.

    Gives False and stores nothing where the task is not this epoch's any more, or has ended, or its message is gone.
    """
    return fetch_value(_FINISH_ANSWER, end) is not None


def is_superseded(task_id: str, epoch: int) -> bool:
    """Return whether the task is there and another epoch has it."""
    return fetch_value(_IS_SUPERSEDED, {"task_id": task_id, "epoch": epoch}) is not None


def fail_unclaimed_task(task_id: str, failure: dict[str, Any], error: str, moment: datetime.datetime) -> bool:
    """End a task that no worker has claimed as failed, with its message and its run; False where one has claimed it.

    `failure`: the error as clients get it; `error`: its sentence.
    """
    values = {"task_id": task_id, "failure": failure, "error": error, "now": moment}
    return fetch_value(_FAIL_UNCLAIMED, values) is not None


def find_task(identifier: str) -> TaskState | None:
    """Return the state of the task of this task id, message id or workflow run id."""
    return fetch_one(_FIND_ANY, {"id": identifier}, TaskState)


def find_used_tokens(task_id: str) -> int:
    """Return the tokens that a task has used by its stored usage: 0 before its end, but for runs that paused."""
    return int(fetch_value(_USED_TOKENS, {"task_id": task_id}) or 0)


def find_owned_task(owner: Owner, identifier: str) -> TaskState | None:
    """Return what `find_task` returns, if it is the owner's."""
    return fetch_one(_FIND_OWNED, owner.values() | {"id": identifier}, TaskState)


def has_running_task(owner: Owner, task_id: uuid.UUID) -> bool:
    """Return whether this task is the owner's and runs."""
    return fetch_value(_OWNED_RUNNING, owner.values() | {"task_id": task_id}) is not None


def list_unfinished_tasks(age: float, most: int) -> list[str]:
    """Return the ids of the oldest running tasks that were created more than `age` seconds ago."""
    return fetch_values(_UNFINISHED, {"age": age, "most": most})


def list_running_tasks(conversation_id: uuid.UUID) -> list[str]:
    """Return the ids of the running tasks of a conversation."""
    return fetch_values(_RUNNING_OF_CONVERSATION, {"conversation_id": conversation_id})


def list_running_tasks_of_app(connection: Connection, app_id: uuid.UUID) -> list[uuid.UUID]:
    """Return the ids of the running tasks of an app."""
    return fetch_values(_RUNNING_OF_APP, {"app_id": app_id}, connection)
