"""An answer said aloud while it is written (contract streaming.md §3.1, §4.1): sentence by sentence, in a thread beside the run."""

import contextlib
import queue
import threading
from collections.abc import Iterator

import structlog
from flask import current_app

from app.errors import AppError, ProviderError
from app.providers.cancellation import Cancellation, Cancelled
from app.providers.models.audio import SpeechModel
from app.services.definitions.app_configs import ModelConfig, WorkflowConfig, is_enabled
from app.services.generation.task_execution import TaskExecution
from app.services.process.providers import model_routes
from app.services.process.sentences import Sentences

log = structlog.get_logger(__name__)

# How long an answer that is whole waits for the next piece of its speech.
WAIT_SECONDS = 5.0


class SpokenAnswer:
    """The speech of one answer under way. Used by the run's thread; what fails here fails for the voice alone."""

    def __init__(self, execution: TaskExecution, model: SpeechModel, voice: str, wait: float = WAIT_SECONDS) -> None:
        self._execution, self._model, self._voice, self._wait = execution, model, voice, wait
        self._sentences = Sentences()
        # Texts with the take they belong to, None at the end; and sound, None at the end.
        self._texts: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        self._sound: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
        self._take = 0
        self._over = False
        self._cancellation = Cancellation()
        execution.cancellation.add(self._cancellation.cancel)
        if execution.cancellation.is_cancelled:
            self._cancellation.cancel()
        threading.Thread(target=self._speak, name="voice", daemon=True).start()

    def feed(self, delta: str) -> None:
        """Text that the answer has grown by."""
        self._say(self._sentences.feed(delta))

    def restart(self) -> None:
        """What was said must not stand: fall silent, and begin anew with what comes."""
        self._take += 1
        self._sentences = Sentences()

    def sound(self) -> bytes:
        """The MP3 that is there and was not taken yet."""
        pieces = []
        with contextlib.suppress(queue.Empty):
            while not self._over:
                pieces.append(self._accept(self._sound.get_nowait()))
        return b"".join(pieces)

    def rest(self) -> Iterator[bytes]:
        """The answer is whole: its remaining MP3 as it comes, until there is no more or it keeps us waiting. A stop ends it at once."""
        self._say(self._sentences.finish())
        self._texts.put(None)
        while not (self._over or self._cancellation.is_cancelled):
            try:
                first = self._accept(self._sound.get(timeout=self._wait))
            except queue.Empty:
                log.warning("speech.late", task_id=self._execution.task.task_id)
                return
            if piece := first + self.sound():
                yield piece

    def close(self) -> None:
        """Nobody listens any more. To be called once, at the end."""
        self._execution.cancellation.remove(self._cancellation.cancel)
        self._cancellation.cancel()
        self._texts.put(None)

    def _say(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self._texts.put((self._take, sentence))

    def _accept(self, piece: tuple[int, bytes] | None) -> bytes:
        if piece is None:
            self._over = True
            return b""
        return piece[1] if piece[0] == self._take else b""

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

    def _speak_sentence(self, take: int, sentence: str) -> None:
        if take != self._take:
            return
        sound = self._model.stream(sentence, self._voice, self._cancellation, self._execution.deadline)
        with contextlib.closing(sound):
            for piece in sound:
                if take != self._take:
                    return
                self._sound.put((take, piece))


def voice_of(execution: TaskExecution, config: ModelConfig | WorkflowConfig) -> SpokenAnswer | None:
    """The voice of a run's answer; None where the app does not speak by itself, nobody would hear it, or nobody can speak."""
    feature = config.features["text_to_speech"]
    if not (execution.with_speech and is_enabled(feature) and feature.get("autoPlay") == "enabled"):
        return None
    try:
        model = model_routes().speech_model()
        voice = model.voice(str(feature.get("voice") or ""))
    except AppError as missing:
        log.warning("speech.not_available", task_id=execution.task.task_id, error=missing.message)
        return None
    # A reader takes two silences after the end for a lost last event.
    return SpokenAnswer(execution, model, voice, min(WAIT_SECONDS, current_app.config["PING_SECONDS"]))
