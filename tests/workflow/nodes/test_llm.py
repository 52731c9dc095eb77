"""`llm`: its prompts and its outputs (contract dsl.md §3.7)."""

from dataclasses import replace

import pytest

from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from tests.support.workflow.graphs import answer, graph, node, run, start
from tests.support.workflow.llm_graphs import ask, flow, llm
from tests.support.workflow.model_services import MODEL, Conversation, picture, sent, services_with


def jinja(text, role="user"):
    return {"role": role, "text": "old text", "edition_type": "jinja2", "jinja2_text": text}


def context_of(*selector):
    return {"enabled": True, "variable_selector": list(selector)}


# What the model is sent.


def test_the_prompts_messages_are_sent_with_their_references_filled_in(model):
    messages = [("system", "Be kind to {{#start.name#}}."), ("user", "One?"), ("assistant", "1."), "{{#sys.query#}}"]
    record = ask(model, llm(*messages), {"name": "Ann"}, system={"query": "Two?"})
    assert sent(model) == [("system", "Be kind to Ann."), ("user", "One?"), ("assistant", "1."), ("user", "Two?")]
    assert record.of("llm").inputs == {"#start.name#": "Ann", "#sys.query#": "Two?"}


def test_values_take_the_form_of_prompts(model):
    ask(
        model,
        llm("{{#start.object#}} {{#start.list#}} {{#start.file#}}"),
        {"object": {"a": "é"}, "list": [1, 2.5], "file": picture()},
    )
    assert sent(model) == [("user", '{"a": "é"} [1, 2.5] ')]


def test_a_value_is_no_template(model):
    ask(model, llm("{{#start.text#}}"), {"text": "{{#sys.query#}} {{#context#}}"})
    assert sent(model) == [("user", "{{#sys.query#}} {{#context#}}")]


def test_a_reference_that_finds_nothing_fails_the_node(model):
    record = ask(model, llm("{{#start.nothing#}}"))
    assert (record.end.status, record.of("llm").error) == ("failed", "Variable start.nothing not found.")
    assert model.requests == []


def test_empty_messages_are_dropped(model):
    ask(model, llm(("system", ""), "{{#start.empty#}}", "Hi"), {"empty": None})
    assert sent(model) == [("user", "Hi")]


@pytest.mark.parametrize("prompt", [[], [{"role": "user", "text": ""}], {"text": ""}])
def test_no_message_at_all_is_an_error(model, prompt):
    record = ask(model, llm(prompt_template=prompt))
    assert record.of("llm").error == "The prompt of this node is empty."
    assert model.requests == []


def test_a_system_message_alone_is_sent_as_such(model):
    ask(model, llm(("system", "Say hello.")))
    assert sent(model) == [("system", "Say hello.")]


def test_the_model_and_its_parameters_are_the_nodes(model):
    ask(model, llm("Hi", model={**MODEL, "completion_params": {"temperature": 0.1, "max_tokens": 9, "top_k": 4}}))
    body = model.requests[0].body
    assert {name: body.get(name) for name in ("model", "temperature", "max_tokens", "top_k")} == {
        "model": "tiny",
        "temperature": 0.1,
        "max_tokens": 9,
        "top_k": None,
    }


def test_a_jinja2_prompt_sees_its_variables(model):
    variables = [
        {"variable": "names", "value_selector": ["start", "names"]},
        {"variable": "gone", "value_selector": ["start", "gone"]},
    ]
    text = "{% for name in names %}{{ name }};{% endfor %} {{ gone }} {{#context#}}"
    record = ask(
        model,
        llm(
            prompt_template=[jinja(text)],
            prompt_config={"jinja2_variables": variables},
            context=context_of("start", "text"),
        ),
        {"names": ["Ann", "Bo"], "text": "{{ names }}"},
    )
    assert sent(model) == [("user", "Ann;Bo; None {{ names }}")]
    assert record.of("llm").inputs["names"] == ["Ann", "Bo"]


def test_without_a_sandbox_a_jinja2_prompt_fails(model):
    record = run(flow(llm(prompt_template=[jinja("Hi")])), services=replace(services_with(model), sandbox=None))
    assert record.of("llm").error == "The sandbox for templates is not available in this run."


