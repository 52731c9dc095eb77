"""One workflow run as its visitor sees it: its events, its text, and the row that stays."""

import time
from collections.abc import Mapping
from typing import Any

import redis

from app.extensions import autocommit_engine, redis_client
from app.models import tasks
from app.models.form_statements import FORMS_OF_RUN, FormRow
from app.models.identifiers import now
from app.models.workflow_statements import FINISH_RUN, PAUSE_RUN, LoadedRun
from app.providers.models.chat_types import Usage
from app.providers.models.usage import usage_object
from app.services.definitions.app_configs import WorkflowConfig, is_enabled
from app.services.events.workflow_events import WorkflowRunEvents
from app.services.generation.moderation import watch_answer
from app.services.generation.node_journal import NodeJournal
from app.services.generation.run_forms import RunForms
from app.services.generation.spoken_answers import SpokenAnswer, voice_of
from app.services.generation.task_execution import SEND_TIMEOUT, TaskExecution
from app.services.process.stored_values import dump, masked
from app.streams import channel
from app.streams.publisher import Superseded
from app.workflow.contracts import events
from app.workflow.contracts.human_forms import WAITING
from app.workflow.contracts.knowledge import cited
from app.workflow.engine.graph_run import FAILED, STOPPED, SUCCEEDED, RunEnd
from app.workflow.values.values import plain

STOPPED_BY_USER = "Stopped by user."


