"""The answer of one message: streamed as it grows, stored when it ends."""

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from app.agents.steps import AgentStep
from app.errors import AppError
from app.extensions import autocommit_engine
from app.models import tasks
from app.models.generations import FINISH
from app.models.identifiers import now
from app.providers.models.chat_types import Chunk, Usage
from app.providers.models.usage import usage_object
from app.services.events.message_events import MessageEvents, failure_of
from app.services.files import file_values
from app.services.generation.spoken_answers import SpokenAnswer
from app.services.generation.task_execution import SEND_TIMEOUT, TaskExecution
from app.streams.publisher import Superseded
from app.workflow.contracts.knowledge import cited


@dataclass
class MessagePublisher:
    """One message's answer under way, said aloud where it has a voice. Raises Superseded wherever another worker has taken the run over."""

    run: TaskExecution
    voice: SpokenAnswer | None = None
    # What an agent did for it; those of a worker before us are stored with what they said of the answer.
    steps: list[AgentStep] = field(default_factory=list)
    events: MessageEvents = field(init=False)
    usage: Usage | None = None
    # What was retrieved for it, and whether visitors are told.
    sources: list[dict[str, Any]] = field(default_factory=list)
    cites: bool = False
    _parts: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _first: float | None = None

    def __post_init__(self) -> None:
        self.events = MessageEvents(self.run.task)
        said = "".join(step.shown for step in self.steps)
        self._parts.append(said)
        if self.run.writer.number:
            # A worker before us has spoken; a half-said text can't be continued.
            self.run.writer.write(self.events.message_replace(said))

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def add(self, chunk: Chunk) -> None:
        """Take a piece of the model's answer and pass it on."""
        self.usage = chunk.usage or self.usage
        if not chunk.text:
            return
        if self._first is None:
            self._first = time.monotonic()
        delta = chunk.text.replace("\0", "")
        self._parts.append(delta)
        if not self._say_again():
            self.run.writer.write(self.events.message(delta))
        if self.voice is not None:
            self.voice.feed(delta)
            self._play(self.voice.sound())

    def replace(self, text: str) -> None:
        """Put another text into the place of the whole answer: what was said must not stand."""
        self._parts = [text]
        self.run.writer.write(self.events.message_replace(text))
        if self.voice is not None:
            self.voice.restart()
            self.voice.feed(text)

    def add_file(self, file: dict[str, Any]) -> None:
        """A tool has made a file: tell of it. `file`: its stored object."""
        self.run.writer.write(self.events.message_file(file))

    def finish(self, status: str) -> None:
        """Store the answer, then say that it is whole. `status`: tasks.SUCCEEDED or tasks.STOPPED."""
        self._mend_lost_log()
        usage = usage_object(self.usage, self._began, self._first, time.monotonic())
        details: dict[str, Any] = {"annotation_reply": None, "retriever_resources": self._cited(), "usage": usage}
        self._store(status, details, None)
        self.run.writer.write(
            self.events.message_end(
                details, file_values.shown_files([file for step in self.steps for file in step.files])
            ),
            final=self.voice is None,
        )
        if self.voice is not None:
            for sound in self.voice.rest():
                self._play(sound)
            self.run.writer.write(self.events.tts_message_end(), final=True)

    def fail(self, error: AppError) -> None:
        """Store what there is and the error, then say so."""
        failure = failure_of(error)
        self._store(tasks.FAILED, {}, failure)
        self.run.writer.write(self.events.error(failure), final=True)

    def hush(self) -> None:
        """No more speech."""
        if self.voice is not None:
            self.voice.close()

    def _cited(self) -> list[dict[str, Any]]:
        return cited([*self.sources, *(source for step in self.steps for source in step.sources)]) if self.cites else []

    def _play(self, sound: bytes) -> None:
        if sound:
            self.run.writer.write(self.events.tts_message(sound))

    def _say_again(self) -> bool:
        """Where Redis lost what was said: say all of it again."""
        lost, self.run.writer.log_was_lost = self.run.writer.log_was_lost, False
        if lost:
            for step in self.steps:
                self.run.writer.write(self.events.agent_thought(step))
            self.run.writer.write(self.events.message_replace(self.text))
        return lost

    def _mend_lost_log(self) -> None:
        """Know what became of every piece before the last word: a reader may have nothing but the last one."""
        self.run.writer.wait_until_sent(SEND_TIMEOUT)
        self._say_again()

    def _store(self, status: str, details: dict[str, Any], failure: dict[str, Any] | None) -> None:
        task = self.run.task
        values = {
            "task_id": task.task_id,
            "epoch": task.epoch,
            "task_status": status,
            "failure": failure,
            "last_event": self.run.writer.number + 1,
            "now": now(),
            "answer": self.text,
            "status": "error" if failure else "normal",
            "error": failure["message"] if failure else None,
            "details": details,
            "prompt_tokens": self.usage.prompt_tokens if self.usage else 0,
            "answer_tokens": self.usage.completion_tokens if self.usage else 0,
            "latency": time.monotonic() - self._began,
        }
        with autocommit_engine().connect() as connection:
            if connection.execute(FINISH, values).one_or_none() is None and self._lost(connection):
                raise Superseded(task.task_id)

    def _lost(self, connection: Any) -> bool:
        """Whether another epoch has the run, told apart from a message deleted meanwhile."""
        owned = text("SELECT 1 FROM tasks WHERE id = :task_id AND epoch <> :epoch")
        return (
            connection.execute(owned, {"task_id": self.run.task.task_id, "epoch": self.run.task.epoch}).first()
            is not None
        )
