"""What models are asked for is stored with the prices of that time, and added up."""

import pytest

from app.providers.models.chat_types import ModelPrices
from app.providers.models.route_file import Prices
from app.services.process.providers import model_routes
from app.services.reports.report_filters import ReportFilter
from app.services.reports.usage_reports import UsageReport, usage
from tests.support.agents import agent, house_registry
from tests.support.factories import make_app, make_graph_app
from tests.support.people import answerer_of, asking, execute, rest
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, end, graph, node, start
from tests.support.workflow.llm_graphs import llm
from tests.support.workflow.toolbox import CountedTool


@pytest.fixture
def priced(app, model, monkeypatch):
    """Every model costs 1 dollar for a thousand tokens asked, 2 for a thousand answered; or what is set later."""
    routes = model_routes()

    def set_prices(**prices):
        default = routes._table.default
        changed = default.chat.model_copy(update={"prices": Prices(unit="1K", **prices)})
        monkeypatch.setattr(
            routes,
            "_table",
            routes._table.model_copy(
                update={"default": default.model_copy(update={"chat": changed, "completion": changed})}
            ),
        )

    set_prices(input=1, output=2)
    return set_prices


def of(visitor, *by, **asked) -> list[UsageReport]:
    return usage(ReportFilter(app=visitor.app.code, **asked), by)


def paid(report: UsageReport) -> dict[str, float]:
    return {currency: float(price) for currency, price in report.prices.items()}


def test_an_answer_has_its_price_and_so_has_the_sum(client, priced):
    visitor = WebVisitor.of_new_app(client)
    body = visitor.chat("Hi", response_mode="blocking").get_json()
    (message,) = visitor.history(body["conversation_id"])
    told = message["metadata"]["usage"]
    tokens = told["prompt_tokens"], told["completion_tokens"]
    cost = (tokens[0] + 2 * tokens[1]) / 1000
    assert float(told["total_price"]) == pytest.approx(cost) and told["currency"] == "USD"
    assert (told["prompt_unit_price"], told["completion_unit_price"], told["prompt_price_unit"]) == ("1", "2", "0.001")
    (report,) = of(visitor, "model")
    assert (report.group["model"], report.answers, report.calls) == (told_model(), 1, 1)
    assert (report.prompt_tokens, report.completion_tokens) == tokens
    assert paid(report) == pytest.approx({"USD": cost})


def told_model() -> str:
    """The name under which the server of the tests knows every model."""
    return "scripted"


def test_a_sum_stays_when_prices_change(client, priced):
    visitor = WebVisitor.of_new_app(client)
    visitor.ask()
    (before,) = of(visitor)
    priced(input=1000, output=1000, currency="EUR")
    assert of(visitor) == [before]
    visitor.ask()
    (after,) = of(visitor)
    assert after.answers == 2
    assert after.prices["USD"] == before.prices["USD"] and after.prices["EUR"] > 1


def test_tokens_without_prices_are_told_apart(client, model):
    visitor = WebVisitor.of_new_app(client)
    visitor.ask()
    (report,) = of(visitor)
    assert report.prices == {} and report.unpriced_tokens == report.total_tokens > 0


def test_a_sum_stays_when_its_conversation_is_deleted(client, priced):
    visitor = WebVisitor.of_new_app(client)
    conversation = visitor.ask()[-1].data["conversation_id"]
    before = of(visitor)
    visitor.delete(f"/conversations/{conversation}")
    execute("DELETE FROM conversations WHERE id = :id", id=conversation)
    assert of(visitor) == before


def test_all_rounds_of_an_agent_count(client, priced, model, monkeypatch):
    registry = house_registry(CountedTool("lookup"))
    monkeypatch.setattr("app.services.generation.run_tools.tool_registry", lambda: registry)
    visitor = agent(client)
    model.script("Let me see.", tool_calls=[("lookup", {"text": "tea"})])
    model.script("Tea.")
    visitor.ask()
    (report,) = of(visitor)
    assert (report.answers, report.calls) == (1, 2) and paid(report)["USD"] > 0


