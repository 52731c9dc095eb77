"""What code of strangers must not do in CPython: reach the machine, its network, other processes, or other calls."""

import pytest

from app.providers.cancellation import Cancellation
from app.providers.sandbox.cpython_code import CPythonPool
from app.providers.sandbox.messages import SandboxFailed


@pytest.fixture(scope="module")
def pool():
    pool = CPythonPool()
    yield pool
    pool.close()


def run(pool, code, seconds=5.0, **inputs):
    return pool.run(code, inputs, seconds, Cancellation())


# Each is an expression that must not give a value; `os`, `socket`, … are imported.
HARM = [
    "open('/etc/passwd').read()",
    "open('/proc/self/environ').read()",
    "open('/proc/self/mem', 'rb').read(1)",
    "open('/proc/1/maps').read()",
    "open(__import__('json').__file__).read()",
    "open('/tmp/left', 'w').write('x')",
    "os.open('.', os.O_RDONLY)",
    "os.open('/dev/null', os.O_RDWR)",
    "os.listdir('/')",
    "os.stat('/')",
    "os.symlink('/etc/passwd', '/tmp/link')",
    "os.link('/etc/passwd', '/tmp/link')",
    "os.mkdir('/tmp/a')",
    "os.chdir('/')",
    "os.chroot('/')",
    "os.mkfifo('/tmp/pipe')",
    "os.memfd_create('x')",
    "os.truncate('/tmp/x', 1)",
    "os.fork()",
    "os.posix_spawn('/bin/true', ['true'], {})",
    "os.execv('/bin/true', ['true'])",
    "subprocess.run(['true'])",
    "subprocess.Popen('true', shell=True).wait()",
    "multiprocessing.Process(target=print).start()",
    "os.kill(1, 9)",
    "os.kill(os.getppid(), 9)",
    "os.killpg(0, 9)",
    "os.pidfd_open(1)",
    "signal.pthread_kill(threading.get_ident(), 15)",
    "signal.raise_signal(15)",
    "os.setuid(0)",
    "os.setresuid(0, 0, 0)",
    "os.setpriority(0, 0, -5)",
    "os.sched_setaffinity(0, {0})",
    "os.sched_setscheduler(0, 0, os.sched_param(0))",
    "resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))",
    "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "resource.prlimit(1, resource.RLIMIT_CPU, (1, 1))",
    "os.sendfile(1, 0, 0, 1)",
    "os.splice(0, 1, 1)",
    "os.eventfd(0) and os.openpty()",
    "os.getxattr('/', 'user.x')",
    "fcntl.fcntl(3, fcntl.F_SETOWN, 1)",
    "fcntl.ioctl(3, 0x5412, b'x')",
    *(f"socket.socket({family}, {kind})" for family in (1, 2, 10, 16, 17, 38, 40) for kind in (1, 2, 3)),
    "socket.create_connection(('127.0.0.1', 22))",
    "socket.getaddrinfo('example.com', 80)",
    "socket.socketpair(socket.AF_INET)",
    "socket.socketpair()[0].sendto(b'x', '/run/systemd/journal/socket')",
    "socket.socketpair()[0].sendmsg([b'x'])",
    "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "importlib.import_module('ctypes')",
    "importlib.import_module('_ctypes')",
    "importlib.import_module('app.providers.cpython.zygote').main([], [])",
    "importlib.machinery.ExtensionFileLoader('x', '/tmp/x.so').load_module()",
    "shared_memory.SharedMemory(create=True, size=10)",
]
IMPORTS = """import fcntl, importlib, importlib.machinery, mmap, multiprocessing, os, resource, signal, socket
import subprocess, threading
from multiprocessing import shared_memory
"""


@pytest.fixture(scope="module")
def harm_done(pool):
    """What each expression gave, all tried in one call: what one of them broke, the next one would meet."""
    code = IMPORTS + (
        "def main(expressions):\n    results = {}\n    for expression in expressions:\n        try:\n"
        "            results[expression] = repr(eval(expression))\n        except Exception as error:\n"
        "            results[expression] = type(error)(str(error)) and ''\n    return results"
    )
    return run(pool, code, 30.0, expressions=HARM)


@pytest.mark.parametrize("expression", HARM)
def test_code_cannot(harm_done, expression):
    assert harm_done[expression] == ""


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    pass",
        "import time\ntime.sleep(60)",
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    pass",
        "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
        "9 ** 9 ** 9",
        "import threading\nthreading.Thread(target=threading.Event().wait).start()\nthreading.Event().wait()",
    ],
)
def test_time_is_limited(pool, code):
    with pytest.raises(SandboxFailed, match=r"longer than 0\.3 seconds"):
        run(pool, f"{code}\ndef main():\n    return 1", 0.3)


@pytest.mark.parametrize(
    "code",
    [
        "import os\nwhile True:\n    os.fork()",
        "import threading\nwhile True:\n    threading.Thread(target=threading.Event().wait).start()",
        "l = []\nwhile True:\n    l.append('x' * 1000000)",
        "import os\nl = []\nwhile True:\n    l.append(os.pipe())",
        "import mmap\nl = []\nwhile True:\n    l.append(mmap.mmap(-1, 1 << 24))",
        "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f():\n    f()\nf()",
    ],
)
def test_bombs_do_not_go_off(pool, code):
    with pytest.raises(SandboxFailed):
        run(pool, f"{code}\ndef main():\n    return 1", 1.0)
    assert run(pool, "def main():\n    return 1") == 1


def test_code_sees_nothing_of_the_machine(pool):
    code = (
        "import os, sys, socket\ndef main():\n    return {'environ': sorted(os.environ), 'paths': sys.path, "
        "'user': os.getuid(), 'cwd': os.path.exists('/'), 'files': [n for n in range(64) if os.isatty(n)], "
        "'app': [name for name in sys.modules if name.partition('.')[0] == 'app']}"
    )
    seen = run(pool, code)
    assert set(seen.pop("environ")) <= {"TZ", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "LC_CTYPE"}
    assert seen.pop("user") != 0
    assert seen == {"paths": [], "cwd": False, "files": [], "app": []}


def test_only_the_call_itself_is_open(pool):
    code = """
import fcntl
def is_open(descriptor):
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GETFD) >= 0
    except OSError:
        return False
def main():
    return [descriptor for descriptor in range(24) if is_open(descriptor)]
"""
    assert run(pool, code) == [0, 1, 2, 3]


def test_one_call_leaves_nothing_to_the_next(pool):
    run(pool, "import json, builtins\nbuiltins.left = json.left = 1\ndef main():\n    return 1")
    code = "import json, builtins\ndef main():\n    return hasattr(json, 'left') or hasattr(builtins, 'left')"
    assert run(pool, code) is False


def test_calls_do_not_share_random_numbers(pool):
    code = "import random, uuid\ndef main():\n    return [random.random(), str(uuid.uuid4())]"
    first, second = run(pool, code), run(pool, code)
    assert first[0] != second[0] and first[1] != second[1]
