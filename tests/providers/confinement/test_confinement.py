"""Confined processes: what they cannot do, whatever their program is, and what still works."""

import json
import pathlib
import subprocess
import sys
import tempfile

import pytest

from app.providers.confinement import LANDLOCK, NAMESPACES, SECCOMP, USER, suffices, system_calls
from app.providers.confinement.seccomp import program
from tests.support.paths import PROJECT

PROGRAM = """
import ctypes, json, os, signal, socket, subprocess, sys, threading
from app.providers.confinement import Confinement, confine
library = ctypes.CDLL(None, use_errno=True)
fences = confine(Confinement(**json.loads(sys.argv[1])))
def call(number, *arguments):
    if library.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "")
def in_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
actions = json.loads(sys.argv[2])
results = {}
for action in actions:
    try:
        eval(action)
        results[action] = "done"
    except (OSError, RuntimeError) as error:
        results[action] = type(error).__name__
print(json.dumps([sorted(fences), results]), flush=True)
"""
HARM = [
    "open('/etc/passwd')",
    "open('/proc/self/environ')",
    "open('/proc/self/mem', 'r+b')",
    "open('/tmp/left', 'w')",
    "os.listdir('/')",
    "os.symlink('/etc/passwd', '/tmp/link')",
    "os.mkdir('/tmp/folder')",
    "os.chmod('/tmp', 0o777)",
    "os.memfd_create('program')",
    "os.fork()",
    "os.execv('/bin/true', ['true'])",
    "subprocess.run(['/bin/true'])",
    "os.kill(os.getppid(), 0)",
    "os.kill(os.getpid(), 0)",
    "os.setuid(0)",
    "os.nice(-1)",
    "os.mkfifo('/tmp/pipe')",
    "os.sched_setscheduler(0, 0, os.sched_param(0))",
    *(f"socket.socket({family}, {kind})" for family in (1, 2, 10, 16, 17, 38, 40) for kind in (1, 2, 3, 5)),
    "socket.socketpair(socket.AF_INET6)",
    *(f"call({number}, 0, 0, 0, 0)" for number in (101, 155, 161, 165, 175, 246, 272, 308, 435)),
    # io_uring, memfd, process_vm_readv and writev, pidfd, userfaultfd, bpf, perf, keys, shared memory, message queues.
    *(
        f"call({number}, 0, 0, 0, 0)"
        for number in (425, 426, 427, 319, 310, 311, 434, 438, 323, 321, 298, 248, 250, 29)
    ),
    # Executable pages, fresh or made of others.
    "call(9, 0, 4096, 7, 0x22, -1, 0)",
    "call(10, id(results) & ~4095, 4096, 7)",
    # F_SETOWN and TIOCSTI.
    "call(72, 1, 8, 1)",
    "call(16, 0, 0x5412, 0)",
    # Limits of another process.
    "call(302, 1, 0, 0, 0)",
]


def confined(actions: list[str], **confinement: object) -> tuple[list[str], dict[str, str]]:
    command = [sys.executable, "-c", PROGRAM, json.dumps(confinement), json.dumps(actions)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    fences, results = json.loads(done.stdout)
    return fences, results


@pytest.fixture(scope="module")
def harm_done():
    return confined([*HARM, "in_thread()"])[1]


@pytest.mark.parametrize("action", [*HARM, "in_thread()"])
def test_a_confined_process_cannot(harm_done, action):
    assert harm_done[action] != "done"


def test_the_fences_of_this_host_are_told():
    assert suffices(frozenset(confined([])[0]))


def test_threads_and_event_loops_are_for_those_that_ask():
    allowed = ["in_thread()", "socket.socketpair()", "os.pipe()"]
    refused = ["os.fork()", "socket.socket()", "call(435, 0, 0)", "open('/etc/passwd')"]
    results = confined([*allowed, *refused], threads=True, event_loops=True, descriptors=16)[1]
    assert results == dict.fromkeys(allowed, "done") | dict.fromkeys(refused, "PermissionError") | {
        "call(435, 0, 0)": "OSError"
    }


@pytest.fixture
def open_folder():
    """A folder that every user can reach, for the process changes its user."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        path.chmod(0o755)
        yield path


def test_only_named_folders_can_be_read(open_folder):
    named, other = open_folder / "named", open_folder / "other"
    for folder in (named, other):
        folder.mkdir()
        (folder / "file").write_text("text")
    read = f"open({str(named / 'file')!r})"
    others = [f"open({str(other / 'file')!r})", f"open({str(named / 'file')!r}, 'a')", "open('/etc/passwd')"]
    results = confined([read, *others], readable=[str(named)], descriptors=8)[1]
    assert results == {read: "done"} | dict.fromkeys(others, "PermissionError")


def test_memory_is_limited():
    results = confined(["bytearray(1 << 20)", "call(9, 0, 1 << 30, 3, 0x22, -1, 0)"], memory=512 << 20)[1]
    assert list(results.values()) == ["done", "OSError"]


@pytest.mark.parametrize(
    ("fences", "enough"),
    [
        ({SECCOMP, LANDLOCK}, True),
        ({SECCOMP, NAMESPACES}, True),
        ({SECCOMP, USER}, False),
        ({LANDLOCK, NAMESPACES, USER}, False),
        (set(), False),
    ],
)
def test_two_fences_are_needed_and_one_is_the_filter(fences, enough):
    assert suffices(frozenset(fences)) is enough


@pytest.mark.parametrize("machine", list(system_calls.ARCHITECTURES))
def test_the_filter_ends_calls_of_other_processors(machine):
    code = program(system_calls.COMPUTING, machine)
    assert len(code) % 8 == 0
    # Loads the architecture; equal to this one: skip the next; end the process.
    expected = [(0x20, 4), (0x15, system_calls.ARCHITECTURES[machine]), (0x06, 0x80000000)]
    steps = [code[at : at + 8] for at in range(0, 24, 8)]
    assert [(int.from_bytes(step[:2], "little"), int.from_bytes(step[4:], "little")) for step in steps] == expected