@pytest.mark.parametrize(
    "template", ["{% if %}", "{{ 'a' * 10000000000 }}", "{{ ''.__class__.__mro__[1] }}{{ 1 / 0 }}"]
)
def test_a_jinja2_prompt_that_fails_fails_the_node(model, template):
    record = ask(model, llm(prompt_template=[jinja(template)]))
    assert (record.end.status, record.of("llm").status, model.requests) == ("failed", "failed", [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Cats purr.", "Cats purr."),
        (["Cats purr.", "Dogs bark."], "Cats purr.\nDogs bark."),
        (
            [{"metadata": {}, "title": "Cats", "content": "Cats purr."}, {"content": "Dogs bark."}],
            "Cats purr.\nDogs bark.",
        ),
        ([], ""),
        (None, ""),
    ],
)
def test_the_context_is_a_text_or_an_array_joined_by_newlines(model, value, text):
    record = ask(
        model, llm(("system", "Know: {{#context#}}."), "Hi", context=context_of("start", "known")), {"known": value}
    )
    assert sent(model)[0] == ("system", f"Know: {text}.")
    assert record.of("llm").inputs["#context#"] == text


@pytest.mark.parametrize(
    "off", [{"enabled": False, "variable_selector": ["start", "known"]}, context_of("start", "gone"), None]
)
def test_without_context_its_place_is_empty(model, off):
    ask(model, llm("Know: {{#context#}}.", context=off), {"known": "Cats purr."})
    assert sent(model) == [("user", "Know: .")]


# Completion prompts.

COMPLETION = {**MODEL, "mode": "completion"}


def test_a_completion_prompt_starts_with_the_place_of_the_empty_history(model):
    record = ask(
        model, llm(prompt_template={"text": "Once upon {{#start.when#}}"}, model=COMPLETION), {"when": "a time"}
    )
    assert (model.requests[0].path, model.requests[0].body["prompt"]) == ("/v1/completions", "\nOnce upon a time")
    assert record.outputs("llm")["text"] == "tok0 tok1 tok2"


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("Help.", "Q: one?\nA: 1.\nHelp.\nQ: two?\nA:"),
        ("Help.\n{{#histories#}}\nNow {{#sys.query#}}", "Help.\nQ: one?\nA: 1.\nNow two?"),
    ],
)
def test_a_completion_prompt_has_history_and_query_in_it(model, text, prompt):
    memory = {"role_prefix": {"user": "Q", "assistant": "A"}, "window": {"enabled": False}}
    conversation = Conversation(("one?", "1."))
    ask(
        model,
        llm(prompt_template={"text": text}, model=COMPLETION, memory=memory),
        memory=conversation,
        system={"query": "two?"},
    )
    assert model.requests[0].body["prompt"] == prompt


# Old and odd files.


def test_a_node_of_an_old_file_runs(model):
    old = {
        "model": {"provider": "openai", "name": "gpt-3.5-turbo", "mode": "chat", "completion_params": None},
        "prompt_template": [{"role": "system", "text": "Help."}, {"role": "user", "text": None}],
        "variables": [],
        "memory": None,
        "context": None,
        "vision": None,
        "structured_output": None,
        "prompt_config": None,
    }
    assert ask(model, node("llm", "llm", **old)).end.status == "succeeded"
    assert sent(model) == [("system", "Help.")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"model": None}, "node 'llm' (llm): model: Field required"),
        ({"model": {"provider": "openai"}}, "node 'llm' (llm): model.name: Field required"),
        ({"structured_output_enabled": True}, "node 'llm' (llm): structured_output.schema: Field required"),
        (
            {"structured_output_enabled": True, "structured_output": {"schema": {"type": "thing"}}},
            "node 'llm' (llm): structured_output.schema: 'thing' is not valid under any of the given schemas",
        ),
    ],
)
def test_a_node_that_could_never_run_is_refused(data, message):
    with pytest.raises(GraphInvalid) as refusal:
        build(flow(llm("Hi", **data)))
    assert str(refusal.value) == message


def test_an_llm_inside_an_iteration_is_not_streamed(model):
    model.script("a", "b", delay=0.02)
    model.script("c", "d", delay=0.02)
    each = node("each", "iteration", iterator_selector=["start", "items"], output_selector=["llm", "text"])
    record = run(
        graph(
            start(),
            each,
            node("in", "iteration-start", "each"),
            llm("{{#each.item#}}", parent="each"),
            answer("{{#each.output#}}"),
            "start > each > answer",
            "in > llm",
        ),
        {"items": [1, 2]},
        services=services_with(model),
    )
    assert record.pieces == ["- ab\n- cd"]
