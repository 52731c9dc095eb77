"""Confine a process that runs what others wrote (code, templates, documents), with every defence that the host offers.

A process calls `confine` once, after it has loaded all that it needs. The fences hold independently of each other:

* `seccomp`: a list of the system calls that may be made (seccomp.py, system_calls.py)
* `landlock`: no files but those named, no TCP, no signals to others (landlock.py)
* `namespaces`: an empty root, no network, no other processes (namespaces.py); for processes that fork their own kind
* `user`: a user of its own, where the process began as root

Beside them: limits of memory, descriptors and written files, no privileges by programs, no dumps, no descriptors of
the parent.
"""

import contextlib
import ctypes
import os
import platform
import resource
from collections.abc import Sequence
from dataclasses import dataclass

from app.providers.confinement import landlock, seccomp, system_calls

NOBODY = 65_534
# Where the system sets no limit.
MOST_DESCRIPTORS = 1 << 20
SECCOMP, LANDLOCK, NAMESPACES, USER = "seccomp", "landlock", "namespaces", "user"
_SET_DUMPABLE, _SET_NO_NEW_PRIVILEGES, _CAPABILITIES_VERSION = 4, 38, 0x20080522


@dataclass(frozen=True)
class Confinement:
    """What a confined process may do.

    `memory`: bytes of address space, None for no limit. `descriptors`: the highest count of open ones; those from
    `keep` on are closed; `receives`: whether more may come by a socket. `readable`: files and folders that may be read;
    `executable`: those that may be executed too, as paths or open descriptors. `threads`: whether threads may be
    started; processes never.
    """

    memory: int | None = None
    descriptors: int = 3
    keep: int = 3
    threads: bool = False
    event_loops: bool = False
    receives: bool = False
    readable: Sequence[str] = ()
    executable: Sequence[str | int] = ()


def confine(wanted: Confinement) -> frozenset[str]:
    """Confine this process and what it executes; return the names of the fences that hold. Cannot be undone.

    A fence that the host lacks is left out: the caller decides whether the others suffice (`suffices`).
    """
    close_descriptors(wanted.keep)
    fences = {USER} if give_up_root() else set[str]()
    give_up_privileges()
    with contextlib.suppress(OSError):
        landlock.restrict(wanted.readable, wanted.executable)
        fences.add(LANDLOCK)
    set_limits(wanted)
    if filter_calls(filter_of(wanted)):
        fences.add(SECCOMP)
    return frozenset(fences)


def suffices(fences: frozenset[str]) -> bool:
    """Whether code of strangers may run behind these fences: the filter of system calls, and a second one for files."""
    return SECCOMP in fences and bool({LANDLOCK, NAMESPACES} & fences)


def close_descriptors(first: int) -> None:
    """Close this one and all higher descriptors, which a process may have from its parent."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(first, MOST_DESCRIPTORS if most == resource.RLIM_INFINITY else most)


def give_up_root() -> bool:
    """Become the user `nobody` if this process is root's; return whether it has. A limited root may be unable to."""
    if os.getuid() != 0:
        return False
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    except OSError:
        return False
    return True


def give_up_privileges() -> None:
    """Drop all capabilities, gain none by executing programs, and let no other process look into this one."""
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    library.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    # Three masks of 64 bits, in two halves: none effective, permitted or inherited.
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    library.capset(header, (ctypes.c_uint32 * 6)())


def set_limits(wanted: Confinement) -> None:
    """Limit memory, descriptors, dumps and written files of this process, for good."""
    if wanted.memory is not None:
        resource.setrlimit(resource.RLIMIT_AS, (wanted.memory, wanted.memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted.descriptors, wanted.descriptors))
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_MEMLOCK, resource.RLIMIT_MSGQUEUE):
        resource.setrlimit(limit, (0, 0))
    if not wanted.threads:
        # The kernel counts threads as processes.
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def filter_of(wanted: Confinement) -> bytes | None:
    """Return the filter of system calls as `seccomp.install` takes it; None on a machine whose calls are not known."""
    if not seccomp.is_supported():
        return None
    calls = dict(system_calls.COMPUTING)
    if wanted.threads:
        calls |= system_calls.THREADS
    if wanted.event_loops:
        calls |= system_calls.EVENT_LOOPS
    if wanted.receives:
        calls |= system_calls.RECEIVING
    if wanted.readable or wanted.executable:
        calls |= system_calls.READING_FILES
    if wanted.executable:
        calls |= system_calls.EXECUTING
    return seccomp.program(calls, platform.machine())


def filter_calls(code: bytes | None) -> bool:
    """Install a filter of system calls; return whether it holds."""
    if code is None:
        return False
    try:
        seccomp.install(code)
    except OSError:
        return False
    return True
