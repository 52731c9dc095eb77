"""Take files, TCP ports and the signals of other processes away from this process by Landlock, if the kernel has it."""

import contextlib
import ctypes
import os
import struct
from collections.abc import Sequence

# The same numbers on all processors.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 2, 1 << 3
# All rights over files that a version of the interface knows.
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
# Binding and connecting of TCP sockets; abstract Unix sockets and signals that lead to other processes.
_TCP, _SCOPES = 0b11, 0b11


def version() -> int:
    """Return the version of the kernel's Landlock interface; 0 if it has none."""
    return max(0, int(_library().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)))


def restrict(readable: Sequence[str] = (), executable: Sequence[str | int] = ()) -> None:
    """Allow files and folders of `readable` to be read, those of `executable` to be read and executed, nothing else.

    Paths, or open descriptors; a path that does not exist is left out. Holds for the calling thread and what it
    starts, and cannot be undone. The process must have `no_new_privs`. Raises OSError.
    """
    known = version()
    if not known:
        raise OSError("The kernel has no Landlock.")
    files = _FILE_RIGHTS[min(known, 5)]
    # Later fields of the structure are those of later versions.
    rights = struct.pack("QQQ", files, _TCP, _SCOPES)[: 8 if known < 4 else 16 if known < 6 else 24]
    rules = _checked(_library().syscall(_CREATE_RULESET, rights, ctypes.c_size_t(len(rights)), 0))
    try:
        for path in readable:
            _allow(rules, path, _READ_FILE | _READ_FOLDER)
        for place in executable:
            _allow(rules, place, _READ_FILE | _READ_FOLDER | _EXECUTE)
        _checked(_library().syscall(_RESTRICT_SELF, rules, 0))
    finally:
        os.close(rules)


def _allow(rules: int, place: str | int, rights: int) -> None:
    with contextlib.ExitStack() as closing:
        if isinstance(place, int):
            descriptor = place
        else:
            try:
                descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                return
            closing.callback(os.close, descriptor)
        if not os.path.isdir(descriptor):
            rights &= ~_READ_FOLDER
        # struct landlock_path_beneath_attr, which is packed.
        rule = struct.pack("=Qi", rights, descriptor)
        _checked(_library().syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "Landlock refused a rule.")
    return result


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
