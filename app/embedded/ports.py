"""Reserve ports for servers that have to be told a number."""

import socket


class ReservedPort:
    """A port of 127.0.0.1 for one server of ours, which may come and go, until `release`.

    A bound socket that does not listen keeps the port: the system gives it to nobody who asks for any free port, and a
    server that names it may bind beside us, because it sets SO_REUSEADDR or SO_REUSEPORT as we do.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number = int(self._socket.getsockname()[1])

    def __str__(self) -> str:
        return str(self.number)

    def release(self) -> None:
        """Give the port back. Safe to call twice."""
        self._socket.close()
