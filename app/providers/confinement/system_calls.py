"""The system calls that confined processes may make, by processor: each list is what one kind of process needs.

A call that is in no list fails with EPERM. The numbers are those of the kernel's headers: x86-64, and the generic table
of aarch64; None where a processor lacks the call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

X86_64, AARCH64 = "x86_64", "aarch64"
# AUDIT_ARCH_… of linux/audit.h.
ARCHITECTURES: Mapping[str, int] = {X86_64: 0xC000003E, AARCH64: 0xC00000B7}


@dataclass(frozen=True)
class ArgumentCondition:
    """What the lower half of an argument must be: `value & mask` is one of `values`."""

    argument: int
    values: Sequence[int]
    mask: int = 0xFFFFFFFF


@dataclass(frozen=True)
class SystemCall:
    """A system call that may be made, under a condition or always."""

    x86_64: int | None
    aarch64: int | None
    condition: ArgumentCondition | None = None

    def number(self, machine: str) -> int | None:
        """Return the call's number on a machine."""
        return self.x86_64 if machine == X86_64 else self.aarch64


_EXECUTABLE_PAGE = 0x4
_THREAD = 0x00010000 | 0x00000100 | 0x00000800
# The CLONE_NEW… flags.
_NAMESPACES = 0x7E020080
_WRITING = 0x1 | 0x2 | 0x40 | 0x200 | 0x400 | 0x400000

# Memory, time, waiting, random numbers, the descriptors that are open, the end.
COMPUTING: Mapping[str, SystemCall] = {
    "read": SystemCall(0, 63),
    "write": SystemCall(1, 64),
    "readv": SystemCall(19, 65),
    "writev": SystemCall(20, 66),
    "close": SystemCall(3, 57),
    "dup": SystemCall(32, 23),
    "dup2": SystemCall(33, None),
    "dup3": SystemCall(292, 24),
    "fstat": SystemCall(5, 80),
    "lseek": SystemCall(8, 62),
    "mmap": SystemCall(9, 222, ArgumentCondition(2, (0,), _EXECUTABLE_PAGE)),
    "mprotect": SystemCall(10, 226, ArgumentCondition(2, (0,), _EXECUTABLE_PAGE)),
    "munmap": SystemCall(11, 215),
    "mremap": SystemCall(25, 216),
    "madvise": SystemCall(28, 233),
    "brk": SystemCall(12, 214),
    "rt_sigaction": SystemCall(13, 134),
    "rt_sigprocmask": SystemCall(14, 135),
    "rt_sigreturn": SystemCall(15, 139),
    "sigaltstack": SystemCall(131, 132),
    "futex": SystemCall(202, 98),
    "sched_yield": SystemCall(24, 124),
    "sched_getaffinity": SystemCall(204, 123),
    "clock_gettime": SystemCall(228, 113),
    "clock_getres": SystemCall(229, 114),
    "clock_nanosleep": SystemCall(230, 115),
    "nanosleep": SystemCall(35, 101),
    "gettimeofday": SystemCall(96, 169),
    "time": SystemCall(201, None),
    "times": SystemCall(100, 153),
    "getrusage": SystemCall(98, 165),
    "getcpu": SystemCall(309, 168),
    "getpid": SystemCall(39, 172),
    "gettid": SystemCall(186, 178),
    "getppid": SystemCall(110, 173),
    "getuid": SystemCall(102, 174),
    "geteuid": SystemCall(107, 175),
    "getgid": SystemCall(104, 176),
    "getegid": SystemCall(108, 177),
    "getrandom": SystemCall(318, 278),
    "exit": SystemCall(60, 93),
    "exit_group": SystemCall(231, 94),
    # Of this process, which can lower its limits, not raise them.
    "prlimit64": SystemCall(302, 261, ArgumentCondition(0, (0,))),
    "restart_syscall": SystemCall(219, 128),
    "set_robust_list": SystemCall(273, 99),
    "rseq": SystemCall(334, 293),
    "poll": SystemCall(7, None),
    "ppoll": SystemCall(271, 73),
    "select": SystemCall(23, None),
    "pselect6": SystemCall(270, 72),
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. F_SETOWN would send signals to others.
    "fcntl": SystemCall(72, 25, ArgumentCondition(1, (0, 1, 2, 3, 4, 1030))),
    # TCGETS (is this a terminal?), FIONBIO, FIOCLEX, FIONCLEX.
    "ioctl": SystemCall(16, 29, ArgumentCondition(1, (0x5401, 0x5421, 0x5451, 0x5450))),
}
# Threads, never processes: `clone` must say that it makes a thread, and no namespace. `clone3`, whose flags a filter
# cannot see, is answered with ENOSYS (seccomp.py), after which the C library takes `clone`.
THREADS: Mapping[str, SystemCall] = {
    "clone": SystemCall(56, 220, ArgumentCondition(0, (_THREAD,), _THREAD | _NAMESPACES)),
}
# What an event loop needs, inside this process alone: `socketpair` makes Unix sockets that lead nowhere else.
EVENT_LOOPS: Mapping[str, SystemCall] = {
    "epoll_create1": SystemCall(291, 20),
    "epoll_ctl": SystemCall(233, 21),
    "epoll_wait": SystemCall(232, None),
    "epoll_pwait": SystemCall(281, 22),
    "eventfd2": SystemCall(290, 19),
    "pipe2": SystemCall(293, 59),
    "socketpair": SystemCall(53, 199, ArgumentCondition(0, (1,))),
    # With an address of no bytes: a datagram could otherwise be sent to a socket of another process.
    "sendto": SystemCall(44, 206, ArgumentCondition(5, (0,))),
    "recvfrom": SystemCall(45, 207),
}
# Descriptors may come by a socket that is open.
RECEIVING: Mapping[str, SystemCall] = {"recvmsg": SystemCall(47, 212)}
# Files are opened for reading only, and listed; Landlock says which ones.
READING_FILES: Mapping[str, SystemCall] = {
    "open": SystemCall(2, None, ArgumentCondition(1, (0,), _WRITING)),
    "openat": SystemCall(257, 56, ArgumentCondition(2, (0,), _WRITING)),
    "newfstatat": SystemCall(262, 79),
    "stat": SystemCall(4, None),
    "lstat": SystemCall(6, None),
    "statx": SystemCall(332, 291),
    "access": SystemCall(21, None),
    "faccessat": SystemCall(269, 48),
    "faccessat2": SystemCall(439, 439),
    "readlink": SystemCall(89, None),
    "readlinkat": SystemCall(267, 78),
    "getdents64": SystemCall(217, 61),
    "pread64": SystemCall(17, 67),
    "fadvise64": SystemCall(221, 223),
    "getcwd": SystemCall(79, 17),
}
# What the loader of a program needs: one may be executed, and its libraries mapped. Landlock says which ones.
EXECUTING: Mapping[str, SystemCall] = {
    "execve": SystemCall(59, 221),
    "execveat": SystemCall(322, 281),
    "mmap": SystemCall(9, 222),
    "mprotect": SystemCall(10, 226),
    "arch_prctl": SystemCall(158, None),
    "set_tid_address": SystemCall(218, 96),
}
