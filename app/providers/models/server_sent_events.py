"""Parse server-sent events from bytes that may be cut anywhere."""

from app.errors import ProviderProtocolError

LARGEST_EVENT = 16_777_216


class EventStream:
    """Takes pieces of a stream and returns the data of each complete event; comments and other fields are skipped."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, content: bytes) -> list[bytes]:
        """Return the data of the events that these bytes complete. Raises ProviderProtocolError for an endless line."""
        lines = (self._rest + content).splitlines(keepends=True)
        # Lines end with \n, \r\n or \r: a \r at the very end may be half of \r\n, and waits for the next piece.
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
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
                data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                data.append(b"")
            elif not line and data:
                event = data[0] if len(data) == 1 else b"\n".join(data)
                data.clear()
                if event:
                    events.append(event)
        return events


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
