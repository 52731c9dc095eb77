"""The data of server-sent events, out of bytes cut anywhere."""

from app.errors import ProviderProtocolError

LARGEST_EVENT = 16_777_216


class EventStream:
    """Fed with pieces of a stream, gives the data of each event that is whole. Comments and other fields are skipped."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, content: bytes) -> list[bytes]:
        """Raises ProviderProtocolError for an event without an end."""
        lines = (self._rest + content).splitlines(keepends=True)
        # A carriage return at the very end may be the first half of a line's end.
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        if len(self._rest) > LARGEST_EVENT:
            raise ProviderProtocolError
        return self._events(lines)

    def finish(self) -> list[bytes]:
        """What the last lines hold if the stream ends here, without the empty line that should close an event."""
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
    """The same for a server that answers with one JSON document although a stream was asked for."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, content: bytes) -> list[bytes]:
        self._pieces.append(content)
        self._size += len(content)
        if self._size > LARGEST_EVENT:
            raise ProviderProtocolError
        return []

    def finish(self) -> list[bytes]:
        return [b"".join(self._pieces)]
