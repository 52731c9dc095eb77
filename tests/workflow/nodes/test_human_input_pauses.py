"""`human-input`: runs that pause and go on (contract human-input.md §4)."""

from app.workflow.contracts import events
from app.workflow.contracts.node_services import NodeServices
from tests.support.workflow.graphs import answer, end, graph, node, start
from tests.support.workflow.people import People, asking, human, paragraph
from tests.support.workflow.world import World, asks


def test_other_branches_go_on_as_far_as_they_can() -> None:
    people, world = People(), World()
    definition = graph(
        start(), human("ask"), asks("a"), asks("b"), asks("c"), end(), "start > ask:go > c > end", "start > a > b > end"
    )
    services = NodeServices(http=world, forms=people)
    told = people.play(definition, services=services)
    assert (told.end.status, sorted(world.calls)) == ("paused", ["a", "b"])
    people.submit("ask", "go")
    told = people.play(definition, services=services)
    assert (told.end.status, dict(world.calls), told.end.steps) == ("succeeded", {"a": 1, "b": 1, "c": 1}, 6)


def test_two_forms_are_open_at_once_and_the_run_waits_for_each() -> None:
    people = People()
    definition = graph(
        start(),
        human("one"),
        human("two"),
        end(a=["one", "__action_id"], b=["two", "__action_id"]),
        "start > one:go > end",
        "start > two:go > end",
    )
    assert sorted(pause.node_id for pause in people.play(definition).end.pauses) == ["one", "two"]
    people.submit("two", "go")
    assert [pause.node_id for pause in people.play(definition).end.pauses] == ["one"]
    people.submit("one", "go")
    assert people.play(definition).end.outputs == {"a": "go", "b": "go"}


def test_a_run_pauses_again_and_again() -> None:
    people, definition = People(), graph(start(), human("one"), human("two"), end(), "start > one:go > two:go > end")
    assert people.play(definition).end.status == "paused"
    people.submit("one", "go")
    assert people.play(definition).end.pauses[0].node_id == "two"
    people.submit("two", "go")
    told = people.play(definition)
    assert (told.end.status, told.end.steps) == ("succeeded", 4)


def test_a_node_that_waited_is_not_announced_again() -> None:
    people, definition = People(), asking("go")
    first = people.play(definition)
    people.submit("ask", "go")
    second = people.play(definition)
    assert [name for name in first.named() + second.named() if name == "NodeStarted ask"] == ["NodeStarted ask"]
    indexes = [
        event.execution.index
        for told in people.runs
        for event in told.events
        if isinstance(event, events.NodeSucceeded)
    ]
    assert indexes == [1, 2, 3]


def test_every_round_of_an_iteration_has_its_form() -> None:
    people = People()
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
    told = people.play(definition, {"items": ["a", "b"]})
    seen = []
    while told.end.status == "paused":
        seen.append(people.draft("ask").content)
        people.submit("ask", "go", comment=f"on {seen[-1]}")
        told = people.play(definition, {"items": ["a", "b"]})
    assert (seen, told.end.outputs) == (["a", "b"], {"all": ["on a", "on b"]})
    names = [name for told in people.runs for name in told.named()]
    assert [name.split()[0] for name in names if name.startswith("Round")] == [
        "RoundsStarted",
        "RoundStarted",
        "RoundStarted",
        "RoundsEnded",
    ]


def test_parallel_rounds_are_all_asked_at_once() -> None:
    people = People()
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
    told = people.play(definition, {"items": [1, 2, 3]})
    assert len(told.end.pauses) == 3
    for action in ("go", "no", "go"):
        people.submit("ask", action)
    told = people.play(definition, {"items": [1, 2, 3]})
    assert sorted(told.end.outputs["all"]) == ["go", "go", "no"]


def test_a_loop_asks_until_somebody_says_yes() -> None:
    people = People()
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
    told = people.play(definition)
    for action in ("no", "no", "yes"):
        assert told.end.status == "paused"
        people.submit("ask", action)
        told = people.play(definition)
    assert (told.end.status, told.end.outputs) == ("succeeded", {"rounds": 3})


def test_a_branch_that_fails_ends_the_run_though_a_form_waits() -> None:
    people, world = People(), World()
    definition = graph(
        start(), human("ask"), node("bad", "http-request", method="get", url="ftp://x"), "start > ask", "start > bad"
    )
    told = people.play(definition, services=NodeServices(http=world, forms=people))
    assert told.end.status == "failed"


def test_the_text_before_and_behind_the_pause_is_one_answer() -> None:
    people = People()
    definition = graph(
        start(),
        answer("Draft. ", "first"),
        human("ask", inputs=[paragraph("comment")]),
        answer("You said {{#ask.comment#}}.", "last"),
        "start > first > ask:go > last",
    )
    first = people.play(definition)
    people.submit("ask", "go", comment="fine")
    second = people.play(definition)
    assert (first.text, second.text, second.end.outputs["answer"]) == (
        "Draft. ",
        "Draft. You said fine.",
        "Draft. You said fine.",
    )
