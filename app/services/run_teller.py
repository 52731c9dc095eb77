"""One workflow run as its visitor sees it: its events, its text, and the row that stays."""

import time
from collections.abc import Mapping
from typing import Any

from app.extensions import autocommit_engine
from app.models import tasks
from app.models.identifiers import now
from app.models.workflow_statements import FINISH_RUN, LoadedRun
from app.providers.base import Usage
from app.providers.usage import usage_object
from app.services.definitions import WorkflowConfig
from app.services.moderation import watch_answer
from app.services.run_journal import RunJournal
from app.services.runs import SEND_TIMEOUT, Run
from app.services.spoken_answers import SpokenAnswer, voice_of
from app.services.stored_values import dump, masked
from app.services.workflow_events import RunEvents
from app.streams.publisher import Superseded
from app.workflow import events
from app.workflow.engine import FAILED, STOPPED, SUCCEEDED, RunEnd
from app.workflow.values import plain

STOPPED_BY_USER = "Stopped by user."


class RunTeller:
    """Raises Superseded wherever another worker has taken the run over."""

    def __init__(self, run: Run, loaded: LoadedRun, config: WorkflowConfig, journal: RunJournal) -> None:
        self._run, self._loaded, self._config, self._journal = run, loaded, config, journal
        self.events = RunEvents(run.task, run.task.app_version_id)
        self._parts: list[str] = []
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
        if self.events.message is not None:
            self._voice = voice_of(self._run, self._config)

    def hush(self) -> None:
        """No more speech."""
        if self._voice is not None:
            self._voice.close()

    def start(self, inputs: Mapping[str, Any], system: Mapping[str, Any]) -> None:
        """Say that the run begins, unless another worker has said so."""
        if self._run.writer.number == 0:
            shown = {**inputs, **{f"sys.{name}": value for name, value in system.items() if name != "conversation_id"}}
            self._run.writer.write(self.events.started(plain(shown), int(self._loaded.created_at.timestamp())))

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
        error = STOPPED_BY_USER if end.status == STOPPED else masked(end.error, self._config.secrets)
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
        """Another worker has spoken: what it said last may be half a node's text."""
        self._parts = [text]
        if self._voice is not None:
            self._voice.feed(text)
        if self._run.writer.number:
            self._run.writer.write(self.events.text_replace(text))

    def _check_text(self, whole: bool) -> None:
        if self._watch is None or self._replacement is not None or not self._parts:
            return
        self._replacement = self._watch.check("".join(self._parts), whole)
        if self._replacement is not None:
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
        return {"annotation_reply": None, "retriever_resources": list(self._journal.sources), "usage": usage}

    def _last_frames(self, end: RunEnd, error: str | None, outputs: dict[str, Any], details: dict[str, Any]) -> list[bytes]:
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
            "status": end.status, "outputs": outputs, "error": error, "elapsed_time": round(time.monotonic() - self._began, 6),
            "total_tokens": end.total_tokens, "total_steps": end.steps, "exceptions_count": end.exceptions,
            "created_by": {"id": self._run.task.end_user_id, "user": self._loaded.session_id},
            "created_at": int(self._loaded.created_at.timestamp()), "finished_at": int(time.time()),
        }  # fmt: skip

    def _store(self, end: RunEnd, error: str | None, outputs: dict[str, Any], details: dict[str, Any], frames: int) -> None:
        task_status = end.status if end.status in (FAILED, STOPPED) else tasks.SUCCEEDED
        self._journal.close_open()
        usage = self._journal.usage
        values = self._journal.pending() | {
            "task_status": task_status, "failure": None, "last_event": self._run.writer.number + frames, "now": now(),
            "status": end.status, "outputs": dump(outputs), "error": error,
            "elapsed": self._loaded.elapsed + time.monotonic() - self._began, "total_tokens": end.total_tokens,
            "total_steps": end.steps, "exceptions_count": end.exceptions, "answer": self.text,
            "message_status": "error" if end.status == FAILED else "normal", "message_error": error if end.status == FAILED else None,
            "details": dump(details), "prompt_tokens": usage["prompt_tokens"], "answer_tokens": usage["completion_tokens"],
        }  # fmt: skip
        with autocommit_engine().connect() as connection:
            if connection.execute(FINISH_RUN, values).first() is None:
                raise Superseded(self._run.task.task_id)
        self._journal.clear()
