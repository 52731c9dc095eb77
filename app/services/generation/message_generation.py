"""Generate the answer of a message in a chat, agent or completion app (the order of steps: contract dsl.md §2.4)."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from app.errors import AppError, InternalServerError, RunFailed
from app.extensions import DATABASE_AWAY
from app.models import tasks
from app.models.messages import read_thread, read_thread_files
from app.providers.cancellation import Cancelled
from app.providers.models.chat_types import Chunk
from app.services.definitions.model_config import ModelConfig
from app.services.definitions.prompts import PromptInput, Thread, build_prompt, turns_for_models
from app.services.definitions.published_apps import version
from app.services.events.message_events import AGENT
from app.services.events.stored_frames import finished_steps
from app.services.events.task_states import answer_so_far
from app.services.files.file_contents import FileContents
from app.services.generation.agent_answers import answer_by_agent, keep_last_words
from app.services.generation.external_data import add_external_data
from app.services.generation.knowledge_answers import retrieve_sources
from app.services.generation.message_publisher import MessagePublisher
from app.services.generation.moderation import answer_moderator, moderate_question
from app.services.generation.task_execution import HandedOver, TaskExecution, lost_too_often, overdue
from app.services.process.providers import model_routes
from app.streams.publisher import Superseded
from app.workflow.failures import NodeFailed
from app.workflow.values.files import File

log = structlog.get_logger(__name__)

THREAD_MESSAGES = 100


def generate_message(execution: TaskExecution) -> None:
    """Answer the task's message.

    Raises Superseded, HandedOver, one of DATABASE_AWAY: the task is another worker's then. Every other failure becomes
    the message's error.
    """
    # An agent goes on from the rounds that an earlier worker stored: their tools are not called twice.
    takes_over, is_agent = execution.task.epoch > 1, execution.task.mode == AGENT
    steps = finished_steps(execution.task.message_id) if takes_over and is_agent else ()
    # A task that ends before this worker says anything keeps what readers have by now.
    said = answer_so_far(execution.task.task_id)[0] if takes_over and _ends_at_once(execution) else ""
    publisher = MessagePublisher(execution, steps, said)
    if said and is_agent:
        keep_last_words(execution, publisher)
    try:
        _generate(execution, publisher)
    finally:
        publisher.answer.stop_speech()


def _generate(execution: TaskExecution, publisher: MessagePublisher) -> None:
    try:
        _answer_until_stopped(execution, publisher)
    except (Superseded, HandedOver, *DATABASE_AWAY):
        raise
    except AppError as error:
        # What a call failed with at the deadline is its own timeout, which says less.
        publisher.fail(overdue() if execution.is_overdue else error)
        return
    except Exception:
        # A fault of ours must end the end user's stream too, and be seen by the operator.
        log.exception("generation.failed", task_id=execution.task.task_id)
        publisher.fail(InternalServerError())
        return
    publisher.finish(tasks.STOPPED if execution.is_stopped else tasks.SUCCEEDED)


def _ends_at_once(execution: TaskExecution) -> bool:
    return execution.is_stopped or execution.is_overdue or execution.has_lost_too_many_workers


def _answer_until_stopped(execution: TaskExecution, publisher: MessagePublisher) -> None:
    try:
        _answer(execution, publisher)
    except Cancelled:
        publisher.finish_text()


def _answer(execution: TaskExecution, publisher: MessagePublisher) -> None:
    task = execution.task
    if execution.is_stopped:
        return
    if execution.has_lost_too_many_workers:
        raise lost_too_often()
    if execution.is_overdue:
        raise overdue()
    config = version(task.app_version_id).usable_model_config()
    publisher.answer.start_speech(config)
    verdict = moderate_question(config, task.app_id, task.inputs, task.query)
    if verdict.preset_response is not None:
        publisher.answer.add(verdict.preset_response)
        return
    inputs = add_external_data(config, task.app_id, verdict.inputs, verdict.query)
    # Only what a model says is moderated, not the preset response above.
    publisher.answer.moderator = answer_moderator(config, task.app_id)
    publisher.cites = config.retriever_resource.enabled
    if task.mode == AGENT:
        answer_by_agent(
            execution,
            config,
            PromptInput(inputs, verdict.query, _read_thread(execution), _load_images(execution, config)),
            publisher,
        )
        return
    publisher.sources = retrieve_sources(execution, config, inputs, verdict.query, publisher.usage)
    passages = [source["content"] for source in publisher.sources]
    _answer_by_model(
        execution,
        config,
        PromptInput(inputs, verdict.query, _read_thread(execution), _load_images(execution, config), passages),
        publisher,
    )


def _answer_by_model(
    execution: TaskExecution, config: ModelConfig, asked: PromptInput, publisher: MessagePublisher
) -> None:
    for chunk in _chunks(execution, config, asked):
        publisher.add(chunk)
        if publisher.answer.is_replaced:
            return
    publisher.finish_text()
    publisher.require_text()
    publisher.answer.moderate(whole=True)


def _chunks(execution: TaskExecution, config: ModelConfig, asked: PromptInput) -> Iterator[Chunk]:
    model = model_routes().chat_model(config.model.provider, config.model.name, config.model.mode)
    messages = build_prompt(config, asked, model.context)
    options = config.model.completion_params | (execution.task.options or {})
    return model.stream(messages, options, execution.cancellation, execution.deadline)


def _read_thread(execution: TaskExecution) -> Thread:
    task = execution.task
    if task.previous_message_id is None:
        return ()
    return turns_for_models(read_thread(task.conversation_id, task.previous_message_id, THREAD_MESSAGES))


def _load_images(execution: TaskExecution, config: ModelConfig) -> list[Mapping[str, Any]]:
    """Return the message's images as the model takes them; where it has none, the latest ones of its thread."""
    rules, task = config.file_rules, execution.task
    if rules is None or config.model.mode == "completion":
        return []
    files = [file for file in task.files or [] if file["belongs_to"] == "user"]
    if not files and task.previous_message_id is not None:
        files = read_thread_files(task.conversation_id, task.previous_message_id, THREAD_MESSAGES)
    images = [File.from_object(file) for file in files if file["type"] == "image" and file["belongs_to"] == "user"]
    if not images:
        return []
    contents = FileContents(task.owner)
    try:
        return [
            contents.image_part(image, rules.detail, execution.deadline - time.monotonic(), execution.cancellation)
            for image in images
        ]
    except NodeFailed as failure:
        raise RunFailed(f"Run failed: {failure.message}.") from None
