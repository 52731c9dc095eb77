"""Code and templates of app authors: what they can do, and what must fail with a sentence."""

import pathlib
import re
import subprocess
import sys
import threading

import psutil
import pytest

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.sandbox import Sandbox, SandboxFailed
from tests.support.paths import PROJECT


@pytest.fixture(scope="module")
def sandbox():
    return Sandbox()


def python(sandbox, code, seconds=2.0, **inputs):
    return sandbox.run_code("python3", code, inputs, seconds, Cancellation())


def javascript(sandbox, code, seconds=2.0, **inputs):
    return sandbox.run_code("javascript", code, inputs, seconds, Cancellation())


def render(sandbox, template, seconds=2.0, **values):
    return sandbox.render(template, values, seconds, Cancellation())


def sandbox_processes():
    """Return the idle sandbox processes of this test process."""
    return [child for child in psutil.Process().children() if child.cmdline()[1:2] == ["-I"]]


def test_python_gets_its_inputs_by_name(sandbox):
    code = "import json\ndef main(a, b):\n    return {'sum': a + b, 'text': json.dumps([a])}"
    assert python(sandbox, code, a=1, b=2) == {"sum": 3, "text": "[1]"}


def test_javascript_gets_one_object(sandbox):
    assert javascript(
        sandbox, "function main({a, b}) { return {sum: a + b, list: [a].map(x => x * 2)} }", a=1, b=2
    ) == {"sum": 3, "list": [2]}


def test_what_code_prints_is_ignored(sandbox):
    assert python(sandbox, "def main():\n    print('x')\n    return {'a': 1}") == {"a": 1}
    assert javascript(sandbox, "function main() { console.log('x'); return {a: 1} }") == {"a": 1}


def test_other_languages_are_refused(sandbox):
    with pytest.raises(SandboxFailed, match="ruby"):
        sandbox.run_code("ruby", "", {}, 1.0, Cancellation())


def test_an_error_names_its_line(sandbox):
    with pytest.raises(SandboxFailed, match=r"ZeroDivisionError.*line 2"):
        python(sandbox, "def main():\n    return {'a': 1 / 0}")


@pytest.mark.parametrize(
    "code",
    [
        "def main():\n    return {'a': open('/etc/passwd').read()}",
        "import os\ndef main():\n    return {'a': os.listdir('/')}",
        "import os\ndef main():\n    return {'a': os.environ['PATH']}",
        "import subprocess\ndef main():\n    return {'a': subprocess.run(['id'])}",
        "import os\ndef main():\n    return {'a': 1 / (os.system('id') == 0)}",
        "import socket\ndef main():\n    return {'a': socket.create_connection(('127.0.0.1', 22))}",
        "import urllib.request\ndef main():\n    return {'a': urllib.request.urlopen('http://127.0.0.1')}",
        "import ctypes\ndef main():\n    return {'a': 1}",
        "def main():\n    return {'a': ().__class__.__bases__[0].__subclasses__()}",
        "def main():\n    while True:\n        pass",
        "def main():\n    return main()",
        "def main():\n    return {'a': 'a' * 10 ** 10}",
        "def main():\n    return {'a': 9 ** 9 ** 9}",
        "def main():\n    a = []\n    while True:\n        a.append('x' * 1000000)",
        "import re\ndef main():\n    return {'a': re.match('(a+)+$', 'a' * 40 + 'b')}",
        "import time\ndef main():\n    time.sleep(60)",
        "def main(",
    ],
)
def test_python_cannot_get_out(sandbox, code):
    with pytest.raises(SandboxFailed):
        python(sandbox, code, 1.0)


@pytest.mark.parametrize(
    "code",
    [
        "function main() { while (true) {} }",
        "function main() { return main() }",
        "function main() { return {a: 'a'.repeat(1e9)} }",
        "function main() { const a = []; while (true) a.push(new Array(1e6).fill(1)) }",
        "function main() { return {a: require('fs')} }",
        "function main() { return {a: process.env} }",
        "function main() { return {a: fetch('http://127.0.0.1')} }",
        "import * as os from 'os'; function main() { return {a: 1} }",
        "function main() { return {a: std.loadFile('/etc/passwd')} }",
        "function main() { return {a: 2n ** 100000000n} }",
        "function main() { throw new Error('no') }",
        "function main() { }",
        "function main( {",
    ],
)
def test_javascript_cannot_get_out(sandbox, code):
    with pytest.raises(SandboxFailed):
        javascript(sandbox, code, 1.0)


def test_functions_made_from_text_see_no_more(sandbox):
    probe = "return typeof require + typeof process + typeof os + typeof std"
    code = f"function main() {{ return {{a: new Function('{probe}')()}} }}"
    assert javascript(sandbox, code) == {"a": "undefined" * 4}


