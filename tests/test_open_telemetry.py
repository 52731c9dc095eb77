"""Traces as a collector gets them: one for each request, through the queue to nodes, tools and model calls."""

import sys

import pytest

from app import factory, open_telemetry, tasks, tracing
from app.factory import create_app
from app.open_telemetry import OpenTelemetryTracer
from app.services.auth.end_users import find_or_make
from app.services.auth.pseudonyms import pseudonym
from app.services.process.process_parts import parts_of
from app.services.visitor import chat, generations
from config import Config
from tests.services.generation.test_message_publisher import execution_of
from tests.support.agents import agent, house_registry, tool
from tests.support.datasets import MODEL, VACATION, embedded, look
from tests.support.factories import make_app, make_graph_app
from tests.support.guarded import OK, trusting, url
from tests.support.log_lines import lines_of
from tests.support.otlp_collector import OtlpCollector
from tests.support.parts import put_part
from tests.support.people import answerer_of, asking, execute
from tests.support.raw_server import RawServer, say
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, end, graph, run, start
from tests.support.workflow.iterations import iteration
from tests.support.workflow.llm_graphs import llm
from tests.support.workflow.toolbox import CountedTool

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
SECRET = "my secret question"
SERVER, CLIENT, CONSUMER = 2, 3, 5


@pytest.fixture(scope="module")
def collecting():
    with OtlpCollector() as collector:
        yield collector


@pytest.fixture
def collector(collecting):
    collecting.reset()
    collecting.status = 200
    return collecting


class Traces:
    """What a process that sends traces to a collector has sent by now."""

    def __init__(self, collector, has_content=False):
        self.tracer = OpenTelemetryTracer(f"{collector.endpoint}/v1/traces", "1.0", has_content)
        self.collector = collector
        tracing.install(self.tracer)

    def sent(self):
        """The collector, once it has everything."""
        self.tracer.flush()
        return self.collector

    def close(self):
        tracing.uninstall()
        self.tracer.close()


@pytest.fixture
def traces(app, collector):
    traces = Traces(collector)
    yield traces
    traces.close()


@pytest.fixture
def told_traces(app, collector):
    """Traces with what people wrote and read."""
    traces = Traces(collector, has_content=True)
    yield traces
    traces.close()


def begun():
    published = make_app()
    return chat.start(published, find_or_make(published.id), generations.Question(SECRET, {}))


