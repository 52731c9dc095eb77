"""Celery tasks, and what enqueues them. Each takes identifiers, calls one service, and may run twice without harm."""

import smtplib
from collections.abc import Sequence

import structlog
from kombu.exceptions import OperationalError as BrokerAway

from app.extensions import celery, redis_client
from app.models.identifiers import now
from app.services.auth import end_users, mail_codes
from app.services.files import uploads
from app.services.generation import form_mails, run_forms, task_execution
from app.services.generation.generators import generator_of
from app.services.generation.missed_endings import publish_missed_ending
from app.services.keeping import forgetting, retention
from app.services.visitor import conversations
from app.streams import leases
from app.streams.channel import RedisAway

log = structlog.get_logger(__name__)

QueueAway = (*RedisAway, BrokerAway)


@celery.task(name="generations.generate")
def generate(task_id: str, with_speech: bool = True) -> None:
    """Generate one answer or workflow run. `with_speech`: its reader can play speech."""
    follow_up = task_execution.execute(task_id, generator_of, publish_missed_ending, with_speech)
    enqueue_form_mails(follow_up.tokens_to_mail)
    if follow_up.is_unheard:
        enqueue_naming(task_id)


@celery.task(name="housekeeping.sweep_end_users")
def sweep_end_users() -> None:
    """Remove end users that left nothing behind."""
    end_users.sweep()


@celery.task(name="housekeeping.purge_conversations")
def purge_conversations() -> None:
    """Remove the rows of deleted conversations."""
    retention.purge_deleted()


@celery.task(name="housekeeping.remove_old")
def remove_old() -> None:
    """Remove what is too old, old app versions, and what is left of people whose forgetting was cut off."""
    forgetting.go_on()
    retention.remove_old()


@celery.task(name="housekeeping.name_conversation")
def name_conversation(task_id: str) -> None:
    """Name the conversation that a task has begun, where nobody did."""
    conversations.name_unheard(task_id)


@celery.task(name="housekeeping.sweep_uploads")
def sweep_uploads() -> None:
    """Remove uploads that were never finished, and files whose end users are gone."""
    uploads.sweep()


@celery.task(
    name="housekeeping.mail_code",
    autoretry_for=(smtplib.SMTPException, OSError),
    retry_backoff=2,
    retry_kwargs={"max_retries": 6},
)
def mail_code(kind: str, token: str, language: str | None) -> None:
    """Mail the code of a token, where an account has its address."""
    mail_codes.mail(mail_codes.Kind(kind), token, language)


@celery.task(name="housekeeping.expire_forms")
def expire_forms() -> None:
    """Close forms that nobody answered in time, resume their runs, and mail the forms that were not mailed yet."""
    for task_id in run_forms.expire(now()):
        enqueue_resumed(task_id)
    enqueue_form_mails(form_mails.unmailed(now()))


@celery.task(name="housekeeping.mail_form")
def mail_form(token: str) -> None:
    """Mail a form to one of its recipients."""
    form_mails.mail(token)


def enqueue(task_id: str, with_speech: bool) -> None:
    """Enqueue a committed task for the workers. Raises what is in QueueAway."""
    leases.note_queued(redis_client.client, [task_id])
    generate.apply_async((task_id, with_speech), retry=False)


def enqueue_resumed(task_id: str | None) -> None:
    """Enqueue a run that waited for people. Where the queue is away, the workers find it by themselves."""
    if task_id is None:
        return
    try:
        enqueue(task_id, with_speech=True)
    except QueueAway as away:
        log.warning("run.not_queued", task_id=task_id, error=str(away))


def enqueue_purge() -> None:
    """Have the rows of deleted conversations removed soon. Where the queue is away, beat does it later."""
    try:
        purge_conversations.apply_async(retry=False)
    except QueueAway as away:
        log.warning("purge.not_queued", error=str(away))


def enqueue_naming(task_id: str) -> None:
    """Have the conversation named that a task has begun. Where the queue is away it keeps the name that it has."""
    try:
        name_conversation.apply_async((task_id,), retry=False)
    except QueueAway as away:
        log.warning("naming.not_queued", task_id=task_id, error=str(away))


def enqueue_form_mails(tokens: Sequence[str]) -> None:
    """Have forms mailed by their tokens. Where the queue is away, beat does it later."""
    try:
        for token in tokens:
            mail_form.apply_async((token,), retry=False)
    except QueueAway as away:
        log.warning("form_mails.not_queued", error=str(away))


def enqueue_mail(kind: str, token: str, language: str | None) -> None:
    """Have a code mailed. Raises what is in QueueAway."""
    mail_code.apply_async((kind, token, language), retry=False)


def requeue(task_ids: list[str]) -> None:
    """Enqueue tasks again that lost their worker, with speech: nobody knows any more who reads them."""
    for task_id in task_ids:
        generate.apply_async((task_id,))


def queue_length() -> int:
    """Return how many generations wait for a worker."""
    return int(redis_client.client.llen(celery.conf.task_default_queue))
