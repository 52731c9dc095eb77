"""What an app file must be, and what is said of one that holds more than is served."""

import copy

import pytest

from app.services.definitions import yaml_documents
from app.services.operator import app_files
from app.services.operator.app_files import InvalidAppFile
from tests.support.factories import chat_definition
from tests.support.paths import PROJECT

SAMPLES = sorted((PROJECT / "app" / "samples").glob("*.yml"))
WORKFLOW = {
    "version": "0.6.0",
    "app": {"name": "Flow", "mode": "workflow"},
    "workflow": {
        "graph": {"nodes": [{"id": "s", "data": {"type": "start", "variables": []}}], "edges": []},
        "features": {},
    },
}


def field(kind="text-input", **values):
    return {kind: {"variable": "name", "label": "Name"} | values}


def refusal(definition) -> str:
    with pytest.raises(InvalidAppFile) as caught:
        app_files.check(definition)
    text = str(caught.value)
    assert "\n" not in text
    return text


def refusal_of_config(**model_config) -> str:
    return refusal(chat_definition(**model_config))


def warnings_of(**model_config) -> str:
    return "\n".join(app_files.check(chat_definition(**model_config)).warnings)


def test_a_plain_file_is_taken_whole_and_without_warning():
    definition = chat_definition() | {"dependencies": []}
    file = app_files.parse(yaml_documents.write(definition))
    assert (file.mode, file.name, file.definition, file.warnings) == ("chat", "Plain chat", definition, [])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_are_served_whole(path):
    file = app_files.parse(path.read_bytes())
    assert file.warnings == []


@pytest.mark.parametrize("content", [b"", b"text", b"[1, 2]", b"a: ["])
def test_what_is_no_mapping_is_refused(content):
    with pytest.raises(InvalidAppFile, match="^Invalid YAML format"):
        app_files.parse(content)


def test_half_a_character_is_refused():
    with pytest.raises(InvalidAppFile, match="not valid Unicode"):
        app_files.parse("a: \ud800")


@pytest.mark.parametrize("section", [None, {}, "x"])
def test_a_file_without_an_app_is_refused(section):
    assert refusal(chat_definition() | {"app": section}).startswith("Missing app data in YAML content")


@pytest.mark.parametrize(
    "section, text",
    [
        ({"name": "A"}, "app.mode: missing app mode"),
        ({"name": "A", "mode": "poem"}, "app.mode: Invalid app mode 'poem'"),
        ({"name": "A", "mode": ["chat"]}, "app.mode: Invalid app mode"),
        ({"mode": "chat"}, "app.name"),
        ({"name": 5, "mode": "chat"}, "app.name"),
        ({"name": "x" * 256, "mode": "chat"}, "app.name"),
        ({"name": "A", "mode": "chat", "icon": 5}, "app.icon"),
    ],
)
def test_a_bad_head_is_refused(section, text):
    assert refusal(chat_definition() | {"app": section}).startswith(text)


@pytest.mark.parametrize("mode", ["chat", "completion", "agent-chat"])
def test_a_file_without_a_model_config_is_refused(mode):
    assert refusal({"app": {"name": "A", "mode": mode}}).startswith("Missing model_config")


@pytest.mark.parametrize("mode", ["workflow", "advanced-chat"])
def test_a_file_without_a_workflow_is_refused(mode):
    assert refusal({"app": {"name": "A", "mode": mode}}).startswith("Missing workflow data")


@pytest.mark.parametrize(
    "change, place",
    [
        ({"model": None}, "model_config.model:"),
        ({"model": {"name": "m"}}, "model_config.model.provider:"),
        ({"model": {"provider": "p", "name": 5}}, "model_config.model.name:"),
        ({"model": {"provider": "p", "name": "m", "mode": "poem"}}, "model_config.model.mode:"),
        ({"model": {"provider": "p", "name": "m", "mode": None}}, "model_config.model.mode:"),
        ({"model": {"provider": "p", "name": "m", "completion_params": []}}, "model_config.model.completion_params:"),
        (
            {"model": {"provider": "p", "name": "m", "completion_params": {"stop": "END"}}},
            "model_config.model.completion_params:",
        ),
        ({"pre_prompt": ["x"]}, "model_config.pre_prompt:"),
        ({"prompt_type": "fancy"}, "model_config.prompt_type:"),
        ({"prompt_type": "advanced"}, "model_config: chat_prompt_config.prompt"),
        (
            {"chat_prompt_config": {"prompt": [{"role": "poet", "text": "x"}]}},
            "model_config.chat_prompt_config.prompt[0].role:",
        ),
        (
            {"chat_prompt_config": {"prompt": [{"role": "user", "text": "x"}] * 11}},
            "model_config.chat_prompt_config.prompt:",
        ),
        ({"suggested_questions": [5]}, "model_config.suggested_questions[0]:"),
        ({"speech_to_text": True}, "model_config.speech_to_text:"),
        ({"user_input_form": {}}, "model_config.user_input_form:"),
    ],
)
def test_a_bad_config_is_refused_by_its_place(change, place):
    assert refusal_of_config(**change).startswith(place)