class TestOneTrace:
    def test_of_a_chat_goes_from_the_request_to_the_model(self, alice, model, traces):
        with alice.chat(SECRET) as response:
            frames = alice.frames(response)
        call = traces.sent().only("chat ")
        assert traces.collector.path_to(call) == [
            "POST /api/chat-messages",
            f"answer {alice.app.code}",
            "chat scripted",
        ]
        request, task = traces.collector.only("POST"), traces.collector.only("answer")
        assert (request.kind, task.kind, call.kind) == (SERVER, CONSUMER, CLIENT)
        assert task.attributes["frontdesk.task_id"] == frames[0].data["task_id"]
        assert task.attributes["gen_ai.conversation.id"] == frames[0].data["conversation_id"]
        assert request.attributes["http.response.status_code"] == 200
        assert request.attributes["frontdesk.app"] == alice.app.code

    def test_of_a_chatflow_has_the_nodes(self, client, traces):
        parts = start(), llm(("user", "Hi")), answer("{{#llm.text#}}"), "start > llm > answer"
        visitor = WebVisitor(client, make_graph_app(graph(*parts), "advanced-chat"))
        with visitor.chat() as response:
            visitor.frames(response)
        path = traces.sent().path_to(traces.collector.only("chat "))
        assert path == ["POST /api/chat-messages", f"answer {visitor.app.code}", "llm llm", "chat tiny"]
        assert {"start start", "answer answer"} <= {span.name for span in traces.collector.spans}

    def test_of_a_run_has_parallel_branches_side_by_side(self, client, traces):
        branches = [llm(("user", "Hi"), node_id=name) for name in ("one", "two", "three")]
        paths = [f"start > {name} > end" for name in ("one", "two", "three")]
        visitor = WebVisitor(client, make_graph_app(graph(start(), *branches, end(), *paths)))
        visitor.run()
        paths = {tuple(traces.collector.path_to(span)[:2]) for span in traces.sent().named("chat ")}
        run = f"workflow run {visitor.app.code}"
        assert paths == {(run, "llm one"), (run, "llm two"), (run, "llm three")}

    def test_has_the_rounds_of_an_iteration_inside_it(self, traces):
        run(iteration(is_parallel=True, parallel_nums=2), {"x": [1, 2]})
        rounds = traces.sent().named("variable-aggregator")
        assert [traces.collector.path_to(span) for span in rounds] == [["iteration it", "variable-aggregator pick"]] * 2

    def test_has_the_tools_of_an_agent(self, app, client, model, traces, monkeypatch):
        put_part(monkeypatch, app, house_registry(CountedTool("lookup")))
        visitor = agent(client, tool("lookup"))
        model.script("Let me see.", tool_calls=[("lookup", {"text": "tea"})])
        visitor.ask(SECRET)
        called = traces.sent().only("execute_tool")
        assert called.name == "execute_tool lookup" and called.attributes["gen_ai.tool.name"] == "lookup"
        assert traces.collector.path_to(called)[-2] == f"answer {visitor.app.code}"
        assert len(traces.collector.named("chat ")) == 2
        assert traces.collector.only("answer").attributes["gen_ai.operation.name"] == "invoke_agent"

    def test_goes_on_where_a_form_is_answered(self, client, traces):
        visitor = WebVisitor(client, asking())
        frames = visitor.run(topic="tea")
        answerer_of(visitor, frames).submit()
        first, second = traces.sent().named("workflow run")
        assert first.trace_id == second.trace_id
        assert [span.attributes["frontdesk.outcome"] for span in (first, second)] == ["paused", "succeeded"]

    def test_goes_on_in_the_worker_that_takes_over(self, app, traces):
        with tracing.span("asked") as asked:
            task = begun()
        execution_of(task)
        tasks.generate(task.task_id)
        taken = traces.sent().only("answer")
        assert (taken.trace_id, taken.attributes["frontdesk.epoch"]) == (traces.collector.only("asked").trace_id, 2)
        assert traces.collector.path_to(taken)[0] == "asked" and asked.is_kept

    def test_has_a_search_and_the_embedding_of_its_query(self, app, model, traces):
        dataset = embedded(VACATION)
        traces.sent().reset()
        look(dataset, "vacation")
        search = traces.sent().only("retrieval")
        assert search.attributes["frontdesk.passages"] == 1
        assert traces.collector.path_to(traces.collector.only("embeddings")) == ["retrieval", f"embeddings {MODEL}"]

    def test_has_a_request_to_another_server_without_its_path(self, app, traces):
        with RawServer(say(OK)) as server, trusting(server).request("GET", url(server, "/secret?key=secret")):
            port = server.port
        told = traces.sent().only("GET")
        assert (told.kind, told.attributes["http.response.status_code"]) == (CLIENT, 200)
        assert told.attributes["server.port"] == port and "secret" not in repr(told.attributes)


class TestACaller:
    def test_that_traces_finds_our_spans_below_its_own(self, alice, traces):
        alice.client.post(
            "/api/chat-messages",
            headers={**alice.headers, "traceparent": f"00-{TRACE}-{CALLER}-01"},
            json={"inputs": {}, "query": "Hi", "response_mode": "blocking"},
        )
        assert {span.trace_id for span in traces.sent().spans} == {TRACE}
        assert traces.collector.only("POST").parent_id == CALLER

    def test_that_does_not_sample_gets_no_spans(self, alice, traces):
        header = {"traceparent": f"00-{TRACE}-{CALLER}-00"}
        alice.get("/parameters", headers=header)
        assert traces.sent().spans == ()

    def test_with_a_header_that_says_nothing_gets_a_trace_of_its_own(self, alice, traces):
        alice.get("/parameters", headers={"traceparent": "00-nothing"})
        assert traces.sent().only("GET").parent_id == ""


