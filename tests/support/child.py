"""Child processes of tests and measurements, with a log in a file; they are ended by their ids."""

import contextlib
import os
import pathlib
import subprocess
from collections.abc import Mapping, Sequence
from signal import SIGCONT, SIGKILL, SIGTERM, Signals

import psutil

TAIL = 4000
# For processes that need no settings: where commands are found.
COMMANDS = {"PATH": os.environ.get("PATH", os.defpath)}


def runs(process: psutil.Process) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Child:
    """One process in a session of its own, so that its children end with it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: pathlib.Path,
        directory: pathlib.Path,
        user: int | None = None,
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: Signals) -> None:
        """Signal this process alone."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill it and its children, as a crash of the machine would."""
        self._signal_group(SIGKILL)
        self.process.wait(10)

    def stop(self, seconds: float = 8) -> None:
        """Ask it to end, and kill it after so many seconds."""
        if self.alive:
            self.process.send_signal(SIGCONT)
            self.process.send_signal(SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self._signal_group(SIGKILL)
        self.process.wait(10)

    def tail(self) -> str:
        """The end of its log."""
        return (
            f"--- {self.name} ({'alive' if self.alive else f'exit {self.process.returncode}'})\n"
            + self.log.read_text(errors="replace")[-TAIL:]
        )

    def _signal_group(self, number: Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
