"""Start and supervise web, workers, housekeeping and beat under `make run`."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from app.embedded.process import die_with_parent

QUICK_EXIT_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 30.0
HOUSEKEEPING_THREADS = "8"


class SupervisedProcess:
    """A process that is started again when it ends.

    The pause before that doubles with every exit soon after the start: a process that cannot run must not keep the
    machine busy.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], "subprocess.Popen[bytes]"],
        running: "subprocess.Popen[bytes] | None" = None,
    ) -> None:
        self.name = name
        self._start = start
        self._pause = 0.0
        # When it is to be started again (monotonic seconds); 0 while it runs.
        self._restart_at = 0.0
        self._began = time.monotonic()
        self.process = running or start()

    def restart_if_ended(self, say: Callable[[str], None]) -> None:
        """Start the process again once its pause is over. To be called every second or more often."""
        now = time.monotonic()
        if self.process.poll() is None:
            return
        if not self._restart_at:
            self._pause = (
                min(max(self._pause * 2, 1.0), LONGEST_PAUSE_SECONDS) if now - self._began < QUICK_EXIT_SECONDS else 0.2
            )
            self._restart_at = now + self._pause
            say(f"{self.name} ended (exit {self.process.returncode}); starting it again")
        elif now >= self._restart_at:
            self._restart_at, self._began = 0.0, now
            self.process = self._start()


def start_processes(
    settings: Mapping[str, str], worker_processes: int, threads: int, beat_file: str
) -> list[SupervisedProcess]:
    """Start workers, housekeeping, web and beat, with these settings as their environment."""
    worker = ["celery", "-A", "celery_worker", "--quiet", "worker", "--pool", "threads"]
    worker += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    generations = [*worker, "--concurrency", str(threads), "--queues", "generations,housekeeping"]
    commands = {
        f"worker {number}": [*generations, "--hostname", f"worker{number}@%h"]
        for number in range(1, worker_processes + 1)
    }
    commands["housekeeping"] = [
        *worker,
        "--concurrency",
        HOUSEKEEPING_THREADS,
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
    return [SupervisedProcess(name, _starter(command, settings)) for name, command in commands.items()]


def stop_processes(processes: list[SupervisedProcess], seconds: float) -> None:
    """End processes at the same time, and kill those that have not ended after so many seconds."""
    for supervised in processes:
        if supervised.process.poll() is None:
            supervised.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for supervised in processes:
        try:
            supervised.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            supervised.process.kill()
            supervised.process.wait()


def _starter(command: list[str], settings: Mapping[str, str]) -> Callable[[], "subprocess.Popen[bytes]"]:
    def start() -> "subprocess.Popen[bytes]":
        # A session of its own: Ctrl-C in the terminal reaches only the launcher, which stops all in order.
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *command],
            env=dict(settings),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    return start
