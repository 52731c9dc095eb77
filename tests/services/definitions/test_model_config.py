"""The model configs of stored app files: what the services read of them (contract dsl.md §2)."""

import pytest

from app.errors import AppUnavailable
from app.services.definitions.app_file import AppDefinition
from app.services.definitions.features import FEATURES
from app.services.definitions.model_config import ModelConfig
from tests.support.factories import chat_definition

IMAGES = {"enabled": False, "number_limits": 3, "detail": "high", "transfer_methods": ["remote_url", "local_file"]}
FEATURE_DEFAULTS = {
    "suggested_questions_after_answer": {"enabled": False},
    "speech_to_text": {"enabled": False},
    "text_to_speech": {"enabled": False},
    "retriever_resource": {"enabled": True},
    "annotation_reply": {"enabled": False},
    "more_like_this": {"enabled": False},
    "sensitive_word_avoidance": {"enabled": False, "type": "", "config": {}},
    "file_upload": {"image": IMAGES},
}


def read(**model_config) -> ModelConfig:
    return AppDefinition.read(chat_definition(**model_config)).usable_model_config()


def stored_features(config):
    return {name: getattr(config, name).stored for name in FEATURES}


def test_a_whole_config_is_read():
    params = {"stop": ["END", 5], "temperature": 1}
    tone = {"variable": "tone", "label": "Tone", "required": True, "options": ["a", "b"], "default": "a"}
    config = read(
        model={"provider": "p", "name": "m", "mode": "completion", "completion_params": params},
        prompt_type="advanced",
        chat_prompt_config={"prompt": [{"role": "system", "text": "S"}, {"text": "T"}]},
        completion_prompt_config={
            "prompt": {"text": "C"},
            "conversation_histories_role": {"user_prefix": "U", "assistant_prefix": "A"},
        },
        opening_statement="Hello",
        suggested_questions=["Q?"],
        user_input_form=[{"select": tone}],
        retriever_resource={"enabled": False},
    )

    model, completion = config.model, config.completion_prompt_config
    assert (model.provider, model.name, model.mode, model.completion_params) == ("p", "m", "completion", params)
    messages = config.chat_prompt_config.prompt
    assert [(message.role, message.text) for message in messages] == [("system", "S"), ("user", "T")]
    roles = completion.conversation_histories_role
    assert (completion.prompt.text, roles.user_prefix, roles.assistant_prefix) == ("C", "U", "A")
    assert (config.prompt_type, config.opening_statement, config.suggested_questions) == ("advanced", "Hello", ("Q?",))
    (field,) = config.user_input_form
    assert (field.variable, field.type, field.label, field.required) == ("tone", "select", "Tone", True)
    assert (field.max_length, field.options, field.default_value, field.hide) == (None, ("a", "b"), "a", False)
    assert stored_features(config) == {**FEATURE_DEFAULTS, "retriever_resource": {"enabled": False}}


def test_fields_of_another_type_count_as_absent():
    config = read(
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

    assert (config.pre_prompt, config.prompt_type, config.opening_statement) == ("", "simple", None)
    assert (config.suggested_questions, config.user_input_form, config.chat_prompt_config.prompt) == ((), (), ())
    assert stored_features(config) == FEATURE_DEFAULTS


def test_items_of_another_type_are_left_out():
    form = [{"text-input": {"variable": "a"}}, 5, {}, {"select": 5}, {"number": {"label": "N"}}, {"x": {}, "y": {}}]
    config = read(suggested_questions=["Q?", 5, None], user_input_form=form)
    assert config.suggested_questions == ("Q?",)
    assert [(field.variable, field.type) for field in config.user_input_form] == [("a", "text-input")]


@pytest.mark.parametrize("model", [None, {}, [], {"provider": "openai"}])
def test_an_app_without_a_model_is_unavailable(model):
    with pytest.raises(AppUnavailable):
        read(model=model)


@pytest.mark.parametrize("config", [None, [], "x"])
def test_an_app_without_a_config_is_unavailable(config):
    definition = AppDefinition.read({"app": {"mode": "chat"}, "model_config": config})
    for read_part in (definition.usable_model_config, definition.model, lambda: definition.features("chat")):
        with pytest.raises(AppUnavailable):
            read_part()


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
    assert (read(file_upload=upload).file_rules is not None) is accepts


def test_no_limit_is_no_limit():
    form = [{"text-input": {"variable": "a", "label": "A", "max_length": length}} for length in (0, None, "", -1, True)]
    assert {field.max_length for field in read(user_input_form=form).user_input_form} == {None}


def test_external_data_tools_may_stand_in_the_form():
    tool = {"variable": "w", "type": "api", "config": {"api_based_extension_id": "x"}}
    older = {"variable": "v", "label": "V", "type": "api", "config": {"api_based_extension_id": "y"}}
    off = [tool | {"enabled": False}, tool | {"enabled": None}, tool | {"variable": 5}, None, "w"]
    config = read(
        external_data_tools=[tool, *off],
        user_input_form=[{"external_data_tool": older}, {"text-input": {"variable": "a"}}, None],
    )
    assert [(tool.variable, tool.type, tool.config.api_based_extension_id) for tool in config.data_tools] == [
        ("w", "api", "x"),
        ("v", "api", "y"),
    ]
    assert [(field.variable, field.type) for field in config.user_input_form] == [
        ("v", "external_data_tool"),
        ("a", "text-input"),
    ]


def test_datasets_are_those_that_are_on_each_once():
    listed = [{"dataset": {"id": "a"}}, {"dataset": {"id": "b", "enabled": False}}, {"dataset": None}, 5]
    tools = [{"dataset": {"id": "c", "enabled": True}}, {"dataset": {"id": "a"}}, {"tool_name": "clock"}]
    config = read(dataset_configs={"datasets": {"datasets": listed}}, agent_mode={"enabled": False, "tools": tools})
    assert config.dataset_ids == ["a", "c"]


def test_search_settings_that_cannot_be_read_are_the_usual_ones():
    conditions = {"logical_operator": "or", "conditions": [{"name": "k", "comparison_operator": "is", "value": "v"}]}
    settings = {"top_k": 7, "metadata_filtering_mode": "manual", "metadata_filtering_conditions": conditions}
    sound = read(dataset_configs=settings).dataset_configs
    assert (sound.retrieval.top_k, sound.metadata_filtering_conditions.logical_operator) == (7, "or")
    broken = read(dataset_configs=settings | {"top_k": "many", "metadata_filtering_conditions": 5}).dataset_configs
    assert (broken.retrieval.top_k, broken.metadata_filtering_mode) == (4, "manual")
    assert broken.metadata_filtering_conditions.conditions == []


@pytest.mark.parametrize(
    ("mode", "strategy", "rounds", "template"),
    [
        ({}, "function_call", 10, ""),
        ({"strategy": "function_call", "max_iteration": 3}, "function_call", 3, ""),
        ({"strategy": "cot", "prompt": {"first_prompt": "Think."}}, "react", 10, "Think."),
        ({"strategy": None, "max_iteration": 0, "prompt": None}, "function_call", 10, ""),
        ({"strategy": "react_router", "max_iteration": True}, "react", 10, ""),
        ({"strategy": ["react"], "max_iteration": "5"}, "function_call", 10, ""),
    ],
)
def test_how_an_agent_works(mode, strategy, rounds, template):
    found = read(agent_mode=mode).agent_mode
    assert (found.strategy, found.max_iteration, found.prompt.first_prompt) == (strategy, rounds, template)
