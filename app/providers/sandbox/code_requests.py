"""The HTTP requests of code in the sandbox: the process of the code describes one, the worker makes it."""

import base64
import time
from dataclasses import dataclass
from typing import Any, Protocol

from app.providers.cancellation import Cancellation
from app.providers.sandbox.messages import SandboxFailed

MOST_REQUESTS = 100
USUAL_SECONDS = 60.0
LEAST_SECONDS = 0.1


@dataclass(frozen=True)
class CodeRequest:
    """One request, without its redirects. `seconds`: how long it may take; `verify`: check certificates."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float
    verify: bool


@dataclass(frozen=True)
class CodeResponse:
    """The response to a request of code, whatever its status."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes


class CodeRequestFailed(Exception):
    """A request is refused, or got no response; the text is one line for the code."""


class CodeHttp(Protocol):
    """Makes the requests of code, with the rules and limits of HTTP nodes."""

    def __call__(self, request: CodeRequest, cancellation: Cancellation) -> CodeResponse:
        """Return the response. Raises CodeRequestFailed, Cancelled."""


class RequestDesk:
    """Answers the requests of one call of code, at most MOST_REQUESTS."""

    def __init__(self, http: CodeHttp | None, cancellation: Cancellation) -> None:
        """`http`: None where the code may request nothing."""
        self._http = http
        self._cancellation = cancellation
        self._count = 0

    def answer(self, message: Any, seconds: float) -> dict[str, Any]:
        """Make a request within so many seconds; return the message that tells its response.

        Raises SandboxFailed for one request too many, Cancelled.
        """
        self._count += 1
        if self._count > MOST_REQUESTS:
            # The end of the call, for each further message would keep the worker busy.
            raise SandboxFailed(f"The code makes more than {MOST_REQUESTS} requests.")
        if self._http is None:
            return {"error": "HTTP requests are not available here."}
        try:
            request = _request(message, seconds)
        except (KeyError, TypeError, ValueError, OverflowError):
            return {"error": "This request cannot be sent."}
        began = time.monotonic()
        try:
            response = self._http(request, self._cancellation)
        except CodeRequestFailed as failure:
            return {"error": str(failure), "late": time.monotonic() - began >= request.seconds}
        return {
            "status": response.status,
            "headers": response.headers,
            "content": base64.b64encode(response.content).decode(),
        }


def _request(message: Any, seconds: float) -> CodeRequest:
    """Return the request that a process describes; it may write anything."""
    wanted = message["timeout"]
    return CodeRequest(
        str(message["method"]).upper(),
        str(message["url"]),
        tuple((str(name), str(value)) for name, value in message["headers"]),
        base64.b64decode(message["body"]),
        max(LEAST_SECONDS, min(seconds, float(wanted) if wanted else USUAL_SECONDS)),
        bool(message["verify"]),
    )
