"""Cut a text for speech models: into sentences while it grows, into longer pieces once it is whole.

Speech can so begin before the answer is complete, and no call is longer than a model accepts.
"""

import re
from collections.abc import Iterator

from app.providers.models.thoughts import TextChange, ThoughtReader, without_thoughts
from app.services.process.spoken_text import SpokenText

# All in characters. Speech models accept some 4,000 in one call.
LONGEST = 1_000
# Anything shorter is more often an abbreviation or a number in a list than a sentence.
SHORTEST_SENTENCE = 25
# Few calls for a whole text, each short enough to be heard soon.
SHORTEST_PIECE = 600
# A run of dots is looked at from its first one alone: it may be as long as the text.
_END = re.compile(r"(?<![.!?…])[.!?…]+[\"')\]”’»*_`~]*\s+|[。！？]+[”’」』）*_`~]*\s*|\n+")


class Sentences:
    """A growing Markdown text, handed out sentence by sentence as a voice can say it: `SpokenText` says what that is.

    Thoughts in think tags are no part of it.
    """

    def __init__(self) -> None:
        self._start_over()

    def _start_over(self) -> None:
        self._thoughts, self._spoken = ThoughtReader(tagged=False), SpokenText()
        self._rest = ""

    def feed(self, delta: str) -> list[str]:
        """Add to the text and return the sentences that are complete now."""
        return self._take(self._thoughts.feed(delta))

    def finish(self) -> list[str]:
        """Return what follows the last complete sentence."""
        found = self._take(self._thoughts.finish())
        rest = self._spoken.plain(self._rest)
        self._start_over()
        return found + _speakable([rest])

    def _take(self, change: TextChange) -> list[str]:
        if change.removed:
            # What came so far were thoughts.
            self._rest, self._spoken = "", SpokenText()
        text = self._rest + change.text
        found, start = [], 0
        while end := _find_end(text, start, SHORTEST_SENTENCE):
            found.append(self._spoken.plain(text[start:end]))
            start = end
        self._rest = text[start:]
        return _speakable(found)


def pieces(text: str) -> Iterator[str]:
    """Yield a whole Markdown text in pieces of whole sentences, as a voice can say them, without thoughts.

    Where nothing else is there to say, code in fences is said, or what there is without words. Nothing is yielded of a
    text that has thoughts alone.
    """
    text = without_thoughts(text)
    found = list(_pieces(text, SpokenText())) or list(_pieces(text, SpokenText(with_code=True)))
    yield from found or [text] * bool(text.strip())


def _pieces(text: str, spoken: SpokenText) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = _find_end(text, start, SHORTEST_PIECE) or len(text)
        yield from _speakable([spoken.plain(text[start:end])])
        start = end


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