@pytest.mark.parametrize("name", ["", "1st", "a b", "a-b", "x" * 101, "ü", "a.b"])
def test_a_bad_variable_name_is_refused(name):
    assert "user_input_form[0].text-input.variable" in refusal_of_config(user_input_form=[field(variable=name)])


@pytest.mark.parametrize("name", ["a", "_a1", "x" * 100, "名前", "a🚀"])
def test_a_good_variable_name_is_accepted(name):
    assert app_files.check(chat_definition(user_input_form=[field(variable=name)]))


@pytest.mark.parametrize(
    "form, text",
    [
        ([field(), field("number")], "'name' is declared twice"),
        ([{"text-input": {"variable": "name"}}], "label"),
        ([field("slider")], "unknown type 'slider'"),
        ([field() | field("number")], "one key"),
        ([field("select")], "without options"),
        ([field("select", options=[1, 2])], "options"),
        ([field("select", options=["a"], default="b")], "default of 'name'"),
        ([field("number", default="many")], "default of 'name'"),
        ([field("number", default=10**400)], "default of 'name'"),
        ([field(default=5)], "default of 'name'"),
        ([field(max_length=-1)], "max_length"),
    ],
)
def test_a_bad_form_is_refused(form, text):
    assert text in refusal_of_config(user_input_form=form)


def test_what_imports_do_not_check_may_be_anything():
    files = {"allowed_file_types": 5, "allowed_file_upload_methods": [5], "type": 5, "description": 5}
    agent = {"strategy": 5, "tools": [5], "max_iteration": "many"}
    definition = chat_definition(
        user_input_form=[field("file", **files)],
        agent_mode=agent,
        dataset_configs={"datasets": 5},
        dataset_query_variable=5,
        text_to_speech={"enabled": "yes"},
        external_data_tools=[{"variable": 5}],
    )
    assert app_files.check(definition).warnings == []


def test_null_counts_as_absent_where_a_key_may_be_absent():
    optional = app_files.check(chat_definition()).definition["model_config"].keys() - {"model"}
    assert app_files.check(chat_definition(**dict.fromkeys(optional))).warnings == []


def test_empty_options_of_a_form_are_accepted():
    form = [
        field("select", options=["a"], default="", max_length="", required=None),
        field("checkbox", variable="box", default=""),
    ]
    assert app_files.check(chat_definition(user_input_form=form)).warnings == []


@pytest.mark.parametrize("version", [0.6, 1, None])
def test_a_version_must_be_a_text(version):
    assert refusal(chat_definition() | {"version": version}).startswith("version: must be a text")


@pytest.mark.parametrize("version", ["0.1.0", "0.6.0", "0.6", "0.7.0"])
def test_older_and_same_versions_are_taken_silently(version):
    assert app_files.check(chat_definition() | {"version": version}).warnings == []


@pytest.mark.parametrize("version", ["0.7.1", "0.10.0", "1.0.0"])
def test_a_newer_version_is_taken_with_a_warning(version):
    (warning,) = app_files.check(chat_definition() | {"version": version}).warnings
    assert version in warning and "newer" in warning


def test_a_missing_version_and_another_kind_are_fine():
    definition = chat_definition() | {"kind": "plugin"}
    del definition["version"]
    assert app_files.check(definition).warnings == []


@pytest.mark.parametrize(
    "change, names",
    [
        ({"sensitive_word_avoidance": {"enabled": True, "type": "unheard_of"}}, ["Moderation", "unheard_of"]),
        (
            {"external_data_tools": [{"enabled": True, "variable": "w", "type": "unheard_of", "config": {}}]},
            ["External data", "w"],
        ),
        ({"annotation_reply": {"enabled": True}}, ["Annotation"]),
    ],
)
def test_what_is_not_served_is_named(change, names):
    warnings = warnings_of(**change)
    assert all(name in warnings for name in names)
    assert warnings.count("\n") == 0


