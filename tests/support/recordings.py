"""Recordings for tests, as bytes."""

import io
import wave


def silence(seconds: float = 0.1, rate: int = 8_000) -> bytes:
    """A WAV file of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(rate)
        output.writeframes(bytes(2 * int(rate * seconds)))
    return file.getvalue()


MP3 = b"\xff\xfb\x90\x64" + bytes(413)
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webmB\x87\x81\x04"
OGG = b"OggS\x00\x02" + bytes(20) + b"OpusHead"
M4A = b"\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00M4A mp42isom"
AMR = b"#!AMR\n" + bytes(31)
