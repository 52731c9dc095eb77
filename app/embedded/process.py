"""Start child processes that end with this one, and find short folders for their sockets."""

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
# The longest path that the kernel takes for a unix socket, in bytes.
_LONGEST_SOCKET = 107
# The argument of prctl by which a process asks for a signal when its parent ends (Linux).
_PR_SET_PDEATHSIG = 1
# A path that needs no quoting in a URL.
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


class CannotStart(Exception):
    """An embedded server cannot be started; the text says why and what to do."""


def socket_folder(directory: pathlib.Path, longest_name: str) -> pathlib.Path:
    """Return a private folder for a socket: the directory, or a temporary one if the socket's path would be unusable.

    It is unusable if it is longer than the kernel allows, or would have to be quoted in a URL. The temporary folder is
    named by a digest of the directory: each start finds the same. Raises CannotStart.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _fits(directory / longest_name):
        return directory
    digest = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:12]
    short = pathlib.Path(tempfile.gettempdir()) / f"frontdesk-{os.getuid()}-{digest}"
    if not _fits(short / longest_name):
        raise CannotStart(f"Paths of sockets in {short.parent} are too long; set TMPDIR to another folder.")
    short.mkdir(mode=0o700, exist_ok=True)
    # Everybody may make files in the folder of temporary files: do not use another user's folder, or follow a link.
    about = short.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        raise CannotStart(f"{short} belongs to another user; remove it or set TMPDIR to another folder.")
    return short


def remove_socket_folder(folder: pathlib.Path, directory: pathlib.Path) -> None:
    """Remove the temporary folder that `socket_folder` made, if it made one."""
    if folder != directory:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _fits(path: pathlib.Path) -> bool:
    return len(os.fsencode(path)) <= _LONGEST_SOCKET and _PLAIN.fullmatch(str(path)) is not None


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return a function for `preexec_fn` by which the kernel sends the child this signal when its parent ends.

    It works however the parent ends, even by SIGKILL. The parent is the thread that starts the child: children must be
    started from a thread that lives as long as they should. Does nothing on other systems than Linux.
    """
    if sys.platform != "linux":
        return lambda: None
    # Loaded before the fork: between fork and exec as little as possible should be done.
    library = ctypes.CDLL(None, use_errno=True)

    def request_signal() -> None:
        library.prctl(_PR_SET_PDEATHSIG, int(number))

    return request_signal


def spawn(
    command: Sequence[str], log: pathlib.Path, ending: signal.Signals = signal.SIGTERM, user: int | None = None
) -> "subprocess.Popen[bytes]":
    """Start a child that writes to a log file and is sent the signal `ending` when this process ends.

    It runs in a session of its own, so that Ctrl-C in the terminal reaches only this process, which stops its children
    in the right order.
    """
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
    """Poll until a child is ready. Raises CannotStart, with the last line of its log, if it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
            raise CannotStart(f"{name} does not start ({tail[0] if tail else 'no output'}); its log: {log}")
        time.sleep(0.01)


def stop(process: "subprocess.Popen[bytes] | None", number: signal.Signals = signal.SIGTERM) -> None:
    """End a child by a signal, and kill it if it has not ended in STOP_SECONDS."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
