"""HTTP/1.1 answers, taken apart as their bytes come in. No sockets here."""

import abc
import dataclasses
from collections.abc import Mapping

from app.errors import ProviderProtocolError

LARGEST_HEAD = 65_536


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers of an answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    keep_alive: bool

    @property
    def is_interim(self) -> bool:
        """Whether the real answer is still to come (100 Continue, 103 Early Hints)."""
        return 100 <= self.status < 200


def parse_head(raw: bytes) -> Head:
    """Read a head without its closing empty line. Raises ProviderProtocolError."""
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
    """The content of an answer. `complete` once all of it came; `excess` if more came than it should have."""

    complete = False
    excess = False

    @abc.abstractmethod
    def feed(self, data: bytes) -> bytes:
        """The content in these bytes of the connection. Raises ProviderProtocolError."""

    def end(self) -> None:
        """The server has closed. Raises ProviderProtocolError if that came too early."""
        if not self.complete:
            raise ProviderProtocolError


class LengthBody(BodyReader):
    """A body of a known number of bytes."""

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
    """A body that ends with the connection."""

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.complete = True


class ChunkedBody(BodyReader):
    """A body in chunks, each with its size in front; trailers are skipped."""

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0
        self._behind_content = False
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
                self._behind_content = not self._left
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
        elif self._behind_content:
            if line:
                raise ProviderProtocolError
            self._behind_content = False
        else:
            self._left = _chunk_size(line)
            self._in_trailer = not self._left

    def _keep(self, rest: bytes) -> None:
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


def body_of(head: Head) -> BodyReader:
    """What follows a head. Raises ProviderProtocolError for lengths and codings that cannot be read."""
    if head.status in (204, 304):
        return LengthBody(0)
    coding = head.headers.get("transfer-encoding", "").lower()
    if (
        coding not in ("", "identity", "chunked")
        or head.headers.get("content-encoding", "identity").lower() != "identity"
    ):
        raise ProviderProtocolError
    if coding == "chunked":
        return ChunkedBody()
    length = head.headers.get("content-length")
    if length is None:
        return EndlessBody()
    if not (length.isascii() and length.isdecimal()):
        raise ProviderProtocolError
    return LengthBody(int(length))