def test_one_run_leaves_nothing_to_the_next(sandbox):
    javascript(sandbox, "Object.prototype.spoiled = 1; globalThis.kept = 1; function main() { return {} }")
    assert javascript(sandbox, "function main() { return {a: ({}).spoiled, b: typeof kept} }") == {"b": "undefined"}


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("Hello {{ name }}!", {"name": "é"}, "Hello é!"),
        ("{{ missing }}", {}, ""),
        ("{{ nothing }}", {"nothing": None}, "None"),
        ("{{ object }} {{ flag }} {{ list }}", {"object": {"k": "é"}, "flag": True, "list": []}, "{'k': 'é'} True []"),
        ("{{ a.b }} {{ a['b'] }} {{ l[0] }}", {"a": {"b": 1}, "l": [2]}, "1 1 2"),
        ("{{ a | upper }}", {"a": "x"}, "X"),
        ("line\n", {}, "line"),
        ("line\n\n", {}, "line\n"),
        ("{% for item in l %}{{ loop.index }}{{ item }} {% endfor %}", {"l": ["a", "b"]}, "1a 2b "),
        ("{% if a > 1 %}yes{% else %}no{% endif %}", {"a": 2}, "yes"),
        ("{{ l | join(', ') }}", {"l": [1, 2]}, "1, 2"),
    ],
)
def test_templates_are_rendered(sandbox, template, values, text):
    assert render(sandbox, template, **values) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__()[0] }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self.__init__.__globals__ }}{{ lipsum.__globals__['os'].getpid() }}",
        "{{ '%s' | format(x.__class__.__base__.__subclasses__()) }}",
        "{{ '{0.__class__.__base__}'.format(1) }}{{ 1 / 0 }}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(10000000000) %}{% endfor %}",
        "{{ 'a' * 10000000000 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ 'a' * 500000 }}",
        "{% if %}",
    ],
)
def test_templates_cannot_get_out(sandbox, template):
    with pytest.raises(SandboxFailed):
        render(sandbox, template, 1.0, x=1)


def test_killed_processes_are_replaced(sandbox):
    assert javascript(sandbox, "function main() { return {a: 1} }") == {"a": 1}
    for process in sandbox_processes():
        process.kill()
        process.wait(5)
    assert javascript(sandbox, "function main() { return {a: 1} }") == {"a": 1}


@pytest.mark.parametrize(
    ("language", "code"),
    [("javascript", "function main() { while (true) {} }"), ("python3", "def main():\n    while True:\n        pass")],
)
def test_a_stop_ends_the_wait(sandbox, language, code):
    cancellation = Cancellation()
    threading.Timer(0.1, cancellation.cancel).start()
    with pytest.raises(Cancelled):
        sandbox.run_code(language, code, {}, 3.0, cancellation)


@pytest.mark.parametrize(
    ("place", "failure"),
    [
        ("app.providers.sandbox.monty_launcher.shutil.which", None),
        ("app.providers.sandbox.cpython_code.subprocess.Popen", OSError()),
        ("app.providers.sandbox.cpython_code.subprocess.Popen", RuntimeError()),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_interpreter_that_cannot_be_started_is_told(monkeypatch, place, failure):
    def fail(*args, **options):
        if failure is not None:
            raise failure

    monkeypatch.setattr(place, fail)
    sandbox = Sandbox()
    with pytest.raises(SandboxFailed, match="cannot be started"):
        python(sandbox, f"{'import re' if failure else ''}\ndef main():\n    return 1")
    sandbox.close()
    # Its exception belongs to this test.
    for thread in threading.enumerate():
        if thread.name == "zygote":
            thread.join()


def test_inputs_that_cannot_be_passed_on_are_told(sandbox):
    for value in (2**70, "\ud800"):
        with pytest.raises(SandboxFailed):
            javascript(sandbox, "function main({a}) { return {a: 1} }", a=value)


def test_a_text_that_grows_is_stopped_on_its_way(sandbox):
    with pytest.raises(SandboxFailed, match="longer"):
        render(sandbox, "{{ a }}" * 500, a="x" * 100_000)


def test_lists_may_be_changed_in_a_template(sandbox):
    assert (
        render(sandbox, "{% set all = [] %}{% for i in l %}{% set _ = all.append(i) %}{% endfor %}{{ all }}", l=[1, 2])
        == "[1, 2]"
    )


def test_a_sandbox_process_cannot_start_others(sandbox):
    javascript(sandbox, "function main() { return {a: 1} }")
    limits = [pathlib.Path(f"/proc/{process.pid}/limits").read_text() for process in sandbox_processes()]
    assert limits and all(re.search(r"Max processes +0 +0 ", limit) for limit in limits)


def test_many_call_at_once(sandbox):
    answers = []
    threads = [
        threading.Thread(
            target=lambda n=number: answers.append(
                javascript(sandbox, "function main({n}) { return {n} }", 10.0, n=n)["n"]
            )
        )
        for number in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == list(range(20))


def test_a_busy_process_ends_without_the_one_it_works_for():
    line = (
        "from app.providers.sandbox import Sandbox; from app.providers.cancellation import Cancellation; "
        "print(flush=True); "
        "Sandbox().run_code('javascript', 'function main() { while (true) {} }', {}, 1.0, Cancellation())"
    )
    worker = subprocess.Popen([sys.executable, "-c", line], cwd=PROJECT, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    worker.stdout.readline()
    found = []
    while not found:
        found = [child for child in psutil.Process(worker.pid).children() if child.cpu_times().user > 0.2]
    worker.kill()
    worker.communicate()
    assert psutil.wait_procs(found, timeout=15)[1] == []


def test_a_closed_sandbox_leaves_no_process_behind():
    before = set(psutil.Process().children(recursive=True))
    sandbox = Sandbox()
    javascript(sandbox, "function main() { return {} }")
    python(sandbox, "def main():\n    return {}")
    started = set(psutil.Process().children(recursive=True)) - before
    assert len(started) >= 2
    sandbox.close()
    sandbox.close()
    assert psutil.wait_procs(started, timeout=5)[1] == []