def test_what_is_switched_off_is_not_worth_a_word():
    off = {"enabled": False}
    assert (
        warnings_of(
            dataset_configs={"datasets": {"datasets": [{"dataset": {"id": "d1", "enabled": False}}]}},
            external_data_tools=[],
            agent_mode={"enabled": False, "tools": [{"enabled": True, "tool_name": "clock"}]},
            sensitive_word_avoidance=off,
            annotation_reply=off,
            speech_to_text=off,
            text_to_speech=off,
            file_upload={"image": off, "enabled": False},
        )
        == ""
    )


def test_a_workflow_is_taken_and_its_features_named():
    definition = copy.deepcopy(WORKFLOW)
    definition["workflow"]["features"] = {"annotation_reply": {"enabled": True}}
    warnings = app_files.check(definition).warnings
    assert any("Annotation replies" in warning for warning in warnings)


@pytest.mark.parametrize(
    "workflow", [{}, {"graph": {}}, {"graph": {"nodes": {}}}, {"graph": {"nodes": []}, "features": []}]
)
def test_a_bad_workflow_is_refused_by_its_place(workflow):
    assert refusal(WORKFLOW | {"workflow": workflow}).startswith("workflow.")


@pytest.mark.parametrize(
    ("wrong", "meant"), [("text_input", "text-input"), ("num", "number"), ("check-box", "checkbox")]
)
def test_an_unknown_type_of_a_start_variable_is_refused_as_in_a_form(wrong, meant):
    definition = copy.deepcopy(WORKFLOW)
    definition["workflow"]["graph"]["nodes"][0]["data"]["variables"] = [{"variable": "a", "label": "A", "type": wrong}]
    said = f"'a' has an unknown type {wrong!r}; did you mean {meant!r}?"
    assert refusal(definition) == f"workflow.graph: start node: {said}"
    assert said in refusal_of_config(user_input_form=[field(wrong, variable="a")])


def test_a_start_variable_without_a_type_is_a_text():
    definition = copy.deepcopy(WORKFLOW)
    definition["workflow"]["graph"]["nodes"][0]["data"]["variables"] = [{"variable": "a", "label": "A", "type": None}]
    assert app_files.check(definition).warnings == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"type": "select"}, "'a' is a select without options"),
        ({"type": "number", "default": "many"}, "the default of 'a' cannot be used"),
    ],
)
def test_what_a_start_form_cannot_use_is_told(values, said):
    definition = copy.deepcopy(WORKFLOW)
    definition["workflow"]["graph"]["nodes"][0]["data"]["variables"] = [{"variable": "a", "label": "A"} | values]
    assert said in app_files.check(definition).warnings[0]


def test_all_that_is_wrong_is_known_and_the_first_is_said():
    with pytest.raises(
        InvalidAppFile, match=r"^model_config\.pre_prompt: .*\(and 1 more: `apps check` shows all\)$"
    ) as caught:
        app_files.check(chat_definition(pre_prompt=5, prompt_type="fancy"))
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "model_config.pre_prompt",
        "model_config.prompt_type",
    ]


def test_every_node_that_is_wrong_is_known():
    definition = copy.deepcopy(WORKFLOW)
    definition["workflow"]["graph"]["nodes"] += [
        {"id": "a", "data": {"type": "poem", "title": "A"}},
        {"id": "b", "data": {"type": "code", "title": "B"}},
    ]
    with pytest.raises(InvalidAppFile) as caught:
        app_files.check(definition)
    assert ["'A'" in problem or "'B'" in problem for problem in caught.value.problems] == [True, True]


@pytest.mark.parametrize("model", [{"provider": "", "name": ""}, {"provider": "openai", "name": "", "mode": "chat"}])
def test_an_empty_model_name_is_accepted(model):
    assert app_files.check(chat_definition(model=model)).warnings == []


@pytest.mark.parametrize(
    "kind", ["trigger-webhook", "trigger-schedule", "trigger-plugin", "datasource", "knowledge-index"]
)
def test_nodes_of_what_is_not_served_are_refused_by_name(kind):
    definition = copy.deepcopy(WORKFLOW)
    definition["workflow"]["graph"]["nodes"].append({"id": "x", "data": {"type": kind, "title": "X"}})
    assert f"node 'X': nodes of the type {kind!r} are not served" in refusal(definition)


def test_a_knowledge_pipeline_is_refused_by_name():
    assert refusal({"version": "0.1.0", "kind": "rag_pipeline", "rag_pipeline": {}}).startswith("kind: knowledge pipel")