def test_a_run_has_the_prices_of_its_nodes_and_records_them(client, priced):
    flow = graph(
        start(), llm("One"), llm("Two", node_id="more"), answer("{{#more.text#}}"), "start > llm > more > answer"
    )
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat"))
    conversation = visitor.ask()[-2].data["conversation_id"]
    (message,) = visitor.history(conversation)
    (report,) = of(visitor)
    assert (report.answers, report.calls) == (1, 2)
    assert float(message["metadata"]["usage"]["total_price"]) == pytest.approx(paid(report)["USD"])
    nodes = execute(
        "SELECT usage FROM node_executions node JOIN workflow_runs run ON run.id = run_id"
        " WHERE run.app_id = :id AND kind = 'llm'",
        id=visitor.app.id,
    )
    assert sum(float(node.usage["total_price"]) for node in nodes) == pytest.approx(paid(report)["USD"])
    assert [node.usage["currency"] for node in nodes] == ["USD", "USD"]


CLASSES = [{"id": "a", "name": "Tea"}, {"id": "b", "name": "Coffee"}]


@pytest.mark.parametrize("retries", [0, 2])
def test_the_calls_of_a_node_that_failed_count_with_each_of_its_attempts(client, priced, model, retries):
    classify = node(
        "classify",
        "question-classifier",
        query_variable_selector=["sys", "query"],
        model={"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}},
        classes=CLASSES,
        retry_config={"retry_enabled": retries > 0, "max_retries": retries, "retry_interval": 1},
        error_strategy="fail-branch",
    )
    flow = graph(start(), classify, answer("Neither."), "start > classify:fail-branch > answer")
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat"))
    for _ in range(retries + 1):
        model.script("No JSON.")
    visitor.ask("Water")
    (report,) = of(visitor)
    assert (report.answers, report.calls) == (1, retries + 1)
    tokens, total = report.total_tokens, paid(report)["USD"]
    (recorded,) = execute(
        "SELECT node.usage FROM node_executions node JOIN workflow_runs run ON run.id = run_id"
        " WHERE run.app_id = :id AND kind = 'question-classifier'",
        id=visitor.app.id,
    )[0]
    assert (recorded["total_tokens"], float(recorded["total_price"])) == (tokens, pytest.approx(total))


def test_what_an_author_sees_of_a_node_s_usage_names_no_server(client, priced):
    flow = graph(start(), llm("One"), end(usage=["llm", "usage"]), "start > llm > end")
    visitor = WebVisitor(client, make_graph_app(flow))
    outputs = visitor.run()[-1].data["data"]["outputs"]
    assert float(outputs["usage"]["total_price"]) > 0 and "models" not in outputs["usage"]


def test_a_run_that_asks_no_model_is_an_answer_without_tokens(client):
    visitor = WebVisitor(client, make_graph_app(graph(start(), end(), "start > end")))
    visitor.run()
    (report,) = of(visitor, "model", "purpose")
    assert (report.group, report.answers, report.total_tokens) == ({"model": "", "purpose": "answer"}, 1, 0)


def test_a_run_that_waited_for_people_is_counted_once(client):
    visitor = WebVisitor(client, asking())
    frames = visitor.run(topic="tea")
    assert [report.answers for report in of(visitor)] == [1]
    answerer_of(visitor, frames).submit()
    rest(visitor, frames)
    assert [(report.answers, report.calls) for report in of(visitor)] == [(1, 0)]


def test_names_and_suggested_questions_are_counted_apart(client, priced, model):
    visitor = WebVisitor(client, make_app(suggested_questions_after_answer={"enabled": True}))
    last = visitor.ask()[-1].data
    visitor.post(f"/conversations/{last['conversation_id']}/name", {"auto_generate": True})
    visitor.get(f"/messages/{last['message_id']}/suggested-questions")
    reports = of(visitor, "purpose")
    assert [(report.group["purpose"], report.answers, report.calls) for report in reports] == [
        ("answer", 1, 1),
        ("name", 0, 1),
        ("questions", 0, 1),
    ]
    assert of(visitor)[0].answers == 1


def test_prices_are_read_as_they_are_written():
    read = Prices.model_validate({"input": 0.15, "output": "0.6", "currency": "EUR"}).model_prices()
    assert (str(read.prompt), str(read.completion), read.unit, read.currency) == ("0.15", "0.6", 1_000_000, "EUR")
    assert isinstance(read, ModelPrices)
