"""Become another program, confined: it has its libraries, the standard streams, memory and time, and nothing else."""

import os
import sys

from app.providers.confinement import Confinement, confine

DESCRIPTORS = 32
# Where systems keep the loader of programs, its list, and libraries.
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_PROGRAM = 3


def become(program: str, memory: int) -> None:
    """Run the program at a path in the place of this one, with this one's arguments, in so many bytes of memory."""
    # By descriptor: the folders above the program may be closed to the user that this process becomes.
    os.dup2(os.open(program, os.O_RDONLY), _PROGRAM)
    confine(
        Confinement(
            memory=memory,
            descriptors=DESCRIPTORS,
            keep=_PROGRAM + 1,
            threads=True,
            event_loops=True,
            executable=(_PROGRAM, *LIBRARIES, *_loaded_libraries()),
        )
    )
    os.execve(_PROGRAM, [os.path.basename(program), *sys.argv[1:]], {})


def _loaded_libraries() -> set[str]:
    """Return the folders of the libraries that this interpreter has loaded; the C library's is among them."""
    with open("/proc/self/maps") as maps:
        paths = [line.split(maxsplit=5)[5].strip() for line in maps if ".so" in line and "/" in line]
    return {os.path.dirname(path) for path in paths}
