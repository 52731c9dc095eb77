"""`parameter-extractor` (contract dsl.md §3.7)."""

import json

import pytest

from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from tests.support.workflow.graphs import end, graph, node, run, start
from tests.support.workflow.model_services import MODEL, Conversation, picture, sent, services_with

NAME = {"name": "name", "type": "string", "description": "Who", "required": True}
AGE = {"name": "age", "type": "number", "description": "In years", "required": False}


def flow(*parameters, **data):
    usual = {"model": MODEL, "query": ["start", "text"], "parameters": list(parameters), "reasoning_mode": "prompt"}
    return graph(
        start(),
        node("read", "parameter-extractor", **{**usual, **data}),
        end(ok=["read", "__is_success"]),
        "start > read > end",
    )


def read(server, *parameters, conversation=None, text="Ann is 5.", **data):
    return run(
        flow(*parameters, **data),
        {"text": text, "pictures": [picture()]},
        services=services_with(server, memory=conversation),
    )


def values(record):
    outputs = record.outputs("read")
    return (
        {name: value for name, value in outputs.items() if not name.startswith("__")},
        outputs["__is_success"],
        outputs["__reason"],
    )


def parameter(kind, **more):
    return {"name": "it", "type": kind, "description": "", "required": True, **more}


def test_a_text_that_is_missing_is_an_empty_one_and_a_missing_reference_stays_bare(model):
    model.script('{"name": "", "age": null}')
    record = read(model, NAME, AGE, query=["skipped", "output"], instruction="Mind {{#skipped.output#}}.")
    (_, system), question = sent(model)
    assert (record.end.status, question) == ("succeeded", ("user", ""))
    assert system.endswith("\nMind skipped.output.")


def test_each_parameter_is_an_output(model):
    model.script('{"name": "Ann", "age": 5}')
    record = read(model, NAME, AGE)
    assert values(record) == ({"name": "Ann", "age": 5}, 1, None)
    assert record.outputs("read")["__usage"]["completion_tokens"] == 1
    assert record.end.total_tokens == record.outputs("read")["__usage"]["total_tokens"] > 1


@pytest.mark.parametrize(
    "answer",
    [
        '```json\n{"name": "Ann"}\n```',
        'It is {"name": "Ann"}.',
        '<think>{"name": "Bo"}</think>{"name": "Ann"}',
        '[{"name": "Ann"}]',
    ],
)
def test_the_object_is_found_in_the_answer(model, answer):
    model.script(answer)
    assert values(read(model, NAME)) == ({"name": "Ann"}, 1, None)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "x"),
        ("number", 5),
        ("number", 5.5),
        ("bool", True),
        ("boolean", False),
        ("select", "red"),
        ("array[string]", ["a"]),
        ("array[number]", [1, 2.5]),
        ("array[object]", [{"a": 1}]),
        ("array[boolean]", [True]),
        ("array[string]", []),
    ],
)
def test_values_of_their_type_are_taken(model, kind, value):
    model.script(json.dumps({"it": value}))
    assert values(read(model, parameter(kind, options=["red", "blue"]))) == ({"it": value}, 1, None)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("string", 5, ""),
        ("number", "x", 0),
        ("number", True, 0),
        ("number", "5", 5),
        ("number", "5.5", 5.5),
        ("number", "1e999", 0),
        ("number", "nan", 0),
        ("bool", "yes", False),
        ("boolean", 1, False),
        ("select", 5, ""),
        ("array[string]", "a", []),
        ("array[string]", ["a", 1], ["a"]),
        ("array[number]", ["1", None, 2, "x"], [1, 2]),
        ("array[object]", [{"a": 1}, "b"], [{"a": 1}]),
        ("array[boolean]", [True, 0], [True]),
    ],
)
def test_a_wrong_type_is_no_failure_and_what_fits_is_kept(model, kind, value, kept):
    model.script(json.dumps({"it": value}))
    record = read(model, parameter(kind, options=["red"]))
    assert values(record) == ({"it": kept}, 0, f"Parameter it is not of type {kind}.")
    assert record.end.status == "succeeded"


def test_a_choice_must_be_one_of_the_options(model):
    model.script('{"it": "green"}')
    assert values(read(model, parameter("select", options=["red"]))) == (
        {"it": ""},
        0,
        "Parameter it is not one of its options.",
    )


DEFAULTS = [
    ("string", ""),
    ("number", 0),
    ("bool", False),
    ("boolean", False),
    ("select", ""),
    ("array[string]", []),
    ("array[number]", []),
    ("array[object]", []),
    ("array[boolean]", []),
]


@pytest.mark.parametrize(("kind", "default"), DEFAULTS)
@pytest.mark.parametrize("answer", ["{}", '{"it": null}'])
def test_a_missing_parameter_has_its_types_default(model, kind, default, answer):
    model.script(answer)
    assert values(read(model, parameter(kind))) == ({"it": default}, 0, "Parameter it is missing.")


