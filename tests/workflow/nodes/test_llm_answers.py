"""`llm`: how it handles its model's answer (contract dsl.md §3.6, §3.7)."""

import threading

import pytest

from app.providers.cancellation import Cancellation
from app.providers.models.routes import ModelRoutes
from app.workflow.contracts import events
from app.workflow.contracts.node_services import NodeServices
from tests.support.workflow.graphs import answer, end, graph, node, run, start
from tests.support.workflow.model_services import MODEL, services_with

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "pattern": "^(a+)+$"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
STRUCTURED = {"structured_output_enabled": True, "structured_output": {"schema": SCHEMA}}


def chatflow(**data):
    llm = node("llm", "llm", **{"model": MODEL, "prompt_template": [{"role": "user", "text": "Hi"}], **data})
    return graph(start(), llm, answer("{{#llm.text#}}"), "start > llm > answer")


def ask(server, **data):
    return run(chatflow(**data), services=services_with(server))


def test_it_gives_text_reason_and_usage(model):
    model.script("Hel", "lo", finish="length")
    outputs = ask(model).outputs("llm")
    assert {name: outputs[name] for name in ("text", "reasoning_content", "finish_reason")} == {
        "text": "Hello",
        "reasoning_content": "",
        "finish_reason": "length",
    }
    assert {
        name: outputs["usage"][name] for name in ("prompt_tokens", "completion_tokens", "total_tokens", "currency")
    } == {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "currency": "USD",
    }


def test_its_tokens_count_for_the_run(model):
    assert ask(model).end.total_tokens == 4


def test_a_server_that_does_not_count_costs_nothing(model):
    model.script("Hello", usage=False)
    assert ask(model).outputs("llm")["usage"]["total_tokens"] == 0


def test_the_answer_is_streamed_as_it_comes(model):
    model.script("Hel", "lo", "!", delay=0.05)
    record = ask(model)
    assert record.pieces == ["Hel", "lo", "!"]
    assert record.end.outputs["answer"] == "Hello!"


def test_operators_see_prompt_model_and_usage(model):
    process_data = ask(model).of("llm").process_data
    assert process_data["prompts"] == [{"role": "user", "text": "Hi", "files": []}]
    assert (process_data["model_provider"], process_data["model_name"], process_data["model_mode"]) == (
        MODEL["provider"],
        "tiny",
        "chat",
    )
    assert (process_data["finish_reason"], process_data["usage"]["total_tokens"]) == ("stop", 4)


def test_nul_characters_are_left_out(model):
    model.script("He\0l", "lo")
    assert ask(model).outputs("llm")["text"] == "Hello"


# Reasoning.


@pytest.mark.parametrize("delay", [0.0, 0.05])
def test_separated_thoughts_are_no_text_and_not_streamed(model, delay):
    model.script("<th", "ink>\nHm.", "\n</thi", "nk>\n", "\nHel", "lo", delay=delay)
    record = ask(model, reasoning_format="separated")
    outputs = record.outputs("llm")
    assert (outputs["text"], outputs["reasoning_content"]) == ("Hello", "Hm.")
    assert record.text == "Hello"


@pytest.mark.parametrize("data", [{}, {"reasoning_format": "tagged"}])
def test_tagged_thoughts_stay_in_the_text(model, data):
    model.script("<think>Hm.</think>\n", "Hello")
    record = ask(model, **data)
    outputs = record.outputs("llm")
    assert (outputs["text"], outputs["reasoning_content"]) == ("<think>Hm.</think>\nHello", "")
    assert record.text == outputs["text"]


@pytest.mark.parametrize(
    ("form", "text", "reasoning"),
    [("separated", "Hello", "Hm, so."), ("tagged", "<think>\nHm, so.\n</think>\n\nHello", "")],
)
def test_thoughts_that_the_server_tells_apart_are_told_as_the_node_says(model, form, text, reasoning):
    model.script("Hel", "lo", reasoning=("Hm, ", "so."))
    record = ask(model, reasoning_format=form)
    outputs = record.outputs("llm")
    assert (outputs["text"], outputs["reasoning_content"], record.text) == (text, reasoning, text)


# Structured output.


@pytest.mark.parametrize(
    "said",
    [
        '{"name": "Ann", "age": 5}',
        '```json\n{"name": "Ann", "age": 5}\n```',
        '<think>{"name": "Bo"}</think>{"name": "Ann", "age": 5}',
        "{'name': 'Ann', 'age': 5,}",
    ],
)
def test_a_structured_output_is_read_from_the_answer(model, said):
    model.script(said)
    outputs = ask(model, **STRUCTURED).outputs("llm")
    assert (outputs["structured_output"], outputs["text"]) == ({"name": "Ann", "age": 5}, said)


def test_the_schema_is_told_to_server_and_model(model):
    model.script('{"name": "Ann", "age": 5}')
    ask(model, **STRUCTURED, model={**MODEL, "completion_params": {"response_format": "json_object"}})
    body = model.requests[0].body
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert '"required": ["name", "age"]' in body["messages"][0]["content"]


