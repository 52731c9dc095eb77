"""/operator/runs: runs on a drawing of their graph."""

import re

import pytest

from app.services.definitions import published_apps
from tests.support.factories import make_graph_app
from tests.support.operators import form_token_of, read
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import end, graph, node, start

MARKUP = "</text><script>alert(1)</script>\"'&"
CASES = [
    {
        "case_id": "c-1",
        "logical_operator": "or",
        "conditions": [
            {"id": "1", "varType": "string", "variable_selector": ["start", "topic"], "comparison_operator": "is"}
            | {"value": "animals"}
        ],
    }
]
GRAPH = graph(
    start(topic="text-input"),
    node("which", "if-else", title="Animals?", cases=CASES),
    node("words", "template-transform", title=MARKUP, template="one two", variables=[]),
    node("other", "template-transform", title="Something else", template="-", variables=[]),
    node(
        "split",
        "code",
        title="Split",
        code_language="python3",
        code="def main():\n    return {'words': ['one', 'two']}",
        variables=[],
        outputs={"words": {"type": "array[string]"}},
    ),
    node(
        "each",
        "iteration",
        title="For each",
        iterator_selector=["split", "words"],
        output_selector=["shout", "output"],
        output_type="array[string]",
        start_node_id="begin",
        error_handle_mode="terminated",
    ),
    node("begin", "iteration-start", "each"),
    node(
        "shout",
        "template-transform",
        "each",
        title="Shout",
        template="{{ word }}!",
        variables=[{"variable": "word", "value_selector": ["each", "item"]}],
    ),
    end(result=["each", "output"]),
    "start > which:c-1 > words > split > each > end",
    "which:false > other > end",
    "begin > shout",
)


@pytest.fixture
def visitor(client) -> WebVisitor:
    return WebVisitor(client, make_graph_app(GRAPH))


@pytest.fixture
def run_id(visitor) -> str:
    return str(visitor.run(topic="animals")[0].data["workflow_run_id"])


def box(page: str, title: str) -> str:
    """The drawing of one node, with what it links to."""
    found = re.search(rf'<(?:a|g)[^>]*class="node"[^>]*>\s*<svg[^>]*>\s*<title>{title} (?s:.*?)</svg>', page)
    assert found, title
    return found[0]


def test_runs_are_listed_and_narrowed(operator, visitor, run_id):
    link = f"/operator/runs/{run_id}"
    assert link in operator.page("/runs", app=visitor.app.code, status="succeeded")
    assert link not in operator.page("/runs", app=visitor.app.code, status="failed")


def test_the_graph_shows_how_each_node_ended(operator, run_id):
    page = operator.page(f"/runs/{run_id}")
    assert "✓ succeeded" in box(page, "Split") and "box-succeeded" in box(page, "Split")
    assert "○ not run" in box(page, "Something else") and "href" not in box(page, "Something else")
    assert "template-transform × 2" in box(page, "Shout")


def test_the_lines_that_the_run_took_stand_out(operator, run_id):
    page = operator.page(f"/runs/{run_id}")
    assert (page.count('class="edge taken"'), page.count('class="edge"')) == (6, 2)
    assert ">if</text>" in page and ">else</text>" in page


def test_a_container_is_drawn_around_what_it_repeats(operator, run_id):
    page = operator.page(f"/runs/{run_id}")
    frame = re.search(r'class="container[^"]*" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', page)
    x, y, width, height = map(float, frame.groups())
    inside_x, inside_y = map(float, re.search(r'<svg x="([\d.]+)" y="([\d.]+)"', box(page, "Shout")).groups())
    assert x < inside_x < x + width - 150 and y < inside_y < y + height - 50


def test_a_node_leads_to_its_values(operator, run_id):
    address = re.search(r'href="/operator(/runs/[^"]*node=shout)"', operator.page(f"/runs/{run_id}"))[1]
    page = read(operator.get(address).get_data(as_text=True))
    assert '"output": "one!"' in page and '"output": "two!"' in page and "each[0]" in page and "Split" not in page


def test_all_executions_are_shown_in_their_order(operator, run_id):
    page = read(operator.page(f"/runs/{run_id}/executions"))
    assert page.index("Animals?") < page.index("Split") < page.index("For each")


def test_a_node_that_failed_says_why(operator, client):
    broken = graph(
        start(),
        node("bad", "code", title="Bad", code_language="python3", code="def main():\n    return 1 / 0", outputs={}),
        end(),
        "start > bad > end",
    )
    visitor = WebVisitor(client, make_graph_app(broken))
    run_id = visitor.run()[0].data["workflow_run_id"]
    page = operator.page(f"/runs/{run_id}")
    assert "✕ failed" in box(page, "Bad") and "box-failed" in box(page, "Bad")
    assert "division by zero" in read(page)
    assert "division by zero" in read(operator.page(f"/runs/{run_id}/executions", node="bad"))


def test_a_title_is_no_markup(operator, run_id):
    for page in (operator.page(f"/runs/{run_id}"), operator.page(f"/runs/{run_id}/executions")):
        assert "<script" not in page and "&lt;/text&gt;" in page


def test_secrets_of_the_app_are_masked(operator, client):
    key = {"variable": "key", "value_selector": ["env", "KEY"]}
    shown = graph(
        start(),
        node("t", "template-transform", template="{{ key }}", variables=[key]),
        end(result=["t", "output"]),
        "start > t > end",
    )
    secret = [{"id": "1", "name": "KEY", "value_type": "secret", "value": "hidden-value-1"}]
    visitor = WebVisitor(client, make_graph_app(shown, environment_variables=secret))
    run_id = visitor.run()[0].data["workflow_run_id"]
    pages = operator.page(f"/runs/{run_id}") + operator.page(f"/runs/{run_id}/executions")
    assert "hidden-value-1" not in pages and "********" in pages


def test_a_graph_that_this_release_refuses_is_a_table(operator, run_id, visitor, monkeypatch):
    def refuse(version_id: str, is_chatflow: bool) -> None:
        raise published_apps.AppUnavailable

    monkeypatch.setattr("app.services.reports.run_graphs.graph_of", refuse)
    page = operator.page(f"/runs/{run_id}")
    assert "cannot be drawn" in page and "Split" in page and 'class="graph"' not in page


def test_a_run_that_waits_leads_to_its_form(app, operator, waiting_run, monkeypatch):
    monkeypatch.setitem(app.config, "WEB_APP_URL", "")
    assert "/form/" not in operator.page(f"/runs/{waiting_run}")
    monkeypatch.setitem(app.config, "WEB_APP_URL", "https://pages.example")
    assert 'href="https://pages.example/form/' in operator.page(f"/runs/{waiting_run}")


def test_a_run_that_waits_can_be_stopped(operator, waiting_run):
    address = f"/runs/{waiting_run}"
    page = operator.get(address)
    assert "‖ paused" in page.get_data(as_text=True) and "waiting" in read(page.get_data(as_text=True))
    answer = operator.post(f"{address}/stop", form_token=form_token_of(page))
    assert answer.status_code == 303
    assert "✕ expired" in read(operator.page(address))
