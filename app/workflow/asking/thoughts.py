"""Separates a model's reasoning, in think tags, from its answer."""

import re

_OPENING, _CLOSING = "<think>", "</think>"
_FLAGS = re.IGNORECASE | re.ASCII
_TAGS = {False: re.compile(_OPENING, _FLAGS), True: re.compile(_CLOSING, _FLAGS)}


class ThoughtSplitter:
    """Splits a growing text into answer and reasoning. Tags may be cut anywhere between two pieces.

    Newlines behind a closing tag are dropped. Reasoning that is never closed stays reasoning: the model reached its
    limit of tokens before it answered.
    """

    def __init__(self) -> None:
        self._pending = ""
        self._thinking = self._just_closed = False
        self._thoughts = [""]

    @property
    def reasoning(self) -> str:
        """All reasoning so far, its parts joined by newlines."""
        return "\n".join(filter(None, map(str.strip, self._thoughts)))

    def feed(self, piece: str) -> str:
        """Add a piece of the text; return what is now known to belong to the answer.

        Characters at the end that may begin a tag are held back until the next piece, or `finish`, decides.
        """
        self._pending += piece
        answer = ""
        while match := _TAGS[self._thinking].search(self._pending):
            answer += self._take(match.start())
            self._pending = self._pending[len(match[0]) :]
            self._switch()
        return answer + self._take(len(self._pending) - self._uncertain())

    def finish(self) -> str:
        """End the text; return the rest of the answer."""
        return self._take(len(self._pending))

    def _switch(self) -> None:
        """Cross a tag: from answer to reasoning, or back."""
        self._thinking = not self._thinking
        self._just_closed = not self._thinking
        if self._thinking:
            self._thoughts.append("")

    def _take(self, length: int) -> str:
        """Move so many pending characters to where they belong; return them if that is the answer."""
        taken, self._pending = self._pending[:length], self._pending[length:]
        if self._thinking:
            self._thoughts[-1] += taken
            return ""
        if self._just_closed:
            taken = taken.lstrip("\r\n")
            self._just_closed = not taken
        return taken

    def _uncertain(self) -> int:
        """Return how many of the last characters may be the beginning of a tag."""
        tag = _CLOSING if self._thinking else _OPENING
        sizes = range(min(len(tag) - 1, len(self._pending)), 0, -1)
        return next((size for size in sizes if self._pending[-size:].lower() == tag[:size]), 0)
