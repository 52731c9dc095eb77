"""`question-classifier` (contract dsl.md §3.7)."""

import pytest

from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from tests.support.workflow.graphs import end, graph, node, run, start
from tests.support.workflow.model_services import MODEL, Conversation, picture, sent, services_with

CLASSES = [{"id": "1", "name": "Refund"}, {"id": "1732007415808", "name": "Shipping", "label": "Where is it?"}]


def classifier(**data):
    return node(
        "sort",
        "question-classifier",
        **{"model": MODEL, "query_variable_selector": ["start", "text"], "classes": CLASSES, **data},
    )


def flow(**data):
    ends = [node(name, "end", outputs=[]) for name in ("refund", "shipping")]
    return graph(start(), classifier(**data), *ends, "start > sort:1 > refund", "sort:1732007415808 > shipping")


def sort(server, text="Where is my parcel?", **data):
    memory, system = data.pop("conversation", None), data.pop("system", None)
    return run(
        flow(**data),
        {"text": text, "pictures": [picture()]},
        services=services_with(server, memory=memory),
        system=system,
    )


@pytest.mark.parametrize(
    ("answer", "way"),
    [
        ('{"category_id": "1732007415808", "category_name": "Shipping"}', "shipping"),
        ('```json\n{"category_id": "1732007415808", "category_name": "Shipping"}\n```', "shipping"),
        ('[{"category_id": "1732007415808", "category_name": "Shipping"}]', "shipping"),
        (
            '<think>{"category_id": "1"}</think>{"category_id": "1732007415808", "category_name": "Shipping"}',
            "shipping",
        ),
        ('{"category_id": "1732007415808", "category_name": "Refund"}', "shipping"),
        ('{"category_id": 1732007415808, "category_name": "Shipping"}', "shipping"),
        ('{"category_id": " \\"1732007415808\\" "}', "shipping"),
        ('{"category_id": 1732007415808.0}', "shipping"),
        ('{"category_id": ["1732007415808"]}', "shipping"),
        ('{"category_id": "shipping"}', "shipping"),
        ('{"category_name": "Shipping"}', "shipping"),
        ('{"category_id": null, "category_name": "Shipping"}', "shipping"),
        ("{'category_id': '1732007415808'}", "shipping"),
        ('Of {"all": "the classes that there are"} I take {"category_id": "1732007415808"}.', "shipping"),
        ('I take 1.</think>\n{"category_id": "1732007415808"}', "shipping"),
        ('{"category_id": "1732007415808", "why": "```json\\n{\\"category_id\\": \\"1\\"}\\n```"}', "shipping"),
        ('{"category_id": "1", "category_name": "Refund"}', "refund"),
        ('{"category_id": "9", "category_name": "Shipping"}', "refund"),
        ('{"reason": "unsure"}', "refund"),
        ("{}", "refund"),
    ],
)
def test_the_models_choice_is_the_way_on(model, answer, way):
    model.script(answer)
    assert sort(model).ran == ["start", "sort", way]


def test_it_gives_the_class_as_configured_and_the_usage(model):
    model.script('{"category_id": "1732007415808", "category_name": "Something else"}')
    record = sort(model)
    outputs = record.outputs("sort")
    assert {name: outputs[name] for name in ("class_name", "class_label", "class_id")} == {
        "class_name": "Shipping",
        "class_label": "Where is it?",
        "class_id": "1732007415808",
    }
    assert outputs["usage"]["completion_tokens"] == 1
    assert record.end.total_tokens == outputs["usage"]["total_tokens"] > 1


def test_a_text_that_is_missing_is_an_empty_one_and_a_missing_reference_stays_bare(model):
    model.script('{"category_id": "1", "category_name": "Refund"}')
    record = sort(model, query_variable_selector=["skipped", "output"], instruction="Mind {{#skipped.output#}}.")
    (_, system), question = sent(model)
    assert (record.ran, question) == (["start", "sort", "refund"], ("user", ""))
    assert system.endswith("\nMind skipped.output.")


