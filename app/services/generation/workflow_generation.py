"""Run a workflow or a chatflow in a worker: drive the engine, publish its events, store its journal."""

import uuid
from dataclasses import dataclass
from typing import Any

import structlog
from flask import current_app

from app.errors import AppError, InternalServerError
from app.extensions import DATABASE_AWAY
from app.models import tasks
from app.models.owners import Owner
from app.models.workflow_runs import LoadedRun, load_run
from app.providers.cancellation import Cancelled
from app.services.definitions.published_apps import version
from app.services.definitions.workflow_config import WorkflowConfig
from app.services.files.file_values import opened
from app.services.generation.moderation import ModerationResult, moderate_question
from app.services.generation.node_journal import NodeJournal
from app.services.generation.node_services import node_services_of
from app.services.generation.run_forms import RunForms
from app.services.generation.run_graphs import graph_of, spawn_in_app_context
from app.services.generation.task_execution import HandedOver, TaskExecution, lost_too_often, overdue
from app.services.generation.workflow_run_publisher import WorkflowRunPublisher
from app.streams.publisher import Superseded
from app.workflow.engine.graph import Graph
from app.workflow.engine.graph_run import FAILED, GraphRun, RunEnd
from app.workflow.engine.run_state import RunContext
from app.workflow.values.variables import Variables

log = structlog.get_logger(__name__)


def generate_run(execution: TaskExecution) -> None:
    """Run the task's graph to its end, or to where it waits for people.

    Raises Superseded, HandedOver, one of DATABASE_AWAY: the task is another worker's then. Every other failure becomes
    the run's error.
    """
    loaded = load_run(execution.task.workflow_run_id or "")
    # The time limit counts what ran before a pause, but not the pause.
    execution.deadline -= loaded.elapsed
    definition = version(execution.task.app_version_id)
    config = definition.usable_workflow()
    journal = NodeJournal(execution.task, config)
    work = _Work(
        execution,
        loaded,
        config,
        journal,
        WorkflowRunPublisher(execution, loaded, definition, journal),
        RunForms(execution.task.owner, loaded.run_id),
    )
    try:
        while not _run_to_rest(work):
            work.has_journal = True
    finally:
        work.publisher.answer.stop_speech()


@dataclass
class _Work:
    """One workflow run, and what the steps below share about it.

    `has_journal`: node executions may have been stored, by another worker, before a pause, or by this worker.
    """

    execution: TaskExecution
    loaded: LoadedRun
    config: WorkflowConfig
    journal: NodeJournal
    publisher: WorkflowRunPublisher
    forms: RunForms
    has_journal: bool = False

    def __post_init__(self) -> None:
        self.has_journal = self.execution.task.epoch > 1


def _run_to_rest(work: _Work) -> bool:
    """Run the graph, store and publish how it came to rest. False where it did not: a form was answered meanwhile."""
    work.publisher.start_speech()
    end = _run_or_fail(work)
    # Not every cancellation is a stop: after a take-over or a hand-over, `is_stopped` raises, and nothing is stored.
    if end.status == tasks.STOPPED and end.error is None and not work.execution.is_stopped:
        end = _failed(overdue())
    if end.status == tasks.PAUSED:
        waits = work.publisher.pause(end, work.forms)
        work.execution.tokens_to_mail = work.forms.tokens_to_mail if waits else []
        return waits
    work.publisher.finish(end)
    return True


def _run_or_fail(work: _Work) -> RunEnd:
    try:
        return _run_graph(work)
    except (Superseded, HandedOver, *DATABASE_AWAY):
        raise
    except AppError as error:
        return _failed(error)
    except Exception:
        # A fault of ours must end the end user's stream too, and be seen by the operator.
        log.exception("run.failed", task_id=work.execution.task.task_id)
        return _failed(InternalServerError())


def _run_graph(work: _Work) -> RunEnd:
    execution, task, loaded = work.execution, work.execution.task, work.loaded
    if work.has_journal:
        work.journal.load()
        work.forms.load()
    end = _end_at_once(work)
    if end is not None:
        work.publisher.restore_published()
        return end
    verdict = ModerationResult(loaded.inputs, task.query)
    if task.mode == "advanced-chat":
        verdict = moderate_question(work.config.features, task.app_id, loaded.inputs, task.query)
    if verdict.preset_response is not None:
        return work.publisher.publish_preset_response(verdict.preset_response)
    graph = graph_of(task.app_version_id, is_chatflow=task.mode == "advanced-chat")
    system = _system_values(execution, loaded, verdict.query)
    work.publisher.publish_start(verdict.inputs, system)
    if work.forms.expired_node is not None:
        return work.journal.stopped_end(
            f"Human input global timeout at node {work.forms.expired_node}", cause="HumanInputTimeout"
        )
    variables = _variables(task.owner, work.config, graph, loaded, verdict, system)
    context = RunContext(
        uuid.UUID(loaded.run_id),
        node_services_of(execution, work.forms),
        work.journal,
        execution.cancellation,
        execution.deadline,
        current_app.config["WORKFLOW_STEPS"],
        current_app.config["MAX_RUN_SECONDS"],
        work.has_journal,
        spawn_in_app_context(),
    )
    try:
        return GraphRun(graph, variables, context, work.publisher.publish).run()
    except Cancelled:
        return RunEnd(tasks.STOPPED, {}, None, 0, 0, 0)


def _end_at_once(work: _Work) -> RunEnd | None:
    """Return the end of a run that must not go on; None where it may."""
    if work.execution.is_stopped:
        return work.journal.stopped_end(None)
    if work.execution.is_overdue:
        return _failed(overdue())
    if work.execution.has_lost_too_many_workers:
        return _failed(lost_too_often())
    return None


def _system_values(execution: TaskExecution, loaded: LoadedRun, query: str) -> dict[str, Any]:
    """Return the values of `sys.*` (contract dsl.md §3.3)."""
    task = execution.task
    system = {
        "files": opened(task.owner, loaded.files),
        "user_id": loaded.session_id,
        "app_id": task.app_id,
        "workflow_id": task.app_version_id,
        "workflow_run_id": loaded.run_id,
        "timestamp": int(loaded.created_at.timestamp()),
    }
    if task.mode == "advanced-chat":
        system |= {"query": query, "conversation_id": task.conversation_id, "dialogue_count": loaded.dialogue_count}
    return system


def _variables(
    owner: Owner,
    config: WorkflowConfig,
    graph: Graph,
    loaded: LoadedRun,
    verdict: ModerationResult,
    system: dict[str, Any],
) -> Variables:
    variables = Variables()
    variables.set_node(graph.top.start_id, opened(owner, dict(verdict.inputs)))
    variables.set_node("sys", system)
    variables.set_node("env", {variable.name: variable.first_value for variable in config.environment_variables})
    kept = loaded.variables or {}
    conversation = {
        variable.name: opened(owner, kept.get(variable.key, variable.first_value))
        for variable in config.conversation_variables
    }
    variables.set_writable(
        "conversation", conversation, {variable.name: variable.type for variable in config.conversation_variables}
    )
    return variables


def _failed(error: AppError) -> RunEnd:
    return RunEnd(FAILED, {}, error.message, 0, 0, 0, cause=type(error).__name__)
