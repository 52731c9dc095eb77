"""Open the connections of one guarded request: to checked addresses only, within its deadline, until it is cancelled.

`requests` and urllib3 speak HTTP; the subclasses here replace only the step at which urllib3 opens a socket, where it
would look the name up itself. The name is thus looked up once, and what was checked is what is connected to.
"""

import contextlib
import functools
import logging
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any, NoReturn

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from app.errors import ProviderTimeout
from app.providers.cancellation import Cancellation, CancelScope
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.http.connecting import connect_through, connect_to, interrupt, look_up
from app.providers.http.outgoing import WITHOUT_PROXY, Outgoing, Proxy

logger = logging.getLogger(__name__)

# Behind a proxy the network may have no name server that knows the world outside, and not even say so.
LOOK_UP_SECONDS = 2.0
# Certificates are left unverified only where an app file says so: a warning for each request would not help.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


class FetchFailed(Exception):
    """A request got no response; the text is one line for the person who named the address."""


class FetchRefused(FetchFailed):
    """The URL is not valid, or its addresses are not allowed."""


class FetchTimeout(FetchFailed):
    """The response, or the next piece of it, did not come in time."""


class FetchTooLarge(FetchFailed):
    """The response is larger than its limit."""


class Gate:
    """Opens the connections of one request and its redirects, which share the deadline `seconds` from now.

    A stop and the deadline shut all its sockets from outside, whatever urllib3 is waiting for. To be closed.

    Where `outgoing` has a proxy for a server, that proxy looks the name up and connects. The gate cannot choose the
    address then: it refuses names of which one address is not allowed, and names that only a network of ours knows.
    """

    def __init__(
        self, allowed: AllowedAddresses, cancellation: Cancellation, seconds: float, outgoing: Outgoing = WITHOUT_PROXY
    ) -> None:
        self._allowed, self._outgoing = allowed, outgoing
        self._cancellation = cancellation
        self._scope = CancelScope(cancellation, time.monotonic() + seconds)
        self._handles: list[socket.socket] = []
        self._lock = threading.Lock()
        self._expired = self._closed = False
        # urllib3 limits single reads; a server that sends a byte now and then would pass them for ever.
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()
        cancellation.add(self._interrupt)

    def proxy_for(self, host: str, port: int, secure: bool) -> Proxy | None:
        """Return the proxy for a server, None for none. Raises UnusableProxy, an OSError."""
        return self._outgoing.proxy_for(host, port, secure)

    def open(self, host: str, port: int, secure: bool, seconds: float) -> socket.socket:
        """Return a socket to an allowed address, or to the proxy in between: `secure` with a tunnel through it.

        Raises FetchRefused, OSError, Cancelled, ProviderTimeout.
        """
        proxy = self.proxy_for(host, port, secure)
        if proxy is not None:
            self._check_behind_proxy(host, port, seconds)
            connected = connect_through(proxy, host, port, secure, self._scope, seconds)
        else:
            connected = self._open_directly(host, port, seconds)
        with self._lock:
            # wrap_socket for TLS detaches the socket that it is given; a duplicate stays ours to shut.
            self._handles.append(connected.dup())
        try:
            # A stop that came before the handle was in the list has not shut it.
            self.raise_if_over()
        except BaseException:
            connected.close()
            raise
        connected.settimeout(seconds)
        return connected

    def _open_directly(self, host: str, port: int, seconds: float) -> socket.socket:
        deadline = time.monotonic() + seconds
        # One look-up, whose addresses are both checked and connected to: a name server that answers first with a public
        # address and then with one inside our network (DNS rebinding) gains nothing.
        addresses = look_up(host, port, self._scope, seconds)
        allowed = [entry for entry in addresses if self._allowed.allows(host, str(entry[4][0]), port)]
        if addresses and not allowed:
            self._refuse(host, port, str(addresses[0][4][0]))
        return connect_to(allowed, self._scope, deadline)

    def _check_behind_proxy(self, host: str, port: int, seconds: float) -> None:
        """Raise FetchRefused for a server that a proxy must not be asked for."""
        try:
            addresses = [str(entry[4][0]) for entry in look_up(host, port, self._scope, min(seconds, LOOK_UP_SECONDS))]
        except (OSError, ProviderTimeout):
            # Names of the world outside are often known to the proxy alone.
            self._scope.cancellation.raise_if_cancelled()
            addresses = []
            if not self._allowed.may_be_public(host, port):
                self._refuse(host, port, "no address")
        for address in addresses:
            if not self._allowed.allows(host, address, port):
                self._refuse(host, port, address)

    def _refuse(self, host: str, port: int, address: str) -> NoReturn:
        logger.warning("refused to fetch from %s:%s at %s", host, port, address)
        raise FetchRefused("Requests to this address are not allowed.")

    def raise_if_over(self) -> None:
        """Raise Cancelled after a stop, FetchTimeout past the deadline."""
        self._cancellation.raise_if_cancelled()
        if self._expired:
            raise FetchTimeout("The response did not come in time.")

    @contextlib.contextmanager
    def failures(self, url: str) -> Iterator[None]:
        """Turn what `requests` and the layers below it raise in the block into FetchFailed and its children."""
        try:
            yield
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            HTTPException,
            ProviderTimeout,
            OSError,
            ValueError,
        ) as failure:
            # A socket that we have shut fails in many ways: the stop or the deadline is the cause then.
            self.raise_if_over()
            if _is_timeout(failure):
                logger.info("cannot fetch from %s: no answer in time", host_of(url))
                raise FetchTimeout("The server did not answer in time.") from None
            logger.info("cannot fetch from %s: %s", host_of(url), type(failure).__name__)
            raise FetchFailed("The server cannot be reached, or its response is not valid HTTP.") from None

    def close(self) -> None:
        """End the timer and close the sockets. May be called twice."""
        if not self._closed:
            self._closed = True
            self._timer.cancel()
            self._cancellation.remove(self._interrupt)
            with self._lock:
                for handle in self._handles:
                    interrupt(handle)
                    handle.close()
                self._handles.clear()

    def _expire(self) -> None:
        self._expired = True
        self._interrupt()

    def _interrupt(self) -> None:
        with self._lock:
            for handle in self._handles:
                interrupt(handle)


