"""/site, /parameters, /meta, /system-features, /webapp/… (contract endpoints.md)."""

import pytest

from tests.support.factories import make_app
from tests.support.web_client import WebVisitor

FEATURES = {
    "sso_enforced_for_signin": False,
    "sso_enforced_for_signin_protocol": "",
    "enable_marketplace": False,
    "max_plugin_package_size": 15728640,
    "enable_email_code_login": False,
    "enable_email_password_login": True,
    "enable_social_oauth_login": False,
    "enable_collaboration_mode": True,
    "is_allow_register": False,
    "is_allow_create_workspace": False,
    "is_email_setup": False,
    "license": {"status": "none", "expired_at": "", "workspaces": {"enabled": False, "size": 0, "limit": 0}},
    "branding": {"enabled": False, "application_title": "", "login_page_logo": "", "workspace_logo": "", "favicon": ""},
    "webapp_auth": {
        "enabled": False,
        "allow_sso": False,
        "sso_config": {"protocol": ""},
        "allow_email_code_login": False,
        "allow_email_password_login": False,
    },
    "plugin_installation_permission": {"plugin_installation_scope": "all", "restrict_to_marketplace_only": False},
    "enable_change_email": True,
    "plugin_manager": {"enabled": False},
    "enable_creators_platform": False,
    "enable_trial_app": False,
    "enable_explore_banner": False,
}
SITE = {
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
}
SWITCHES = (
    "suggested_questions_after_answer",
    "speech_to_text",
    "text_to_speech",
    "annotation_reply",
    "more_like_this",
)
IMAGES = {"enabled": False, "number_limits": 3, "detail": "high", "transfer_methods": ["remote_url", "local_file"]}


def test_the_site_names_app_and_end_user(alice):
    site = alice.get("/site").get_json()
    assert (site["app_id"], site["enable_site"], site["model_config"], site["plan"]) == (
        str(alice.app.id),
        True,
        None,
        "basic",
    )
    assert site["end_user_id"] and site["site"] == SITE
    assert site.keys() == {
        "app_id",
        "end_user_id",
        "enable_site",
        "site",
        "model_config",
        "plan",
        "can_replace_logo",
        "custom_config",
    }


def test_parameters_have_their_defaults(alice):
    parameters = alice.get("/parameters").get_json()
    assert parameters["retriever_resource"] == {"enabled": True}
    assert parameters["system_parameters"] == {
        "image_file_size_limit": 10,
        "video_file_size_limit": 100,
        "audio_file_size_limit": 50,
        "file_size_limit": 15,
        "workflow_file_upload_limit": 10,
    }
    assert [parameters[name] for name in SWITCHES] == [{"enabled": False}] * 5
    assert (parameters["opening_statement"], parameters["suggested_questions"], parameters["user_input_form"]) == (
        None,
        [],
        [],
    )
    assert parameters["sensitive_word_avoidance"] == {"enabled": False, "type": "", "config": {}}
    assert parameters["file_upload"] == {"image": IMAGES}
    assert len(parameters) == 12


def test_features_are_passed_through_as_configured(client, app):
    speech = {"enabled": True, "voice": "alloy", "language": "en-US", "autoPlay": "enabled"}
    visitor = WebVisitor.of_new_app(client, text_to_speech=speech, opening_statement="Hi {{name}}")
    parameters = visitor.get("/parameters").get_json()
    assert (parameters["text_to_speech"], parameters["opening_statement"]) == (speech, "Hi {{name}}")


def test_an_app_without_a_model_is_unavailable(client, app):
    visitor = WebVisitor(client, make_app(model={}))
    for answer in (visitor.chat(), visitor.chat(response_mode="blocking")):
        assert (answer.status_code, answer.get_json()["code"]) == (400, "app_unavailable")


def test_an_app_without_tools_has_no_icons(alice):
    assert alice.get("/meta").get_json() == {"tool_icons": {}}


def test_a_json_content_type_without_a_body_is_fine(alice):
    assert alice.get("/site", headers={"Content-Type": "application/json"}).status_code == 200


def test_the_features_of_a_plain_installation(client, app):
    features = client.get("/api/system-features").get_json()
    assert features == FEATURES


def test_every_app_is_public(client, app):
    for query in ({}, {"appCode": "any"}, {"appId": "any"}):
        assert client.get("/api/webapp/access-mode", query_string=query).get_json() == {"accessMode": "public"}


def test_every_tool_has_an_icon(client, app):
    tools = [
        {"provider_type": "api", "provider_id": "unheard-of", "tool_name": "weather"},
        {"provider_type": "builtin", "provider_id": "time", "tool_name": "current_time"},
    ]
    visitor = WebVisitor(client, make_app(mode="agent-chat", agent_mode={"enabled": True, "tools": tools}))
    icons = visitor.get("/meta").get_json()["tool_icons"]
    assert icons["weather"] == {"background": "#252525", "content": "😀"}
    assert icons["current_time"].startswith("data:image/svg+xml")


@pytest.mark.parametrize("path", ["/site", "/parameters", "/meta"])
def test_an_app_is_shown_to_its_end_users_alone(client, app, path):
    assert client.get(f"/api{path}").status_code == 401


@pytest.mark.parametrize(
    ("query", "code", "status"), [({"appId": "x"}, "y", 200), ({}, "y", 400), ({"appId": "x"}, "", 400)]
)
def test_permission_needs_app_and_code(client, app, query, code, status):
    assert client.get("/api/webapp/permission", query_string=query, headers={"X-App-Code": code}).status_code == status
