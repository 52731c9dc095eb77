"""Code and templates in a real worker: its sandbox processes start where Celery runs, and end with it."""

import json
import pathlib

import psutil

from tests.support.child import runs
from tests.support.stack import Stack
from tests.support.visitor import Visitor, wait_until
from tests.support.workflow.graphs import app_file, end, graph, node, start

NUMBER = [{"variable": "n", "value_selector": ["start", "n"]}]
OUTPUT = {"n": {"type": "number"}}
FLOW = graph(
    start(n="number"),
    node(
        "python",
        "code",
        code_language="python3",
        code="def main(n):\n    return {'n': n + 1}",
        variables=NUMBER,
        outputs=OUTPUT,
    ),
    node(
        "script",
        "code",
        code_language="javascript",
        code="function main({n}) { return {n: n + 2} }",
        variables=NUMBER,
        outputs=OUTPUT,
    ),
    node("text", "template-transform", template="{% for i in range(n) %}{{ i }}{% endfor %}", variables=NUMBER),
    end(python=["python", "n"], script=["script", "n"], text=["text", "output"]),
    "start > python > end",
    "start > script > end",
    "start > text > end",
)


def test_a_worker_runs_code_and_templates(stack: Stack, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "code.yml"
    file.write_text(app_file(FLOW, "workflow", "sandbox"))
    stack.import_app(file, "code")
    stream = Visitor(stack.base_url, "code").run(n=3).wait_for_end()
    assert stream.frames[-1].data["data"]["outputs"] == {"python": 4, "script": 5, "text": "012"}, json.dumps(
        stream.frames[-1].data
    )


def test_a_killed_worker_leaves_no_sandbox_behind(stack: Stack, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "code.yml"
    file.write_text(app_file(FLOW, "workflow", "sandbox"))
    stack.import_app(file, "code")
    Visitor(stack.base_url, "code").run(n=3).wait_for_end()
    helpers = [child for worker in stack.workers for child in psutil.Process(worker.pid).children(recursive=True)]
    assert helpers
    for _ in range(len(stack.workers)):
        stack.kill_worker(0)
    wait_until(
        lambda: not any(runs(child) for child in helpers),
        10,
        "the end of the sandbox",
    )
