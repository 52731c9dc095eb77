"""Run the Python of code nodes in CPython: the worker's side of `app/providers/cpython`."""

import contextlib
import json
import pathlib
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from typing import Any

from app.providers.cancellation import Cancellation
from app.providers.confinement import suffices
from app.providers.sandbox.code_check import MISSING_MODULES, TOO_FEW_FENCES
from app.providers.sandbox.code_requests import CodeHttp, RequestDesk
from app.providers.sandbox.messages import NO_START, Deadline, MessagePipe, SandboxFailed

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
START_SECONDS = 30.0
# How late a stop is noticed.
_POLL_SECONDS = 0.05
_GARBLED = "The code was ended: it wrote what it must not."


class CPythonPool:
    """One zygote for all calls of this process, started on first use and again if it died. Shared by all threads."""

    def __init__(self, packages: Collection[str] = ()) -> None:
        """`packages`: names of installed packages that code may import."""
        self._packages = sorted(packages)
        self._lock = threading.Lock()
        # The zygote, or the start of one: who needs it waits for that, and can be stopped meanwhile.
        self._zygote: Future[_ZygoteProcess] | None = None

    def run(
        self,
        code: str,
        inputs: Mapping[str, Any],
        seconds: float,
        cancellation: Cancellation,
        http: CodeHttp | None = None,
    ) -> Any:
        """Return what `main(**inputs)` returns. Raises SandboxFailed, Cancelled."""
        # Started before the time of the code begins.
        connection = self._connected(cancellation)
        with connection:
            pipe = MessagePipe(connection.fileno(), connection.fileno())
            deadline = Deadline(seconds, cancellation)
            request = {"code": code, "inputs": dict(inputs), "seconds": seconds}
            pipe.send_bytes(_json(request), deadline)
            desk = RequestDesk(http, cancellation)
            while True:
                message = _parsed(pipe.receive(deadline))
                if "http" not in message:
                    return _result(message)
                pipe.send_bytes(_json(desk.answer(message["http"], deadline.left())), deadline)

    def fences(self) -> frozenset[str]:
        """Return the names of the fences that this host offers; they are tried. Raises SandboxFailed."""
        return self._started(Cancellation()).fences

    def close(self) -> None:
        """End the zygote and with it all calls. May be called twice."""
        with self._lock:
            zygote, self._zygote = self._zygote, None
        if zygote is not None and zygote.exception() is None:
            zygote.result().kill()

    def _connected(self, cancellation: Cancellation) -> socket.socket:
        """Return a socket to a process that waits for a call. Raises SandboxFailed, Cancelled."""
        # The second time if the first one has died meanwhile.
        for _ in range(2):
            zygote = self._started(cancellation)
            if not suffices(zygote.fences):
                raise SandboxFailed(TOO_FEW_FENCES)
            try:
                return zygote.begin_call()
            except OSError:
                zygote.kill()
        raise SandboxFailed(NO_START)

    def _started(self, cancellation: Cancellation) -> "_ZygoteProcess":
        """Return the zygote, of which another one is started if it died. Raises SandboxFailed, Cancelled."""
        with self._lock:
            if self._zygote is None or (self._zygote.done() and not _is_alive(self._zygote)):
                starting: Future[_ZygoteProcess] = Future()
                threading.Thread(target=self._start, args=(starting,), name="zygote", daemon=True).start()
                self._zygote = starting
            starting = self._zygote
        while True:
            cancellation.raise_if_cancelled()
            with contextlib.suppress(TimeoutError):
                return starting.result(_POLL_SECONDS)

    def _start(self, starting: "Future[_ZygoteProcess]") -> None:
        try:
            starting.set_result(_ZygoteProcess(self._packages))
        except (OSError, ValueError, SandboxFailed):
            starting.set_exception(SandboxFailed(NO_START))
        finally:
            # Whatever else was raised: nobody may wait for this start for ever.
            if not starting.done():
                starting.set_exception(SandboxFailed(NO_START))


def _is_alive(zygote: "Future[_ZygoteProcess]") -> bool:
    """Return whether a start that is done has led to a process that lives; one that has died is cleared away."""
    if zygote.exception() is not None:
        return False
    if zygote.result().alive:
        return True
    zygote.result().kill()
    return False


class _ZygoteProcess:
    """The zygote as a child process."""

    def __init__(self, packages: Collection[str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _start_line(packages)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Code computes in UTC, and the number libraries of packages in one thread.
                env={"TZ": "UTC", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                cwd="/",
            )
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        told = self._control.recv(4096) if poller.poll(START_SECONDS * 1000) else b""
        if not told:
            self.kill()
            raise SandboxFailed(NO_START)
        self.fences: frozenset[str] = frozenset(json.loads(told))

    @property
    def alive(self) -> bool:
        """Whether the process has not ended. One that offers too few fences has ended, and is as good as alive."""
        return not suffices(self.fences) or self._process.poll() is None

    def begin_call(self) -> socket.socket:
        """Return a socket to a child of the zygote, which waits for a call. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._control, [b"c"], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        return ours

    def kill(self) -> None:
        """End the process and all its children."""
        self._control.close()
        self._process.kill()
        self._process.wait()


def _start_line(packages: Collection[str]) -> str:
    """Return the program of the zygote. `-I -S` drops all of the environment: the import paths are put back here."""
    paths = [str(CHECKOUT), *(path for path in sys.path if path)]
    return (
        f"import sys; sys.path[:] = {paths!r}; from app.providers.cpython.zygote import main; "
        f"main({list(packages)!r}, {sorted(MISSING_MODULES)!r})"
    )


def _json(message: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(message, default=str).encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise SandboxFailed(f"The inputs cannot be passed on as JSON: {problem}") from None


def _parsed(body: bytes) -> dict[str, Any]:
    """Return a message of the child, in which code of the author's ran: it may have written anything."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise SandboxFailed(_GARBLED) from None
    if not isinstance(message, dict):
        raise SandboxFailed(_GARBLED)
    return message


def _result(message: dict[str, Any]) -> Any:
    if "error" in message:
        raise SandboxFailed(str(message["error"]), str(message.get("kind", "")))
    try:
        return json.loads(message["value"])
    except (KeyError, TypeError, ValueError):
        raise SandboxFailed(_GARBLED) from None
    except RecursionError:
        raise SandboxFailed("The code's result is nested too deeply.", "RecursionError") from None