class WorkflowRunPublisher:
    """Raises Superseded wherever another worker has taken the run over."""

    def __init__(self, run: TaskExecution, loaded: LoadedRun, config: WorkflowConfig, journal: NodeJournal) -> None:
        self._run, self._loaded, self._config, self._journal = run, loaded, config, journal
        self.events = WorkflowRunEvents(run.task, run.task.app_version_id)
        self._parts: list[str] = [loaded.answer]
        # Nobody has said anything since the run waited: the visitor has just what was stored then.
        self._resumes = run.task.decisions > 0 and _rested(run.task.task_id)
        self._seen: str | None = loaded.answer if self._resumes else None
        self._began = time.monotonic()
        self._first: float | None = None
        self._watch = watch_answer(config, run.task.app_id)
        self._replacement: str | None = None
        self._at_once = False
        self._voice: SpokenAnswer | None = None

    @property
    def text(self) -> str:
        return "".join(self._parts) if self._replacement is None else self._replacement

    def speak(self) -> None:
        """From now on say the answer aloud, where the app does so."""
        self.hush()
        if self.events.message is not None:
            self._voice = voice_of(self._run, self._config)

    def hush(self) -> None:
        """No more speech."""
        if self._voice is not None:
            self._voice.close()
            self._voice = None

    def start(self, inputs: Mapping[str, Any], system: Mapping[str, Any]) -> None:
        """Say that the run begins, or goes on, unless that was said."""
        if self._run.writer.number == 0 or self._resumes:
            shown = {**inputs, **{f"sys.{name}": value for name, value in system.items() if name != "conversation_id"}}
            reason = "resumption" if self._resumes else "initial"
            self._run.writer.write(self.events.started(plain(shown), int(self._loaded.created_at.timestamp()), reason))
        self._resumes = False

    def answer_at_once(self, text: str) -> RunEnd:
        """An answer without a run: the visitor sees a message alone (contract streaming.md §4.4)."""
        self._at_once = True
        self.tell(events.TextStreamed(text, ("sys", "answer")))
        return RunEnd(SUCCEEDED, {"answer": text, "files": []}, None, 0, 0, 0)

    def tell(self, event: events.Event) -> None:
        """Pass on what the engine tells."""
        if isinstance(event, events.TextReplaced):
            self._replace_all(event.text)
        elif isinstance(event, events.TextStreamed):
            self._say(event)
        else:
            frame = self.events.of(event)
            if frame is not None:
                self._run.writer.write(frame)

    def finish(self, end: RunEnd) -> None:
        """Store how the run ended, then say so."""
        error = end.error or STOPPED_BY_USER if end.status == STOPPED else masked(end.error, self._config.secrets)
        self._check_text(whole=True)
        self._mend_lost_log()
        outputs = self._outputs(end)
        details = self._details(end)
        frames = self._last_frames(end, error, outputs, details)
        self._store(end, error, outputs, details, len(frames))
        for frame in frames[:-1]:
            self._run.writer.write(frame)
        if self._voice is None or end.status == FAILED:
            self._run.writer.write(frames[-1], final=True)
            return
        if self._at_once:
            self._run.writer.write(frames.pop())
        self._finish_speech(final=not frames)
        if frames:
            self._run.writer.write(frames[-1], final=True)

    def pause(self, end: RunEnd, forms: RunForms) -> bool:
        """Store that the run waits for people, then say so; False where somebody answered meanwhile: it goes on at once."""
        self._check_text(whole=True)
        self._mend_lost_log()
        self._finish_speech(final=False)
        self._journal.pause_open()
        outputs = self._outputs(end)
        values = (
            self._totals(end, self._details(end))
            | forms.rows_to_store(end.pauses)
            | {
                "outputs": dump(outputs),
                "decisions": self._run.decisions,
                "last_event": self._run.writer.number + len(end.pauses) + 1,
                "now": now(),
            }
        )
        with autocommit_engine().connect() as connection:
            row = connection.execute(PAUSE_RUN, values).first()
            if row is None:
                raise Superseded(self._run.task.task_id)
            self._journal.clear()
            if row.status == tasks.RUNNING:
                self._run.decisions, self._seen = row.decisions, self.text
                return False
            stored = [FormRow(*form) for form in connection.execute(FORMS_OF_RUN, {"run_id": self._loaded.run_id})]
        open_forms = [form for form in stored if form.status == WAITING]
        for form in open_forms:
            self._run.writer.write(self.events.human_input_required(form))
        totals = {
            "outputs": outputs,
            "created_at": int(self._loaded.created_at.timestamp()),
            "elapsed_time": values["elapsed"],
            "total_tokens": end.total_tokens,
            "total_steps": end.steps,
        }
        self._run.writer.write(self.events.paused(open_forms, totals), final=True)
        return True

    def _finish_speech(self, final: bool) -> None:
        """The rest of the answer's sound, between the message's end and the run's (contract streaming.md §4.4)."""
        if self._voice is not None and self.events.message is not None:
            for sound in self._voice.rest():
                self._play(sound)
            self._run.writer.write(self.events.message.tts_message_end(), final=final)

    def _play(self, sound: bytes) -> None:
        if sound and self.events.message is not None:
            self._run.writer.write(self.events.message.tts_message(sound))

    def _say(self, event: events.TextStreamed) -> None:
        if self._first is None:
            self._first = time.monotonic()
        delta = event.text.replace("\0", "")
        self._parts.append(delta)
        if self._replacement is None and not self._say_again():
            self._run.writer.write(self.events.text(delta, event.selector))
            if self._voice is not None:
                self._voice.feed(delta)
                self._play(self._voice.sound())
            self._check_text(whole=False)

    def _replace_all(self, text: str) -> None:
        """The text as the journal has it. Another worker may have said half a node's text more; where the run waited, nobody has."""
        self._parts = [text]
        seen, self._seen = self._seen, None
        self._check_text(whole=True, seen=seen)
        if seen is not None and (seen == self.text or self.events.message is None):
            return
        if self._voice is not None and self._replacement is None:
            self._voice.feed(text)
        if self._run.writer.number and self._replacement is None:
            self._run.writer.write(self.events.text_replace(text))

    def _check_text(self, whole: bool, seen: str | None = None) -> None:
        """`seen`: what the visitor has, where that is known."""
        if self._watch is None or self._replacement is not None or not any(self._parts):
            return
        self._replacement = self._watch.check("".join(self._parts), whole)
        if self._replacement is not None and self._replacement != seen:
            self._run.writer.write(self.events.text_replace(self._replacement, "output_moderation"))
            if self._voice is not None:
                self._voice.restart()
                self._voice.feed(self._replacement)

    def _say_again(self) -> bool:
        """Where Redis lost what was said: say all of it again."""
        lost, self._run.writer.log_was_lost = self._run.writer.log_was_lost, False
        if lost:
            self._run.writer.write(self.events.text_replace(self.text))
        return lost

    def _mend_lost_log(self) -> None:
        self._run.writer.wait_until_sent(SEND_TIMEOUT)
        self._say_again()

    def _outputs(self, end: RunEnd) -> dict[str, Any]:
        if self._run.task.mode != "advanced-chat":
            return dict(plain(end.outputs))
        if self._replacement is not None:
            return {"answer": self._replacement, "files": []}
        return {"answer": end.outputs.get("answer", self.text), "files": plain(end.outputs.get("files", []))}

    def _details(self, end: RunEnd) -> dict[str, Any]:
        """The message's metadata."""
        counts = self._journal.usage
        tokens = Usage(counts["prompt_tokens"], counts["completion_tokens"], counts["total_tokens"])
        usage = usage_object(tokens, self._began, self._first, time.monotonic())
        cites = is_enabled(self._config.features["retriever_resource"])
        return {
            "annotation_reply": None,
            "retriever_resources": cited(self._journal.sources) if cites else [],
            "usage": usage,
        }

    def _last_frames(
        self, end: RunEnd, error: str | None, outputs: dict[str, Any], details: dict[str, Any]
    ) -> list[bytes]:
        frames = []
        message = self.events.message
        if message is not None and end.status != FAILED:
            frames.append(message.message_end(details, outputs.get("files") or []))
        if not self._at_once:
            frames.append(self.events.finished(self.summary(end, error, outputs)))
        return frames

    def summary(self, end: RunEnd, error: str | None, outputs: dict[str, Any]) -> dict[str, Any]:
        """What `workflow_finished` says of the run."""
        return {
            "status": end.status,
            "outputs": outputs,
            "error": error,
            "elapsed_time": round(self._elapsed, 6),
            "total_tokens": end.total_tokens,
            "total_steps": end.steps,
            "exceptions_count": end.exceptions,
            "created_by": {"id": self._run.task.end_user_id, "user": self._loaded.session_id},
            "created_at": int(self._loaded.created_at.timestamp()),
            "finished_at": int(time.time()),
        }

    def _store(
        self, end: RunEnd, error: str | None, outputs: dict[str, Any], details: dict[str, Any], frames: int
    ) -> None:
        task_status = end.status if end.status in (FAILED, STOPPED) else tasks.SUCCEEDED
        self._journal.close_open()
        values = self._totals(end, details) | {
            "task_status": task_status,
            "failure": None,
            "last_event": self._run.writer.number + frames,
            "now": now(),
            "status": end.status,
            "outputs": dump(outputs),
            "error": error,
            "message_status": "error" if end.status == FAILED else "normal",
            "message_error": error if end.status == FAILED else None,
        }
        with autocommit_engine().connect() as connection:
            if connection.execute(FINISH_RUN, values).first() is None:
                raise Superseded(self._run.task.task_id)
        self._journal.clear()

    def _totals(self, end: RunEnd, details: dict[str, Any]) -> dict[str, Any]:
        """What both a pause and an end store: nodes, counts, the text so far."""
        usage = self._journal.usage
        return self._journal.pending() | {
            "elapsed": self._elapsed,
            "total_tokens": end.total_tokens,
            "total_steps": end.steps,
            "exceptions_count": end.exceptions,
            "answer": self.text,
            "details": dump(details),
            "prompt_tokens": usage["prompt_tokens"],
            "answer_tokens": usage["completion_tokens"],
        }

    @property
    def _elapsed(self) -> float:
        """Seconds in which the run ran, without those in which it waited."""
        return self._loaded.elapsed + time.monotonic() - self._began


def _rested(task_id: str) -> bool:
    """Whether the pause was the last that was said."""
    try:
        last = channel.last_logged(redis_client.client, task_id)
    except (redis.ConnectionError, redis.TimeoutError):
        return False
    return last is None or last.final
