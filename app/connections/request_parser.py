"""Parse requests: gunicorn's parser, with longer request lines, and bodies whose faults are errors of the contract."""

import re
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.http.errors import InvalidHeader, NoMoreData, ParseException
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from app.connections.client_socket import ClientTooSlow
from app.errors import BadRequest, RequestTimeout

# 8 KiB of a path and query, as others allow, with room for the method and the version.
LONGEST_REQUEST_LINE = 16_384
# So much of a body is read before the app is called: one that does not come costs little then.
FETCHED_BYTES = 65_536
# An address in brackets, or labels of at most 63 characters; and a port.
HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?)(?::[0-9]{1,5})?")
LONGEST_HOST = 255


class BoundedRequest(Request):  # type: ignore[misc]  # gunicorn has no types
    """The head of a request, and its body to be read."""

    def parse(self, unreader: Any) -> Any:
        """Read the head. gunicorn itself allows no limit above 8,190 bytes for the request line."""
        self.limit_request_line = LONGEST_REQUEST_LINE
        return super().parse(unreader)

    def set_body_reader(self) -> None:
        """Choose how the body is read, by the headers. Raises InvalidHeader for a host that is none."""
        host = self._header("HOST")
        if host and not (HOST.fullmatch(host) and len(host) <= LONGEST_HOST):
            raise InvalidHeader("HOST", req=self)
        super().set_body_reader()
        self.body.reader = CheckedReader(self, self.body.reader)

    def fetch_body(self) -> None:
        """Wait for the beginning of the body. Raises BadRequest, RequestTimeout."""
        # Such a client sends its body when the app begins to answer.
        if not self._expected_100_continue:
            self.body.reader.fetch()

    @property
    def origin(self) -> str | None:
        """The header `Origin`; None where there is none."""
        return self._header("ORIGIN")

    def _header(self, wanted: str) -> str | None:
        return next((value for name, value in self.headers if name == wanted), None)


class BoundedParser(RequestParser):  # type: ignore[misc]  # gunicorn has no types
    """The requests of one connection, one after the other."""

    mesg_class = BoundedRequest


class CheckedReader:
    """Reads a body. Raises BadRequest where it is malformed or cut off, RequestTimeout where it comes too slowly.

    What the client sends after such a body cannot be read as a request: the connection closes after the answer.
    """

    def __init__(self, request: BoundedRequest, reader: Any) -> None:
        self._request = request
        self._reader = reader
        self._fetched = b""

    def fetch(self) -> None:
        """Read the beginning of the body, at most FETCHED_BYTES, so that whoever reads it need not wait for it."""
        pieces, missing = [], FETCHED_BYTES
        while missing > 0 and (piece := self._checked(missing)):
            pieces.append(piece)
            missing -= len(piece)
        self._fetched = b"".join(pieces)

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes; none only at the body's end."""
        if self._fetched:
            data, self._fetched = self._fetched[:size], self._fetched[size:]
            return data
        return self._checked(size)

    def _checked(self, size: int) -> bytes:
        expected = min(size, self._reader.length) if isinstance(self._reader, LengthReader) else 0
        try:
            data: bytes = self._reader.read(size)
        except ClientTooSlow:
            self._request.force_close()
            raise RequestTimeout from None
        except (ParseException, NoMoreData, OSError):
            self._request.force_close()
            raise BadRequest("The request's body is malformed or incomplete.") from None
        if len(data) < expected:
            self._request.force_close()
            raise BadRequest("The request's body is shorter than its Content-Length.")
        return data
