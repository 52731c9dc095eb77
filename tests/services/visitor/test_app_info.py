"""The bodies that a page reads before it opens (contract endpoints.md: GET /parameters, /site, /meta)."""

import copy
import uuid

import pytest

from app.errors import AppUnavailable
from app.services.definitions.app_file import AppDefinition
from app.services.definitions.published_apps import PublishedApp
from app.services.visitor import app_info
from tests.support.factories import chat_definition

SETTINGS = {"UPLOAD_LIMITS_MB": {"image": 10, "document": 15, "audio": 50, "video": 100}, "WORKFLOW_FILE_LIMIT": 10}
LIMITS = {
    "image_file_size_limit": 10,
    "video_file_size_limit": 100,
    "audio_file_size_limit": 50,
    "file_size_limit": 15,
    "workflow_file_upload_limit": 10,
}
OFF = {"enabled": False}
UPLOAD_DEFAULT = {
    "image": OFF | {"number_limits": 3, "detail": "high", "transfer_methods": ["remote_url", "local_file"]}
}
TOPIC = {
    "variable": "topic",
    "label": "Topic",
    "type": "text-input",
    "required": False,
    "max_length": 48,
    "options": [],
}


def published(definition, mode="chat") -> PublishedApp:
    name = definition.get("app", {}).get("name", "")
    read = AppDefinition.read(copy.deepcopy(definition))
    return PublishedApp(uuid.uuid4(), "code", mode, name, True, "public", uuid.uuid4(), read)


def workflow(features, mode="advanced-chat", variables=()) -> PublishedApp:
    start = {"id": "start", "data": {"type": "start", "variables": list(variables)}}
    body = {"graph": {"nodes": [{"id": "note"}, start], "edges": []}}
    if features is not None:
        body["features"] = features
    return published({"app": {"name": "Flow"}, "workflow": body}, mode)


def test_parameters_of_a_bare_chat_app():
    assert app_info.parameters(published(chat_definition()), SETTINGS) == {
        "opening_statement": None,
        "suggested_questions": [],
        "suggested_questions_after_answer": OFF,
        "speech_to_text": OFF,
        "text_to_speech": OFF,
        "retriever_resource": {"enabled": True},
        "annotation_reply": OFF,
        "more_like_this": OFF,
        "user_input_form": [],
        "sensitive_word_avoidance": OFF | {"type": "", "config": {}},
        "file_upload": UPLOAD_DEFAULT,
        "system_parameters": LIMITS,
    }


def test_parameters_of_a_chat_app_are_those_of_its_file():
    configured = {
        "opening_statement": "",
        "suggested_questions": ["Q?"],
        "suggested_questions_after_answer": {"enabled": True, "prompt": "P"},
        "text_to_speech": {"enabled": False, "voice": "", "language": "", "autoPlay": "disabled"},
        "sensitive_word_avoidance": {"enabled": False, "type": "", "configs": []},
        "file_upload": {"image": {"enabled": True}, "enabled": True, "number_limits": 3},
        "user_input_form": [
            {"text-input": {"label": "Name", "variable": "name", "required": True, "max_length": 8}},
            {"external_data_tool": {"label": "Weather", "variable": "weather", "type": "api", "config": {}}},
        ],
    }
    body = app_info.parameters(published(chat_definition(**configured)), SETTINGS)
    assert {name: body[name] for name in configured} == configured


def test_parameters_of_a_chatflow():
    features = {
        "opening_statement": "Hello there",
        "suggested_questions": ["Q1?"],
        "speech_to_text": {"enabled": True},
        "sensitive_word_avoidance": OFF,
        "file_upload": {"enabled": True, "fileUploadConfig": {"batch_count_limit": 5}},
    }
    body = app_info.parameters(workflow(features, variables=[TOPIC]), SETTINGS)
    assert {name: body[name] for name in features} == features
    assert body["user_input_form"] == [{"text-input": TOPIC}]
    assert body["retriever_resource"] == OFF


@pytest.mark.parametrize("features", [None, {}])
def test_parameters_of_a_workflow_without_features(features):
    body = app_info.parameters(workflow(features, "workflow"), SETTINGS)
    assert (body["opening_statement"], body["retriever_resource"], body["user_input_form"]) == (None, OFF, [])
    assert body["sensitive_word_avoidance"] == OFF | {"type": "", "configs": []}
    assert body["file_upload"] == UPLOAD_DEFAULT


@pytest.mark.parametrize("questions", [5, "Why?", None, {"a": 1}])
def test_questions_that_are_no_list_count_as_absent(questions):
    assert app_info.parameters(workflow({"suggested_questions": questions}), SETTINGS)["suggested_questions"] == []


def test_limits_are_those_of_the_installation():
    settings = {"UPLOAD_LIMITS_MB": {"image": 1, "document": 2, "audio": 3, "video": 4}, "WORKFLOW_FILE_LIMIT": 5}
    assert list(app_info.parameters(published(chat_definition()), settings)["system_parameters"].values()) == [
        1,
        4,
        3,
        2,
        5,
    ]


@pytest.mark.parametrize(
    "app",
    [
        published({"app": {}}),
        published({"app": {}, "model_config": []}),
        published({"app": {}}, "workflow"),
        published({"workflow": {"graph": {}}}, "workflow"),
        published(chat_definition(), "workflow"),
    ],
)
def test_an_app_without_its_config_is_unavailable(app):
    with pytest.raises(AppUnavailable):
        app_info.parameters(app, SETTINGS)


def test_the_site():
    app = published(chat_definition())
    end_user_id = uuid.uuid4()
    assert app_info.site(app, end_user_id) == {
        "app_id": str(app.id),
        "end_user_id": str(end_user_id),
        "enable_site": True,
        "site": {
            "title": "Plain chat",
            "chat_color_theme": None,
            "chat_color_theme_inverted": False,
            "icon_type": "emoji",
            "icon": "🤖",
            "icon_background": "#FFEAD5",
            "icon_url": None,
            "description": None,
            "copyright": None,
            "privacy_policy": None,
            "custom_disclaimer": "",
            "default_language": "en-US",
            "prompt_public": False,
            "show_workflow_steps": True,
            "use_icon_as_answer_icon": False,
        },
        "model_config": None,
        "plan": "basic",
        "can_replace_logo": False,
        "custom_config": None,
    }


@pytest.mark.parametrize(
    "looks, icon_type, icon",
    [({}, "emoji", "🤖"), ({"icon": "🦊"}, "emoji", "🦊"), ({"icon_type": "image", "icon": "an-id"}, "emoji", "🤖")],
)
def test_icons(looks, icon_type, icon):
    site = app_info.site(published({"app": looks}), "u")["site"]
    assert (site["icon_type"], site["icon"], site["icon_url"]) == (icon_type, icon, None)


@pytest.mark.parametrize("app", [published(chat_definition()), workflow({}), published({})])
def test_an_app_without_tools_has_no_icons(app):
    assert app_info.meta(app) == {"tool_icons": {}}
