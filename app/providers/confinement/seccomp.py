"""Install a filter of system calls: what is not allowed fails with EPERM, whatever program the process runs.

The filter is a program of the kernel's classic BPF machine, made here of the lists in `system_calls.py`.
"""

import ctypes
import errno
import functools
import platform
import struct
from collections.abc import Mapping

from app.providers.confinement.system_calls import AARCH64, ARCHITECTURES, X86_64, SystemCall

# Instructions (linux/bpf_common.h): load a word of the call, compare, and with the accumulator, return.
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
# Results of the filter (linux/seccomp.h).
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
# struct seccomp_data: number, architecture, instruction pointer, six arguments.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
# Calls from here on are those of the x32 ABI, which has numbers of its own for the same calls.
_X32 = 0x40000000
_SECCOMP = {X86_64: 317, AARCH64: 277}
_CLONE3 = 435
_SET_MODE_FILTER, _ALL_THREADS = 1, 1


def is_supported() -> bool:
    """Whether this processor's system calls are known."""
    return platform.machine() in ARCHITECTURES


def install(code: bytes) -> None:
    """Install a program that `program` made, for all threads of this process; cannot be undone. Raises OSError.

    The process must have `no_new_privs`.
    """
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    if _library().syscall(_SECCOMP[platform.machine()], _SET_MODE_FILTER, _ALL_THREADS, header):
        raise OSError(ctypes.get_errno(), "The filter of system calls was refused.")


def program(allowed: Mapping[str, SystemCall], machine: str) -> bytes:
    """Return the filter that allows these system calls only: eight bytes an instruction (struct sock_filter)."""
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, ARCHITECTURES[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    if machine == X86_64:
        steps += [_step(_AT_LEAST, _X32, 0, 1), _step(_RETURN, _KILL)]
    for call in allowed.values():
        number = call.number(machine)
        if number is not None:
            found = _allowing(call)
            steps += [_step(_EQUAL, number, 0, len(found)), *found]
    steps += [_step(_EQUAL, _CLONE3, 0, 1), _step(_RETURN, _FAIL | errno.ENOSYS), _step(_RETURN, _FAIL | errno.EPERM)]
    return b"".join(steps)


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _allowing(call: SystemCall) -> list[bytes]:
    """Return the steps after a call's number is found; they always end in a result."""
    condition = call.condition
    if condition is None:
        return [_step(_RETURN, _ALLOW)]
    steps = [_step(_LOAD, _ARGUMENTS + 8 * condition.argument), _step(_AND, condition.mask)]
    for value in condition.values:
        steps += [_step(_EQUAL, value, 0, 1), _step(_RETURN, _ALLOW)]
    return [*steps, _step(_RETURN, _FAIL | errno.EPERM)]


def _step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, operand)
