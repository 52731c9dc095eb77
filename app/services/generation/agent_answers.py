"""Generate the answer of an agent app: rounds of a model and its tools (contract streaming.md §4.2)."""

import dataclasses
import uuid
from typing import Any

import structlog

from app.agents.agent import Agent, AgentTask
from app.agents.steps import AgentStep, ToolCall
from app.models.agent_thoughts import ThoughtRow, store_thought
from app.models.identifiers import now
from app.providers.cancellation import Cancelled
from app.providers.models.thoughts import TextChange
from app.providers.models.usage import UsageSum
from app.services.definitions.model_config import ModelConfig
from app.services.definitions.prompts import PromptInput, build_prompt
from app.services.files import file_values
from app.services.files.file_contents import FileContents
from app.services.generation.knowledge_answers import KnowledgeTool
from app.services.generation.message_publisher import MessagePublisher
from app.services.generation.run_tools import RunTools
from app.services.generation.task_execution import TaskExecution
from app.services.process.providers import model_routes
from app.streams.publisher import Superseded
from app.tools.tool_types import Tool, ToolFailed, ToolFile
from app.workflow.failures import NodeFailed

log = structlog.get_logger(__name__)


class AnswerReplaced(Exception):
    """Moderation has put another text into the answer's place: the agent must not go on."""


def answer_by_agent(
    execution: TaskExecution, config: ModelConfig, asked: PromptInput, publisher: MessagePublisher
) -> None:
    """Let the model call tools until it can answer. Raises AppError, Cancelled, Superseded."""
    model = model_routes().chat_model(config.model.provider, config.model.name, config.model.mode)
    mode = config.agent_mode
    brief = AgentTask(
        model=model,
        options=config.model.completion_params,
        prompt=build_prompt(config, asked, model.context),
        tools=_tools(execution, config, asked, publisher.usage),
        strategy="react" if model.mode == "completion" else mode.strategy,
        cancellation=execution.cancellation,
        deadline=execution.deadline,
        new_id=lambda position: _step_id(execution, position),
        most_rounds=mode.max_iteration,
        stored_steps=publisher.steps,
        template=mode.prompt.first_prompt,
    )
    observer = _StepObserver(execution, publisher)
    agent = Agent(brief, observer, publisher.usage)
    try:
        agent.run()
        publisher.require_text()
    except Cancelled:
        observer.stopped()
        raise
    except AnswerReplaced:
        # The replacement is published already.
        pass


def keep_last_words(execution: TaskExecution, publisher: MessagePublisher) -> None:
    """Store what the model said in a round that its worker did not finish: the answer ends with it."""
    said, told = publisher.answer.text, "".join(step.shown for step in publisher.steps)
    if said.startswith(told) and said != told:
        position = len(publisher.steps) + 1
        publisher.steps.append(AgentStep(_step_id(execution, position), position, shown=said[len(told) :]))
        _StepObserver(execution, publisher).stopped()


class _StepObserver:
    """Stores and publishes each step of an agent, stored first: what an end user has seen outlasts its worker."""

    def __init__(self, execution: TaskExecution, publisher: MessagePublisher) -> None:
        self._execution, self._publisher = execution, publisher
        self._files = FileContents(execution.task.owner)
        self._began = now()

    def round_started(self, step: AgentStep) -> None:
        self._began = now()
        self._publisher.steps.append(step)
        self._publisher.publish_step(step)

    def text_changed(self, step: AgentStep, change: TextChange) -> None:
        self._publisher.answer.add(change.text, removed=change.removed)
        self._raise_if_replaced()

    def tools_requested(self, step: AgentStep) -> None:
        if step.thought not in step.shown:
            # Told as the step's thought alone, beside the answer.
            self._publisher.answer.moderate_aside(step.thought)
            if self._publisher.answer.is_replaced:
                step.thought, step.calls = "", []
            self._raise_if_replaced()
        self._store(step)
        self._publisher.publish_step(step)

    def tool_returned(self, step: AgentStep, call: ToolCall) -> None:
        self._store(step, call.files)
        for file in call.files:
            self._publisher.publish_file(file)
        self._publisher.publish_step(step)

    def answer_finished(self, step: AgentStep) -> None:
        self._publisher.answer.moderate(whole=True)
        self._raise_if_replaced()
        self._store(step)
        self._publisher.publish_step(step)

    def store_file(self, file: ToolFile) -> dict[str, Any]:
        try:
            kept = self._files.store(file.name, file.content, file.mime_type)
        except NodeFailed as failure:
            raise ToolFailed(failure.message) from None
        return file_values.stored([kept], "assistant")[0]

    def stopped(self) -> None:
        """Store what the model has said by now: the end user has stopped the answer, and that is all of it."""
        step = self._publisher.steps[-1] if self._publisher.steps else None
        if step is not None and not step.calls:
            step.thought = step.shown
            self._store(step)

    def _raise_if_replaced(self) -> None:
        if self._publisher.answer.is_replaced:
            raise AnswerReplaced

    def _store(self, step: AgentStep, files: list[Any] | None = None) -> None:
        """Store a step, and `files` as the message's. Raises Superseded where another worker has the task."""
        task = self._execution.task
        thought = ThoughtRow(
            id=step.id,
            message_id=task.message_id,
            position=step.position,
            thought=step.thought,
            said=step.shown,
            calls=[dataclasses.asdict(call) for call in step.calls],
            created_at=self._began,
        )
        if not store_thought(task.task_id, task.epoch, thought, files or []):
            raise Superseded(task.task_id)


def _step_id(execution: TaskExecution, position: int) -> str:
    return str(uuid.uuid5(uuid.UUID(execution.task.message_id), str(position)))


def _tools(execution: TaskExecution, config: ModelConfig, asked: PromptInput, usage: UsageSum) -> dict[str, Tool]:
    """Return the app's tools by the names that models call them by.

    A tool that this installation does not have is left out; the import of the app and the log tell of it.
    """
    tools: dict[str, Tool] = {}
    run_tools = RunTools(execution.task.owner)
    for choice in config.agent_mode.choices:
        try:
            tool = run_tools.find(choice)
        except ToolFailed as failure:
            log.warning("tool.not_available", tool=choice.name, provider=choice.provider, problem=failure.cause)
            continue
        tools.setdefault(tool.description.name, tool)
    if config.dataset_ids:
        knowledge = KnowledgeTool(execution, config, asked.inputs, usage)
        tools.setdefault(knowledge.description.name, knowledge)
    return tools
