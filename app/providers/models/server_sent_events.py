"""Parse server-sent events from bytes that may be cut anywhere."""

from app.errors import ProviderProtocolError

LARGEST_EVENT = 16_777_216
BOM = b"\xef\xbb\xbf"
BEGINNING = 200


class EventStream:
    """Takes pieces of a stream and returns the data of each complete event; comments and other fields are skipped."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._after_return = False

    def feed(self, content: bytes) -> list[bytes]:
        """Return the data of the events that these bytes complete. Raises ProviderProtocolError for an endless line."""
        # Lines end with \n, \r\n or \r. A \r at the very end ends its line at once, and a \n behind it says nothing.
        if self._after_return and content.startswith(b"\n"):
            content = content[1:]
        self._after_return = content.endswith(b"\r") if content else self._after_return
        lines = (self._rest + content).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        if len(self._rest) > LARGEST_EVENT:
            raise ProviderProtocolError
        return self._events(lines)

    def finish(self) -> list[bytes]:
        """Return the data of a last event that lacks its closing empty line."""
        lines, self._rest = [self._rest, b"\n"], b""
        return self._events(lines)

    def _events(self, lines: list[bytes]) -> list[bytes]:
        events = []
        data = self._data
        for line in lines:
            line = line.rstrip(b"\r\n")
            if line.startswith(b"data:"):
                value = line[6:] if line[5:6] == b" " else line[5:]
                # Some servers leave out the empty line between two events. No JSON has `{` right behind `}`.
                if data and data[-1].rstrip().endswith(b"}") and value.lstrip().startswith((b"{", b"[DONE]")):
                    events += _take(data)
                data.append(value)
            elif line == b"data":
                data.append(b"")
            elif not line and data:
                events += _take(data)
        return events


def _take(data: list[bytes]) -> list[bytes]:
    event = data[0] if len(data) == 1 else b"\n".join(data)
    data.clear()
    return [event] if event else []


class WholeDocument:
    """Stands in for EventStream where a server sends one JSON document in place of a stream: its only event."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, content: bytes) -> list[bytes]:
        """Keep a piece; never completes an event. Raises ProviderProtocolError for a document that is too large."""
        self._pieces.append(content)
        self._size += len(content)
        if self._size > LARGEST_EVENT:
            raise ProviderProtocolError
        return []

    def finish(self) -> list[bytes]:
        """Return the whole document."""
        return [b"".join(self._pieces)]


class AnswerEvents:
    """The events of a response, whatever its media type says: a JSON document shows by its first character.

    `beginning`: the first bytes that came, for the log.
    """

    def __init__(self) -> None:
        self.beginning = b""
        self.is_document = False
        self._source: EventStream | WholeDocument | None = None
        self._undecided = b""

    def feed(self, content: bytes) -> list[bytes]:
        """Return the data of the events that these bytes complete. Raises ProviderProtocolError."""
        if len(self.beginning) < BEGINNING:
            self.beginning += content[: BEGINNING - len(self.beginning)]
        if self._source is not None:
            return self._source.feed(content)
        self._undecided += content
        start = self._undecided.removeprefix(BOM).lstrip()
        if not start or BOM.startswith(self._undecided):
            return self._bounded()
        return self._decide(start)

    def finish(self) -> list[bytes]:
        """Return the data of what lacks its end: the whole document, or the last event."""
        if self._source is None:
            return self._decide(self._undecided) + self.finish() if self._undecided else []
        return self._source.finish()

    def _decide(self, start: bytes) -> list[bytes]:
        self.is_document = start.startswith((b"{", b"["))
        self._source = WholeDocument() if self.is_document else EventStream()
        return self._source.feed(start)

    def _bounded(self) -> list[bytes]:
        """Keep only what may be a mark of UTF-8: blank lines before the first event say nothing."""
        if not BOM.startswith(self._undecided):
            self._undecided = b""
        return []
