"""The text of a run: which pieces are streamed, and when (contract streaming.md §4.5)."""

from tests.support.workflow.fake_http import FakeHttp, failing, http
from tests.support.workflow.graphs import answer, end, graph, node, run, start
from tests.support.workflow.model_services import MODEL, services_with

WHICH = node(
    "if",
    "if-else",
    cases=[
        {
            "case_id": "yes",
            "logical_operator": "and",
            "conditions": [{"variable_selector": ["start", "go"], "comparison_operator": "is", "value": "yes"}],
        },
    ],
)


def at(record, name):
    return record.named().index(name)


def test_literal_text_comes_before_the_answer_s_turn():
    record = run(
        graph(start(), http("a"), answer("Wait: {{#a.body#}}!"), "start > a > answer"), services=FakeHttp().services
    )
    assert record.pieces == ["Wait: ", "a", "!"]
    assert at(record, "TextStreamed Wait: ") < at(record, "NodeStarted a")


def test_text_waits_until_no_branch_can_avoid_it():
    flow = graph(
        start(go="text-input"),
        http("a"),
        WHICH,
        answer("chosen"),
        http("other"),
        "start > a > if",
        "if:yes > answer",
        "if:false > other",
    )
    record = run(flow, {"go": "yes"}, services=FakeHttp().services)
    assert at(record, "TextStreamed chosen") > at(record, "NodeSucceeded if")
    assert run(flow, {"go": "no"}, services=FakeHttp().services).pieces == []


def test_text_that_both_ways_lead_to_does_not_wait():
    flow = graph(
        start(go="text-input"),
        http("a"),
        WHICH,
        http("b"),
        http("c"),
        answer("in any case"),
        "start > a > if",
        "if:yes > b > answer",
        "if:false > c > answer",
    )
    record = run(flow, {"go": "yes"}, services=FakeHttp().services)
    assert at(record, "TextStreamed in any case") < at(record, "NodeStarted a")


def test_answers_come_in_the_order_of_the_graph():
    flow = graph(
        start(),
        http("a"),
        answer("one {{#a.body#}} ", "first"),
        http("b"),
        answer("two {{#b.body#}}", "second"),
        "start > a > first > b > second",
    )
    assert run(flow, services=FakeHttp().services).text == "one a two b"


def test_a_skipped_reference_is_empty():
    flow = graph(
        start(go="text-input"),
        WHICH,
        http("a"),
        http("b"),
        answer("[{{#a.body#}}{{#b.body#}}]"),
        "start > if",
        "if:yes > a > answer",
        "if:false > b > answer",
    )
    assert run(flow, {"go": "no"}, services=FakeHttp().services).text == "[b]"


def test_outputs_of_an_end_are_parted_by_newlines():
    record = run(
        graph(start(), http("a"), end(a=["a", "body"], n=["start", "n"], o=["start", "o"]), "start > a > end"),
        {"n": 5, "o": {"k": "é"}},
        services=FakeHttp().services,
    )
    assert record.text == 'a\n5\n{\n  "k": "é"\n}'


def test_a_chatflow_tells_the_text_of_answer_nodes_alone():
    flow = graph(start(), http("a"), answer("<{{#a.body#}}>"), end(x=["a", "body"]), "start > a > answer > end")
    assert run(flow, services=FakeHttp().services, is_chatflow=True).text == "<a>"


def test_a_workflow_tells_the_outputs_of_end_nodes_alone():
    flow = graph(start(), http("a"), answer("<{{#a.body#}}>"), end(x=["answer", "answer"]), "start > a > answer > end")
    assert run(flow, services=FakeHttp().services, is_chatflow=False).pieces == ["<a>"]


def test_a_default_is_said_where_a_node_fails():
    defaults = [{"key": "body", "type": "string", "value": "spare"}]
    flow = graph(
        start(),
        http("a", error_strategy="default-value", default_value=defaults),
        answer("{{#a.body#}}"),
        "start > a > answer",
    )
    assert run(flow, services=FakeHttp(failing("a")).services).text == "spare"


def test_conversation_variables_are_read_when_the_answer_is_there():
    keep = node(
        "keep",
        "assigner",
        version="2",
        items=[{"variable_selector": ["conversation", "n"], "input_type": "constant", "operation": "+=", "value": 1}],
    )
    flow = graph(start(), keep, answer("{{#conversation.n#}}"), "start > keep > answer")
    assert run(flow, conversation={"n": 1}, types={"n": "number"}).text == "2"


def test_a_reference_to_a_parallel_branch_is_waited_for():
    flow = graph(start(), http("a"), answer("{{#a.body#}}"), "start > a", "start > answer")
    assert run(flow, services=FakeHttp().services).text == "a"


def test_a_streamed_variable_is_whole_wherever_it_is_named_again(model):
    model.script("Hel", "lo", delay=0.05)
    llm = node("llm", "llm", model=MODEL, prompt_template=[{"role": "user", "text": "Hi"}])
    twice, again = answer("{{#llm.text#}}|{{#llm.text#}}", "twice"), answer("\n{{#llm.text#}}", "again")
    record = run(graph(start(), llm, twice, again, "start > llm > twice > again"), services=services_with(model))
    assert record.text == record.end.outputs["answer"] == "Hello|Hello\nHello"


def test_thoughts_that_were_held_back_are_never_shown(model):
    model.script("Hm.", "</think>", "Hello", delay=0.05)
    model.script("And: ")
    first, later = (
        node(name, "llm", model=MODEL, prompt_template=[{"role": "user", "text": "Hi"}], reasoning_format="separated")
        for name in ("first", "later")
    )
    flow = graph(start(), first, later, answer("{{#later.text#}}{{#first.text#}}"), "start > first > later > answer")
    record = run(flow, services=services_with(model))
    assert (record.pieces, record.end.outputs["answer"]) == (["And: ", "Hello"], "And: Hello")
