"""A child process that ends with us, and the short folder for its socket."""

import ctypes
import hashlib
import os
import pathlib
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_LONGEST_SOCKET = 107
_PR_SET_PDEATHSIG = 1


class CannotStart(Exception):
    """An embedded part does not start; the text says what to do."""


def socket_folder(directory: pathlib.Path, longest_name: str) -> pathlib.Path:
    """A private folder for a socket: the directory, or a short one where a socket's path there would be too long."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if len(str(directory / longest_name).encode()) <= _LONGEST_SOCKET:
        return directory
    digest = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:12]
    short = pathlib.Path(tempfile.gettempdir()) / f"frontdesk-{os.getuid()}-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise CannotStart(f"{short} belongs to somebody else; remove it or set TMPDIR.")
    return short


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends the child this signal when the thread that starts it is gone, however it went (Linux)."""
    library = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        library.prctl(_PR_SET_PDEATHSIG, number)

    return ask


def spawn(command: Sequence[str], log: pathlib.Path, ending: signal.Signals = signal.SIGTERM) -> "subprocess.Popen[bytes]":
    """Start a child that writes to a log file and ends with us. It gets no Ctrl-C of the terminal: we stop it in our order."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, preexec_fn=die_with_parent(ending)
        )


def wait_until_ready(process: "subprocess.Popen[bytes]", ready: Callable[[], bool], name: str, log: pathlib.Path) -> None:
    """Poll until a child answers. Raises CannotStart with the end of its log."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
            raise CannotStart(f"{name} does not start ({tail[0] if tail else 'no output'}); its log: {log}")
        time.sleep(0.01)


def stop(process: "subprocess.Popen[bytes] | None", number: signal.Signals = signal.SIGTERM) -> None:
    """End a child, at worst by force."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
