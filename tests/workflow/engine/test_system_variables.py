"""The start node gives the variables of `sys` under its own id, too (contract dsl.md §3.3)."""

import pytest

from app.workflow.values.files import File
from app.workflow.values.variables import Variables
from tests.support.workflow.graphs import answer, end, graph, node, run, start
from tests.support.workflow.iterations import iteration, pick, say

PICTURE = File("i", "image", "local_file", "a.png", ".png", "image/png", 5, "r", url="https://files.example/a.png")
SYSTEM = {"query": "What is it?", "user_id": "u", "dialogue_count": 1, "files": [PICTURE]}


def ended(*parts, **inputs):
    record = run(graph(*parts), inputs, system=SYSTEM)
    assert record.end.status == "succeeded"
    return record


@pytest.mark.parametrize(
    ("selector", "value"),
    [
        (["start", "sys.query"], "What is it?"),
        (["start", "sys", "query"], "What is it?"),
        (["start", "sys.user_id"], "u"),
        (["start", "sys.dialogue_count"], 1),
        (["start", "sys.files"], [PICTURE]),
        (["start", "sys.nothing"], None),
        (["start", "sys"], None),
        (["userinput", "query"], "What is it?"),
        (["other", "sys.query"], None),
    ],
)
def test_selectors(selector, value):
    other = node("other", "variable-aggregator", variables=[])
    assert ended(start(), other, end(value=selector), "start > other > end").end.outputs == {"value": value}


def test_an_input_of_the_name_is_an_input():
    assert ended(start(), end(value=["start", "sys"]), "start > end", sys="mine").end.outputs == {"value": "mine"}


def test_texts():
    record = ended(start(), answer("{{#start.sys.query#}} {{#start.sys.files#}}"), "start > answer")
    assert record.text == "What is it? ![a.png](https://files.example/a.png)"


def test_conditions():
    condition = {"variable_selector": ["start", "sys.query"], "comparison_operator": "contains", "value": "What"}
    choice = node("if", "if-else", cases=[{"case_id": "true", "logical_operator": "and", "conditions": [condition]}])
    record = ended(start(), choice, answer("yes", "yes"), answer("no", "no"), "start > if:true > yes", "if:false > no")
    assert record.text == "yes"


def test_lists_and_rounds():
    inner = say("{{#it.item.name#}}: {{#start.sys.query#}}")
    parts = iteration(inner, pick(["say", "answer"]), "is > say > pick", iterator_selector=["start", "sys.files"])
    record = run(parts, {}, system=SYSTEM)
    assert record.text == "a.png: What is it?"


def test_selectors_have_one_name_for_a_variable():
    variables = Variables()
    variables.set_start("1")
    wanted = ("sys", "query")
    for selector in (("sys", "query"), ("userinput", "query"), ("1", "sys.query"), ("1", "sys", "query")):
        assert Variables(variables).canonical(selector) == wanted