def test_the_schema_stands_behind_the_authors_own_words(model):
    model.script('{"name": "Ann", "age": 5}')
    ask(model, **STRUCTURED, prompt_template=[{"role": "system", "text": "Be kind."}])
    assert len(model.requests[0].body["messages"]) == 1
    assert (
        model.requests[0]
        .body["messages"][0]["content"]
        .startswith("Be kind.\n\nAnswer with nothing but one JSON object")
    )


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("I cannot.", "The model's answer contains no JSON object."),
        ('{"name": "Ann"}', "The model's answer does not fit its JSON schema: 'age' is a required property"),
        (
            '{"name": "Ann", "age": "old"}',
            "The model's answer does not fit its JSON schema: age: 'old' is not of type 'integer'",
        ),
    ],
)
def test_an_answer_that_does_not_fit_fails_the_node(model, said, error):
    model.script(said)
    record = ask(model, **STRUCTURED, error_strategy="fail-branch")
    assert record.outputs("llm") == {"error_message": error, "error_type": "OutputParserError"}
    assert record.of("llm").process_data["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("said", "finish", "found"),
    [
        ('{"name": "Ann", "age": 5', "stop", {"name": "Ann", "age": 5}),
        ('{"name": "Ann", "age": 5}', "length", {"name": "Ann", "age": 5}),
        ('{"name": "Ann", "age": 5', "length", None),
        ('{"name": "Ann", "age": 5', "MAX_TOKENS", None),
    ],
)
def test_an_answer_that_is_cut_at_its_limit_is_not_completed(model, said, finish, found):
    model.script(said, finish=finish)
    record = ask(model, **STRUCTURED, error_strategy="fail-branch")
    assert record.outputs("llm").get("structured_output") == found
    if found is None:
        assert record.outputs("llm") == {
            "error_message": "The model's answer reached its limit of tokens before its JSON object was complete.",
            "error_type": "OutputParserError",
        }


def test_a_pattern_cannot_hold_up_a_run(model):
    model.script('{"name": "%s!", "age": 5}' % ("a" * 60))
    assert ask(model, **STRUCTURED).outputs("llm")["structured_output"]["age"] == 5


@pytest.mark.parametrize("reference", ["https://files.example/schema.json", "#/$defs/none", "#"])
def test_a_schema_that_refers_to_nothing_fails_the_node_and_fetches_nothing(model, reference):
    model.script("{}")
    record = ask(model, structured_output_enabled=True, structured_output={"schema": {"$ref": reference}})
    assert record.of("llm").error == "The JSON schema of the structured output has a reference that cannot be resolved."


def test_without_it_there_is_no_structured_output(model):
    model.script("{}")
    assert "structured_output" not in ask(model, structured_output={"schema": SCHEMA}).outputs("llm")


# Failures.


@pytest.mark.parametrize(
    ("script", "message", "error_type"),
    [
        ({"error": "quota"}, "The quota at the model provider is used up.", "QuotaExceededError"),
        (
            {"error": "rate_limit"},
            "The model provider is limiting the rate of requests. Please try again shortly.",
            "InvokeRateLimitError",
        ),
        ({"error": "bad_key"}, "Incorrect API key provided", "InvokeAuthorizationError"),
        ({"error": "context_length"}, "The prompt is longer than the model's context.", "InvokeBadRequestError"),
        ({"error": "model_not_found"}, "The model server does not know this model.", "ModelNotExistError"),
        ({"error": "server_error"}, "The model server had an internal error.", "InvokeServerUnavailableError"),
        ({"cut_after": 1}, "The model's answer was cut off or could not be read.", "InvokeServerUnavailableError"),
    ],
)
def test_a_models_error_is_the_nodes(model, script, message, error_type):
    model.script(**script)
    record = ask(model, error_strategy="fail-branch")
    assert record.outputs("llm") == {"error_message": message, "error_type": error_type}
    assert record.of("llm").process_data["prompts"] == [{"role": "user", "text": "Hi", "files": []}]


def test_a_model_that_no_route_leads_to_fails_the_node():
    nowhere = ModelRoutes.from_settings("", "", "", "", {})
    record = run(chatflow(error_strategy="fail-branch"), services=NodeServices(models=nowhere))
    assert record.outputs("llm")["error_type"] == "ProviderTokenNotInitError"


def test_a_run_without_models_fails():
    assert run(chatflow()).of("llm").error == "No models are available in this run."


def test_text_streamed_before_a_failure_stays_and_the_node_is_tried_again(model):
    model.script("Hel", "lo", delay=0.05, error="server_error")
    model.script("Hi!")
    record = ask(model, retry_config={"retry_enabled": True, "max_retries": 1, "retry_interval": 1})
    assert record.text == "HelloHi!"
    assert record.outputs("llm")["text"] == "Hi!"
    assert [event.attempt for event in record.events if isinstance(event, events.NodeRetried)] == [1]


def test_default_values_stand_for_a_failed_answer(model):
    model.script(error="server_error")
    record = ask(
        model, error_strategy="default-value", default_value=[{"key": "text", "type": "string", "value": "Sorry."}]
    )
    assert (record.text, record.end.status) == ("Sorry.", "partial-succeeded")


def test_a_stop_ends_the_call_at_once(model):
    model.script("Hel", hang_after=1)
    cancellation = Cancellation()

    def stop():
        model.wait_for(lambda server: server.requests and server.requests[0].chunks_sent == 1)
        cancellation.cancel()

    stopping = threading.Thread(target=stop)
    stopping.start()
    record = run(chatflow(error_strategy="fail-branch"), services=services_with(model), cancellation=cancellation)
    stopping.join()
    assert record.end.status == "stopped"
    model.wait_for(lambda server: server.requests[0].closed_early is not None)


def test_a_model_that_is_silent_past_the_runs_time_ends_the_run(model):
    model.script(hang=True)
    record = run(chatflow(error_strategy="fail-branch"), services=services_with(model), seconds=0.3)
    assert record.end.status == "failed"


def test_outputs_of_a_workflow_stream_the_answer_too(model):
    model.script("Hel", "lo", delay=0.05)
    flow = graph(
        start(),
        node("llm", "llm", model=MODEL, prompt_template=[{"role": "user", "text": "Hi"}]),
        end(text=["llm", "text"], reason=["llm", "finish_reason"]),
        "start > llm > end",
    )
    record = run(flow, services=services_with(model))
    assert record.pieces == ["Hel", "lo", "\n", "stop"]
