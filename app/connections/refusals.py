"""Answers to requests that never reach the app: the contract's JSON body, with the headers that pages need."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import orjson
from gunicorn.http import errors

from app.connections.client_socket import ClientTooSlow, HeadTooLarge
from app.errors import AppError

_ORIGIN = re.compile(rb"\r\norigin:[ \t]*+([^\r\n]{1,500}+)\r\n", re.IGNORECASE)


class Refusal(NamedTuple):
    """Why a request is not served; `seconds` after which the client may try again, 0: none are named."""

    status: int
    reason: str
    code: str
    message: str
    seconds: int = 0


MALFORMED = Refusal(400, "Bad Request", "bad_request", "The request is malformed.")
TOO_SLOW = Refusal(408, "Request Timeout", "request_timeout", "The request did not arrive in time.")
LINE_TOO_LONG = Refusal(414, "URI Too Long", "request_uri_too_long", "The request's address is too long.")
NOT_EXPECTED = Refusal(417, "Expectation Failed", "expectation_failed", "Only `Expect: 100-continue` is understood.")
TOO_MANY = Refusal(
    429, "Too Many Requests", "too_many_requests", "Too many connections from your address. Please close some.", 5
)
HEAD_TOO_LARGE = Refusal(
    431,
    "Request Header Fields Too Large",
    "request_header_fields_too_large",
    "The request's headers are too many or too long.",
)
FAULT = Refusal(500, "Internal Server Error", "unknown", "Internal Server Error")
CODING_UNKNOWN = Refusal(501, "Not Implemented", "not_implemented", "Bodies can be sent plainly or chunked.")

_KINDS: tuple[tuple[type[BaseException], Refusal], ...] = (
    (errors.LimitRequestLine, LINE_TOO_LONG),
    (errors.LimitRequestHeaders, HEAD_TOO_LARGE),
    (HeadTooLarge, HEAD_TOO_LARGE),
    (errors.ExpectationFailed, NOT_EXPECTED),
    (errors.UnsupportedTransferCoding, CODING_UNKNOWN),
    (ClientTooSlow, TOO_SLOW),
    (errors.NoMoreData, MALFORMED),
    (errors.ConfigurationProblem, FAULT),
    # The app's headers, not the client's.
    (errors.InvalidResponseHeader, FAULT),
    (errors.InvalidResponseHeaderName, FAULT),
    (errors.ParseException, MALFORMED),
)


def refusal_of(error: BaseException) -> Refusal:
    """Return how a request is answered that raised this error."""
    if isinstance(error, AppError):
        return Refusal(error.status, HTTPStatus(error.status).phrase, error.code, error.message)
    return next((refusal for kind, refusal in _KINDS if isinstance(error, kind)), FAULT)


def render(refusal: Refusal, headers: Mapping[str, str]) -> bytes:
    """Return the whole HTTP response."""
    body = orjson.dumps({"code": refusal.code, "message": refusal.message, "status": refusal.status})
    lines = {
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **({"Retry-After": str(refusal.seconds)} if refusal.seconds else {}),
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {refusal.status} {refusal.reason}\r\n{head}\r\n".encode("latin-1") + body


def origin_of(head: bytes) -> str | None:
    """Return the header `Origin` of what came of a head; None where there is none."""
    found = _ORIGIN.search(head)
    return found[1].rstrip(b" \t").decode("latin-1") if found else None
