"""Keep child processes that run JavaScript and templates, and exchange requests and results with them.

The child's side is `child.py`, which sets the limits. A process that dies, is late or is stopped is killed, for its
state is unknown then; the next request starts another one.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import threading
from typing import Any

import orjson

from app.providers.cancellation import Cancellation
from app.providers.sandbox.messages import Deadline, MessagePipe, SandboxFailed

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
MOST_IDLE = max(2, os.cpu_count() or 2)
# Added to the limit of the first request of a process, which must load its interpreter first.
START_SECONDS = 5.0


class SandboxPool:
    """A pool of sandbox processes: as many as calls at once, of which a few are kept when they are idle."""

    def __init__(self) -> None:
        self._idle: list[_SandboxProcess] = []
        self._closed = False
        self._lock = threading.Lock()

    def ask(self, request: dict[str, Any], seconds: float, cancellation: Cancellation) -> Any:
        """Return the result that a process gives for a request. Raises SandboxFailed, Cancelled."""
        # Set while the process is ours: every exception then ends in killing it, and only a whole result keeps it.
        process = None
        try:
            process = self._take_idle() or _SandboxProcess()
            answer = process.ask(request, seconds, cancellation)
            with self._lock:
                if not self._closed and len(self._idle) < MOST_IDLE:
                    self._idle.append(process)
                    process = None
        finally:
            if process is not None:
                process.kill()
        if "error" in answer:
            raise SandboxFailed(str(answer["error"]))
        return answer["value"]

    def close(self) -> None:
        """End the idle processes; one at work ends with its request. May be called twice."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.kill()

    def _take_idle(self) -> "_SandboxProcess | None":
        """Take out an idle process that is still alive."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
                process.kill()
        return None


class _SandboxProcess:
    """One child process, used by one call at a time."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", "-c", _start_line()]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            bufsize=0,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._pipe = MessagePipe(self._process.stdout.fileno(), self._process.stdin.fileno())
        self._fresh = True

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], seconds: float, cancellation: Cancellation) -> dict[str, Any]:
        """Send a request and return the response. After SandboxFailed or Cancelled the process must be killed."""
        deadline = Deadline(seconds, cancellation, START_SECONDS if self._fresh else 0.0)
        self._fresh = False
        self._pipe.send(request | {"seconds": seconds}, deadline)
        answer: dict[str, Any] = orjson.loads(self._pipe.receive(deadline))
        return answer

    def kill(self) -> None:
        """End the process and close its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _start_line() -> str:
    """Return the program of the child. `-I -S` drops all of the environment: the import paths are put back here."""
    paths = [str(CHECKOUT), *(path for path in sys.path if path)]
    return f"import sys; sys.path[:] = {paths!r}; from app.providers.sandbox.child import main; main()"
