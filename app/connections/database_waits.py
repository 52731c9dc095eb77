"""Let psycopg2 wait by gevent."""

from typing import Any

import psycopg2
from gevent.socket import wait_read, wait_write
from psycopg2 import extensions


def install() -> None:
    """Set psycopg2's wait callback for this process."""
    extensions.set_wait_callback(_wait)


def _wait(connection: Any, timeout: float | None = None) -> None:
    while True:
        state = connection.poll()
        if state == extensions.POLL_OK:
            return
        if state == extensions.POLL_READ:
            wait_read(connection.fileno(), timeout=timeout)
        elif state == extensions.POLL_WRITE:
            wait_write(connection.fileno(), timeout=timeout)
        else:
            raise psycopg2.OperationalError(f"unexpected state of a connection: {state}")
