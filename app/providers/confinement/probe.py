"""Tell which fences this host offers to confined processes, by trying them in a process that ends at once."""

import contextlib
import functools
import json
import os
import pathlib
import subprocess
import sys

from app.providers.confinement import (
    LANDLOCK,
    NAMESPACES,
    SECCOMP,
    USER,
    Confinement,
    filter_calls,
    filter_of,
    give_up_privileges,
    give_up_root,
    landlock,
    namespaces,
)

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
SECONDS = 30.0


@functools.cache
def offered_fences() -> frozenset[str]:
    """Return the names of the fences that this host offers; they are tried once in a process."""
    return try_fences()


def try_fences() -> frozenset[str]:
    """Return the names of the fences; none if the process that tries them cannot be started."""
    line = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); from app.providers.confinement.probe import main; main()"
    )
    command = [sys.executable, "-I", "-S", "-c", line]
    try:
        told = subprocess.run(command, capture_output=True, timeout=SECONDS, check=True, env={}, cwd="/").stdout
        return frozenset(json.loads(told))
    except (OSError, subprocess.SubprocessError, ValueError):
        return frozenset()


def main() -> None:
    """Try every fence and write the names of those that hold, as JSON, to standard output."""
    fences = set()
    # A new process namespace needs a child; the other fences hold for this process.
    if namespaces.enter():
        child = os.fork()
        if not child:
            os._exit(0 if namespaces.empty_root() else 1)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            fences.add(NAMESPACES)
    if give_up_root():
        fences.add(USER)
    give_up_privileges()
    with contextlib.suppress(OSError):
        landlock.restrict()
        fences.add(LANDLOCK)
    if filter_calls(filter_of(Confinement())):
        fences.add(SECCOMP)
    sys.stdout.write(json.dumps(sorted(fences)))
    sys.stdout.flush()