@pytest.mark.parametrize(("kind", "default"), DEFAULTS)
def test_an_optional_parameter_may_be_null(model, kind, default):
    model.script('{"it": null}')
    assert values(read(model, parameter(kind, required=False))) == ({"it": default}, 1, None)


@pytest.mark.parametrize("answer", ["I do not know.", '{"name": "Ann"', ""])
def test_an_answer_without_json_is_no_failure(model, answer):
    model.script(answer)
    record = read(model, NAME, AGE)
    assert values(record) == ({"name": "", "age": 0}, 0, "The model's answer contains no JSON object.")
    assert record.end.status == "succeeded"


def test_every_fault_is_told(model):
    model.script('{"age": "old"}')
    assert values(read(model, NAME, AGE))[2] == "Parameter name is missing. Parameter age is not of type number."


# Function calls.


def test_in_function_call_mode_the_model_is_given_a_function(model):
    model.script(tool_calls=[("extract_parameters", {"name": "Ann", "age": 5})])
    assert values(read(model, NAME, AGE, reasoning_mode="function_call")) == ({"name": "Ann", "age": 5}, 1, None)
    body = model.requests[0].body
    function = body["tools"][0]["function"]
    assert function["name"] == "extract_parameters"
    assert function["parameters"] == {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "Who"},
            "age": {"type": ["number", "null"], "description": "In years"},
        },
        "required": ["name", "age"],
    }
    assert body["tool_choice"] == "required"
    assert "response_format" not in body


def test_an_answer_in_words_counts_where_no_function_was_called(model):
    model.script('{"name": "Ann"}')
    assert values(read(model, NAME, reasoning_mode="function_call")) == ({"name": "Ann"}, 1, None)


def test_arguments_that_are_no_json_are_no_failure(model):
    model.script(tool_calls=[("extract_parameters", [])])
    assert values(read(model, NAME, reasoning_mode="function_call"))[1] == 0


def test_function_calls_are_the_default(model):
    model.script(tool_calls=[("extract_parameters", {"name": "Ann"})])
    assert values(read(model, NAME, reasoning_mode=None)) == ({"name": "Ann"}, 1, None)


def test_a_completion_model_is_asked_in_words(model):
    model.script('{"name": "Ann"}')
    record = read(model, NAME, reasoning_mode="function_call", model={**MODEL, "mode": "completion"})
    assert values(record) == ({"name": "Ann"}, 1, None)
    assert "Call the function" not in model.requests[0].body["prompt"]


# The model's prompt.


def test_in_prompt_mode_model_and_server_are_told_the_schema(model):
    model.script('{"it": "red"}')
    read(model, parameter("select", options=["red", "blue"], required=False), instruction="Mind {{#start.text#}}")
    body = model.requests[0].body
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["it"] == {"type": ["string", "null"], "description": "", "enum": ["red", "blue", None]}
    assert "tools" not in body
    (_, task), last = sent(model)
    assert json.dumps(schema) in task and task.endswith("Instruction of the author:\nMind Ann is 5.")
    assert last == ("user", "Ann is 5.")


def test_lists_tell_what_they_hold(model):
    model.script('{"it": []}')
    read(model, parameter("array[object]"))
    schema = model.requests[0].body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["it"] == {"type": "array", "description": "", "items": {"type": "object"}}


def test_memory_and_images_are_told(model):
    model.script('{"name": "Ann"}')
    vision = {"enabled": True, "configs": {"variable_selector": ["start", "pictures"]}}
    record = read(
        model, NAME, memory={"window": {"enabled": False}}, conversation=Conversation(("Who?", "Ann.")), vision=vision
    )
    assert sent(model)[0][1].endswith("Human: Who?\nAssistant: Ann.")
    assert [part["type"] for part in sent(model)[1][1]] == ["text", "image_url"]
    assert record.of("read").inputs == {"query": "Ann is 5.", "files": [picture()]}


# Failures.


def test_a_models_failure_is_the_nodes(model):
    model.script(error="server_error")
    record = read(model, NAME)
    ended = record.of("read")
    assert (record.end.status, ended.error) == ("failed", "The model server had an internal error.")
    assert ended.outputs == {"__is_success": 0, "__reason": "The model server had an internal error."}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"parameters": [{"name": "__reason", "type": "string"}]}, "parameters: the name '__reason' is reserved"),
        (
            {"parameters": [{"name": "__is_success", "type": "string"}]},
            "parameters: the name '__is_success' is reserved",
        ),
        ({"parameters": [{"type": "string"}]}, "parameters.0.name: Field required"),
        ({"query": None}, "query: Field required"),
        ({"model": None}, "model: Field required"),
    ],
)
def test_a_node_that_could_never_run_is_refused(data, message):
    with pytest.raises(GraphInvalid) as refusal:
        build(flow(**data))
    assert str(refusal.value) == f"node 'read' (parameter-extractor): {message}"
