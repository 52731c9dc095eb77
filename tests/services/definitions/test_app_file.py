"""App files as the services read them, whole, and what a broken part does to the rest of a file."""

import copy

import pytest

from app.errors import AppUnavailable
from app.services.definitions.app_file import AppDefinition
from app.services.definitions.features import FEATURES
from app.services.definitions.model_config import ModelConfig
from app.services.operator import app_files
from tests.support.factories import chat_definition
from tests.support.workflow.graphs import answer, end, graph, node, start

ANYTHING = [None, True, False, 0, 1, -1, 2.5, "", "x", [], ["x"], [5], [None], [{}], {}, {"a": 1}, {"enabled": True}]
REMOVED = object()
OFF = {"enabled": False}

CHAT = chat_definition(
    prompt_type="advanced",
    chat_prompt_config={"prompt": [{"role": "system", "text": "Help."}]},
    completion_prompt_config={"prompt": {"text": "C"}, "conversation_histories_role": {"user_prefix": "U"}},
    opening_statement="Hi",
    suggested_questions=["Why?"],
    text_to_speech={"enabled": True, "voice": "alloy", "autoPlay": "enabled"},
    sensitive_word_avoidance={"enabled": True, "type": "keywords", "config": {"inputs_config": {"enabled": True}}},
    external_data_tools=[{"variable": "w", "type": "api", "config": {"api_based_extension_id": "x"}}],
    user_input_form=[{"select": {"variable": "b", "label": "B", "options": ["o"], "default": "o", "max_length": 5}}],
    file_upload={"enabled": True, "allowed_file_types": ["image"], "number_limits": 2, "image": {"detail": "low"}},
    agent_mode={"strategy": "react", "tools": [{"tool_name": "clock", "tool_parameters": {"a": 1}}]},
    dataset_configs={"datasets": {"datasets": [{"dataset": {"id": "d"}}]}, "top_k": 3},
    dataset_query_variable="b",
)
FLOW = {
    "app": {"name": "Flow", "mode": "workflow", "icon_type": "emoji"},
    "workflow": {
        "graph": graph(
            start(a="text-input"),
            node("find", "knowledge-retrieval", query_variable_selector=["start", "a"], dataset_ids=["k", "d"]),
            node("clock", "tool", provider_id="time", tool_name="now", tool_configurations={"zone": "UTC"}),
            end(),
            "start > find > clock > end",
        ),
        "features": {"opening_statement": "Hi", "file_upload": {"image": {"enabled": True}}},
        "environment_variables": [{"id": "e", "name": "key", "value_type": "secret", "value": "s"}],
        "conversation_variables": [{"id": "c", "name": "list", "value_type": "array[string]"}],
    },
}


