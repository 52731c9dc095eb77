"""Send HTTP requests to addresses that end users, app files or forms name; addresses inside our network are refused.

A host name is looked up once, each of its addresses is checked, and the connection is made to a checked address: a
second, different answer of the DNS cannot lead elsewhere. Each redirect is a request of its own with the same checks.
"""

import contextlib
import dataclasses
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import requests

from app import tracing
from app.providers.cancellation import Cancellation
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.fetch.request_gate import Adapter, FetchFailed, FetchRefused, FetchTooLarge, Gate
from app.providers.http.outgoing import WITHOUT_PROXY, Outgoing
from app.tracing import TraceSpan

PIECE = 65_536
LONGEST_URL = 8_192
REDIRECTS = (301, 302, 303, 307, 308)
# Headers that a redirect to another origin keeps; all others may hold credentials.
HARMLESS_HEADERS = {
    "accept",
    "accept-encoding",
    "accept-language",
    "content-length",
    "content-type",
    "range",
    "user-agent",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take.

    `connect` and `read`: seconds of one wait; `total`: seconds of the whole, redirects and body included; `size`: bytes
    of content after decompression; `redirects`: how many are followed.
    """

    connect: float = 5.0
    read: float = 10.0
    total: float = 60.0
    size: int = 10_485_760
    redirects: int = 5


class GuardedResponse:
    """A response whose head has come; the caller reads its body once, by `pieces` or `read`, and closes it."""

    def __init__(self, response: requests.Response, gate: Gate, limits: Limits) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.url = str(response.url)
        self._response = response
        self._gate = gate
        self._limits = limits

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def announced_size(self) -> int | None:
        """Return the bytes by `Content-Length`; None if it is missing or no number."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None

    def pieces(self) -> Iterator[bytes]:
        """Yield the content as it comes. Raises FetchTooLarge, FetchTimeout, FetchFailed, Cancelled."""
        limit = self._limits.size
        if (self.announced_size() or 0) > limit:
            raise FetchTooLarge(f"The response is larger than {limit} bytes.")
        size = 0
        with self._gate.failures(self.url):
            while True:
                piece = self._response.raw.read(PIECE, decode_content=True)
                # To urllib3 a socket that we have shut looks like the end of a body of unknown length.
                self._gate.raise_if_over()
                if not piece:
                    return
                size += len(piece)
                if size > limit:
                    raise FetchTooLarge(f"The response is larger than {limit} bytes.")
                yield piece

    def read(self) -> bytes:
        """Read the whole content. Raises as `pieces`."""
        return b"".join(self.pieces())

    def close(self) -> None:
        """Close the connection."""
        self._response.raw.close()
        self._gate.close()


class GuardedHttp:
    """The guarded HTTP client of one process. Shared by all threads.

    It keeps no connections and no cookies, and uses no password of this machine. `outgoing`: proxies and authorities.
    """

    def __init__(self, allowed: AllowedAddresses | None = None, outgoing: Outgoing = WITHOUT_PROXY) -> None:
        self._allowed, self._outgoing = allowed or AllowedAddresses(), outgoing

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Sequence[tuple[str, str]] = (),
        data: bytes | Sequence[tuple[str, str]] | None = None,
        files: Sequence[tuple[str, tuple[str | None, bytes, str]]] | None = None,
        verify: bool = True,
        limits: Limits = Limits(),
        cancellation: Cancellation | None = None,
    ) -> GuardedResponse:
        """Send a request, follow its redirects, and return the response, of whatever status.

        With `limits.redirects` 0 the redirect itself is returned. `data` and `files` as `requests` takes them.
        Raises FetchRefused, FetchTimeout, FetchFailed, Cancelled.
        """
        gate = Gate(self._allowed, cancellation or Cancellation(), limits.total, self._outgoing)
        try:
            prepared = _prepare(method, url, headers or {}, params, data, files)
            with _span(prepared) as span:
                response = self._follow(prepared, gate, verify, limits)
                span.set({"http.response.status_code": response.status_code})
            return GuardedResponse(response, gate, limits)
        except BaseException:
            gate.close()
            raise

    def _follow(
        self, prepared: requests.PreparedRequest, gate: Gate, verify: bool, limits: Limits
    ) -> requests.Response:
        for _ in range(limits.redirects + 1):
            response = self._send(prepared, gate, verify, limits)
            following = _redirected(prepared, response) if limits.redirects else None
            if following is None:
                return response
            # Without reading the body of the redirect: it may be endless.
            response.raw.close()
            prepared = following
        raise FetchFailed("The server redirects too often.")

    def _send(self, prepared: requests.PreparedRequest, gate: Gate, verify: bool, limits: Limits) -> requests.Response:
        url = str(prepared.url)
        check_url(url)
        with gate.failures(url):
            gate.raise_if_over()
            response = Adapter(gate, verify, self._outgoing).send(
                prepared, stream=True, timeout=(limits.connect, limits.read), verify=verify
            )
            # To urllib3 a socket that we have shut looks like the end of the headers.
            gate.raise_if_over()
            return response


