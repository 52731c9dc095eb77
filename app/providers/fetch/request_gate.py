"""The gate that all connections of one guarded request pass: the addresses' check, the deadline, the stop."""

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
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from app.errors import ProviderTimeout
from app.providers.cancellation import Cancellation, Patience
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.http.connecting import connect_to, interrupt, look_up

logger = logging.getLogger(__name__)
# Whoever asks without verifying says so in an app file; a warning for each request helps nobody.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


class FetchFailed(Exception):
    """A request that gave no answer; the text is one line for whoever named the address."""


class FetchRefused(FetchFailed):
    """The URL or an address behind it is not for us to ask."""


class FetchTimeout(FetchFailed):
    """The answer, or the next piece of it, did not come in time."""


class FetchTooLarge(FetchFailed):
    """There is more of it than may be read."""


class Gate:
    """One request's: its redirects share the deadline (`seconds` from now). To be closed."""

    def __init__(self, allowed: AllowedAddresses, cancellation: Cancellation, seconds: float) -> None:
        self._allowed = allowed
        self._cancellation = cancellation
        self._patience = Patience(cancellation, time.monotonic() + seconds)
        self._handles: list[socket.socket] = []
        self._lock = threading.Lock()
        self._expired = self._closed = False
        # A server that sends a byte now and then never lets a read time out.
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()
        cancellation.add(self._interrupt)

    def open(self, host: str, port: int, seconds: float) -> socket.socket:
        """A connected socket. Raises FetchRefused, OSError, Cancelled, ProviderTimeout."""
        until = time.monotonic() + seconds
        addresses = look_up(host, port, self._patience, seconds)
        allowed = [found for found in addresses if self._allowed.allows(host, str(found[4][0]), port)]
        if addresses and not allowed:
            logger.warning("refused to fetch from %s:%s at %s", host, port, addresses[0][4][0])
            raise FetchRefused(f"{host} is not an address that can be fetched from.")
        connected = connect_to(allowed, self._patience, until)
        with self._lock:
            # TLS takes the socket over and leaves an empty one; this second handle stays.
            self._handles.append(connected.dup())
        try:
            # A stop may have come before there was a handle.
            self.raise_if_over()
        except BaseException:
            connected.close()
            raise
        connected.settimeout(seconds)
        return connected

    def raise_if_over(self) -> None:
        """Raises Cancelled, FetchTimeout."""
        self._cancellation.raise_if_cancelled()
        if self._expired:
            raise FetchTimeout("The answer did not come in time.")

    @contextlib.contextmanager
    def failures(self, url: str) -> Iterator[None]:
        """Turn what `requests` and the layers below it raise into our own."""
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
            self.raise_if_over()
            if _is_timeout(failure):
                raise FetchTimeout(f"{without_query(url)} did not answer in time.") from None
            logger.info("cannot fetch from %s: %s", without_query(url), type(failure).__name__)
            raise FetchFailed(f"{without_query(url)} cannot be reached or does not answer as it should.") from None

    def close(self) -> None:
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


class _PlainConnection(HTTPConnection):
    gate: Gate

    def _new_conn(self) -> socket.socket:
        return self.gate.open(self.host, self.port, _seconds(self.timeout))


class _SecureConnection(HTTPSConnection):
    gate: Gate

    def _new_conn(self) -> socket.socket:
        return self.gate.open(self.host, self.port, _seconds(self.timeout))


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
    """One request's way through its gate."""

    def __init__(self, gate: Gate, verify: bool) -> None:
        self._gate = gate
        self._context = _verified() if verify else _unverified()
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.gate = self._gate
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the context has the system's authorities, and the original would load another list for each connection."""


@functools.cache
def _verified() -> ssl.SSLContext:
    """The system's certificate authorities."""
    return ssl.create_default_context()


@functools.cache
def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def without_query(url: str) -> str:
    """A URL as far as it may be repeated: queries often hold keys."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _is_timeout(failure: BaseException) -> bool:
    timeouts = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError, ProviderTimeout)
    return isinstance(failure, timeouts)


def _seconds(timeout: Any) -> float:
    """urllib3's timeout is a number here, as `request` always gives one."""
    return float(timeout)
