"""Template nodes (contract dsl.md §3.7, template-transform; §3.3)."""

from app.providers.sandbox import Sandbox
from app.workflow.contracts.node_services import NodeServices
from tests.support.workflow.graphs import end, graph, node, run, start

SERVICES = NodeServices(sandbox=Sandbox())


def render(template, **inputs):
    variables = [{"variable": name, "value_selector": ["start", name]} for name in inputs] + [
        {"variable": "gone", "value_selector": ["no", "one"]}
    ]
    part = node("template", "template-transform", template=template, variables=variables)
    return run(
        graph(start(), part, end(text=["template", "output"]), "start > template > end"), inputs, services=SERVICES
    )


def test_values_are_put_into_the_text():
    assert render("Echo: {{ text }}", text="hello").outputs("template") == {"output": "Echo: hello"}


def test_a_missing_variable_is_none_and_an_unknown_name_is_empty():
    assert render("[{{ gone }}][{{ unknown }}]").outputs("template") == {"output": "[None][]"}


def test_loops_run_in_the_sandbox():
    assert render("{% for item in items %}{{ item }};{% endfor %}", items=["a", "b"]).outputs("template") == {
        "output": "a;b;"
    }


def test_a_template_that_never_ends_fails_the_node():
    record = render("{{ 'a' * 10000000000 }}")
    assert (record.end.status, record.of("template").status) == ("failed", "failed")