def check_url(url: str) -> None:
    """Raise FetchRefused for a URL that is malformed, has another scheme than http or https, or holds a password."""
    if len(url) > LONGEST_URL or not url.isprintable() or "\\" in url or " " in url:
        raise FetchRefused("The URL is not valid.")
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        raise FetchRefused("The URL is not valid.") from None
    if parts.scheme not in ("http", "https"):
        raise FetchRefused("Only http and https URLs can be fetched.")
    if "@" in parts.netloc:
        raise FetchRefused("URLs with a user name or password are not allowed.")
    # A percent sign precedes a network interface behind an address, or hides a host that some libraries would decode.
    if not host or "%" in host or port == 0:
        raise FetchRefused("The URL is not valid.")


def _prepare(
    method: str,
    url: str,
    headers: Mapping[str, str],
    params: Sequence[tuple[str, str]],
    data: Any,
    files: Any,
) -> requests.PreparedRequest:
    check_url(url)
    if not (method.isascii() and method.isalpha()):
        raise FetchRefused("This request cannot be sent.")
    sent = requests.structures.CaseInsensitiveDict(
        {"User-Agent": "frontdesk", "Accept": "*/*", "Accept-Encoding": "identity", **headers}
    )
    try:
        return requests.Request(method, url, headers=dict(sent), params=list(params), data=data, files=files).prepare()
    except (requests.RequestException, ValueError, TypeError):
        raise FetchRefused("This request cannot be sent.") from None


def _redirected(request: requests.PreparedRequest, response: requests.Response) -> requests.PreparedRequest | None:
    """Return the request that a redirect leads to; None if the response is no redirect."""
    location = response.headers.get("Location")
    if response.status_code not in REDIRECTS or not location:
        return None
    following = request.copy()
    with contextlib.suppress(UnicodeError):
        # http.client decodes headers as latin-1; servers write UTF-8.
        location = location.encode("latin-1").decode("utf-8")
    try:
        # The fragment is for browsers alone and not sent.
        following.prepare_url(urllib.parse.urldefrag(urllib.parse.urljoin(str(request.url), location))[0], None)
    except (requests.RequestException, ValueError):
        raise FetchRefused("The server redirects to an invalid URL.") from None
    # The method becomes GET after 302 and 303, and after 301 if it was POST, as in browsers; the body is dropped below.
    requests.sessions.SessionRedirectMixin().rebuild_method(following, response)
    if response.status_code not in (307, 308):
        following.body = None
        for name in ("Content-Length", "Content-Type", "Transfer-Encoding"):
            following.headers.pop(name, None)
    if _origin(str(following.url)) != _origin(str(request.url)):
        for name in [name for name in following.headers if name.lower() not in HARMLESS_HEADERS]:
            del following.headers[name]
    return following


def _span(request: requests.PreparedRequest) -> TraceSpan:
    """Return the span of a request, until the head of its response; without the path, which may have secrets."""
    scheme, host, port = _origin(str(request.url))
    method = str(request.method)
    attributes = {"http.request.method": method, "url.scheme": scheme, "server.address": host, "server.port": port}
    return tracing.span(method, attributes, kind="client")


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
