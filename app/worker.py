"""A worker process: Celery bound to the app, the runtime's life, and the watch for abandoned runs."""

import threading
from typing import Any

import structlog
from celery import Celery, Task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from flask import Flask
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import OperationalError

from app import tasks
from app.services.events import task_states
from app.services.generation import generators
from app.services.generation.task_execution import worker_runtime
from app.services.process.process_parts import parts_of
from app.streams.worker_runtime import WorkerRuntime

log = structlog.get_logger(__name__)

REAP_SECONDS = 0.5
LOST_EVERY = 10
SWEEP_SECONDS = 3600.0
PURGE_SECONDS = 300.0


def attach(celery: Celery, app: Flask) -> None:
    """Let Celery's tasks run inside the app, and start and end the runtime with the worker."""

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
    }
    keeper = _Keeper(celery, app)
    worker_ready.connect(keeper.start, weak=False)
    worker_shutting_down.connect(keeper.drain, weak=False)
    worker_shutdown.connect(keeper.end, weak=False)


class _Keeper:
    """The watch of one worker process over everybody's runs. A process for housekeeping alone has no part in them."""

    def __init__(self, celery: Celery, app: Flask) -> None:
        self._celery, self._app = celery, app
        self._ended = threading.Event()
        self._runtime: WorkerRuntime | None = None

    def start(self, **_: Any) -> None:
        if self._celery.conf.task_default_queue not in self._celery.amqp.queues.consume_from:
            return
        generators.load_all()
        with self._app.app_context():
            self._runtime = worker_runtime()
        threading.Thread(target=self._watch, name="reaper", daemon=True).start()

    def end(self, **_: Any) -> None:
        """All runs are over or handed on."""
        self._ended.set()
        parts_of(self._app).close()

    def drain(self, **_: Any) -> None:
        """Give running answers some time to end, then hand them on."""
        if self._runtime is not None:
            timer = threading.Timer(self._app.config["DRAIN_SECONDS"], self._runtime.hand_on_all)
            timer.daemon = True
            timer.start()

    def _watch(self) -> None:
        rounds = 0
        while not self._ended.wait(REAP_SECONDS):
            rounds += 1
            try:
                with self._app.app_context():
                    lost = task_states.find_lost() if rounds % LOST_EVERY == 0 else []
                    tasks.requeue(lost + task_states.find_abandoned(tasks.queue_length()))
            except (*task_states.RedisAway, BrokerError, OperationalError) as away:
                log.warning("reaper.waiting", error=str(away))