@pytest.mark.parametrize(
    "answer",
    [
        "Shipping, I think.",
        "1732007415808",
        "",
        '{"category_id": ' * 9,
        "{" * 9_000,
        '[{"category_id": "1"}, {"category_id": "2"}]',
        '{"category_id": "1"',
    ],
)
def test_an_answer_without_json_fails_the_node(model, answer):
    model.script(answer)
    record = sort(model)
    assert (record.end.status, record.of("sort").error) == ("failed", "could not find json block in the output.")


def test_nothing_is_streamed(model):
    model.script('{"category_id": "1"}')
    assert sort(model).pieces == []


def test_the_model_is_told_classes_instruction_and_text(model):
    model.script('{"category_id": "1"}')
    record = sort(model, instruction="Speak of {{#start.text#}}")
    (first, task), last = sent(model)
    assert first == "system" and last == ("user", "Where is my parcel?")
    assert '{"category_id": "1732007415808", "category_name": "Shipping"}' in task
    assert task.endswith("Instruction of the author:\nSpeak of Where is my parcel?")
    assert record.of("sort").inputs == {"query": "Where is my parcel?"}
    assert record.of("sort").process_data["prompts"][1]["text"] == "Where is my parcel?"


def test_the_server_is_told_what_may_be_answered(model):
    model.script('{"category_id": "1"}')
    sort(model)
    schema = model.requests[0].body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["category_id"]["enum"] == ["1", "1732007415808"]


def test_the_authors_own_format_goes_first(model):
    model.script('{"category_id": "1"}')
    sort(model, model={**MODEL, "completion_params": {"response_format": "json_object"}})
    assert model.requests[0].body["response_format"] == {"type": "json_object"}


def test_memory_tells_the_model_of_the_conversation(model):
    model.script('{"category_id": "1"}')
    sort(
        model,
        memory={"window": {"enabled": True, "size": 1}},
        conversation=Conversation(("one?", "1."), ("I ordered a book.", "Fine.")),
    )
    assert [role for role, _ in sent(model)] == ["system", "user"]
    assert sent(model)[0][1].endswith("The conversation before this text:\nHuman: I ordered a book.\nAssistant: Fine.")


def test_images_are_seen_with_the_text(model):
    model.script('{"category_id": "1"}')
    sort(model, vision={"enabled": True, "configs": {"variable_selector": ["start", "pictures"], "detail": "low"}})
    assert [part["type"] for part in sent(model)[1][1]] == ["text", "image_url"]


def test_a_completion_model_is_asked_too(model):
    model.script('{"category_id": "1"}')
    assert sort(model, model={**MODEL, "mode": "completion"}).ran[-1] == "refund"
    assert model.requests[0].body["prompt"].endswith("Where is my parcel?")


def test_a_models_error_may_have_a_way_of_its_own(model):
    model.script(error="rate_limit")
    parts = flow(error_strategy="fail-branch")
    definition = {**parts, "nodes": [*parts["nodes"], end(error=["sort", "error_type"])]}
    definition["edges"] = [*parts["edges"], {"source": "sort", "target": "end", "sourceHandle": "fail-branch"}]
    record = run(definition, {"text": "Hi"}, services=services_with(model))
    assert (record.end.status, record.end.outputs) == ("partial-succeeded", {"error": "InvokeRateLimitError"})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"classes": []}, "classes: List should have at least 1 item after validation, not 0"),
        ({"classes": [{"name": "Refund"}]}, "classes.0.id: Field required"),
        ({"model": {}}, "model.name: Field required"),
        ({"query_variable_selector": None}, "query_variable_selector: Field required"),
    ],
)
def test_a_node_that_could_never_run_is_refused(data, message):
    with pytest.raises(GraphInvalid) as refusal:
        build(flow(**data))
    assert str(refusal.value) == f"node 'sort' (question-classifier): {message}"


def test_an_id_may_be_a_number_in_the_file(model):
    model.script('{"category_id": "1"}')
    assert sort(model, classes=[{"id": 1, "name": "Refund"}]).ran[-1] == "refund"
