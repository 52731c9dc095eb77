"""The events of one message: published while its answer is generated, and stored when it ends."""

import contextlib
from collections.abc import Iterable
from typing import Any

from app.agents.steps import AgentStep
from app.errors import AppError
from app.errors.answers import AnswerEmpty
from app.models import tasks
from app.models.identifiers import now
from app.models.tasks import AnswerEnd, finish_answer, is_superseded
from app.providers.models.chat_types import Chunk, Usage
from app.providers.models.thoughts import TextChange, ThoughtReader
from app.providers.models.usage import UsageSum
from app.services.events.message_events import MessageEvents, failure_of
from app.services.files import file_values
from app.services.generation.answer_stream import AnswerStream
from app.services.generation.task_execution import TaskExecution
from app.services.process.usage_rows import task_usage
from app.streams.publisher import Superseded
from app.workflow.contracts.knowledge import cited


class MessagePublisher:
    """Publishes and stores one message's answer. Raises Superseded where another worker has the task."""

    def __init__(self, execution: TaskExecution, steps: Iterable[AgentStep] = (), said: str = "") -> None:
        """`steps`: those of an agent that an earlier worker stored, with what they said of the answer.

        `said`: the text that readers have, where the answer ends with it.
        """
        self._execution, self._task, self._writer = execution, execution.task, execution.writer
        self.events = MessageEvents(execution.task)
        # What an agent did for the answer.
        self.steps = list(steps)
        # Of all models that were asked for it.
        self.usage = UsageSum()
        # Of the answer by a model alone, whose server may count more than once.
        self._counted: Usage | None = None
        self._thoughts = ThoughtReader(tagged=True)
        # What was retrieved for the answer, and whether end users are told of it.
        self.sources: list[dict[str, Any]] = []
        self.cites = False
        self.answer = AnswerStream(
            execution,
            self.events,
            self.events,
            said or "".join(step.shown for step in self.steps),
            repeated_events=lambda: map(self.events.agent_thought, self.steps),
        )
        # What an earlier worker published of a model's text cannot be continued: it is generated again.
        if not said:
            self.answer.publish_restored()

    def add(self, chunk: Chunk) -> None:
        """Publish a piece of the model's answer, its thoughts in think tags.

        Raises RunFailed where moderation cannot be asked.
        """
        if chunk.usage is not None:
            self._counted = chunk.usage
        self._publish_change(self._thoughts.feed(chunk.text.replace("\0", ""), chunk.reasoning.replace("\0", "")))

    def finish_text(self) -> None:
        """Publish the rest of the model's answer, which was held back because a tag may have begun in it.

        Safe to call twice. Raises RunFailed where moderation cannot be asked.
        """
        self._publish_change(self._thoughts.finish())

    def require_text(self) -> None:
        """Raise AnswerEmpty where a model has ended its answer and said nothing: the end user is to be told."""
        shows_files = any(step.files for step in self.steps)
        if not (self.answer.is_replaced or self.answer.text.strip() or shows_files):
            raise AnswerEmpty

    def publish_step(self, step: AgentStep) -> None:
        """Publish an agent's step as it stands."""
        self._writer.write(self.events.agent_thought(step))

    def publish_file(self, file: dict[str, Any]) -> None:
        """Publish that a tool has made a file. `file`: its stored object."""
        self._writer.write(self.events.message_file(file))

    def finish(self, status: str) -> None:
        """Store the answer, then publish its end. `status`: tasks.SUCCEEDED or tasks.STOPPED."""
        self.answer.repair_lost_log()
        details: dict[str, Any] = {
            "annotation_reply": None,
            "retriever_resources": self._citations(),
            "usage": self.answer.usage(self._whole_usage),
        }
        self._store(status, details, None)
        files = file_values.shown_files([file for step in self.steps for file in step.files])
        self._writer.write(self.events.message_end(details, files), final=not self.answer.is_spoken)
        self.answer.finish_speech(final=True)

    def fail(self, error: AppError) -> None:
        """Store the answer so far and the error, then publish the error."""
        # A failure of moderation as well would say no more.
        with contextlib.suppress(AppError):
            self.finish_text()
        failure = failure_of(error)
        self._store(tasks.FAILED, {}, failure, type(error).__name__)
        self._writer.write(self.events.error(failure), final=True)

    @property
    def _whole_usage(self) -> UsageSum:
        whole = UsageSum.of_stored(self.usage.stored())
        whole.add(self._counted)
        return whole

    def _publish_change(self, change: TextChange) -> None:
        if change.text or change.removed:
            self.answer.add(change.text, removed=change.removed)

    def _citations(self) -> list[dict[str, Any]]:
        return cited([*self.sources, *(source for step in self.steps for source in step.sources)]) if self.cites else []

    def _store(
        self, status: str, details: dict[str, Any], failure: dict[str, Any] | None, cause: str | None = None
    ) -> None:
        task, usage = self._task, self._whole_usage
        end: AnswerEnd = {
            "task_id": task.task_id,
            "epoch": task.epoch,
            "task_status": status,
            "failure": failure,
            "last_event": self._writer.number + 1,
            "now": now(),
            "answer": self.answer.text,
            "status": "error" if failure else "normal",
            "error": failure["message"] if failure else None,
            "details": details,
            "prompt_tokens": usage.prompt_tokens,
            "answer_tokens": usage.completion_tokens,
            "latency": self.answer.seconds,
            "usage": task_usage(task.task_id, usage),
        }
        # A message that was deleted meanwhile has no row to store the answer in: nobody else has its task.
        if not finish_answer(end) and is_superseded(task.task_id, task.epoch):
            raise Superseded(task.task_id)
        self._execution.log_rest(
            status, cause, (end["prompt_tokens"], end["answer_tokens"]), self.answer.first_token_at, self.answer.text
        )
        self._writer.give_place_back(task.app_id)
