"""Speech of an answer while it is generated (contract streaming.md §3.1, §4.1): sentence by sentence, in a thread."""

import contextlib
import contextvars
import queue
import threading
import time
from collections.abc import Iterator

import structlog
from flask import current_app

from app.errors import AppError, ProviderError
from app.providers.cancellation import Cancellation, Cancelled
from app.providers.models.audio import SpeechModel
from app.services.definitions.features import TextToSpeech
from app.services.generation.task_execution import TaskExecution
from app.services.process.providers import model_routes
from app.services.process.sentences import Sentences
from app.services.process.silence import LEAD_SECONDS, SILENCE

log = structlog.get_logger(__name__)

# How long a whole answer waits for the next piece of its speech.
WAIT_SECONDS = 5.0


class SpokenAnswer:
    """The speech of one answer. Used by the task's thread; a failure ends the speech, never the answer.

    Text goes to the thread by one queue and MP3 comes back by another. Both carry a version, which a replacement of
    the answer raises: what belongs to an older version is neither spoken nor returned.
    The first sound is SILENCE, which comes with the first text; the speech follows LEAD_SECONDS later.
    """

    def __init__(self, execution: TaskExecution, model: SpeechModel, voice: str, wait: float = WAIT_SECONDS) -> None:
        self._execution, self._model, self._voice, self._wait = execution, model, voice, wait
        self._sentences = Sentences()
        # Each item with its version; None at the end.
        self._texts: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        self._sound: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
        self._version = 0
        self._is_over = False
        self._has_text = False
        # When the speech may follow the silence, in monotonic seconds; None until the silence is taken.
        self._speech_from: float | None = None
        self._cancellation = Cancellation()
        # Its own, because speech ends alone when the answer is over; a stop of the task ends both.
        execution.cancellation.add(self._cancellation.cancel)
        if execution.cancellation.is_cancelled:
            self._cancellation.cancel()
        threading.Thread(target=contextvars.copy_context().run, args=(self._speak,), name="speech", daemon=True).start()

    def feed(self, delta: str) -> None:
        """Speak what the answer has grown by, as soon as its sentence is whole."""
        self._has_text = self._has_text or any(map(str.isalnum, delta))
        self._queue_sentences(self._sentences.feed(delta))

    def restart(self) -> None:
        """Drop what is not spoken yet: another text takes the answer's place and will be fed."""
        self._version += 1
        self._sentences = Sentences()

    def take_sound(self) -> bytes:
        """Return the MP3 that has come since the last call; does not wait."""
        if self._speech_from is None:
            return self._take_silence() if self._has_text else b""
        if time.monotonic() < self._speech_from:
            return b""
        pieces = []
        with contextlib.suppress(queue.Empty):
            while not self._is_over:
                pieces.append(self._accept(self._sound.get_nowait()))
        return b"".join(pieces)

    def remaining_sound(self) -> Iterator[bytes]:
        """Yield the rest of the MP3 as it comes, once the answer is whole.

        Ends early where the next piece takes longer than `wait`, and at once where the task is stopped.
        """
        self._queue_sentences(self._sentences.finish())
        self._texts.put(None)
        if not self._has_text:
            return
        if self._speech_from is None:
            yield self._take_silence()
        self._wait_for_player()
        while not (self._is_over or self._cancellation.is_cancelled):
            try:
                first = self._accept(self._sound.get(timeout=self._wait))
            except queue.Empty:
                log.warning("speech.late", task_id=self._execution.task.task_id)
                return
            if piece := first + self.take_sound():
                yield piece

    def close(self) -> None:
        """Cancel what is not spoken yet, and end the thread. To be called once, at the end."""
        self._execution.cancellation.remove(self._cancellation.cancel)
        self._cancellation.cancel()
        self._texts.put(None)

    def _take_silence(self) -> bytes:
        self._speech_from = time.monotonic() + LEAD_SECONDS
        return SILENCE

    def _wait_for_player(self) -> None:
        # Sounds arrive at the player's end behind the silence, however fast the answer was.
        left = (self._speech_from or 0) - time.monotonic()
        if left > 0:
            with contextlib.suppress(Cancelled):
                self._cancellation.wait(left)

    def _queue_sentences(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self._texts.put((self._version, sentence))

    def _accept(self, piece: tuple[int, bytes] | None) -> bytes:
        """Return the sound of a piece, nothing where it is the end or of an older version."""
        if piece is None:
            self._is_over = True
            return b""
        return piece[1] if piece[0] == self._version else b""

    def _speak(self) -> None:
        try:
            while (text := self._texts.get()) is not None:
                self._speak_sentence(*text)
        except Cancelled:
            pass
        except ProviderError as failure:
            log.warning("speech.failed", task_id=self._execution.task.task_id, error=failure.message)
        finally:
            self._sound.put(None)

    def _speak_sentence(self, version: int, sentence: str) -> None:
        if version != self._version:
            return
        sound = self._model.stream(sentence, self._voice, self._cancellation, self._execution.deadline)
        with contextlib.closing(sound):
            for piece in sound:
                if version != self._version:
                    return
                self._sound.put((version, piece))


def speech_of(execution: TaskExecution, feature: TextToSpeech) -> SpokenAnswer | None:
    """Start the speech of a task's answer. None without auto-play in the app, a reader for it, or a speech model."""
    if not (execution.with_speech and feature.enabled and feature.autoPlay == "enabled"):
        return None
    try:
        model = model_routes().speech_model()
        voice = model.voice(feature.voice)
    except AppError as missing:
        log.warning("speech.not_available", task_id=execution.task.task_id, error=missing.message)
        return None
    # No longer than a ping: readers take a second silence behind the stored end for a lost last event.
    return SpokenAnswer(execution, model, voice, min(WAIT_SECONDS, current_app.config["PING_SECONDS"]))
