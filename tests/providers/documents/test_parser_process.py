"""What the process that parses a document cannot do."""

import pytest

from app.providers.cancellation import Cancellation
from app.providers.confinement import suffices
from app.providers.documents import parser_library, parser_runs

TRY = """
import os, socket, subprocess, sys, kreuzberg
from app.providers.documents.parser_process import lock_in
fences = lock_in(kreuzberg, {mime_type!r})
def tried(attempt):
    try:
        attempt()
    except (OSError, MemoryError) as refused:
        return type(refused).__name__
    return 'done'
print(*sorted(fences))
print(
    tried(lambda: open('/etc/hostname')), tried(lambda: open('/proc/self/environ')), tried(lambda: os.listdir('/')),
    tried(lambda: open({folder!r} + '/new', 'w')), tried(socket.socket), tried(lambda: os.kill(os.getppid(), 0)),
    tried(lambda: subprocess.run(['/bin/true'])), tried(lambda: bytearray(1 << 30)),
)
"""


@pytest.mark.parametrize("mime_type", ["text/csv", "application/pdf", "message/rfc822"])
def test_it_opens_nothing_starts_nothing_and_takes_a_gibibyte_at_most(mime_type):
    folder = parser_library.folder()
    program = TRY.format(mime_type=mime_type, folder=str(folder))
    said = parser_runs.run(f"exec({program!r})", b"", folder, 60.0, Cancellation()).decode().splitlines()
    fences = frozenset(said[0].split())
    if not suffices(fences):
        pytest.skip("this host offers too few fences")
    assert said[1].split() == ["PermissionError"] * 7 + ["MemoryError"]
