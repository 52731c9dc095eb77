"""One run in a worker: taking it, speaking for it, being interrupted, giving it back.

A run is a task under one epoch. Whatever its mode generates, this is the frame around it.
"""

import time
from collections.abc import Callable

import structlog
from flask import current_app
from sqlalchemy.exc import OperationalError

from app.extensions import redis_client
from app.models.identifiers import now
from app.models.tasks import ClaimedTask, claim_task
from app.providers.cancellation import Cancellation
from app.services.process.process_parts import process_parts
from app.streams import signals
from app.streams.publisher import EventWriter, Superseded
from app.streams.worker_runtime import HANDED_OVER, STOPPED, WorkerRuntime

log = structlog.get_logger(__name__)

SEND_TIMEOUT = 60.0


class HandedOver(Exception):
    """This process ends: the run is left as it is, for another worker."""


class TaskExecution:
    """A claimed task and the means to speak for it. `deadline` is in monotonic seconds; `aloud`: somebody may hear speech."""

    def __init__(self, task: ClaimedTask, writer: EventWriter, max_seconds: float, with_speech: bool = True) -> None:
        self.task, self.writer, self.with_speech = task, writer, with_speech
        self.cancellation = Cancellation()
        # Tokens of forms that are to be mailed once the run waits.
        self.to_mail: list[str] = []
        # Of its forms, as far as this worker knows of them.
        self.decisions = task.decisions
        self.deadline = time.monotonic() + max_seconds - (now() - (task.resumed_at or task.created_at)).total_seconds()
        self._reason = ""

    def interrupt(self, reason: str) -> None:
        """Called from another thread: end the model call at once."""
        self._reason = self._reason or reason
        self.cancellation.cancel()

    @property
    def is_stopped(self) -> bool:
        """Whether the end user asked for the end. Raises Superseded, HandedOn for the other reasons."""
        if self._reason in ("", STOPPED):
            return self._reason == STOPPED
        raise HandedOver if self._reason == HANDED_OVER else Superseded(self.task.task_id)

    @property
    def is_overdue(self) -> bool:
        return time.monotonic() >= self.deadline


Generate = Callable[[TaskExecution], None]


def worker_runtime() -> WorkerRuntime:
    """Return this process's runtime, started on first use."""
    return process_parts().get(
        WorkerRuntime, lambda: WorkerRuntime(redis_client.client, current_app.config).start(), WorkerRuntime.stop
    )


def execute(
    task_id: str,
    generator_of: Callable[[str], Generate],
    announce_end: Callable[[WorkerRuntime, str], None],
    with_speech: bool,
) -> list[str]:
    """Take a task and generate its answer; does nothing where another worker has it or it has ended.

    `announce_end` sends what a worker that died behind its last statement left unsaid. Gives the tokens of forms that are to be mailed.
    """
    runtime = worker_runtime()
    if not runtime.leases.take(task_id):
        return []
    hand_over, to_mail = True, []
    try:
        task = claim_task(task_id)
        if task is None:
            announce_end(runtime, task_id)
        else:
            to_mail = _generate(runtime, task, generator_of(task.mode), with_speech)
        hand_over = False
    except Superseded:
        log.warning("run.superseded", task_id=task_id)
        hand_over = False
    except (HandedOver, OperationalError, TimeoutError) as reason:
        log.warning("run.handed_on", task_id=task_id, reason=repr(reason))
    finally:
        runtime.remove_task(task_id)
        runtime.leases.release(task_id, hand_over)
    return to_mail


def _generate(runtime: WorkerRuntime, task: ClaimedTask, generate: Generate, with_speech: bool) -> list[str]:
    writer = runtime.publisher.open(task.task_id, task.epoch, task.last_event)
    execution = TaskExecution(task, writer, current_app.config["MAX_RUN_SECONDS"], with_speech)
    runtime.add_task(task.task_id, execution.interrupt)
    if signals.stops_requested(runtime.client, [task.task_id]):
        execution.interrupt(STOPPED)
    generate(execution)
    writer.wait_until_sent(SEND_TIMEOUT)
    return execution.to_mail
