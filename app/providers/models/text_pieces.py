"""Join the pieces of a text in which characters may be cut: in UTF-8 bytes, or between the halves of a pair."""

import codecs
import re

_PAIR = re.compile("([\ud800-\udbff])([\udc00-\udfff])")
# Halves that stand for no byte: `surrogateescape` knows U+DC80 to U+DCFF.
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
REPLACEMENT = "�"


class TextPieces:
    """Takes pieces of a text and gives it back without lone surrogates, which neither PostgreSQL nor JSON accept.

    In the pieces a half of a surrogate pair is itself, and a byte that is no UTF-8 is as `surrogateescape` decodes it.
    A half or a byte waits for the piece that completes it; one that stays alone becomes U+FFFD.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._half = ""
        self._has_bytes = False
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, piece: str) -> None:
        """Add the next piece."""
        self._pieces.append(piece)

    def take(self, *, end: bool = False) -> str:
        """Return the text since the last call. `end`: nothing follows, so that nothing is held back."""
        if not (self._pieces or self._half or self._has_bytes):
            return ""
        text = self._half + "".join(self._pieces)
        self._pieces.clear()
        self._half = ""
        if not self._has_bytes and (text.isascii() or not _SURROGATE.search(text)):
            return text
        text = _PAIR.sub(_character, text)
        if text and "\ud800" <= text[-1] <= "\udbff" and not end:
            text, self._half = text[:-1], text[-1]
        whole = self._bytes.decode(_LONE.sub(REPLACEMENT, text).encode("utf-8", "surrogateescape"), final=end)
        self._has_bytes = bool(self._bytes.getstate()[0])
        return whole


def _character(pair: re.Match[str]) -> str:
    return chr(0x10000 + ((ord(pair[1]) - 0xD800) << 10) + ord(pair[2]) - 0xDC00)


def whole_text(text: str) -> str:
    """Return a whole text without lone surrogates."""
    pieces = TextPieces()
    pieces.add(text)
    return pieces.take(end=True)
