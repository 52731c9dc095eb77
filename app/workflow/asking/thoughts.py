"""What a model thinks aloud between think tags, told apart from what it says."""

import re

_OPENING, _CLOSING = "<think>", "</think>"
_FLAGS = re.IGNORECASE | re.ASCII
_TAGS = {False: re.compile(_OPENING, _FLAGS), True: re.compile(_CLOSING, _FLAGS)}


class ThoughtSplitter:
    """Splits a text as it grows; a tag may be cut anywhere. Newlines behind a closing tag belong to nothing.

    A thought that is never closed stays a thought: its model ran out of room.
    """

    def __init__(self) -> None:
        self._pending = ""
        self._thinking = self._just_closed = False
        self._thoughts = [""]

    @property
    def reasoning(self) -> str:
        """All thoughts so far, one below the other."""
        return "\n".join(filter(None, map(str.strip, self._thoughts)))

    def feed(self, piece: str) -> str:
        """What the model certainly says, with the next piece known."""
        self._pending += piece
        said = ""
        while match := _TAGS[self._thinking].search(self._pending):
            said += self._take(match.start())
            self._pending = self._pending[len(match[0]) :]
            self._turn()
        return said + self._take(len(self._pending) - self._uncertain())

    def finish(self) -> str:
        """What else it says, now that nothing follows."""
        return self._take(len(self._pending))

    def _turn(self) -> None:
        self._thinking = not self._thinking
        self._just_closed = not self._thinking
        if self._thinking:
            self._thoughts.append("")

    def _take(self, length: int) -> str:
        taken, self._pending = self._pending[:length], self._pending[length:]
        if self._thinking:
            self._thoughts[-1] += taken
            return ""
        if self._just_closed:
            taken = taken.lstrip("\r\n")
            self._just_closed = not taken
        return taken

    def _uncertain(self) -> int:
        """How many of the last characters may be the beginning of a tag."""
        tag = _CLOSING if self._thinking else _OPENING
        sizes = range(min(len(tag) - 1, len(self._pending)), 0, -1)
        return next((size for size in sizes if self._pending[-size:].lower() == tag[:size]), 0)
