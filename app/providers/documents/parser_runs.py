"""Run a program of the document parser in a process of its own: content in, output back, bounded in time and size."""

import io
import logging
import os
import pathlib
import re
import selectors
import subprocess
import sys
import time

from app.providers.cancellation import Cancellation

LARGEST_OUTPUT = 256 * 1024 * 1024
PIECE = 1 << 20
CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# How late a stop or the end of the time is noticed.
POLL_SECONDS = 0.1
# A path of this machine, which visitors need not know.
PATH = re.compile(r"(?<![^\s'\"(:=])/[^\s'\":]+")

logger = logging.getLogger(__name__)


class ParserFailed(Exception):
    """The program ended with an error or went over a limit; the text says which."""


def run(program: str, content: bytes, folder: pathlib.Path, seconds: float, cancellation: Cancellation) -> bytes:
    """Return what a Python program writes to standard output when it is given the content as standard input.

    The process inherits nothing of our environment: keys and passwords stand there. `-I -S` keeps Python from reading
    anything of it; the paths of the packages are therefore put back by hand. `folder`: its place for temporary files.
    Raises ParserFailed, Cancelled.
    """
    paths = [str(CHECKOUT), *(path for path in sys.path if path)]
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:] = {paths!r}; {program}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"TMPDIR": str(folder)},
        cwd="/",
        bufsize=0,
    )
    with process:
        try:
            output, problem = _exchange(process, content, seconds, cancellation)
        finally:
            process.kill()
    if process.returncode != 0:
        # Killed for its memory, it leaves no last line.
        last = problem.decode("utf-8", "replace").strip().rpartition("\n")[2]
        shown = PATH.sub("…", last)
        if shown != last:
            logger.warning("document parser failed: %s", last)
        raise ParserFailed(f"The document could not be read: {shown or 'it is too large'}")
    return output


def _exchange(
    process: subprocess.Popen[bytes], content: bytes, seconds: float, cancellation: Cancellation
) -> tuple[bytes, bytes]:
    """Write the content and read both outputs, as the process is ready for them, until it has ended.

    `Popen.communicate` cannot do it: called again after a timeout, it sends no more of the input.
    """
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    deadline = time.monotonic() + seconds
    unsent, output, problem = memoryview(content), io.BytesIO(), io.BytesIO()
    os.set_blocking(process.stdin.fileno(), False)
    # A poll, for a busy worker's descriptors go beyond select's limit of 1,024.
    with selectors.PollSelector() as waiting:
        waiting.register(process.stdin, selectors.EVENT_WRITE)
        waiting.register(process.stdout, selectors.EVENT_READ, output)
        waiting.register(process.stderr, selectors.EVENT_READ, problem)
        while waiting.get_map():
            for key, _ in waiting.select(POLL_SECONDS):
                if key.fileobj is not process.stdin:
                    if not _read(key.fd, key.data):
                        waiting.unregister(key.fileobj)
                elif not (unsent := _write(key.fd, unsent)):
                    waiting.unregister(process.stdin)
                    process.stdin.close()
            _raise_if_over(deadline, seconds, cancellation)
    while process.poll() is None:
        _raise_if_over(deadline, seconds, cancellation)
        cancellation.wait(0.002)
    return output.getvalue(), problem.getvalue()


def _write(descriptor: int, unsent: memoryview) -> memoryview:
    """Write what the pipe takes, and return the rest; nothing is left for a process that reads no more."""
    try:
        return unsent[os.write(descriptor, unsent[:PIECE]) :]
    except BrokenPipeError:
        return unsent[:0]


def _read(descriptor: int, sink: io.BytesIO) -> bool:
    """Take what the process has written; return False at the end."""
    piece = os.read(descriptor, PIECE)
    if sink.tell() + len(piece) > LARGEST_OUTPUT:
        raise ParserFailed(f"The text of the document is larger than {LARGEST_OUTPUT // 1024 // 1024} MB.")
    sink.write(piece)
    return bool(piece)


def _raise_if_over(deadline: float, seconds: float, cancellation: Cancellation) -> None:
    cancellation.raise_if_cancelled()
    if time.monotonic() > deadline:
        raise ParserFailed(f"The document could not be read in {round(seconds)} seconds.")
