"""Text cut where a voice would pause, so that speech can begin before the text is whole, and no call is too long for its model."""

import re
from collections.abc import Iterator

# Speech models take some 4,000 characters at once.
MOST = 1_000
# Anything shorter is more often an abbreviation or a number in a list than a sentence.
SENTENCE = 25
PARAGRAPH = 600
_END = re.compile(r"[.!?…]+[\"')\]”’»]*\s+|[。！？]+[”’」』）]*\s*|\n+")


class Sentences:
    """A growing text."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, delta: str) -> list[str]:
        """The sentences that are whole by now."""
        text = self._rest + delta
        found, start = [], 0
        while end := _end(text, start, SENTENCE):
            found.append(text[start:end])
            start = end
        self._rest = text[start:]
        return _worded(found)

    def finish(self) -> list[str]:
        """What stands behind the last whole sentence."""
        rest, self._rest = self._rest, ""
        return _worded([rest])


def pieces(text: str) -> Iterator[str]:
    """A whole text in as few pieces as can be sent; all of it at once where there is no word in it."""
    start, any_words = 0, False
    while start < len(text):
        end = _end(text, start, PARAGRAPH) or len(text)
        for piece in _worded([text[start:end]]):
            any_words = True
            yield piece
        start = end
    if not any_words:
        yield text


def _end(text: str, start: int, least: int) -> int:
    """Behind the first sentence that ends at least so far from the start; 0 where none does yet."""
    for match in _END.finditer(text, start, start + MOST):
        if match.end() - start >= least:
            return match.end()
    if len(text) - start <= MOST:
        return 0
    space = text.rfind(" ", start + 1, start + MOST)
    return space + 1 if space > 0 else start + MOST


def _worded(found: list[str]) -> list[str]:
    """Without those that nobody can say: rules, bullets, faces."""
    return [piece.strip() for piece in found if any(sign.isalnum() for sign in piece)]
