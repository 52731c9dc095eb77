"""`llm`: the conversation and the images in its prompts (contract dsl.md §3.7)."""

from dataclasses import replace

import pytest

from tests.support.workflow.llm_graphs import ask, llm
from tests.support.workflow.model_services import Conversation, picture, sent

# Memory.

MEMORY = {
    "role_prefix": {"user": "", "assistant": ""},
    "window": {"enabled": False, "size": 50},
    "query_prompt_template": "",
}


def test_memory_puts_the_conversation_behind_the_prompt_and_the_query_last(model):
    ask(
        model,
        llm(("system", "Help."), memory=MEMORY),
        memory=Conversation(("one?", "1."), ("two?", "2.")),
        system={"query": "three?"},
    )
    assert sent(model) == [
        ("system", "Help."),
        ("user", "one?"),
        ("assistant", "1."),
        ("user", "two?"),
        ("assistant", "2."),
        ("user", "three?"),
    ]


@pytest.mark.parametrize("conversation", [Conversation(), None])
def test_the_query_is_the_last_message_without_history_and_behind_a_user_message_too(model, conversation):
    ask(model, llm("Please help.", memory=MEMORY), memory=conversation, system={"query": "Hi"})
    assert sent(model) == [("user", "Please help."), ("user", "Hi")]


def test_the_query_may_have_a_template(model):
    memory = {**MEMORY, "query_prompt_template": "{{#sys.query#}} ({{#start.mood#}})"}
    ask(model, llm(("system", "Help."), memory=memory), {"mood": "sad"}, system={"query": "Hi"})
    assert sent(model)[-1] == ("user", "Hi (sad)")


def test_without_a_query_the_prompt_ends_with_itself(model):
    ask(model, llm("Write.", memory=MEMORY))
    assert sent(model) == [("user", "Write.")]


@pytest.mark.parametrize(
    ("window", "asked"),
    [({"enabled": True, "size": 1}, 1), ({"enabled": False, "size": 1}, None), ({"enabled": True}, None), (None, None)],
)
def test_a_window_limits_the_turns(model, window, asked):
    conversation = Conversation(("one?", "1."), ("two?", "2."))
    ask(model, llm(memory={"window": window}), memory=conversation, system={"query": "three?"})
    assert conversation.asked == [asked]
    assert [content for _, content in sent(model)] == (
        ["two?", "2.", "three?"] if asked else ["one?", "1.", "two?", "2.", "three?"]
    )


def test_the_newest_turns_that_fit_the_models_context_are_sent(model):
    long = Conversation(*((f"question {number} " * 40, f"answer {number} " * 40) for number in range(20)))
    ask(model, llm(("system", "Help."), memory=MEMORY), memory=long, context=2_000, system={"query": "last"})
    contents = [content for _, content in sent(model)]
    assert (contents[0], contents[-1]) == ("Help.", "last")
    assert "question 19" in contents[-3] and 4 <= len(contents) < 42
    assert sum(map(len, contents)) / 3 < 2_000


# Vision.

VISION = {"enabled": True, "configs": {"variable_selector": ["start", "pictures"], "detail": "low"}}


SHOWN = {"type": "image_url", "image_url": {"url": "https://files.example/cat.png", "detail": "low"}}


def test_images_of_the_selector_stand_in_the_last_message_of_the_user(model):
    record = ask(
        model,
        llm(("system", "Look."), "What is it?", vision=VISION),
        {"pictures": [picture(), picture("notes.pdf", "document")]},
    )
    assert sent(model) == [("system", "Look."), ("user", [{"type": "text", "text": "What is it?"}, SHOWN])]
    assert record.of("llm").inputs == {"#files#": [picture()]}
    assert record.of("llm").process_data["prompts"][1] == {"role": "user", "text": "What is it?", "files": [picture()]}


def test_images_go_with_the_query_where_memory_is_set(model):
    conversation = Conversation(("one?", "1."))
    ask(
        model,
        llm("Look.", vision=VISION, memory=MEMORY),
        {"pictures": picture()},
        memory=conversation,
        system={"query": "And this?"},
    )
    assert [role for role, _ in sent(model)] == ["user", "user", "assistant", "user"]
    assert sent(model)[-1] == ("user", [{"type": "text", "text": "And this?"}, SHOWN])


def test_images_alone_are_a_message(model):
    ask(model, llm(("system", "Describe."), vision=VISION), {"pictures": [picture()]})
    assert sent(model) == [("system", "Describe."), ("user", [SHOWN])]


@pytest.mark.parametrize(
    "vision", [{"enabled": True}, {"enabled": True, "configs": {"detail": "high"}}, {"enabled": True, "configs": None}]
)
def test_the_visitors_files_are_seen_by_default_and_in_full(model, vision):
    ask(model, llm("What is it?", vision=vision), system={"files": [picture()]})
    assert sent(model)[0][1][1]["image_url"]["detail"] == "high"


@pytest.mark.parametrize("vision", [{"enabled": False, "configs": VISION["configs"]}, {}, None])
def test_without_vision_no_image_is_sent(model, vision):
    ask(model, llm("What is it?", vision=vision), {"pictures": [picture()]})
    assert sent(model) == [("user", "What is it?")]


def test_an_image_that_cannot_be_read_fails_the_node(model):
    record = ask(model, llm("What is it?", vision=VISION), {"pictures": [replace(picture(), remote_url=None)]})
    assert record.of("llm").error == "cat.png cannot be read."
