"""A child process that ends with us, and the short folder for its socket."""

import contextlib
import ctypes
import hashlib
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_LONGEST_SOCKET = 107
_PR_SET_PDEATHSIG = 1
# Needs no quoting in a URL.
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


class CannotStart(Exception):
    """An embedded part does not start; the text says what to do."""


def socket_folder(directory: pathlib.Path, longest_name: str) -> pathlib.Path:
    """A private folder for a socket: the directory, or a temporary one where a socket's path there would not do.

    It would not do where it is longer than the system allows, or would have to be quoted in a URL.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _fits(directory / longest_name):
        return directory
    digest = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:12]
    short = pathlib.Path(tempfile.gettempdir()) / f"frontdesk-{os.getuid()}-{digest}"
    if not _fits(short / longest_name):
        raise CannotStart(f"The paths of sockets in {short.parent} are too long; set TMPDIR to another folder.")
    short.mkdir(mode=0o700, exist_ok=True)
    about = short.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise CannotStart(f"{short} belongs to somebody else; remove it or set TMPDIR.")
    return short


def leave_socket_folder(folder: pathlib.Path, directory: pathlib.Path) -> None:
    """Remove a folder that `socket_folder` made elsewhere than in the directory."""
    if folder != directory:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _fits(path: pathlib.Path) -> bool:
    return len(os.fsencode(path)) <= _LONGEST_SOCKET and _PLAIN.fullmatch(str(path)) is not None


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends the child this signal when the thread that starts it is gone, however it went (Linux)."""
    if sys.platform != "linux":
        return lambda: None
    library = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        library.prctl(_PR_SET_PDEATHSIG, int(number))

    return ask


def spawn(
    command: Sequence[str], log: pathlib.Path, ending: signal.Signals = signal.SIGTERM, user: int | None = None
) -> "subprocess.Popen[bytes]":
    """Start a child that writes to a log file and ends with us. It gets no Ctrl-C of the terminal: we stop it in our order."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=die_with_parent(ending),
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )


def wait_until_ready(
    process: "subprocess.Popen[bytes]", ready: Callable[[], bool], name: str, log: pathlib.Path
) -> None:
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
