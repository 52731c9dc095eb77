"""The product's own processes under `make run`: web, workers, housekeeping, beat."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from app.embedded.process import die_with_parent

QUICK_DEATH = 5.0
LONGEST_PAUSE = 30.0
HOUSEKEEPERS = "8"


class Child:
    """One process that is started again when it dies, after a pause that grows with quick deaths."""

    def __init__(
        self,
        name: str,
        start: Callable[[], "subprocess.Popen[bytes]"],
        running: "subprocess.Popen[bytes] | None" = None,
    ) -> None:
        self.name = name
        self._start = start
        self._pause = 0.0
        self._again = 0.0
        self._began = time.monotonic()
        self.process = running or start()

    def tend(self, say: Callable[[str], None]) -> None:
        """To be called now and then: start it again where that is due."""
        now = time.monotonic()
        if self.process.poll() is None:
            return
        if not self._again:
            self._pause = min(max(self._pause * 2, 1.0), LONGEST_PAUSE) if now - self._began < QUICK_DEATH else 0.2
            self._again = now + self._pause
            say(f"{self.name} ended (exit {self.process.returncode}); starting it again")
        elif now >= self._again:
            self._again, self._began = 0.0, now
            self.process = self._start()


def start_children(settings: Mapping[str, str], worker_processes: int, threads: int, beat_file: str) -> list[Child]:
    """Start workers, housekeeping, web and beat with these settings as their environment."""
    worker = ["celery", "-A", "celery_worker", "--quiet", "worker", "--pool", "threads"]
    worker += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    answering = [*worker, "--concurrency", str(threads), "--queues", "generations,housekeeping"]
    commands = {
        f"worker {number}": [*answering, "--hostname", f"worker{number}@%h"]
        for number in range(1, worker_processes + 1)
    }
    commands["housekeeping"] = [
        *worker,
        "--concurrency",
        HOUSEKEEPERS,
        "--queues",
        "housekeeping",
        "--hostname",
        "housekeeping@%h",
    ]
    commands["web"] = ["gunicorn", "--config", "python:app.web_server", "wsgi:app"]
    commands["beat"] = [
        "celery",
        "-A",
        "celery_worker",
        "--quiet",
        "beat",
        "--schedule",
        beat_file,
        "--pidfile",
        "",
        "--loglevel",
        "WARNING",
    ]
    return [Child(name, _starter(command, settings)) for name, command in commands.items()]


def stop_children(children: list[Child], seconds: float) -> None:
    """End them together; what has not gone after so many seconds is killed."""
    for child in children:
        if child.process.poll() is None:
            child.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for child in children:
        try:
            child.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def _starter(command: list[str], settings: Mapping[str, str]) -> Callable[[], "subprocess.Popen[bytes]"]:
    def start() -> "subprocess.Popen[bytes]":
        # A session of its own: the terminal's Ctrl-C is for the launcher, which stops all in order.
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *command],
            env=dict(settings),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    return start
