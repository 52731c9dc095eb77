"""The text of one answer while it is generated: published, moderated, spoken, and sent again where Redis lost it."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from app.providers.models.usage import UsageSum, usage_object
from app.services.definitions.features import FeatureSet
from app.services.events.message_events import MessageEvents
from app.services.generation.moderation import AnswerModerator
from app.services.generation.spoken_answers import SpokenAnswer, speech_of
from app.services.generation.task_execution import SEND_TIMEOUT, TaskExecution


class TextEvents(Protocol):
    """Makes the public events of an answer's text, as MessageEvents and WorkflowRunEvents do."""

    def text(self, delta: str, selector: Sequence[str] | None = None) -> bytes:
        """The answer has grown by `delta`, which is the value of the variable `selector`."""

    def text_replace(self, text: str, reason: str = "") -> bytes:
        """`text` takes the place of the whole answer."""


class AnswerStream:
    """Publishes one answer's text. Used by the task's thread. Raises Superseded where another worker has the task."""

    def __init__(
        self,
        execution: TaskExecution,
        events: TextEvents,
        speech_events: MessageEvents | None,
        text: str = "",
        replace_reason: str = "",
        repeated_events: Callable[[], Iterable[bytes]] = tuple,
    ) -> None:
        """`text`: what the answer begins with, not published by this.

        `speech_events`: None where this mode of app has no speech. `replace_reason`: the public reason of a replacement
        by moderation. `repeated_events`: gives the events that go before the text where all of it is sent again.
        """
        self._execution, self._writer = execution, execution.writer
        self._events, self._speech_events = events, speech_events
        self._replace_reason, self._repeated_events = replace_reason, repeated_events
        self._parts = [text]
        # How many of the parts moderation has read.
        self._moderated = 0
        self._replacement: str | None = None
        # What moderates the text; None where nothing does.
        self.moderator: AnswerModerator | None = None
        self._speech: SpokenAnswer | None = None
        self._began = time.monotonic()
        self._first_token: float | None = None

    @property
    def text(self) -> str:
        """The answer as readers have it and rows keep it."""
        return "".join(self._parts) if self._replacement is None else self._replacement

    @property
    def is_replaced(self) -> bool:
        """Whether moderation has put another text into the answer's place. What is added later is not published."""
        return self._replacement is not None

    @property
    def first_token_at(self) -> float | None:
        """When this worker published the first piece of the text, in monotonic seconds; None where there was none."""
        return self._first_token

    @property
    def seconds(self) -> float:
        """How long the answer has taken so far."""
        return time.monotonic() - self._began

    def usage(self, tokens: UsageSum) -> dict[str, Any]:
        """Return the `usage` of a message's metadata: tokens, prices, and the times that are measured here."""
        return usage_object(tokens, self._began, self._first_token, time.monotonic())

    def add(self, delta: str, selector: Sequence[str] | None = None, removed: int = 0) -> None:
        """Publish the next piece of the text. Raises RunFailed where moderation cannot be asked.

        `removed`: so many of the last characters are taken back before: the whole text is published anew.
        """
        if self._first_token is None:
            self._first_token = time.monotonic()
        # PostgreSQL keeps no NUL in texts.
        delta = delta.replace("\0", "")
        if removed:
            kept = "".join(self._parts)
            self._start_over(kept[: len(kept) - removed])
        self._parts.append(delta)
        if self._replacement is not None:
            return
        if not self._repeat_if_lost():
            self._writer.write(self._events.text_replace(self.text) if removed else self._events.text(delta, selector))
        if self._speech is not None:
            if removed:
                self._speech.restart()
            self._speech.feed(self.text if removed else delta)
            self._publish_speech(self._speech.take_sound())
        self.moderate(whole=False)

    def moderate(self, whole: bool, seen: str | None = None) -> None:
        """Let moderation read the text, and publish what it puts into its place. Raises RunFailed.

        `whole`: nothing follows. `seen`: the text that readers have already, where that is known.
        """
        if self.moderator is None or self._replacement is not None or not any(self._parts):
            return
        grown_by, self._moderated = "".join(self._parts[self._moderated :]), len(self._parts)
        self._replace_by(self.moderator.check(grown_by, lambda: "".join(self._parts), whole), seen)

    def moderate_aside(self, text: str) -> None:
        """Let moderation read a text that readers see beside the answer, whose place it may take. Raises RunFailed."""
        if self.moderator is not None and self._replacement is None and text:
            self._replace_by(self.moderator.aside().check(text, lambda: text, whole=True))

    def _replace_by(self, replacement: str | None, seen: str | None = None) -> None:
        self._replacement = replacement
        if self._replacement is not None and self._replacement != seen:
            self._writer.write(self._events.text_replace(self._replacement, self._replace_reason))
            if self._speech is not None:
                self._speech.restart()
                self._speech.feed(self._replacement)

    def restore(self, text: str) -> None:
        """Go back to a text that was stored earlier; `publish_restored` tells readers of it."""
        self._start_over(text)

    def publish_restored(self) -> None:
        """Publish and speak the whole text. A task of which nothing was published yet has no text to replace."""
        if self._replacement is not None:
            return
        if self._speech is not None:
            self._speech.feed(self.text)
        if self._writer.number:
            self._writer.write(self._events.text_replace(self.text))

    def repair_lost_log(self) -> None:
        """Wait until Redis has every piece, and publish all of it again where the log was lost.

        To be done before the last events: a reader that lost the log may otherwise find nothing but those.
        """
        self._writer.wait_until_sent(SEND_TIMEOUT)
        self._repeat_if_lost()

    def start_speech(self, features: FeatureSet) -> None:
        """Speak what is added from now on, where the app does so."""
        self.stop_speech()
        if self._speech_events is not None:
            self._speech = speech_of(self._execution, features.text_to_speech)

    def stop_speech(self) -> None:
        """End the speech and drop what was not published of it. Safe to call twice, and before `start_speech`."""
        if self._speech is not None:
            self._speech.close()
            self._speech = None

    @property
    def is_spoken(self) -> bool:
        return self._speech is not None

    def finish_speech(self, final: bool) -> None:
        """Publish the rest of the speech and its end, where the answer is spoken. `final`: nothing follows it."""
        if self._speech is not None and self._speech_events is not None:
            for sound in self._speech.remaining_sound():
                self._publish_speech(sound)
            self._writer.write(self._speech_events.tts_message_end(), final=final)

    def _start_over(self, text: str) -> None:
        self._parts, self._moderated = [text], 0
        if self.moderator is not None:
            self.moderator.restart()

    def _publish_speech(self, sound: bytes) -> None:
        if sound and self._speech_events is not None:
            self._writer.write(self._speech_events.tts_message(sound))

    def _repeat_if_lost(self) -> bool:
        """Publish the whole text again where Redis lost what was published; returns whether it had."""
        lost, self._writer.log_was_lost = self._writer.log_was_lost, False
        if lost:
            for event in self._repeated_events():
                self._writer.write(event)
            self._writer.write(self._events.text_replace(self.text))
        return lost
