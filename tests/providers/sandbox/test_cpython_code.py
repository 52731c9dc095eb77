"""Python that needs CPython: the whole standard library, errors with their lines, the life of its processes."""

import contextlib
import re
import subprocess
import sys
import threading
import time

import psutil
import pytest

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.confinement import suffices
from app.providers.sandbox import cpython_code
from app.providers.sandbox.code_check import TOO_FEW_FENCES
from app.providers.sandbox.cpython_code import CPythonPool
from app.providers.sandbox.messages import SandboxFailed
from tests.support.paths import PROJECT


@pytest.fixture(scope="module")
def pool():
    pool = CPythonPool(["orjson"])
    yield pool
    pool.close()


def run(pool, code, seconds=5.0, **inputs):
    return pool.run(code, inputs, seconds, Cancellation())


MODULES = """
abc, argparse, array, ast, asyncio, base64, binascii, bisect, calendar, cmath, codecs, collections.abc, colorsys,
concurrent.futures, configparser, contextlib, contextvars, copy, csv, dataclasses, datetime, decimal, difflib,
email.mime.text, email.utils, enum, fileinput, fnmatch, fractions, functools, glob, gzip, hashlib, heapq, hmac, html,
html.parser, http.client, http.cookies, imaplib, inspect, io, ipaddress, itertools, json, keyword, linecache, locale,
logging.handlers, lzma, math, mimetypes, numbers, operator, os.path, pathlib, pickle, platform, plistlib, pprint, queue,
random, re, reprlib, requests, sched, secrets, select, shlex, shutil, signal, smtplib, socket, sqlite3, ssl, statistics,
string, stringprep, struct, subprocess, sys, tempfile, textwrap, threading, time, timeit, token, tokenize, tomllib,
traceback, types, typing, unicodedata, unittest, urllib.error, urllib.parse, urllib.request, uuid, warnings, weakref,
wsgiref, xml.dom.minidom, xml.etree.ElementTree, xml.sax.saxutils, xmlrpc.client, zipfile, zlib, zoneinfo
"""


def test_the_standard_library_can_be_imported(pool):
    code = f"import {' '.join(MODULES.split())}\ndef main():\n    return 'all'"
    assert run(pool, code) == "all"


@pytest.mark.parametrize(
    ("imports", "expression", "value"),
    [
        ("re", "re.sub('a', lambda match: match[0].upper(), 'banana')", "bAnAnA"),
        ("uuid", "len(str(uuid.uuid4()))", 36),
        ("urllib.parse", "urllib.parse.quote('a b/ü')", "a%20b/%C3%BC"),
        ("html", "html.unescape('&lt;&eacute;')", "<é"),
        ("hmac", "hmac.new(b'k', b'm', 'sha256').hexdigest()[:8]", "b60090e3"),
        ("string", "string.Template('$a!').substitute(a=1)", "1!"),
        ("io, csv", "list(csv.DictReader(io.StringIO('a,b\\n1,2')))", [{"a": "1", "b": "2"}]),
        ("enum", "list(enum.StrEnum('Colour', ['RED']))", ["red"]),
        ("logging", "logging.warning('x')", None),
        ("statistics", "statistics.stdev([1, 2, 4])", 1.5275252316519468),
        ("datetime", "(datetime.date(2024, 2, 28) + datetime.timedelta(2)).strftime('%A %j')", "Friday 061"),
        ("zoneinfo, datetime", "str(zoneinfo.ZoneInfo('Asia/Tokyo').utcoffset(datetime.datetime.now()))", "9:00:00"),
        ("decimal", "str(decimal.Decimal('0.1') + decimal.Decimal('0.2'))", "0.3"),
        ("dataclasses", "dataclasses.asdict(dataclasses.make_dataclass('P', ['x'])(1))", {"x": 1}),
        ("collections", "collections.Counter('aab').most_common()", [["a", 2], ["b", 1]]),
        ("xml.etree.ElementTree as tree", "tree.fromstring('<a><b>1</b></a>').findtext('b')", "1"),
        ("random", "random.Random(7).randint(1, 100)", 42),
        ("asyncio", "asyncio.run(asyncio.sleep(0, 3))", 3),
        ("concurrent.futures as f", "list(f.ThreadPoolExecutor().map(abs, [-1, 2]))", [1, 2]),
        ("time", "[time.sleep(0.01), time.tzname[0]]", [None, "UTC"]),
        ("sqlite3", "sqlite3.connect(':memory:').execute('SELECT 1 + 1').fetchone()", [2]),
        ("gzip", "gzip.decompress(gzip.compress(b'x' * 9)).decode()", "x" * 9),
        ("orjson", "orjson.loads('[1]')", [1]),
        ("sys", "'ü'.encode('gb18030').decode('gb18030') + b'\\xb7\\xbd'.decode('big5')", "ü源"),
        ("sys", "json.loads(b64decode('Wzdd'))", [7]),
        ("sys", "[round(2.675, 2), {1: 'a'}, 10 ** 30, (1, 2)]", [2.67, {"1": "a"}, 10**30, [1, 2]]),
    ],
)
def test_expressions_give_what_they_give_elsewhere(pool, imports, expression, value):
    assert run(pool, f"import {imports}\ndef main():\n    return {expression}") == value


def test_classes_generators_and_names_of_modules(pool):
    code = """
from datetime import *
class Shape:
    sides = 0
class Square(Shape):
    sides = 4
    @property
    def name(self):
        return f"{super().sides} < {self.sides}"
def numbers(n):
    yield from range(n)
def main(n):
    with_name = {Square().name: list(numbers(n))}
    del n
    match with_name:
        case {"0 < 4": [0, *rest]}:
            return {"rest": rest, "year": datetime(2024, 1, 1).year}
"""
    assert run(pool, code, n=3) == {"rest": [1, 2], "year": 2024}


