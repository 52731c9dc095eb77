"""The line of an ended answer: one for each, with what operators need and with nobody's words."""

import json
import uuid

import pytest

from app import tasks as celery_tasks
from app.errors import ServiceUnavailable
from app.extensions import redis_client
from app.models.tasks import find_task
from app.services.auth.end_users import find_or_make
from app.services.auth.pseudonyms import pseudonym
from app.services.events import answer_lines, task_states
from app.services.visitor import chat, generations, workflow_runs
from app.streams import signals
from tests.services.generation.test_message_publisher import execution_of
from tests.support.agents import agent, tool
from tests.support.factories import make_app, make_graph_app
from tests.support.log_lines import lines_of
from tests.support.people import answerer_of, asking, execute
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, end, graph, start
from tests.support.workflow.llm_graphs import llm

SECRET = "my secret question"
ANSWERS = ("Your secret", " answer")
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


@pytest.fixture
def lines(app, monkeypatch):
    return lines_of(monkeypatch, answer_lines)


def begun(app_of_task):
    """A task of a chat app that no worker has yet."""
    return chat.start(app_of_task, find_or_make(app_of_task.id), generations.Question(SECRET, {}))


def llm_graph(*messages, **data):
    return graph(
        start(), llm(*(messages or (("user", SECRET),)), **data), end(text=["llm", "text"]), "start > llm > end"
    )


class TestEachModeOfApp:
    def test_a_chat(self, alice, model, lines):
        model.script(*ANSWERS)
        frames = alice.ask(SECRET)
        line = lines.only
        assert (line["event"], line["outcome"], line["cause"]) == ("answer.ended", "succeeded", None)
        assert (line["app"], line["mode"], line["task_id"]) == (alice.app.code, "chat", frames[0].data["task_id"])
        assert line["models"] == ["scripted"] and line["prompt_tokens"] > 0 and line["answer_tokens"] > 0
        assert 0 < line["first_token"] <= line["seconds"] < 60 and line["epoch"] == 1

    def test_names_the_request_that_asked(self, alice, lines):
        response = alice.chat(response_mode="blocking")
        assert response.status_code == 200
        assert lines.only["request_id"] == response.headers["X-Trace-Id"]

    def test_a_completion(self, client, lines):
        visitor = WebVisitor(client, make_app("completion"))
        visitor.frames(visitor.post("/completion-messages", {"inputs": {}, "query": SECRET}))
        assert (lines.only["mode"], lines.only["outcome"]) == ("completion", "succeeded")

    def test_an_agent_with_all_its_rounds(self, client, model, lines):
        visitor = agent(client, tool("current_time", provider="time"))
        model.script("Let me see.", tool_calls=[("nothing", {})])
        model.script(*ANSWERS)
        visitor.ask(SECRET)
        assert (lines.only["mode"], lines.only["outcome"]) == ("agent-chat", "succeeded")

    def test_a_chatflow(self, client, model, lines):
        parts = start(), llm(("user", SECRET)), answer("{{#llm.text#}}"), "start > llm > answer"
        model.script(*ANSWERS)
        WebVisitor(client, make_graph_app(graph(*parts), "advanced-chat")).ask(SECRET)
        line = lines.only
        assert (line["mode"], line["outcome"], line["models"]) == ("advanced-chat", "succeeded", ["tiny"])
        assert line["prompt_tokens"] > 0 and line["conversation_id"] and line["workflow_run_id"]

    def test_a_run_of_branches_names_each_model_once(self, client, lines):
        branches = [llm(("user", "Hi"), node_id=name) for name in ("one", "two")]
        paths = "start > one > end", "start > two > end"
        app = make_graph_app(graph(start(), *branches, end(a=["one", "text"]), *paths))
        WebVisitor(client, app).run()
        assert (lines.only["models"], lines.only["conversation_id"]) == (["tiny"], None)


