"""Code nodes (contract dsl.md §3.7, code)."""

import pytest

from app.providers.sandbox import Sandbox
from app.workflow.contracts.node_services import NodeServices
from tests.support.workflow.graphs import end, graph, node, run, start

SERVICES = NodeServices(sandbox=Sandbox())


def run_code(code, outputs, language="python3", **inputs):
    variables = [{"variable": name, "value_selector": ["start", name]} for name in inputs]
    part = node("code", "code", code=code, code_language=language, variables=variables, outputs=outputs)
    return run(graph(start(), part, end(), "start > code > end"), inputs, services=SERVICES)


def test_python_gives_what_it_declares():
    record = run_code("def main(a):\n    return {'b': a + 1}", {"b": {"type": "number"}}, a=1)
    assert record.outputs("code") == {"b": 2}


def test_javascript_gives_what_it_declares():
    record = run_code("function main({a}) { return {b: a + 1} }", {"b": {"type": "number"}}, "javascript", a=1)
    assert record.outputs("code") == {"b": 2}


@pytest.mark.parametrize(
    ("kind", "value", "given"),
    [
        ("string", "'x'", "x"),
        ("string", "None", None),
        ("number", "True", 1),
        ("number", "1.5", 1.5),
        ("boolean", "False", False),
        ("object", "{'a': [1, 2]}", {"a": [1, 2]}),
        ("array[string]", "['a', None]", ["a", None]),
        ("array[object]", "[{'a': 1}, None]", [{"a": 1}, None]),
        ("array[boolean]", "[True, None]", [True, None]),
        ("array[number]", "list(range(1000))", list(range(1000))),
        ("array[string]", "['a'] * 30", ["a"] * 30),
    ],
)
def test_values_of_their_type_are_fine(kind, value, given):
    assert run_code(f"def main():\n    return {{'b': {value}}}", {"b": {"type": kind}}).outputs("code") == {"b": given}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "1"),
        ("number", "'1'"),
        ("boolean", "1"),
        ("object", "[]"),
        ("object", "{'a': [1, 'x']}"),
        ("object", "{'a': [[1]]}"),
        ("object", "{'a': {'b': {'c': {'d': {'e': {}}}}}}"),
        ("array[string]", "['a', 1]"),
        ("array[number]", "[1, None]"),
        ("array[string]", "['a'] * 31"),
        ("array[object]", "[{}] * 31"),
        ("array[number]", "[1] * 1001"),
        ("string", "'a' * 400001"),
        ("number", "float('nan')"),
        ("number", "1e400"),
        ("object", "{'a': [1, -1e400]}"),
    ],
)
def test_values_of_another_type_fail_the_node(kind, value):
    assert run_code(f"def main():\n    return {{'b': {value}}}", {"b": {"type": kind}}).end.status == "failed"


@pytest.mark.parametrize(
    ("code", "outputs", "message"),
    [
        ("def main():\n    return {}", {"b": {"type": "string"}}, "Output 'b' is missing."),
        ("def main():\n    return {'c': 1}", {}, "Not all output parameters are validated."),
        ("def main():\n    return 5", {}, "main must return a mapping"),
        ("def main(a):\n    return {}", {}, "main"),
    ],
)
def test_what_is_wrong_is_told(code, outputs, message):
    assert message in run_code(code, outputs).end.error


def test_a_failing_code_can_have_a_default():
    defaults = [{"key": "b", "type": "string", "value": "spare"}]
    part = node(
        "code",
        "code",
        code="def main():\n    return {'b': 1 / 0}",
        outputs={"b": {"type": "string"}},
        error_strategy="default-value",
        default_value=defaults,
    )
    record = run(graph(start(), part, end(b=["code", "b"]), "start > code > end"), services=SERVICES)
    assert (record.end.status, record.end.outputs, record.end.exceptions) == ("partial-succeeded", {"b": "spare"}, 1)
