"""The worker's doorway: Celery tasks. Each takes identifiers, calls one service, and may run twice without harm."""

import smtplib

import redis
import structlog
from kombu.exceptions import OperationalError

from app.extensions import celery, redis_client
from app.models.identifiers import now
from app.services.auth import end_users, mail_codes
from app.services.files import uploads
from app.services.generation import form_mails, run_forms, task_execution
from app.services.generation.generators import generator_of
from app.services.generation.missed_endings import publish_missed_ending
from app.services.visitor import conversations
from app.streams import leases

log = structlog.get_logger(__name__)


@celery.task(name="generations.generate")
def generate(task_id: str, aloud: bool = True) -> None:
    """Generate one answer; not `aloud`: nobody would hear its speech."""
    to_mail = task_execution.execute(task_id, generator_of, publish_missed_ending, aloud)
    if to_mail:
        enqueue_form_mails(to_mail)


@celery.task(name="housekeeping.sweep_end_users")
def sweep_end_users() -> None:
    """Remove visitors who left nothing behind."""
    end_users.sweep()


@celery.task(name="housekeeping.purge_conversations")
def purge_conversations() -> None:
    """Remove the rows of deleted conversations."""
    conversations.purge()


@celery.task(name="housekeeping.sweep_uploads")
def sweep_uploads() -> None:
    """Remove files that were never finished, and those of visitors who are gone."""
    uploads.sweep()


@celery.task(
    name="housekeeping.mail_code",
    autoretry_for=(smtplib.SMTPException, OSError),
    retry_backoff=2,
    retry_kwargs={"max_retries": 6},
)
def mail_code(kind: str, token: str, language: str | None) -> None:
    """Mail the code of a token, where there is somebody to mail it to."""
    mail_codes.mail(mail_codes.Kind(kind), token, language)


@celery.task(name="housekeeping.expire_forms")
def expire_forms() -> None:
    """Close forms that ran out, have their runs go on, and see to mails that were left behind."""
    for task_id in run_forms.expire(now()):
        enqueue_resumed(task_id)
    enqueue_form_mails(form_mails.unmailed(now()))


@celery.task(name="housekeeping.mail_form")
def mail_form(token: str) -> None:
    """Mail a form to one of its recipients."""
    form_mails.mail(token)


def enqueue(task_id: str, aloud: bool) -> None:
    """Hand a committed task to the workers; not `aloud`: its caller takes no speech.

    Raises redis.ConnectionError, kombu.exceptions.OperationalError.
    """
    leases.expect(redis_client.client, [task_id])
    generate.apply_async((task_id, aloud), retry=False)


def enqueue_resumed(task_id: str | None) -> None:
    """Have a run go on that waited for people; where the queue is away, the workers find it by themselves."""
    if task_id is None:
        return
    try:
        enqueue(task_id, aloud=True)
    except (redis.ConnectionError, redis.TimeoutError, OperationalError) as away:
        log.warning("run.not_queued", task_id=task_id, error=str(away))


def enqueue_purge() -> None:
    """Have deleted conversations' rows removed soon; the clock does it where the queue is away."""
    try:
        purge_conversations.apply_async(retry=False)
    except (redis.ConnectionError, redis.TimeoutError, OperationalError) as away:
        log.warning("purge.not_queued", error=str(away))


def enqueue_form_mails(tokens: list[str]) -> None:
    """Have forms mailed; where the queue is away, the clock does it."""
    try:
        for token in tokens:
            mail_form.apply_async((token,), retry=False)
    except (redis.ConnectionError, redis.TimeoutError, OperationalError) as away:
        log.warning("form_mails.not_queued", error=str(away))


def enqueue_mail(kind: str, token: str, language: str | None) -> None:
    """Have a code mailed. Raises redis.ConnectionError, kombu.exceptions.OperationalError."""
    mail_code.apply_async((kind, token, language), retry=False)


def requeue(task_ids: list[str]) -> None:
    for task_id in task_ids:
        generate.apply_async((task_id,))


def queue_length() -> int:
    """How many generations wait for a worker."""
    return int(redis_client.client.llen(celery.conf.task_default_queue))
