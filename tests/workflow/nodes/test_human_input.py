"""`human-input` (contract human-input.md §1, §2, §4)."""

from typing import Any

import pytest

from app.workflow.contracts import events
from app.workflow.contracts.node_services import NodeServices
from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from app.workflow.values.files import File
from tests.support.workflow.fake_http import FakeHttp, http
from tests.support.workflow.forms import FormRun, asking, human, paragraph, variable
from tests.support.workflow.graphs import RunRecord, graph, start


def details(record: RunRecord, name: str) -> list[dict[str, Any]]:
    return [
        dict(event.details) for event in record.events if isinstance(event, events.NodeReported) and event.name == name
    ]


def test_it_waits_for_a_person() -> None:
    record = FormRun().run(asking("go"))
    assert (record.end.status, record.ran, record.end.pauses[0].node_id) == ("paused", ["start"], "ask")


def test_what_was_chosen_is_the_branch_that_is_taken() -> None:
    form_run = FormRun()
    both = graph(start(), human("ask", "yes", "no"), http("a"), http("b"), "start > ask:yes > a", "ask:no > b")
    form_run.run(both)
    form_run.submit("ask", "no")
    record = form_run.run(both, services=NodeServices(http=FakeHttp(), forms=form_run))
    assert record.ran == ["ask", "b"]


def test_the_outputs_are_the_inputs_and_the_action() -> None:
    form_run, definition = FormRun(), asking("go", content="Say: {{#$output.comment#}}!", inputs=[paragraph("comment")])
    form_run.run(definition)
    form_run.submit("ask", "go", comment="fine")
    record = form_run.run(definition)
    assert record.end.status == "succeeded"
    assert record.end.outputs == {
        "comment": "fine",
        "__action_id": "go",
        "__action_value": "GO",
        "__rendered_content": "Say: fine!",
    }
    filled = {
        "rendered_content": "Say: fine!",
        "action_id": "go",
        "action_text": "GO",
        "submitted_data": {"comment": "fine"},
    }
    assert details(record, "form_filled") == [filled]


def test_a_timeout_takes_its_own_branch() -> None:
    form_run, definition = FormRun(), asking("go", content="Say: {{#$output.comment#}}!", inputs=[paragraph("comment")])
    form_run.run(definition)
    form_run.let_expire("ask")
    record = form_run.run(definition)
    wanted = {
        "comment": None,
        "__action_id": "",
        "__action_value": "",
        "__rendered_content": "Say: {{#$output.comment#}}!",
    }
    assert record.end.outputs == wanted
    assert len(details(record, "form_timeout")) == 1


def test_a_chosen_action_without_an_edge_ends_its_branch() -> None:
    form_run, definition = FormRun(), graph(start(), human("ask", "yes", "no"), http("a"), "start > ask:yes > a")
    form_run.run(definition)
    form_run.submit("ask", "no")
    assert (form_run.run(definition).end.status, form_run.runs[-1].ran) == ("succeeded", ["ask"])


def test_the_content_has_the_values_of_the_pause() -> None:
    form_run = FormRun()
    form_run.run(
        asking("go", content="About {{#start.topic#}}: {{#$output.comment#}} {{#gone.away#}}"), {"topic": "cats"}
    )
    assert form_run.draft("ask").content == "About cats: {{#$output.comment#}} "


def test_defaults_from_variables_keep_their_type() -> None:
    form_run = FormRun()
    inputs = [
        paragraph("comment", variable("start", "topic")),
        paragraph("other", {"type": "constant", "value": "x", "selector": []}),
        paragraph("none"),
        paragraph("gone", variable("start", "gone")),
    ]
    form_run.run(asking("go", inputs=inputs), {"topic": ["a", 1]})
    assert form_run.draft("ask").defaults == {"comment": ["a", 1], "gone": None}


def test_options_from_a_variable_stand_in_the_form() -> None:
    form_run = FormRun()
    source = {
        "type": "select",
        "output_variable_name": "pick",
        "option_source": {"type": "variable", "selector": ["start", "topic"], "value": []},
    }
    form_run.run(asking("go", inputs=[source]), {"topic": ["a", "b"]})
    assert form_run.draft("ask").inputs[0]["option_source"]["value"] == ["a", "b"]


