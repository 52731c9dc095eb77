"""gunicorn's gevent worker, with a bound on whatever a client may hold: time, connections, memory."""

import secrets
import socket
from typing import Any

import structlog
from gevent import get_hub
from gunicorn.http.errors import NoMoreData
from gunicorn.workers.ggevent import GeventWorker

from app import logs
from app.connections.client_socket import ClientSocket, ClientTooSlow, WaitLimits
from app.connections.refusals import FAULT, TOO_MANY, Refusal, origin_of, refusal_of, render
from app.connections.request_parser import BoundedParser
from app.connections.waiting_clients import WaitingClients
from app.errors import AppError
from app.metrics.names import REQUESTS, WEB_CONNECTIONS

log = structlog.get_logger(__name__)

# Of what a client does not read, the system's memory holds so much for each connection; the rest waits with us.
UNSENT_BYTES = 131_072
# A client whose machine does not answer is gone.
UNANSWERED_MILLISECONDS = 60_000
# The most of a body that nobody read, and the time for it, after which the connection is closed instead of kept.
UNREAD_BYTES = 65_536
LINGER_SECONDS = 1.0
# The time for the rest of a head that is refused.
HEAD_REST_SECONDS = 0.3


class BoundedWorker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves connections within the limits of the app's settings."""

    def load_wsgi(self) -> None:
        """Load the app, and with it the settings."""
        super().load_wsgi()
        # gevent prints what a greenlet raises.
        get_hub().print_exception = lambda _, kind, error, trace: logs.log_uncaught(kind, error, trace)
        # Imported here: the master must not load what gevent has to patch first in the worker.
        from app.api import client_address, cors
        from app.services.auth.households import household

        settings = self.wsgi.config
        self._household = household
        self._headers_for = cors.headers_for
        self._limits = WaitLimits(
            head=settings["HEAD_SECONDS"],
            idle=settings["KEEPALIVE_SECONDS"],
            body=settings["BODY_SECONDS"],
            body_grace=settings["HEAD_SECONDS"],
            body_rate=settings["BODY_LEAST_RATE"],
            write=settings["WRITE_SECONDS"],
        )
        self._waiting = WaitingClients()
        # Behind a proxy every connection is the proxy's: there the app counts the requests of each client.
        self._connections = client_address.OpenCounts(0 if settings["PROXY_HOPS"] else settings["ADDRESS_CONNECTIONS"])

    def run(self) -> None:
        """Accept connections until the worker is to stop."""
        for listener in self.sockets:
            # What the system accepts has the options of its listener.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_MILLISECONDS)
        super().run()

    def handle(self, listener: Any, client: socket.socket, addr: Any) -> None:
        """Serve a connection until it ends."""
        peer = self._household(addr[0])
        connection = ClientSocket(client, peer, self._limits, self._waiting)
        WEB_CONNECTIONS.change(1)
        try:
            if not self._connections.open(peer):
                self._refuse(connection, TOO_MANY)
                return
            try:
                self._serve(listener.getsockname(), connection, addr)
            finally:
                self._connections.close(peer)
        except OSError:
            # The client is gone, or does not read: nobody is left to be told.
            pass
        finally:
            connection.close()
            WEB_CONNECTIONS.change(-1)

    def _serve(self, listener_name: Any, connection: ClientSocket, addr: Any) -> None:
        parser, first = BoundedParser(self.cfg, connection, addr), True
        while True:
            connection.expect_head(first)
            request = None
            try:
                request = next(parser)
                connection.expect_body()
                request.fetch_body()
                # Raises StopIteration where the connection closes after this request.
                self.handle_request(listener_name, request, connection, addr)
            except StopIteration:
                if not first or request is not None:
                    connection.finish(LINGER_SECONDS)
                return
            except OSError as error:
                # Who sent nothing of a request, or was being answered, is not told.
                if connection.head and isinstance(error, (ClientTooSlow, NoMoreData)):
                    self._refuse(connection, refusal_of(error))
                return
            except Exception as error:  # Whatever went wrong, the client is told; what is our fault is logged.
                self._refuse(connection, _explained(error), request and request.origin)
                return
            first = False
            if not _read_rest(parser, connection):
                connection.finish(LINGER_SECONDS)
                return

    def _refuse(self, connection: ClientSocket, refusal: Refusal, origin: str | None = None) -> None:
        """Answer a request that does not reach the app, and end the connection."""
        if origin is None:
            connection.read_whole_head(HEAD_REST_SECONDS)
            origin = origin_of(bytes(connection.head))
        headers = self._headers_for(self.wsgi, origin)
        request_id = secrets.token_hex(8)
        log.info("request.refused", status=refusal.status, request_id=request_id)
        REQUESTS.add(str(refusal.status))
        connection.sendall(render(refusal, {**headers, "X-Trace-Id": request_id}))
        connection.finish(LINGER_SECONDS)


def _explained(error: Exception) -> Refusal:
    """Return how to answer this error; a fault of ours is logged, without the request's line: paths have tokens."""
    refusal = refusal_of(error)
    if refusal is FAULT:
        log.error("request.failed", exc_info=error)
    return refusal


def _read_rest(parser: BoundedParser, connection: ClientSocket) -> bool:
    """Read what the app left of a body. Returns whether another request can follow."""
    connection.expect_rest(LINGER_SECONDS)
    try:
        return bool(parser.finish_body(max_bytes=UNREAD_BYTES))
    except AppError:
        return False
