"""Parse HTTP/1.1 responses (RFC 9112) from bytes as they come in; the caller reads the socket."""

import abc
import dataclasses
from collections.abc import Mapping

from app.errors import ProviderProtocolError

LARGEST_HEAD = 65_536


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers of a response; header names in lower case, of equal names the last counts."""

    status: int
    headers: Mapping[str, str]
    keep_alive: bool

    @property
    def is_interim(self) -> bool:
        """Whether the final response is still to come (100 Continue, 103 Early Hints)."""
        return 100 <= self.status < 200


def parse_head(raw: bytes) -> Head:
    """Parse a head, given without its closing empty line. Raises ProviderProtocolError."""
    status_line, *lines = raw.decode("latin-1").split("\r\n")
    version, _, rest = status_line.partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdecimal() and len(code) == 3):
        raise ProviderProtocolError
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    connection = headers.get("connection", "").lower()
    return Head(int(code), headers, "close" not in connection and (version != "HTTP/1.0" or "keep-alive" in connection))


class BodyReader(abc.ABC):
    """Takes the content of a response out of the bytes of its connection.

    `complete` once all of it has come; `excess` if bytes came after it: the connection is unfit for another call then.
    """

    complete = False
    excess = False

    @abc.abstractmethod
    def feed(self, data: bytes) -> bytes:
        """Return the content in these bytes of the connection. Raises ProviderProtocolError."""

    def end(self) -> None:
        """Note that the server has closed the connection. Raises ProviderProtocolError if content is missing."""
        if not self.complete:
            raise ProviderProtocolError


class LengthBody(BodyReader):
    """Reads a body of a known number of bytes."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = length == 0

    def feed(self, data: bytes) -> bytes:
        content = data[: self._left]
        self.excess = self.excess or len(data) > self._left
        self._left -= len(content)
        self.complete = not self._left
        return content


class EndlessBody(BodyReader):
    """Reads a body that ends with the connection."""

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.complete = True


class ChunkedBody(BodyReader):
    """Reads a body in chunks, each with its size before it; chunk extensions and trailers are skipped.

    The bytes of the connection may be cut anywhere, so that a state carries over from one `feed` to the next: inside a
    chunk's content (`_left` bytes of it are missing), before the line break that ends a chunk, or inside the trailer.
    Everything but content comes in lines; the beginning of a line whose end is missing waits in `_rest`.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0
        self._before_line_break = False
        self._in_trailer = False

    def feed(self, data: bytes) -> bytes:
        if self._rest:
            data, self._rest = self._rest + data, b""
        contents = []
        position = 0
        while not self.complete:
            if self._left:
                content = data[position : position + self._left]
                if not content:
                    break
                contents.append(content)
                position += len(content)
                self._left -= len(content)
                self._before_line_break = not self._left
                continue
            end = data.find(b"\r\n", position)
            if end < 0:
                self._keep(data[position:])
                position = len(data)
                break
            self._take_line(data[position:end])
            position = end + 2
        self.excess = self.excess or position < len(data)
        return b"".join(contents)

    def _take_line(self, line: bytes) -> None:
        if self._in_trailer:
            self.complete = not line
        elif self._before_line_break:
            if line:
                raise ProviderProtocolError
            self._before_line_break = False
        else:
            # The chunk of size 0 is the last; the trailer after it ends with an empty line.
            self._left = _chunk_size(line)
            self._in_trailer = not self._left

    def _keep(self, rest: bytes) -> None:
        # A line that never ends must not fill the memory.
        if len(rest) > LARGEST_HEAD:
            raise ProviderProtocolError
        self._rest = rest


def _chunk_size(line: bytes) -> int:
    try:
        size = int(line.partition(b";")[0], 16)
    except ValueError:
        raise ProviderProtocolError from None
    if size < 0:
        raise ProviderProtocolError
    return size


def body_reader(head: Head) -> BodyReader:
    """Return the reader of the body after a head. Raises ProviderProtocolError for unknown lengths and codings."""
    if head.status in (204, 304):
        return LengthBody(0)
    coding = head.headers.get("transfer-encoding", "").lower()
    if coding not in ("", "identity", "chunked"):
        raise ProviderProtocolError
    if coding == "chunked":
        return ChunkedBody()
    length = head.headers.get("content-length")
    if length is None:
        return EndlessBody()
    if not (length.isascii() and length.isdecimal()):
        raise ProviderProtocolError
    return LengthBody(int(length))
