"""`human-input`: runs that pause and continue (contract human-input.md §4)."""

from app.workflow.contracts import events
from app.workflow.contracts.node_services import NodeServices
from tests.support.workflow.fake_http import FakeHttp, http
from tests.support.workflow.forms import FormRun, asking, human, paragraph
from tests.support.workflow.graphs import answer, end, graph, node, start


def test_other_branches_go_on_as_far_as_they_can() -> None:
    form_run, fake = FormRun(), FakeHttp()
    definition = graph(
        start(), human("ask"), http("a"), http("b"), http("c"), end(), "start > ask:go > c > end", "start > a > b > end"
    )
    services = NodeServices(http=fake, forms=form_run)
    record = form_run.run(definition, services=services)
    assert (record.end.status, sorted(fake.calls)) == ("paused", ["a", "b"])
    form_run.submit("ask", "go")
    record = form_run.run(definition, services=services)
    assert (record.end.status, dict(fake.calls), record.end.steps) == ("succeeded", {"a": 1, "b": 1, "c": 1}, 6)


def test_two_forms_are_open_at_once_and_the_run_waits_for_each() -> None:
    form_run = FormRun()
    definition = graph(
        start(),
        human("one"),
        human("two"),
        end(a=["one", "__action_id"], b=["two", "__action_id"]),
        "start > one:go > end",
        "start > two:go > end",
    )
    assert sorted(pause.node_id for pause in form_run.run(definition).end.pauses) == ["one", "two"]
    form_run.submit("two", "go")
    assert [pause.node_id for pause in form_run.run(definition).end.pauses] == ["one"]
    form_run.submit("one", "go")
    assert form_run.run(definition).end.outputs == {"a": "go", "b": "go"}


def test_a_run_pauses_again_and_again() -> None:
    form_run, definition = FormRun(), graph(start(), human("one"), human("two"), end(), "start > one:go > two:go > end")
    assert form_run.run(definition).end.status == "paused"
    form_run.submit("one", "go")
    assert form_run.run(definition).end.pauses[0].node_id == "two"
    form_run.submit("two", "go")
    record = form_run.run(definition)
    assert (record.end.status, record.end.steps) == ("succeeded", 4)


def test_a_node_that_waited_is_not_announced_again() -> None:
    form_run, definition = FormRun(), asking("go")
    first = form_run.run(definition)
    form_run.submit("ask", "go")
    second = form_run.run(definition)
    assert [name for name in first.named() + second.named() if name == "NodeStarted ask"] == ["NodeStarted ask"]
    indexes = [
        event.execution.index
        for record in form_run.runs
        for event in record.events
        if isinstance(event, events.NodeSucceeded)
    ]
    assert indexes == [1, 2, 3]


def test_every_round_of_an_iteration_has_its_form() -> None:
    form_run = FormRun()
    inside = human("ask", "go", parent="it", content="{{#it.item#}}", inputs=[paragraph("comment")])
    definition = graph(
        start(items="json_object"),
        node(
            "it",
            "iteration",
            iterator_selector=["start", "items"],
            output_selector=["ask", "comment"],
            start_node_id="in",
        ),
        node("in", "iteration-start", "it"),
        inside,
        end(all=["it", "output"]),
        "start > it > end",
        "in > ask",
    )
    record = form_run.run(definition, {"items": ["a", "b"]})
    seen = []
    while record.end.status == "paused":
        seen.append(form_run.draft("ask").content)
        form_run.submit("ask", "go", comment=f"on {seen[-1]}")
        record = form_run.run(definition, {"items": ["a", "b"]})
    assert (seen, record.end.outputs) == (["a", "b"], {"all": ["on a", "on b"]})
    names = [name for record in form_run.runs for name in record.named()]
    assert [name.split()[0] for name in names if name.startswith("Round")] == [
        "RoundsStarted",
        "RoundStarted",
        "RoundStarted",
        "RoundsEnded",
    ]


def test_parallel_rounds_are_all_asked_at_once() -> None:
    form_run = FormRun()
    definition = graph(
        start(items="json_object"),
        node(
            "it",
            "iteration",
            iterator_selector=["start", "items"],
            output_selector=["ask", "__action_id"],
            start_node_id="in",
            is_parallel=True,
            parallel_nums=3,
        ),
        node("in", "iteration-start", "it"),
        human("ask", "go", "no", parent="it"),
        end(all=["it", "output"]),
        "start > it > end",
        "in > ask",
    )
    record = form_run.run(definition, {"items": [1, 2, 3]})
    assert len(record.end.pauses) == 3
    for action in ("go", "no", "go"):
        form_run.submit("ask", action)
    record = form_run.run(definition, {"items": [1, 2, 3]})
    assert sorted(record.end.outputs["all"]) == ["go", "go", "no"]


def test_a_loop_asks_until_somebody_says_yes() -> None:
    form_run = FormRun()
    definition = graph(
        start(),
        node("lp", "loop", loop_count=5, start_node_id="in", break_conditions=[], loop_variables=[]),
        node("in", "loop-start", "lp"),
        human("ask", "yes", "no", parent="lp"),
        node("out", "loop-end", "lp"),
        end(rounds=["lp", "loop_round"]),
        "start > lp > end",
        "in > ask:yes > out",
    )
    record = form_run.run(definition)
    for action in ("no", "no", "yes"):
        assert record.end.status == "paused"
        form_run.submit("ask", action)
        record = form_run.run(definition)
    assert (record.end.status, record.end.outputs) == ("succeeded", {"rounds": 3})


def test_a_branch_that_fails_ends_the_run_though_a_form_waits() -> None:
    form_run, fake = FormRun(), FakeHttp()
    definition = graph(
        start(), human("ask"), node("bad", "http-request", method="get", url="ftp://x"), "start > ask", "start > bad"
    )
    record = form_run.run(definition, services=NodeServices(http=fake, forms=form_run))
    assert record.end.status == "failed"


def test_the_text_before_and_behind_the_pause_is_one_answer() -> None:
    form_run = FormRun()
    definition = graph(
        start(),
        answer("Draft. ", "first"),
        human("ask", inputs=[paragraph("comment")]),
        answer("You said {{#ask.comment#}}.", "last"),
        "start > first > ask:go > last",
    )
    first = form_run.run(definition)
    form_run.submit("ask", "go", comment="fine")
    second = form_run.run(definition)
    assert (first.text, second.text, second.end.outputs["answer"]) == (
        "Draft. ",
        "Draft. You said fine.",
        "Draft. You said fine.",
    )
