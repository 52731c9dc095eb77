"""Execute one task in a worker: take its lease, claim its row, generate, and give the task back.

The same for all modes of app; what generates the answer or the workflow run is passed in (generators.py).
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import structlog
from flask import current_app

from app import tracing
from app.errors.answers import RunOverdue, WorkersLost
from app.extensions import DATABASE_AWAY, redis_client
from app.metrics.names import HAND_OVERS, QUEUE_SECONDS, TAKE_OVERS
from app.models.tasks import ClaimedTask, claim_task
from app.providers.cancellation import Cancellation
from app.providers.model_tally import ModelTally
from app.services.auth import day_budgets
from app.services.events.answer_lines import TaskRest, code_of, log_rest
from app.services.events.answer_spans import task_span, tell_rest
from app.services.events.lost_tasks import MOST_LOSSES
from app.services.process.process_parts import process_parts
from app.streams import leases, signals
from app.streams.publisher import EventWriter, Superseded
from app.streams.worker_runtime import HANDED_OVER, STOPPED, WorkerRuntime

log = structlog.get_logger(__name__)

SEND_TIMEOUT = 60.0


class HandedOver(Exception):
    """This worker stops: the task is left as it is, for another worker."""


class TaskExecution:
    """A task under the epoch that this worker's claim gave, and what its generation needs. Used by the task's thread.

    `writer` publishes its events. `deadline`, in monotonic seconds, is counted from the task's creation or resumption,
    so that a take-over does not extend it. `with_speech`: the task's reader can play speech.
    """

    def __init__(self, task: ClaimedTask, writer: EventWriter, max_seconds: float, with_speech: bool = True) -> None:
        self.task, self.writer, self.with_speech = task, writer, with_speech
        self.cancellation = Cancellation()
        # Of the app, None where it is gone.
        self.app_code: str | None = None
        self.models = ModelTally()
        self.span = tracing.NO_SPAN
        # Of the forms that are to be mailed once the run waits.
        self.tokens_to_mail: list[str] = []
        # How many forms of the run were decided, as far as this worker knows.
        self.decisions = task.decisions
        # Of the question, or of the resumption of a run that waited, in monotonic seconds.
        self.began = time.monotonic() - task.age
        self.deadline = self.began + max_seconds
        self._reason = ""

    def interrupt(self, reason: str) -> None:
        """Cancel what the task waits for. Called from another thread; the first reason counts."""
        self._reason = self._reason or reason
        self.cancellation.cancel()

    def log_rest(
        self,
        outcome: str,
        cause: str | None,
        tokens: tuple[int, int],
        first_token_at: float | None,
        answered: Any,
        *,
        asked: Any = None,
        before: float = 0.0,
    ) -> None:
        """Log that the task came to rest, once that is stored.

        `tokens`: of prompts and of answers; `first_token_at` in monotonic seconds; `answered`: what people got;
        `asked`: what they sent, where that is not the query; `before`: seconds for which the run ran before it waited.
        """
        rest = TaskRest(
            outcome=outcome,
            cause=cause,
            prompt_tokens=tokens[0],
            answer_tokens=tokens[1],
            first_token=None if first_token_at is None else first_token_at - self.began,
            seconds=before + time.monotonic() - self.began,
            models=self.models.names,
            asked=self.task.query if asked is None else asked,
            answered=answered,
        )
        log_rest(self.task, self.app_code, rest)
        tell_rest(self.span, rest)

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has asked to stop the task. Raises Superseded, HandedOver after other interrupts."""
        if self._reason in ("", STOPPED):
            return self._reason == STOPPED
        raise HandedOver if self._reason == HANDED_OVER else Superseded(self.task.task_id)

    @property
    def is_overdue(self) -> bool:
        return time.monotonic() >= self.deadline

    @property
    def has_lost_too_many_workers(self) -> bool:
        return self.task.losses >= MOST_LOSSES


