"""The events of one workflow run: published while the graph runs, and stored when it waits or ends."""

import time
from collections.abc import Mapping
from typing import Any

from app.extensions import redis_client
from app.models import tasks
from app.models.checkpoints import finish_run, pause_run
from app.models.forms import list_forms
from app.models.identifiers import now
from app.models.workflow_runs import LoadedRun
from app.services.definitions.app_file import AppDefinition
from app.services.events.message_events import failure_of_run
from app.services.events.task_states import answer_so_far
from app.services.events.workflow_events import WorkflowRunEvents
from app.services.generation.answer_stream import AnswerStream
from app.services.generation.moderation import answer_moderator
from app.services.generation.node_journal import NodeJournal
from app.services.generation.run_forms import RunForms
from app.services.generation.task_execution import SEND_TIMEOUT, TaskExecution
from app.services.process.stored_values import dump, masked
from app.services.process.usage_rows import task_usage
from app.streams import channel
from app.streams.publisher import Superseded
from app.workflow.contracts import events
from app.workflow.contracts.human_forms import WAITING
from app.workflow.contracts.knowledge import cited
from app.workflow.engine.graph_run import FAILED, STOPPED, SUCCEEDED, RunEnd
from app.workflow.values.values import plain

STOPPED_BY_USER = "Stopped by user."