@pytest.mark.parametrize("value", ["text", [1, 2], None, {"a": "b"}])
def test_options_that_are_no_texts_fail_the_node(value: Any) -> None:
    source = {
        "type": "select",
        "output_variable_name": "pick",
        "option_source": {"type": "variable", "selector": ["start", "topic"], "value": []},
    }
    record = FormRun().run(asking("go", inputs=[source]), {"topic": value})
    assert (record.end.status, record.end.error) == ("failed", "The options of 'pick' must be an array of strings.")


@pytest.mark.parametrize(
    ("timeout", "unit", "seconds"), [(None, None, 36 * 3600), (2, "hour", 7200), (3, "day", 3 * 86_400)]
)
def test_how_long_it_may_be_answered(timeout: int | None, unit: str | None, seconds: int) -> None:
    form_run = FormRun()
    form_run.run(asking("go", timeout=timeout, timeout_unit=unit))
    assert form_run.draft("ask").seconds == seconds


def test_files_are_named_in_the_rendered_content() -> None:
    form_run = FormRun()
    inputs = [
        {"type": "file", "output_variable_name": "one"},
        {"type": "file-list", "output_variable_name": "many"},
        paragraph("comment"),
    ]
    content = "{{#$output.one#}} {{#$output.many#}} {{#$output.comment#}}{{#$output.unknown#}}"
    definition = asking("go", content=content, inputs=inputs)
    form_run.run(definition)
    file = File(id="1", type="image", transfer_method="local_file", name="a.png")
    form_run.submit("ask", "go", one=file, many=[file, file], comment=None)
    record = form_run.run(definition)
    assert record.outputs("ask")["__rendered_content"] == "[file] [2 files] "
    assert record.outputs("ask")["one"] == file


def test_mails_are_filled_in_but_for_their_link() -> None:
    form_run = FormRun()
    config = {
        "recipients": {
            "whole_workspace": False,
            "items": [{"type": "external", "email": "a@b.c"}, {"type": "member", "user_id": "m1"}],
        },
        "subject": "About {{#start.topic#}}",
        "body": "Look: {{#url#}} {{#start.topic#}}",
        "debug_mode": False,
    }
    methods = [
        {"id": "1", "type": "email", "enabled": True, "config": config},
        {"id": "2", "type": "carrier-pigeon", "enabled": True},
    ]
    form_run.run(asking("go", delivery_methods=methods), {"topic": "cats"})
    draft = form_run.draft("ask")
    (mail,) = draft.mails
    assert (mail.subject, mail.body, mail.addresses, mail.members) == (
        "About cats",
        "Look: {{#url#}} cats",
        ["a@b.c"],
        ["m1"],
    )
    assert draft.display_in_ui is False


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({"inputs": [paragraph("a"), paragraph("a")]}, "the output_variable_name 'a' occurs twice"),
        ({"inputs": [paragraph("1a")]}, "output_variable_name"),
        ({"inputs": [paragraph("a" * 31)]}, "output_variable_name"),
        ({"inputs": [{"type": "slider", "output_variable_name": "a"}]}, "inputs.0"),
        ({"inputs": [paragraph("a", {"type": "variable", "selector": ["x"]})]}, "at least two parts"),
        (
            {"user_actions": [{"id": "a", "title": "A"}, {"id": "a", "title": "B"}]},
            "the id of an action 'a' occurs twice",
        ),
        ({"user_actions": [{"id": "a" * 21, "title": "A"}]}, "user_actions.0.id"),
        ({"user_actions": [{"id": "a", "title": "A" * 101}]}, "user_actions.0.title"),
        ({"timeout": 0}, "timeout"),
        ({"timeout_unit": "week"}, "timeout_unit"),
        ({"inputs": [{"type": "file-list", "output_variable_name": "f", "number_limits": -1}]}, "number_limits"),
        (
            {"inputs": [{"type": "file", "output_variable_name": "f", "allowed_file_upload_methods": ["tool_file"]}]},
            "allowed_file_upload_methods",
        ),
        ({"delivery_methods": [{"type": "email", "config": {"body": "no link"}}]}, "must contain {{#url#}}"),
    ],
)
def test_an_author_is_told_what_is_wrong(data: dict[str, Any], fault: str) -> None:
    with pytest.raises(GraphInvalid, match="ask") as refused:
        build(graph(start(), human("ask", **data), "start > ask"))
    assert fault in str(refused.value)