# urllib3 opens its sockets in `_new_conn`, and takes no function for that as an argument.
class _PlainConnection(HTTPConnection):
    gate: Gate

    def _new_conn(self) -> socket.socket:
        return self.gate.open(self.host, self.port, False, _seconds(self.timeout))


class _SecureConnection(HTTPSConnection):
    gate: Gate

    def _new_conn(self) -> socket.socket:
        return self.gate.open(self.host, self.port, True, _seconds(self.timeout))


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection
    gate: Gate

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.gate = self.gate
        return connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
    gate: Gate

    def _new_conn(self) -> Any:
        connection: Any = super()._new_conn()
        connection.gate = self.gate
        return connection


class Adapter(HTTPAdapter):
    """The transport of one request for `requests`: its connection pools open sockets through the request's gate."""

    def __init__(self, gate: Gate, verify: bool, outgoing: Outgoing) -> None:
        self._gate = gate
        self._context = outgoing.tls_context() if verify else _unverified()
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.gate = self._gate
        return pool

    def request_url(self, request: Any, proxies: Any) -> str:
        """Return the target of a request: the whole URL where a proxy reads it."""
        return str(request.url) if self._plain_proxy(request) else str(super().request_url(request, proxies))

    def add_headers(self, request: Any, **kwargs: Any) -> None:
        """Add the proxy's credentials where it reads the request."""
        proxy = self._plain_proxy(request)
        request.headers.pop("Proxy-Authorization", None)
        if proxy is not None and proxy.authorization:
            request.headers["Proxy-Authorization"] = proxy.authorization

    def _plain_proxy(self, request: Any) -> Proxy | None:
        parts = urllib.parse.urlsplit(str(request.url))
        if parts.scheme != "http":
            return None
        return self._gate.proxy_for(parts.hostname or "", parts.port or 80, False)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do nothing, for the TLS context has the system's certificate authorities.

        The original would load another list of them for each connection.
        """


@functools.cache
def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def host_of(url: str) -> str:
    """Return a URL's scheme, host and port, for the log: what follows may hold keys, what precedes a password."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _is_timeout(failure: BaseException) -> bool:
    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError, ProviderTimeout)
    return isinstance(failure, timeouts)


def _seconds(timeout: Any) -> float:
    """Return urllib3's timeout as seconds: a number here, for `GuardedHttp` always gives one."""
    return float(timeout)