class WorkflowRunPublisher:
    """Publishes and stores one workflow run. Raises Superseded where another worker has the task.

    `answer`: the text of a chatflow's message, in mode `workflow` what its end nodes stream.
    """

    def __init__(
        self, execution: TaskExecution, loaded: LoadedRun, definition: AppDefinition, journal: NodeJournal
    ) -> None:
        config = definition.usable_workflow()
        self._execution, self._writer = execution, execution.writer
        self._loaded, self._config, self._journal = loaded, config, journal
        self.events = WorkflowRunEvents(execution.task, execution.task.app_version_id)
        self.answer = AnswerStream(
            execution, self.events, self.events.message, loaded.answer, replace_reason="output_moderation"
        )
        self.answer.moderator = answer_moderator(config.features, execution.task.app_id)
        # Thoughts come beside the text that is moderated, so that a moderated app tells none.
        self._tells_thoughts = definition.tells_thoughts and self.answer.moderator is None
        # Whether the run goes on from a pause and nothing was published since: readers have the text stored then.
        self._resumes = execution.task.decisions > 0 and _is_at_rest(execution.task)
        self._seen: str | None = loaded.answer if self._resumes else None
        self._has_message_alone = False

    def start_speech(self) -> None:
        """Speak the answer from now on, where the app does so."""
        self.answer.start_speech(self._config.features)

    def publish_start(self, inputs: Mapping[str, Any], system: Mapping[str, Any]) -> None:
        """Publish that the run begins or goes on, unless an earlier worker did."""
        if self._writer.number == 0 or self._resumes:
            shown = {**inputs, **{f"sys.{name}": value for name, value in system.items() if name != "conversation_id"}}
            reason = "resumption" if self._resumes else "initial"
            self._writer.write(self.events.started(plain(shown), int(self._loaded.created_at.timestamp()), reason))
        self._resumes = False

    def restore_published(self) -> None:
        """Go on with the text that readers have: the run ends before this worker says anything."""
        task = self._execution.task
        self._writer.wait_until_sent(SEND_TIMEOUT)
        self.answer.restore(answer_so_far(task.task_id, self._loaded.answer, task.last_event)[0])

    def publish_preset_response(self, text: str) -> RunEnd:
        """Publish an answer without a run: the end user gets a message alone (contract streaming.md §4.4)."""
        self._has_message_alone = True
        self.answer.add(text, ("sys", "answer"))
        return RunEnd(SUCCEEDED, {"answer": text, "files": []}, None, 0, 0, 0)

    def publish(self, event: events.Event) -> None:
        """Publish what the engine tells of the run."""
        if isinstance(event, events.TextReplaced):
            self._restore_text(event.text)
        elif isinstance(event, events.TextStreamed):
            self.answer.add(event.text, event.selector, event.removed)
        elif self._tells_thoughts or not (isinstance(event, events.NodeReported) and event.name == events.THOUGHTS):
            frame = self.events.of(event)
            if frame is not None:
                self._writer.write(frame)

    def finish(self, end: RunEnd) -> None:
        """Store how the run ended, then publish it."""
        error = end.error or STOPPED_BY_USER if end.status == STOPPED else masked(end.error, self._config.secrets)
        self.answer.moderate(whole=True)
        self.answer.repair_lost_log()
        outputs = self._outputs(end)
        details = self._details(end)
        frames = self._last_frames(end, error, outputs, details)
        # Stored first, with the number that the last event will have: where this worker dies in between, the next one
        # finds a run that has ended and publishes the rest (missed_endings.py).
        self._store(end, error, outputs, details, len(frames))
        for frame in frames[:-1]:
            self._writer.write(frame)
        if not self.answer.is_spoken or end.status == FAILED:
            self._writer.write(frames[-1], final=True)
            return
        # The rest of the speech stands between the message's end and the run's (contract streaming.md §4.4).
        if self._has_message_alone:
            self._writer.write(frames.pop())
        self.answer.finish_speech(final=not frames)
        if frames:
            self._writer.write(frames[-1], final=True)

    def pause(self, end: RunEnd, forms: RunForms) -> bool:
        """Store that the run waits for people, then publish it.

        Returns False where somebody has answered a form meanwhile: the run goes on at once.
        """
        self.answer.moderate(whole=True)
        self.answer.repair_lost_log()
        self.answer.finish_speech(final=False)
        self._journal.pause_open()
        outputs = self._outputs(end)
        values = (
            self._totals(end, self._details(end))
            | forms.rows_to_store(end.pauses)
            | {
                "outputs": dump(outputs),
                "decisions": self._execution.decisions,
                "last_event": self._writer.number + len(end.pauses) + 1,
                "now": now(),
            }
        )
        outcome = pause_run(values)
        if outcome is None:
            raise Superseded(self._execution.task.task_id)
        self._journal.mark_saved()
        if outcome.status == tasks.RUNNING:
            self._execution.decisions, self._seen = outcome.decisions, self.answer.text
            return False
        self._log_rest(end, outputs)
        self._writer.give_place_back(self._execution.task.app_id)
        open_forms = [form for form in list_forms(self._loaded.run_id) if form.status == WAITING]
        for form in open_forms:
            self._writer.write(self.events.human_input_required(form))
        totals = {
            "outputs": outputs,
            "created_at": int(self._loaded.created_at.timestamp()),
            "elapsed_time": values["elapsed"],
            "total_tokens": end.total_tokens,
            "total_steps": end.steps,
        }
        self._writer.write(self.events.paused(open_forms, totals), final=True)
        return True

    def _restore_text(self, text: str) -> None:
        """Go on from the text that the journal has, and tell readers of it where they have another.

        Another worker may have published half a node's text more; since a pause, nobody has.
        """
        seen, self._seen = self._seen, None
        self.answer.restore(text)
        self.answer.moderate(whole=True, seen=seen)
        # In mode `workflow` no row keeps the text, so what was seen is not known, but it is what the journal has.
        if seen is None or (seen != self.answer.text and self.events.message is not None):
            self.answer.publish_restored()

    def _outputs(self, end: RunEnd) -> dict[str, Any]:
        if self._execution.task.mode != "advanced-chat":
            return dict(plain(end.outputs))
        if self.answer.is_replaced:
            return {"answer": self.answer.text, "files": []}
        return {"answer": end.outputs.get("answer", self.answer.text), "files": plain(end.outputs.get("files", []))}

    def _details(self, end: RunEnd) -> dict[str, Any]:
        """The message's metadata."""
        cites = self._config.features.retriever_resource.enabled
        return {
            "annotation_reply": None,
            "retriever_resources": cited(self._journal.sources) if cites else [],
            "usage": self.answer.usage(self._journal.usage),
        }

    def _last_frames(
        self, end: RunEnd, error: str | None, outputs: dict[str, Any], details: dict[str, Any]
    ) -> list[bytes]:
        frames = []
        message = self.events.message
        if message is not None and end.status != FAILED:
            frames.append(message.message_end(details, outputs.get("files") or []))
        if not self._has_message_alone:
            frames.append(self.events.finished(self.summary(end, error, outputs)))
        if message is not None and end.status == FAILED:
            # Pages learn the message's id from its first piece, and show the error (contract streaming.md §4.4).
            first = [] if self.answer.text else [message.text("")]
            frames = [*first, *frames, message.error(failure_of_run(error))]
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
            "created_by": {"id": self._execution.task.end_user_id, "user": self._loaded.session_id},
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
            "last_event": self._writer.number + frames,
            "now": now(),
            "status": end.status,
            "outputs": dump(outputs),
            "error": error,
            "message_status": "error" if end.status == FAILED else "normal",
            "message_error": error if end.status == FAILED else None,
        }
        if not finish_run(values):
            raise Superseded(self._execution.task.task_id)
        self._log_rest(end, outputs)
        self._writer.give_place_back(self._execution.task.app_id)
        self._journal.mark_saved()

    def _totals(self, end: RunEnd, details: dict[str, Any]) -> dict[str, Any]:
        """What both a pause and an end store: nodes, counts, the text so far."""
        usage = self._journal.usage
        return self._journal.unsaved() | {
            "elapsed": self._elapsed,
            "total_tokens": end.total_tokens,
            "total_steps": end.steps,
            "exceptions_count": end.exceptions,
            "answer": self.answer.text,
            "details": dump(details),
            "prompt_tokens": usage.prompt_tokens,
            "answer_tokens": usage.completion_tokens,
            "usage": dump(task_usage(self._execution.task.task_id, usage)),
        }

    def _log_rest(self, end: RunEnd, outputs: dict[str, Any]) -> None:
        tokens = self._journal.usage.prompt_tokens, self._journal.usage.completion_tokens
        self._execution.log_rest(
            end.status,
            end.cause,
            tokens,
            self.answer.first_token_at,
            self.answer.text or outputs,
            asked=self._execution.task.query or self._loaded.inputs,
            before=self._loaded.elapsed,
        )

    @property
    def _elapsed(self) -> float:
        """Seconds in which the run ran, without those in which it waited."""
        return self._loaded.elapsed + self.answer.seconds


def _is_at_rest(task: tasks.ClaimedTask) -> bool:
    """Whether no worker has published behind the final event of a pause; False where nothing can tell any more."""
    if task.last_event_is_known:
        return True
    try:
        last = channel.last_logged(redis_client.client, task.task_id)
    except channel.RedisAway:
        return False
    return last is not None and last.final