class TestEachOutcome:
    def test_a_model_that_refuses(self, alice, model, lines):
        model.script(status=401)
        alice.ask(SECRET)
        assert (lines.only["outcome"], lines.only["cause"]) == ("failed", "ProviderAuthFailed")

    def test_a_node_that_fails(self, client, model, lines):
        model.script(status=401)
        WebVisitor(client, make_graph_app(llm_graph())).run()
        assert (lines.only["outcome"], lines.only["cause"]) == ("failed", "llm: InvokeAuthorizationError")

    def test_a_run_that_went_on_behind_a_failure(self, client, model, lines):
        model.script(status=401)
        default = [{"key": "text", "type": "string", "value": ""}]
        app = make_graph_app(llm_graph(error_strategy="default-value", default_value=default))
        WebVisitor(client, app).run()
        assert lines.only["outcome"] == "partial-succeeded"

    def test_a_run_that_waits_and_then_ends(self, client, lines):
        visitor = WebVisitor(client, asking())
        frames = visitor.run(topic="tea")
        paused = lines.only
        assert (paused["event"], paused["outcome"]) == ("answer.paused", "paused")
        answerer_of(visitor, frames).submit()
        (ended,) = lines.of("answer.ended")
        assert (ended["outcome"], ended["task_id"]) == ("succeeded", paused["task_id"])
        assert ended["request_id"] == paused["request_id"]

    def test_an_answer_that_was_stopped(self, app, lines):
        task = begun(make_app())
        signals.request_stop(redis_client.client, task.task_id)
        celery_tasks.generate(task.task_id)
        assert lines.only["outcome"] == "stopped"

    def test_a_task_that_lost_its_workers(self, app, lines):
        task = begun(make_app())
        execute("UPDATE tasks SET losses = 4 WHERE id = :id", id=task.task_id)
        celery_tasks.generate(task.task_id)
        assert (lines.only["outcome"], lines.only["cause"]) == ("failed", "WorkersLost")

    def test_a_run_that_came_too_late(self, app, lines):
        published = make_graph_app(graph(start(), end(), "start > end"))
        task = workflow_runs.start(published, find_or_make(published.id), {}, [])
        execute("UPDATE tasks SET created_at = created_at - interval '1 day' WHERE id = :id", id=task.task_id)
        celery_tasks.generate(task.task_id)
        assert (lines.only["outcome"], lines.only["cause"]) == ("failed", "RunOverdue")
        assert lines.only["waited"] > 80_000

    def test_a_question_that_no_worker_could_be_given(self, app, lines):
        task = begun(make_app())
        task_states.fail_unqueued(task, ServiceUnavailable())
        celery_tasks.generate(task.task_id)
        assert (lines.only["outcome"], lines.only["cause"]) == ("failed", "ServiceUnavailable")


class TestOneLine:
    def test_of_two_workers_with_one_task(self, app, lines):
        task = begun(make_app())
        execution_of(task)
        celery_tasks.generate(task.task_id)
        celery_tasks.generate(task.task_id)
        assert (lines.only["epoch"], find_task(task.task_id).status) == (2, "succeeded")


class TestWhatPeopleSay:
    def test_is_not_told(self, alice, model, lines):
        model.script(*ANSWERS)
        alice.ask(SECRET)
        told = json.dumps(lines.only)
        assert "secret" not in told and lines.only["end_user"] not in (None, "")

    def test_is_told_cut_where_the_operator_wants_it(self, app, alice, model, lines, monkeypatch):
        monkeypatch.setitem(app.config, "LOG_CONTENT", "on")
        model.script(*ANSWERS)
        alice.ask(SECRET + "!" * 5_000)
        assert lines.only["asked"].startswith(SECRET) and len(lines.only["asked"]) == 2_001
        assert lines.only["answered"] == "".join(ANSWERS)

    def test_is_inputs_and_outputs_in_a_run(self, app, client, lines, monkeypatch):
        monkeypatch.setitem(app.config, "LOG_CONTENT", "on")
        parts = start(topic="text-input"), end(said=["start", "topic"]), "start > end"
        WebVisitor(client, make_graph_app(graph(*parts))).run(topic="tea")
        assert json.loads(lines.only["asked"]) == {"topic": "tea"}
        assert "tea" in lines.only["answered"]


def test_an_end_user_has_one_name_that_does_not_tell_who_it_is(app, monkeypatch):
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    name = pseudonym(one)
    assert name == pseudonym(one) and name != pseudonym(other) and one[:8] not in name
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key for tests that is long enough")
    assert pseudonym(one) != name
