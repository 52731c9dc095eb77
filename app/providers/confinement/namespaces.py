"""Give this process namespaces of its own, where the host allows it: an empty root, no network, no other processes."""

import ctypes
import os
import pathlib

_NEW_MOUNTS, _NEW_CGROUP, _NEW_NAMES, _NEW_IPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
_NEW_USER, _NEW_PROCESSES, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_ALL = _NEW_MOUNTS | _NEW_CGROUP | _NEW_NAMES | _NEW_IPC | _NEW_PROCESSES | _NEW_NETWORK
_RECURSIVE_PRIVATE = 0x4000 | 0x40000
_READ_ONLY, _REMOUNT = 0x1, 0x20
_NO_SETUID_DEVICES_PROGRAMS = 0x2 | 0x4 | 0x8
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def enter() -> bool:
    """Enter new namespaces; return whether the host allows it. The next child process is the first of its namespace.

    Processes other than root's enter a user namespace first, in which they keep their user.
    """
    library = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if user == 0 and library.unshare(_ALL) == 0:
        return True
    if library.unshare(_ALL | _NEW_USER):
        return False
    try:
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        pathlib.Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    except OSError:
        # Without a map no mount is allowed: `empty_root` will say so.
        return False
    return True


def empty_root() -> bool:
    """Replace the root of all files by an empty folder that cannot be written; return whether the host allows it.

    Must be called after `enter`.
    """
    library = ctypes.CDLL(None, use_errno=True)
    place = next((folder for folder in (b"/tmp", b"/var", b"/usr") if os.path.isdir(folder)), b"/")
    flags = _NO_SETUID_DEVICES_PROGRAMS
    if library.mount(None, b"/", None, _RECURSIVE_PRIVATE, None) or library.mount(
        b"tmpfs", place, b"tmpfs", flags, b"size=4k,mode=555"
    ):
        return False
    os.chdir(place)
    # The old root comes to lie on top of the new one, and is taken off.
    if library.syscall(_PIVOT_ROOT[os.uname().machine], b".", b".") or library.umount2(b".", _DETACH):
        return False
    os.chdir("/")
    return bool(library.mount(None, b"/", None, _REMOUNT | _READ_ONLY | flags, None) == 0)
