"""Have Monty's pool start its processes confined: it takes the path of a program, and gets one of ours."""

import os
import pathlib
import shlex
import shutil
import sys
import sysconfig

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# Address space: the interpreter's own, and the limit of a call.
MEMORY = 1024 * 1024 * 1024


def launcher() -> tuple[int, str]:
    """Return a descriptor, which must stay open, and the path of a program that starts Monty confined.

    Raises FileNotFoundError where Monty's program is not installed.
    """
    monty = shutil.which("monty", path=sysconfig.get_path("scripts")) or shutil.which("monty")
    if monty is None:
        raise FileNotFoundError("monty")
    line = (
        f"import sys; sys.path[:] = {[str(CHECKOUT), *(path for path in sys.path if path)]!r}; "
        f"from app.providers.confinement.programs import become; become({monty!r}, {MEMORY})"
    )
    # In memory: a folder for temporary files may allow no programs.
    descriptor = os.memfd_create("monty")
    command = shlex.join(["exec", "env", "-i", sys.executable, "-I", "-S", "-c", line])
    os.write(descriptor, f'#!/bin/sh\n{command} "$@"\n'.encode())
    os.fchmod(descriptor, 0o755)
    return descriptor, f"/proc/{os.getpid()}/fd/{descriptor}"
