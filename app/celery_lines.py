"""Celery's own lines, of workers and of beat, in the form of all other lines of the process."""

import logging
import os
import warnings
from typing import Any

import structlog
from celery import Celery
from celery.apps import worker as worker_program
from celery.apps.beat import Beat
from celery.platforms import SecurityWarning
from celery.signals import beat_init, celeryd_init, setup_logging, worker_ready, worker_shutdown

from app import logs

log = structlog.get_logger(__name__)

STDERR = 2


class PlainBeat(Beat):  # type: ignore[misc]  # Celery has no types
    """Beat without the banner that Celery prints."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"quiet": True})


def take_over(celery: Celery) -> None:
    """Let `celery worker` and `celery beat` write lines of ours alone, whatever their command line says of logs."""
    celery.Beat = celery.subclass_with_self(PlainBeat)
    celeryd_init.connect(_leave_out_banner, weak=False)
    # With a receiver, Celery leaves all handlers and levels as they are.
    setup_logging.connect(lambda **_: None, weak=False)
    # What a signal's handler says.
    worker_program.safe_say = _say
    # Celery's reason is pickle, which nothing here reads. A container has one user.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    logs.catch_loose_ends()
    worker_ready.connect(lambda **_: log.info("worker.ready", queues=_queues(celery)), weak=False)
    worker_shutdown.connect(lambda **_: log.info("worker.stopped"), weak=False)
    beat_init.connect(lambda **_: log.info("beat.started", schedule=sorted(celery.conf.beat_schedule)), weak=False)


def _queues(celery: Celery) -> list[str]:
    return sorted(celery.amqp.queues.consume_from)


def _leave_out_banner(instance: Any, **_: Any) -> None:
    instance.quiet = True


def _say(message: str, *_: Any) -> None:
    """Log a line from within a signal's handler: Python's streams cannot be entered twice."""
    formatter = logs.line_formatter()
    if formatter is not None and log.is_enabled_for(logging.INFO):
        record = logging.LogRecord("celery.apps.worker", logging.INFO, __file__, 0, message, (), None)
        os.write(STDERR, f"{formatter.format(record)}\n".encode())
