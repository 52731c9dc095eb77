"""A worker process: Celery's tasks inside the app, and what runs beside them from start to stop."""

import threading
from typing import Any, Self

import redis
import structlog
from celery import Celery, Task
from celery.signals import beat_init, worker_init, worker_ready, worker_shutdown, worker_shutting_down
from flask import Flask
from sqlalchemy.exc import ProgrammingError

from app import tasks
from app.extensions import DATABASE_AWAY, lacks_tables
from app.metrics.names import RUNNING_LIMIT
from app.services.events import lost_tasks
from app.services.generation import generators
from app.services.generation.task_execution import worker_runtime
from app.services.operator import process_start
from app.services.operator.schema import UPGRADE
from app.services.process.process_parts import parts_of
from app.services.process.providers import warn_of_missing_fences
from app.streams.worker_runtime import WorkerRuntime

log = structlog.get_logger(__name__)

REAP_SECONDS = 0.5
ROUNDS_PER_SEARCH = 10
STOP_SECONDS = 5.0
SWEEP_SECONDS = 3600.0
PURGE_SECONDS = 300.0


def attach(celery: Celery, app: Flask) -> None:
    """Let Celery's tasks run inside the app, and start and stop a WorkerLifecycle with the worker."""

    class AppTask(Task):
        def __call__(self, *args: object, **kwargs: object) -> object:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery.Task = AppTask
    celery.conf.beat_schedule = {
        "sweep-end-users": {"task": "housekeeping.sweep_end_users", "schedule": SWEEP_SECONDS},
        "sweep-uploads": {"task": "housekeeping.sweep_uploads", "schedule": SWEEP_SECONDS},
        "expire-forms": {"task": "housekeeping.expire_forms", "schedule": float(app.config["FORM_SCAN_SECONDS"])},
        "purge-conversations": {"task": "housekeeping.purge_conversations", "schedule": PURGE_SECONDS},
        "remove-old": {"task": "housekeeping.remove_old", "schedule": PURGE_SECONDS},
    }
    lifecycle = WorkerLifecycle(celery, app)
    worker_init.connect(lifecycle.prepare, weak=False)
    worker_ready.connect(lifecycle.start, weak=False)
    worker_shutting_down.connect(lifecycle.drain, weak=False)
    worker_shutdown.connect(lifecycle.stop, weak=False)
    beat_init.connect(lifecycle.prepare_beat, weak=False)


class WorkerLifecycle:
    """Starts and stops what a worker process runs beside its tasks: the runtime, and the reaper of lost tasks.

    A process that serves the housekeeping queue alone has neither. Follows the contract of app/streams/__init__.py;
    Celery calls each method with arguments of its signal.
    """

    def __init__(self, celery: Celery, app: Flask) -> None:
        self._celery, self._app = celery, app
        self._stopped = threading.Event()
        self._runtime: WorkerRuntime | None = None
        self._reaper = threading.Thread(target=self._reap, name="reaper", daemon=True)
        self._fences = threading.Thread(target=warn_of_missing_fences, name="fences", daemon=True)

    def prepare(self, sender: Any, **_: Any) -> None:
        """Begin before anything is taken from the queues."""
        process_start.start_metrics(self._app, "worker" if self._generates else "housekeeping")
        RUNNING_LIMIT.set(sender.concurrency if self._generates else 0)
        process_start.wait_for_schema(self._app)

    def prepare_beat(self, **_: Any) -> None:
        process_start.start_metrics(self._app, "beat")
        process_start.tell_of_schema(self._app)

    @property
    def _generates(self) -> bool:
        return self._celery.conf.task_default_queue in self._celery.amqp.queues.consume_from

    def start(self, **_: Any) -> Self:
        if self._generates and not self._stopped.is_set():
            generators.load_all()
            with self._app.app_context():
                self._runtime = worker_runtime()
            self._reaper.start()
            # Beside the start, for it takes a process.
            self._fences.start()
        return self

    def drain(self, **_: Any) -> None:
        """Give running tasks DRAIN_SECONDS to end, then hand them over."""
        if self._runtime is not None:
            timer = threading.Timer(self._app.config["DRAIN_SECONDS"], self._runtime.hand_over_all)
            timer.daemon = True
            timer.start()

    def stop(self, **_: Any) -> None:
        """Stop what was started and close the process's parts, once all tasks have ended or were handed over."""
        self._stopped.set()
        for thread in (self._reaper, self._fences):
            if thread.is_alive():
                thread.join(STOP_SECONDS)
        parts_of(self._app).close()

    def _reap(self) -> None:
        """Enqueue again what nobody has, until the worker stops.

        Every worker does this; the scripts of app/streams/leases.py give each task to one of them. Leases that ran out
        are looked for often, as a take-over is to be quick. Rows are searched more rarely: that is for tasks whose web
        process died before it enqueued them, and for all tasks where Redis came back empty.
        """
        rounds = 0
        while not self._stopped.wait(REAP_SECONDS):
            rounds += 1
            try:
                with self._app.app_context():
                    lost = lost_tasks.find_lost() if rounds % ROUNDS_PER_SEARCH == 0 else []
                    tasks.requeue(lost + lost_tasks.find_abandoned(tasks.queue_length()))
            # Redis may also be there and refuse writes, for want of memory or disk. That passes.
            except (*tasks.QueueAway, redis.RedisError, *DATABASE_AWAY) as away:
                log.warning("reaper.waiting", error=str(away))
            except ProgrammingError as error:
                # The database was away at the start, and came back with old tables.
                if not lacks_tables(error):
                    raise
                log.warning("reaper.waiting", error=f"old tables: {UPGRADE}")
