"""What the model reads (contract dsl.md §2.2)."""

import pytest

from app.services.definitions.app_file import AppDefinition
from app.services.definitions.prompts import PromptInput, build_prompt, fill

THREAD = (("one?", "one."), ("two?", "two."))


def config(mode="chat", **more):
    whole = {"model_config": {"model": {"provider": "p", "name": "m", "mode": mode}, **more}}
    return AppDefinition.read(whole).usable_model_config()


def prompt(model_config, asked, context=8_000):
    return [(message.role, message.content) for message in build_prompt(model_config, asked, context)]


def test_a_simple_prompt_is_the_system_message_before_thread_and_query():
    asked = PromptInput({"name": "Ann"}, "three?", THREAD)
    assert prompt(config(pre_prompt="Help {{name}}."), asked) == [
        ("system", "Help Ann."),
        ("user", "one?"),
        ("assistant", "one."),
        ("user", "two?"),
        ("assistant", "two."),
        ("user", "three?"),
    ]


def test_without_instructions_there_is_no_system_message():
    assert prompt(config(), PromptInput({}, "Hi")) == [("user", "Hi")]


def test_without_a_query_the_instructions_are_the_question():
    assert prompt(config(pre_prompt="Write about {{topic}}."), PromptInput({"topic": "cats"}, "")) == [
        ("user", "Write about cats.")
    ]


def test_a_completion_model_gets_one_text():
    asked = PromptInput({}, "three?", THREAD[:1])
    assert prompt(config("completion", pre_prompt="Help."), asked) == [
        ("user", "Help.\n\nHuman: one?\nAssistant: one.\nHuman: three?\nAssistant:")
    ]


def test_an_advanced_prompt_is_as_configured_then_thread_and_query():
    advanced = config(
        prompt_type="advanced",
        chat_prompt_config={"prompt": [{"role": "system", "text": "Be {{mood}}."}, {"role": "user", "text": ""}]},
    )
    assert prompt(advanced, PromptInput({"mood": "kind"}, "Hi", THREAD[:1])) == [
        ("system", "Be kind."),
        ("user", "one?"),
        ("assistant", "one."),
        ("user", "Hi"),
    ]


def test_an_advanced_prompt_may_place_query_and_histories_itself():
    text = "{{#histories#}}\nNow: {{#query#}}{{#context#}}"
    advanced = config(prompt_type="advanced", chat_prompt_config={"prompt": [{"role": "user", "text": text}]})
    assert prompt(advanced, PromptInput({}, "Hi", THREAD[:1])) == [("user", "Human: one?\nAssistant: one.\nNow: Hi")]


def test_the_thread_goes_before_a_query_that_an_advanced_prompt_places():
    parts = [{"role": "system", "text": "Be kind."}, {"role": "user", "text": "Asked: {{#query#}}"}]
    advanced = config(prompt_type="advanced", chat_prompt_config={"prompt": parts})
    assert prompt(advanced, PromptInput({}, "Hi", THREAD[:1])) == [
        ("system", "Be kind."),
        ("user", "one?"),
        ("assistant", "one."),
        ("user", "Asked: Hi"),
    ]


def test_what_was_retrieved_stands_before_the_author_s_words():
    (_, system), query = prompt(config(pre_prompt="Be kind."), PromptInput({}, "Hi", passages=["First.", "Second."]))
    assert "<context>\nFirst.\n\nSecond.\n</context>" in system
    assert system.endswith("</context>\n\nBe kind.")
    assert query == ("user", "Hi")


def test_passages_that_do_not_fit_are_left_out_the_worst_first():
    passages = [f"passage {number} " * 100 for number in range(20)]
    (_, system), _ = prompt(config(), PromptInput({}, "Hi", passages=passages), context=2_000)
    assert "passage 0" in system and "passage 19" not in system
    assert len(system) / 3 < 2_000


def test_an_advanced_prompt_says_where_passages_go():
    advanced = config(
        prompt_type="advanced", chat_prompt_config={"prompt": [{"role": "system", "text": "Facts: {{#context#}}"}]}
    )
    assert prompt(advanced, PromptInput({}, "Hi", passages=["First."])) == [("system", "Facts: First."), ("user", "Hi")]


def test_an_advanced_text_has_prefixes_of_its_own():
    roles = {"user_prefix": "Q", "assistant_prefix": "A"}
    text = {"prompt": {"text": "{{#histories#}}\nQ: {{#query#}}\nA:"}, "conversation_histories_role": roles}
    advanced = config("completion", prompt_type="advanced", completion_prompt_config=text)
    assert prompt(advanced, PromptInput({}, "Hi", THREAD[:1])) == [("user", "Q: one?\nA: one.\nQ: Hi\nA:")]


def test_the_newest_turns_win_where_not_all_fit():
    long = tuple((f"question {number} " * 40, f"answer {number} " * 40) for number in range(20))
    contents = [content for _, content in prompt(config(), PromptInput({}, "last", long), context=2_000)]
    assert contents[-1] == "last" and "question 19" in contents[-3]
    assert 3 <= len(contents) < 41
    assert sum(len(content) for content in contents) / 3 < 2_000


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{{a}} {{b}} {{n}}", "x  5"),
        ("{{unknown}} {{ a }} {{1a}}", "{{unknown}} {{ a }} {{1a}}"),
        ("{{" + "a" * 31 + "}}", "{{" + "a" * 31 + "}}"),
        ("{{#query#}}", "{{#query#}}"),
    ],
)
def test_names_are_filled_in_and_unknown_ones_stay(template, filled):
    assert fill(template, {"a": "x", "b": None, "n": 5, "a" * 31: "no"}) == filled


def test_what_a_visitor_says_is_no_template():
    assert fill("{{a}}", {"a": "{{b}}", "b": "secret"}) == "{{b}}"
