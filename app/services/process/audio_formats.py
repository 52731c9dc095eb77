"""Check the media type of a recording, and recognise its format by its first bytes.

Contract: endpoints.md, POST /audio-to-text.
"""

from typing import NamedTuple

# The contract's list, and what browsers record.
DECLARED = frozenset(
    {
        "audio/mp3",
        "audio/m4a",
        "audio/wav",
        "audio/amr",
        "audio/mpga",
        "audio/mpeg",
        "audio/webm",
        "audio/ogg",
        "audio/mp4",
        "audio/x-m4a",
        "audio/x-wav",
        "audio/wave",
        "application/ogg",
    }
)
HEAD_BYTES = 64
_MP4_BRANDS = (b"M4A", b"M4B", b"mp4", b"isom", b"iso", b"qt", b"dash", b"3gp", b"f4a", b"avc1", b"cmf")


class AudioFormat(NamedTuple):
    """A format as it is named to model servers, which go by the file's extension."""

    extension: str
    media_type: str


MP3, WAV, M4A = AudioFormat("mp3", "audio/mpeg"), AudioFormat("wav", "audio/wav"), AudioFormat("m4a", "audio/mp4")
OGG, WEBM, AMR = AudioFormat("ogg", "audio/ogg"), AudioFormat("webm", "audio/webm"), AudioFormat("amr", "audio/amr")
FLAC, AAC = AudioFormat("flac", "audio/flac"), AudioFormat("aac", "audio/aac")


def is_accepted(declared: str) -> bool:
    """Return whether a media type is on the contract's list; parameters such as `;codecs=opus` are ignored."""
    return declared.partition(";")[0].strip().lower() in DECLARED


def recognise(head: bytes) -> AudioFormat | None:
    """Return the format of a recording by its first bytes (HEAD_BYTES of them suffice), None where it is no audio.

    The media type that the sender declares is not used: browsers and recorders mislabel each other's formats.
    """
    for beginning, found in ((b"ID3", MP3), (b"OggS", OGG), (b"#!AMR", AMR), (b"fLaC", FLAC)):
        if head.startswith(beginning):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return WAV
    if head[4:8] == b"ftyp" and head[8:12].startswith(_MP4_BRANDS):
        return M4A
    if head[:4] == b"\x1aE\xdf\xa3" and (b"webm" in head or b"matroska" in head):
        return WEBM
    return _mpeg(head)


def _mpeg(head: bytes) -> AudioFormat | None:
    # A frame of MPEG audio begins with eleven set bits; then come fields of which some values never occur.
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, rate, sampling = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    if head[1] & 0xF6 == 0xF0:
        return AAC
    # Layer I is left out: nobody records it, and a UTF-16 text looks like it.
    return MP3 if version != 1 and layer in (1, 2) and rate != 15 and sampling != 3 else None
