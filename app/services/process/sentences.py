"""Cut a text for speech models: into sentences while it grows, into longer pieces once it is whole.

Speech can so begin before the answer is complete, and no call is longer than a model accepts.
"""

import re
from collections.abc import Iterator

# All in characters. Speech models accept some 4,000 in one call.
LONGEST = 1_000
# Anything shorter is more often an abbreviation or a number in a list than a sentence.
SHORTEST_SENTENCE = 25
# Few calls for a whole text, each short enough to be heard soon.
SHORTEST_PIECE = 600
# A run of dots is looked at from its first one alone: it may be as long as the text.
_END = re.compile(r"(?<![.!?…])[.!?…]+[\"')\]”’»]*\s+|[。！？]+[”’」』）]*\s*|\n+")


class Sentences:
    """A growing text, handed out sentence by sentence. What cannot be spoken (rules, bullets, emoji) is left out."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, delta: str) -> list[str]:
        """Add to the text and return the sentences that are complete now."""
        text = self._rest + delta
        found, start = [], 0
        while end := _find_end(text, start, SHORTEST_SENTENCE):
            found.append(text[start:end])
            start = end
        self._rest = text[start:]
        return _speakable(found)

    def finish(self) -> list[str]:
        """Return what follows the last complete sentence."""
        rest, self._rest = self._rest, ""
        return _speakable([rest])


def pieces(text: str) -> Iterator[str]:
    """Yield a whole text in pieces of whole sentences; all of it in one piece where there is no word in it."""
    start, any_words = 0, False
    while start < len(text):
        end = _find_end(text, start, SHORTEST_PIECE) or len(text)
        for piece in _speakable([text[start:end]]):
            any_words = True
            yield piece
        start = end
    if not any_words:
        yield text


def _find_end(text: str, start: int, least: int) -> int:
    """Return the end of the first sentence that ends at least `least` characters after `start`; 0 where none does yet.

    A sentence of more than LONGEST characters is cut at its last space before that, or there.
    """
    for match in _END.finditer(text, start, start + LONGEST):
        if match.end() - start >= least:
            return match.end()
    if len(text) - start <= LONGEST:
        return 0
    space = text.rfind(" ", start + 1, start + LONGEST)
    return space + 1 if space > 0 else start + LONGEST


def _speakable(found: list[str]) -> list[str]:
    return [piece.strip() for piece in found if any(sign.isalnum() for sign in piece)]
