"""The view of a model config."""

import pytest

from app.errors import AppUnavailable
from app.services.definitions.app_configs import FEATURE_DEFAULTS, ModelConfig, PromptMessage
from app.services.definitions.input_fields import InputField
from tests.support.factories import chat_definition


def test_a_whole_config_is_read():
    config = ModelConfig.from_definition(
        chat_definition(
            model={
                "provider": "p",
                "name": "m",
                "mode": "completion",
                "completion_params": {"stop": ["END", 5], "temperature": 1},
            },
            prompt_type="advanced",
            chat_prompt_config={"prompt": [{"role": "system", "text": "S"}, {"text": "T"}]},
            completion_prompt_config={
                "prompt": {"text": "C"},
                "conversation_histories_role": {"user_prefix": "U", "assistant_prefix": "A"},
            },
            opening_statement="Hello",
            suggested_questions=["Q?"],
            user_input_form=[
                {
                    "select": {
                        "variable": "tone",
                        "label": "Tone",
                        "required": True,
                        "options": ["a", "b"],
                        "default": "a",
                    }
                }
            ],
            retriever_resource={"enabled": False},
        )
    )

    assert (config.model.provider, config.model.name, config.model.mode, config.model.stop) == (
        "p",
        "m",
        "completion",
        ["END"],
    )
    assert config.chat_prompt == (PromptMessage("system", "S"), PromptMessage("user", "T"))
    assert (
        config.completion_prompt.text,
        config.completion_prompt.user_prefix,
        config.completion_prompt.assistant_prefix,
    ) == ("C", "U", "A")
    assert (config.prompt_type, config.opening_statement, config.suggested_questions) == ("advanced", "Hello", ("Q?",))
    assert config.user_input_form == (InputField("tone", "select", "Tone", True, None, ("a", "b"), "a"),)
    assert config.features == {**FEATURE_DEFAULTS, "retriever_resource": {"enabled": False}}


def test_fields_of_another_type_count_as_absent():
    config = ModelConfig.from_definition(
        chat_definition(
            pre_prompt=None,
            prompt_type=7,
            chat_prompt_config=[],
            completion_prompt_config=None,
            opening_statement=[],
            suggested_questions="Q?",
            user_input_form={"text-input": {}},
            file_upload=None,
            speech_to_text="yes",
        )
    )

    assert (config.pre_prompt, config.prompt_type, config.chat_prompt, config.opening_statement) == (
        "",
        "simple",
        (),
        None,
    )
    assert (config.suggested_questions, config.user_input_form, config.features) == ((), (), dict(FEATURE_DEFAULTS))


@pytest.mark.parametrize("model", [None, {}, [], {"provider": "openai"}, {"provider": "openai", "name": ""}])
def test_an_app_without_a_model_is_unavailable(model):
    with pytest.raises(AppUnavailable):
        ModelConfig.from_definition(chat_definition(model=model))


def test_an_app_without_a_config_is_unavailable():
    with pytest.raises(AppUnavailable):
        ModelConfig.from_definition({"app": {"mode": "chat"}, "model_config": None})


@pytest.mark.parametrize(
    "upload, accepts",
    [
        (None, False),
        ({"enabled": True}, True),
        ({"image": {"enabled": True}}, True),
        ({"enabled": False, "image": {"enabled": False}}, False),
    ],
)
def test_files_are_accepted_in_both_spellings(upload, accepts):
    assert (ModelConfig.from_definition(chat_definition(file_upload=upload)).file_rules is not None) is accepts


def test_no_limit_is_no_limit():
    form = [{"text-input": {"variable": "a", "label": "A", "max_length": length}} for length in (0, None, "", -1)]
    assert {
        field.max_length for field in ModelConfig.from_definition(chat_definition(user_input_form=form)).user_input_form
    } == {None}