def places(value, before=()):
    """The paths of everything inside of a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*before, key)
        yield from places(item, (*before, key))


def with_change(definition, path, value):
    changed = copy.deepcopy(definition)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    if value is REMOVED:
        del inside[path[-1]]
    else:
        inside[path[-1]] = copy.deepcopy(value)
    return changed


def everything(definition: AppDefinition):
    """What services read of a usable app."""
    features = definition.features(definition.app.mode)
    config = features if isinstance(features, ModelConfig) else definition.usable_workflow()
    read = [definition.model(), definition.tools(), definition.datasets(), config.user_input_form, config.file_rules]
    if isinstance(config, ModelConfig):
        return [*read, config.dataset_configs.retrieval, config.data_tools, config.agent_mode.choices]
    variables = (*config.environment_variables, *config.conversation_variables)
    return [*read, config.secrets, [(variable.key, variable.type, variable.first_value) for variable in variables]]


@pytest.mark.parametrize("whole", [CHAT, FLOW], ids=["chat", "workflow"])
def test_a_broken_field_breaks_nothing_else(whole):
    """Every field becomes everything that JSON has: reading never fails, and what an import takes is usable."""
    for path in places(whole):
        for value in (*ANYTHING, REMOVED):
            changed = with_change(whole, path, value)
            before = copy.deepcopy(changed)
            definition = AppDefinition.read(changed)
            try:
                app_files.check(changed)
            except app_files.InvalidAppFile as refused:
                assert "\n" not in str(refused)
            else:
                # Raises AppUnavailable, or worse, where a service would.
                everything(definition)
            assert changed == before


@pytest.mark.parametrize("broken", [None, 5, "x", [5], {"enabled": 5}])
@pytest.mark.parametrize("name", sorted(CHAT["model_config"].keys() - {"model"}))
def test_the_other_fields_of_a_config_stay(name, broken):
    whole = AppDefinition.read(CHAT).usable_model_config()
    changed = AppDefinition.read(with_change(CHAT, ("model_config", name), broken)).usable_model_config()
    others = set(ModelConfig.model_fields) - {name}
    assert {other: getattr(changed, other) for other in others} == {other: getattr(whole, other) for other in others}


def test_a_definition_is_not_changed_by_those_who_read_it():
    definition = AppDefinition.read(CHAT)
    with pytest.raises(ValueError, match="frozen"):
        definition.usable_model_config().pre_prompt = "x"


def test_tools_are_those_that_are_on_each_once():
    entries = [
        {"enabled": True, "provider_id": "time", "provider_name": "Time", "tool_name": "now", "settings": {"a": 1}},
        {"type": "api", "provider_name": "P", "tool_name": "t", "tool_parameters": {"b": 2}, "parameters": {"c": 3}},
        {"provider_type": "mcp", "provider_id": 7, "tool_name": "u", "parameters": {"c": 3}},
        {"enabled": False, "tool_name": "off"},
        {"enabled": None, "tool_name": "off too"},
        {"provider_type": "dataset", "tool_name": "knowledge"},
        {"tool_name": ""},
        "clock",
    ]
    tools = AppDefinition.read(chat_definition(agent_mode={"tools": [*entries, entries[0]]})).tools()
    assert [(tool.provider_type, tool.provider, tool.name, tool.provider_name, tool.settings) for tool in tools] == [
        ("builtin", "time", "now", "Time", {"a": 1}),
        ("api", "P", "t", "P", {"b": 2}),
        ("mcp", "7", "u", "", {"c": 3}),
    ]


def test_parameters_of_another_type_count_as_absent():
    entry = {"tool_name": "now", "settings": [], "tool_parameters": "x", "parameters": {"a": 1}}
    (tool,) = AppDefinition.read(chat_definition(agent_mode={"tools": [entry]})).tools()
    assert tool.settings == {"a": 1}


@pytest.mark.parametrize("enabled", [False, None, 0])
def test_an_agent_that_is_off_has_no_tools(enabled):
    mode = {"enabled": enabled, "tools": [{"tool_name": "now"}]}
    assert AppDefinition.read(chat_definition(agent_mode=mode)).tools() == []


def test_nodes_name_tools_and_datasets():
    chosen = {"tools": {"value": [{"provider_name": "web", "tool_name": "fetch", "parameters": {"a": 1}}, None]}}
    nodes = [
        {"id": "t", "data": {"type": "tool", "enabled": False, "tool_name": "now", "tool_configurations": {"z": 1}}},
        {"id": "a", "data": {"type": "agent", "agent_parameters": chosen}},
        {"id": "k", "data": {"type": "knowledge-retrieval", "dataset_ids": ["d1", 5, "", "d1"]}},
        {"id": "x", "data": {"type": ["tool"], "tool_name": "no"}},
        {"id": "y", "data": None},
        None,
    ]
    definition = AppDefinition.read({"workflow": {"graph": {"nodes": nodes}}})
    assert [(tool.provider_type, tool.provider, tool.name, tool.settings) for tool in definition.tools()] == [
        ("tool", "", "now", {"z": 1}),
        ("builtin", "web", "fetch", {"a": 1}),
    ]
    assert definition.datasets() == ["d1"]


def test_the_model_of_a_workflow_is_the_first_that_a_node_names():
    def model(*nodes):
        found = AppDefinition.read({"workflow": {"graph": {"nodes": [{"id": "s", "data": {}}, *nodes]}}}).model()
        return found.provider, found.name, found.mode

    llm = {"data": {"type": "llm", "model": {"provider": "p", "name": "m", "mode": "completion"}}}
    assert model({"data": {"model": {"name": ""}}}, {"data": {"model": "m"}}, llm) == ("p", "m", "completion")
    assert model() == ("", "default", "chat")


@pytest.mark.parametrize("workflow", [None, {}, {"graph": None}, {"graph": {"nodes": []}}, {"graph": {"nodes": "x"}}])
def test_a_workflow_without_nodes_is_unavailable(workflow):
    definition = AppDefinition.read({"app": {"mode": "workflow"}, "workflow": workflow})
    for read_part in (definition.usable_workflow, definition.model):
        with pytest.raises(AppUnavailable):
            read_part()


@pytest.mark.parametrize("workflow", [None, {}, {"graph": None}, {"graph": {}}, []])
def test_a_workflow_without_a_graph_has_no_features(workflow):
    with pytest.raises(AppUnavailable):
        AppDefinition.read({"workflow": workflow}).features("workflow")


def test_a_workflow_s_features_have_defaults_of_their_own():
    workflow = {"graph": graph(start(), answer("x"), "start > answer"), "features": {"text_to_speech": {}}}
    definition = AppDefinition.read({"app": {"mode": "advanced-chat"}, "workflow": workflow})
    features = definition.features("advanced-chat")
    stored = {name: getattr(features, name).stored for name in FEATURES if name != "file_upload"}
    moderation = {"sensitive_word_avoidance": OFF | {"type": "", "configs": []}}
    assert stored == {name: OFF for name in stored} | moderation
    assert (features.opening_statement, features.file_rules) == (None, None)


def test_a_workflow_s_form_is_that_of_its_start_node():
    variables = [{"variable": "a", "type": "number"}, {"variable": "b"}, {"label": "no name"}, None]
    other = node("code", "code", variables=[{"variable": "c", "value_selector": ["s", "a"]}])
    nodes = [other, {"id": "s", "data": {"type": "start", "variables": variables}}]
    config = AppDefinition.read({"workflow": {"graph": {"nodes": nodes}}}).usable_workflow()
    assert [(field.variable, field.type) for field in config.user_input_form] == [("a", "number"), ("b", "text-input")]
    assert [field.stored for field in config.start_variables] == variables[:3]


def test_values_of_declared_variables_have_the_type_that_is_declared():
    def value(kind, *given):
        entry = {"name": "v", "value_type": kind} | ({"value": given[0]} if given else {})
        config = {"graph": {"nodes": [{}]}, "environment_variables": [entry, {"name": ""}, "x"]}
        (variable,) = AppDefinition.read({"workflow": config}).usable_workflow().environment_variables
        return variable.first_value

    assert [value("number", "7"), value("number", "2.50"), value("number", "x"), value("number")] == [7, 2.5, 0, 0]
    assert [value("string", ""), value("secret"), value("boolean", ""), value("object")] == ["", "", False, {}]
    assert [value("array[string]", ""), value(None), value("array[number]", [1])] == [[], "", [1]]