class TestAModelCall:
    def test_is_described_by_the_conventions(self, client, model, traces):
        params = {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {"temperature": 0.5}}
        WebVisitor(client, make_app(model=params)).ask(SECRET)
        told = traces.sent().only("chat ").attributes
        assert (told["gen_ai.operation.name"], told["gen_ai.request.model"]) == ("chat", "scripted")
        assert told["gen_ai.provider.name"] == told["gen_ai.system"] and told["server.port"] > 0
        assert told["gen_ai.request.temperature"] == 0.5
        assert told["gen_ai.usage.input_tokens"] > 0 and told["gen_ai.usage.output_tokens"] > 0
        assert told["gen_ai.response.finish_reasons"] == ["stop"]

    def test_that_fails_says_of_what_kind_the_error_is(self, alice, model, traces):
        model.script(status=401)
        alice.ask(SECRET)
        call, task = traces.sent().only("chat "), traces.collector.only("answer")
        assert call.failed and call.attributes["error.type"] == "ProviderAuthFailed"
        assert task.failed and task.attributes["error.type"] == "ProviderAuthFailed"


class TestWhatPeopleSay:
    def test_is_in_no_span(self, alice, model, traces):
        model.script("A secret answer")
        alice.ask(SECRET)
        assert "secret" not in repr([span.attributes for span in traces.sent().spans])
        ((end_user_id,),) = execute("SELECT id::text FROM end_users WHERE app_id = :id", id=alice.app.id)
        assert traces.collector.only("answer").attributes["user.id"] == pseudonym(end_user_id)

    def test_is_told_where_the_operator_wants_it(self, alice, model, told_traces):
        model.script("A secret answer")
        alice.ask(SECRET)
        told = told_traces.sent().only("chat ").attributes
        assert SECRET in told["gen_ai.input.messages"] and "A secret answer" in told["gen_ai.output.messages"]
        task = told_traces.collector.only("answer").attributes
        assert (task["input.value"], task["output.value"]) == (SECRET, "A secret answer")


class TestTheCollector:
    def test_that_refuses_is_told_of_in_one_line_and_harms_no_answer(self, alice, collector, traces, monkeypatch):
        lines = lines_of(monkeypatch, open_telemetry)
        collector.status = 400
        assert alice.ask()[-1].event == "message_end"
        traces.sent()
        alice.ask()
        traces.sent()
        assert lines.only["event"] == "traces.not_sent" and lines.only["spans"] == 2

    def test_that_hangs_does_not_keep_a_process_from_ending(self, app, monkeypatch):
        monkeypatch.setattr(open_telemetry, "FLUSH_SECONDS", 0.1)
        with OtlpCollector() as hanging:
            hanging.hangs = True
            traces = Traces(hanging)
            tracing.span("work").end()
            traces.close()
            assert hanging.spans == ()

    def test_gets_what_the_standard_variables_say(self, app, collector, monkeypatch):
        monkeypatch.setenv("OTEL_SERVICE_NAME", "desk of the house")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic abc")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        traces = Traces(collector)
        tracing.span("work").end()
        traces.close()
        assert collector.only("work").resource["service.name"] == "desk of the house"
        assert collector.headers[-1]["authorization"] == "Basic abc" and collector.paths[-1] == "/v1/traces"

    def test_gets_nothing_where_the_sampler_takes_nothing(self, alice, collector, monkeypatch):
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
        traces = Traces(collector)
        alice.ask()
        traces.close()
        assert collector.spans == ()


class TestAProcess:
    def test_sends_what_it_has_when_it_closes(self, settings, collector):
        started = create_app(Config(settings | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}))
        tracing.span("work").end()
        parts_of(started).close()
        assert collector.only("work").resource["service.name"] == "frontdesk"
        assert tracing.span("later") is tracing.NO_SPAN

    def test_without_the_packages_says_so_and_serves(self, settings, monkeypatch):
        lines = lines_of(monkeypatch, factory)
        monkeypatch.delitem(sys.modules, "app.open_telemetry")
        monkeypatch.setitem(sys.modules, "opentelemetry", None)
        parts_of(create_app(Config(settings | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}))).close()
        assert lines.only["event"] == "traces.off" and "app/requirements/traces.txt" in lines.only["problem"]

    def test_that_is_not_told_to_has_no_spans(self, app):
        with tracing.span("work", {"a": 1}) as span:
            assert span is tracing.NO_SPAN and tracing.current_traceparent() is None