def test_values_pass_unchanged(pool):
    values = {"t": "ü\U0001f600\u2028\0", "n": 10**30, "f": 0.1, "o": {"a": [None, True, {}]}, "e": ""}
    assert run(pool, "def main(**v):\n    return v", **values) == values


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero (line 2)"),
        ("json.loads('{')", "JSONDecodeError: Expecting property name"),
        ("exit(3)", "NameError"),
        ("__import__('sys').exit(3)", "SystemExit: 3 (line 2)"),
        ("__import__('nothing')", "ModuleNotFoundError: No module named 'nothing' (line 2)"),
        ("{1, 2}", "TypeError: Object of type set is not JSON serializable"),
        ("input()", "EOFError: EOF when reading a line (line 2)"),
        ("main()", "RecursionError"),
        ("'a' * 10 ** 10", "over the limit of memory"),
        ("'a' * (17 << 20)", "returned more than 16 MB"),
        ("__import__('os')._exit(0)", "The code was ended"),
        ("__import__('os').write(3, b'\\0\\0\\0\\2[]')", "it wrote what it must not"),
        ("__import__('os').write(3, b'\\0\\0\\0\\5[[[[[')", "it wrote what it must not"),
        ("__import__('os').write(3, b'\\xff\\xff\\xff\\xff')", "more than 16 MB"),
    ],
)
def test_an_error_is_told_with_its_line(pool, body, text):
    with pytest.raises(SandboxFailed, match=re.escape(text)):
        run(pool, f"def main():\n    return {body}")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("def main(:\n    pass", "SyntaxError: invalid syntax (line 1)"),
        ("x = 1", "The code has no function `main`."),
        ("def main(a):\n    pass", "TypeError: main() missing 1 required positional argument: 'a'"),
        ("class E(Exception):\n  def __str__(self):\n    raise ValueError\ndef main():\n  raise E", "E: its text"),
    ],
)
def test_what_is_wrong_with_the_code_is_told(pool, code, text):
    with pytest.raises(SandboxFailed, match=re.escape(text)):
        run(pool, code)


ENDLESS = "def main():\n    while True:\n        pass"


def children():
    """The processes below this one that run; each may end between two looks."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
    return found


def seconds_of(process):
    try:
        return process.cpu_times().user
    except psutil.NoSuchProcess:
        return 0.0


def test_a_stop_ends_the_process_at_once(pool):
    run(pool, "def main():\n    return 1")
    before = set(children())
    cancellation = Cancellation()
    threading.Timer(0.2, cancellation.cancel).start()
    with pytest.raises(Cancelled):
        pool.run(ENDLESS, {}, 10.0, cancellation)
    busy = [child for child in set(children()) - before if seconds_of(child) > 0.05]
    assert psutil.wait_procs(busy, timeout=5)[1] == []


def test_a_dead_zygote_is_replaced():
    pool = CPythonPool()
    try:
        assert run(pool, "def main():\n    return 1") == 1
        started = children()
        for process in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.ppid() != psutil.Process().pid and process.name().startswith("python"):
                    process.kill()
        psutil.wait_procs(started, timeout=5)
        assert run(pool, "def main():\n    return 2") == 2
    finally:
        pool.close()


def test_a_killed_worker_leaves_no_process_behind():
    line = (
        "from app.providers.sandbox.cpython_code import CPythonPool; "
        "from app.providers.cancellation import Cancellation; print(flush=True); "
        "CPythonPool().run('def main():\\n    while True:\\n        pass', {}, 60.0, Cancellation())"
    )
    worker = subprocess.Popen([sys.executable, "-c", line], cwd=PROJECT, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    worker.stdout.readline()
    found = []
    while not any(seconds_of(child) > 0.1 and child.ppid() != worker.pid for child in found):
        found = psutil.Process(worker.pid).children(recursive=True)
        time.sleep(0.01)
    worker.kill()
    worker.communicate()
    assert psutil.wait_procs(found, timeout=10)[1] == []


def test_no_call_outlives_its_zygote_where_there_are_no_namespaces(monkeypatch):
    line = cpython_code._start_line(())
    without = "from app.providers.confinement import namespaces; namespaces.enter = lambda: False; main("
    monkeypatch.setattr(cpython_code, "_start_line", lambda packages: line.replace("main(", without))
    pool, known = CPythonPool(), set(children())
    calls = [
        threading.Thread(target=lambda: pytest.raises(SandboxFailed, run, pool, ENDLESS, 20.0), name=f"call {number}")
        for number in range(2)
    ]
    for call in calls:
        call.start()
    busy = []
    while len(busy) < 2:
        assert all(call.is_alive() for call in calls)
        started = set(children()) - known
        busy = [child for child in started if seconds_of(child) > 0.1 and not child.children()]
    zygote = busy[0].parent()
    assert busy[1].parent() == zygote
    zygote.kill()
    assert psutil.wait_procs(started, timeout=5)[1] == []
    for call in calls:
        call.join()
    pool.close()


def test_a_host_with_too_few_fences_runs_no_code(pool, monkeypatch):
    monkeypatch.setattr("app.providers.sandbox.cpython_code.suffices", lambda fences: False)
    with pytest.raises(SandboxFailed, match=TOO_FEW_FENCES):
        run(pool, "def main():\n    return 1")


def test_this_host_has_fences_enough(pool):
    assert suffices(pool.fences())


def test_many_call_at_once(pool):
    answers = []
    threads = [
        threading.Thread(target=lambda n=number: answers.append(run(pool, "def main(n):\n    return n", 20.0, n=n)))
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(20))
