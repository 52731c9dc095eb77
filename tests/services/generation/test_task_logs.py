"""The lines of the log that a task causes name it, wherever in the process they are written."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.support.factories import make_graph_app
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import end, graph, start
from tests.support.workflow.llm_graphs import llm


class ContextKeeper(logging.Handler):
    """Keeps what the lines of the model client are bound to."""

    def __init__(self) -> None:
        super().__init__()
        self.contexts: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.contexts.append(structlog.contextvars.get_contextvars() | {"said": record.getMessage()})


@pytest.fixture
def kept() -> Iterator[ContextKeeper]:
    keeper = ContextKeeper()
    logger = logging.getLogger("app.providers.models")
    logger.addHandler(keeper)
    logger.setLevel(logging.WARNING)
    yield keeper
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(keeper)


def test_a_refused_model_call_of_a_chat_names_app_and_task(alice, model, kept):
    model.script(status=401)
    alice.ask("My secret question")

    (context,) = kept.contexts
    assert context["app_id"] == str(alice.app.id)
    assert context["task_id"]
    assert "status 401" in str(context["said"])
    assert "code invalid_api_key" in str(context["said"])
    assert "secret question" not in str(context["said"])
    assert "sk-scripted" not in str(context["said"])
    assert "task_id" not in structlog.contextvars.get_contextvars()


def test_refused_calls_of_parallel_branches_name_the_run_s_task(client, model, kept):
    for _ in range(2):
        model.script(status=401)
    branches = [llm(("user", "Hi"), node_id=name, error_strategy="fail-branch") for name in ("one", "two")]
    parts = [start(), *branches, end(a=["one", "error_message"])]
    visitor = WebVisitor(
        client, make_graph_app(graph(*parts, "start > one:fail-branch > end", "start > two:fail-branch > end"))
    )
    frames = visitor.run()

    assert {context["task_id"] for context in kept.contexts} == {frames[0].data["task_id"]}
    assert len(kept.contexts) == 2
