"""What is audio, whatever it calls itself."""

import pytest

from app.services.process.audio_formats import is_accepted, recognise
from tests.support.recordings import AMR, M4A, MP3, OGG, WEBM, silence


@pytest.mark.parametrize(
    ("recording", "extension"),
    [
        (silence(), "wav"),
        (MP3, "mp3"),
        (b"ID3\x04\x00\x00", "mp3"),
        (b"\xff\xf3\x44\xc4", "mp3"),
        (b"\xff\xfd\x90\x64", "mp3"),
        (WEBM, "webm"),
        (OGG, "ogg"),
        (M4A, "m4a"),
        (b"\x00\x00\x00\x20ftypisom", "m4a"),
        (AMR, "amr"),
        (b"fLaC\x00\x00", "flac"),
        (b"\xff\xf1\x50\x80", "aac"),
    ],
)
def test_audio_is_known_by_its_first_bytes(recording, extension):
    assert recognise(recording[:64]).extension == extension


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"hello world",
        b"<html></html>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"\x00\x00\x00\x1cftypheic",
        b"\x00\x00\x00\x1cftypavif",
        "hi there".encode("utf-16"),
        b"\xff\xff\xff\xff",
        b"\xff\xfb",
        b"\xff\xeb\x90\x64",
        b"\x1aE\xdf\xa3" + bytes(60),
        b"\x7fELF",
    ],
)
def test_other_things_are_not(content):
    assert recognise(content) is None


@pytest.mark.parametrize(
    ("declared", "taken"),
    [
        ("audio/mp3", True),
        ("audio/m4a", True),
        ("audio/wav", True),
        ("audio/amr", True),
        ("audio/mpga", True),
        ("audio/mpeg", True),
        ("audio/webm", True),
        ("audio/ogg", True),
        ("audio/webm;codecs=opus", True),
        ("Audio/OGG; codecs=opus", True),
        ('audio/mp4; codecs="mp4a.40.2"', True),
        ("audio/x-m4a", True),
        ("audio/x-wav", True),
        ("audio/wave", True),
        ("application/ogg", True),
        ("", False),
        ("audio", False),
        ("audio/*", False),
        ("video/webm", False),
        ("text/plain", False),
        ("application/octet-stream", False),
    ],
)
def test_the_declared_type_has_to_be_on_the_list(declared, taken):
    assert is_accepted(declared) is taken