class FollowUp(NamedTuple):
    """What is to be done behind a task, by other tasks.

    `tokens_to_mail`: of forms. `is_unheard`: nobody listened to the end of an answer.
    """

    tokens_to_mail: Sequence[str] = ()
    is_unheard: bool = False


Generate = Callable[[TaskExecution], None]


def worker_runtime() -> WorkerRuntime:
    """Return this process's runtime, started on first use."""
    return process_parts().get(
        WorkerRuntime, lambda: WorkerRuntime(redis_client.client, current_app.config).start(), WorkerRuntime.stop
    )


def execute(
    task_id: str,
    generator_of: Callable[[str], Generate],
    publish_missed_ending: Callable[[WorkerRuntime, str], bool],
    with_speech: bool,
) -> FollowUp:
    """Execute a task, unless another worker has it or it has ended.

    `publish_missed_ending` is called for a task that does not run: its worker may have died before the last event. It
    returns whether it has published one that nobody listened to.
    """
    runtime = worker_runtime()
    if not runtime.leases.take(task_id):
        return FollowUp()
    # Whatever ends this block unforeseen counts like the loss of the worker: the task may be the cause.
    outcome, follow_up = leases.LOST, FollowUp()
    try:
        task = claim_task(task_id)
        if task is None:
            follow_up = FollowUp(is_unheard=publish_missed_ending(runtime, task_id))
        else:
            follow_up = _generate(runtime, task, generator_of(task.mode), with_speech)
        outcome = leases.RESTED
    except Superseded:
        log.warning("run.superseded", task_id=task_id)
        outcome = leases.RESTED
    except (HandedOver, *DATABASE_AWAY, TimeoutError) as reason:
        log.warning("run.handed_on", task_id=task_id, reason=repr(reason))
        outcome = leases.HANDED_ON
        HAND_OVERS.add()
    finally:
        runtime.remove_task(task_id)
        runtime.leases.release(task_id, outcome)
    return follow_up


def _generate(runtime: WorkerRuntime, task: ClaimedTask, generate: Generate, with_speech: bool) -> FollowUp:
    writer = runtime.publisher.open(task.task_id, task.epoch, task.last_event, task.last_event_is_known)
    execution = TaskExecution(task, writer, current_app.config["MAX_RUN_SECONDS"], with_speech)
    if task.last_event_is_known:
        QUEUE_SECONDS.observe(task.age, task.mode)
    else:
        TAKE_OVERS.add(task.mode)
    # Listen first, then look at the flag: a stop between the two is noticed by either.
    runtime.add_task(task.task_id, execution.interrupt)
    if signals.stops_requested(runtime.client, [task.task_id]):
        execution.interrupt(STOPPED)
    # Every line of the log that the task causes has these, those of the model client too.
    execution.app_code = code_of(task.app_id)
    execution.span = task_span(task, execution.app_code)
    names = {"task_id": task.task_id, "app": execution.app_code, "app_id": task.app_id, "request_id": task.request_id}
    if task.traceparent is not None:
        names["trace_id"] = tracing.trace_id_of(task.traceparent)
    with structlog.contextvars.bound_contextvars(**names), execution.models.counting(), execution.span:
        generate(execution)
        day_budgets.spend(task.task_id)
        # The lease is kept until Redis has the last event: a worker that dies before is taken over.
        writer.wait_until_sent(SEND_TIMEOUT)
    return FollowUp(execution.tokens_to_mail, writer.ended_unheard and bool(task.conversation_id))


def overdue() -> RunOverdue:
    """Return the error of a task that passed its deadline."""
    return RunOverdue(f"Run failed: it took longer than {current_app.config['MAX_RUN_SECONDS']} seconds.")


def lost_too_often() -> WorkersLost:
    """Return the error of a task that lost MOST_LOSSES workers at the same step: it may be what makes them die."""
    return WorkersLost(f"Run failed: its worker was lost {MOST_LOSSES} times at the same step.")
