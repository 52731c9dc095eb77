"""The zygote: a confined process with all modules loaded, which forks a child for each call of code.

It never sees a call's code or values: it gets one end of a socket for each call and passes it to a child. That the
worker closes its end means that nobody waits any more: the child is killed. A child is forked before its call comes.
"""

import array
import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import socket
from dataclasses import dataclass

from app.providers.confinement import (
    LANDLOCK,
    NAMESPACES,
    SECCOMP,
    USER,
    Confinement,
    close_descriptors,
    filter_calls,
    filter_of,
    give_up_privileges,
    give_up_root,
    landlock,
    namespaces,
    set_limits,
    suffices,
)
from app.providers.cpython import call, modules, web

# Address space of a call, beyond what the loaded modules take.
MEMORY = 256 * 1024 * 1024
# Open at once in a call: standard streams, the socket to the worker, an event loop's.
DESCRIPTORS = 24
# How long a child is waited for before the next one is forked.
SPARE_MILLISECONDS = 10
_SET_PARENT_DEATH_SIGNAL = 1
_CONTROL = 3


@dataclass(frozen=True)
class _Child:
    """A forked child. `socket`: before its call, the way to it; in its call, a copy of its end of the call's socket."""

    pid: int
    socket: socket.socket


def main(packages: list[str], missing: list[str]) -> None:
    """Serve until the worker closes the control socket, which is standard input."""
    own_namespaces = namespaces.enter()
    inner = os.fork()
    if inner:
        # The first process of a process namespace is its child; this one stays, so that the worker's child lives.
        os.close(0)
        os._exit(os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]) & 0xFF)
    _end_with_parent()
    control = socket.socket(fileno=os.dup(0))
    _silence()
    store = modules.load(["requests", *packages], missing)
    web.install()
    wanted = Confinement(
        memory=_address_space() + MEMORY, descriptors=DESCRIPTORS, threads=True, event_loops=True, receives=True
    )
    calls = filter_of(wanted)
    fences = _confine(own_namespaces, calls)
    control.sendall(json.dumps(sorted(fences)).encode())
    if not suffices(fences):
        return
    modules.forget({"app", "ctypes", "_ctypes"}, store)
    gc.collect()
    # What is loaded stays; a child's collector need not touch it, which would copy its pages.
    gc.freeze()
    _Zygote(control, wanted, calls).serve()


class _Zygote:
    def __init__(self, control: socket.socket, wanted: Confinement, calls: bytes | None) -> None:
        self._control = control
        self._wanted, self._filter = wanted, calls
        self._calls: dict[int, _Child] = {}
        self._poller = select.poll()
        self._poller.register(control, select.POLLIN)
        self._waking, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        self._poller.register(self._waking, select.POLLIN)
        self._spare: _Child | None = self._fork()

    def serve(self) -> None:
        """Pass calls to children until the worker closes the control socket."""
        while True:
            # The next child is forked once the call before it is done, or takes longer: two cores may be all there are.
            ready = self._poller.poll(SPARE_MILLISECONDS if self._spare is None else None)
            if not ready and self._spare is None:
                self._spare = self._fork()
            for descriptor, _ in ready:
                if descriptor == self._control.fileno():
                    ends = _received(self._control)
                    if ends is None:
                        self._end_all()
                        return
                    for end in ends:
                        self._begin(socket.socket(fileno=end))
                elif descriptor == self._waking:
                    os.read(self._waking, 4096)
                elif descriptor in self._calls:
                    os.kill(self._calls[descriptor].pid, signal.SIGKILL)
                    self._poller.unregister(descriptor)
            self._reap()

    def _begin(self, end: socket.socket) -> None:
        child = self._spare or self._fork()
        # One that has died is seen here, by the write that fails; the next one gets the call.
        with contextlib.suppress(OSError):
            socket.send_fds(child.socket, [b"c"], [end.fileno()])
        child.socket.close()
        self._calls[end.fileno()] = _Child(child.pid, end)
        # For no events: that the other end is closed is always told.
        self._poller.register(end, 0)
        self._spare = None

    def _reap(self) -> None:
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for descriptor, child in list(self._calls.items()):
                if child.pid == pid:
                    # Once the last copy is closed, the worker sees the end.
                    with contextlib.suppress(KeyError):
                        self._poller.unregister(descriptor)
                    del self._calls[descriptor]
                    child.socket.close()
            if self._spare is None:
                self._spare = self._fork()
            elif pid == self._spare.pid:
                self._spare.socket.close()
                self._spare = None

    def _end_all(self) -> None:
        for child in [*self._calls.values(), *([self._spare] if self._spare else [])]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)

    def _fork(self) -> _Child:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid:
            theirs.close()
            return _Child(pid, ours)
        status = 1
        try:
            self._be_child(theirs)
            status = 0
        finally:
            # Whatever happened: nothing of the zygote's may run on here.
            os._exit(status)

    def _be_child(self, theirs: socket.socket) -> None:
        _end_with_parent()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(theirs.fileno(), _CONTROL)
        close_descriptors(_CONTROL + 1)
        control = socket.socket(fileno=_CONTROL)
        set_limits(self._wanted)
        if not filter_calls(self._filter):
            return
        ends = _received(control)
        if not ends:
            return
        os.dup2(ends[0], _CONTROL)
        close_descriptors(_CONTROL + 1)
        call.serve(_CONTROL)


def _end_with_parent() -> None:
    """Have this process killed when the one that forked it ends; becoming another user takes that back."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _confine(own_namespaces: bool, calls: bytes | None) -> frozenset[str]:
    """Confine the zygote, which still forks; return the fences that its children will have."""
    fences = set()
    if own_namespaces and namespaces.empty_root():
        fences.add(NAMESPACES)
    if give_up_root():
        fences.add(USER)
    give_up_privileges()
    with contextlib.suppress(OSError):
        landlock.restrict()
        fences.add(LANDLOCK)
    if _filter_works(calls):
        fences.add(SECCOMP)
    return frozenset(fences)


def _filter_works(calls: bytes | None) -> bool:
    pid = os.fork()
    if not pid:
        os._exit(0 if filter_calls(calls) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _silence() -> None:
    """Lead the standard streams to nowhere, and close what came from the worker."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _received(control: socket.socket) -> list[int] | None:
    """Return the descriptors that came in a message; None if the other side has closed."""
    room = array.array("i")
    message, ancillary, _, _ = control.recvmsg(64, socket.CMSG_SPACE(8 * room.itemsize))
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            room.frombytes(content[: len(content) - len(content) % room.itemsize])
    return list(room) if message else None


def _address_space() -> int:
    """Return the bytes of address space that this process has."""
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
