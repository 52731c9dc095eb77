"""/site, /parameters, /meta, /system-features, /webapp/… (contract endpoints.md)."""

import pytest

from tests.factories import make_app
from tests.web_client import WebVisitor


def test_the_site_names_app_and_visitor(alice):
    site = alice.get("/site").get_json()
    assert (site["app_id"], site["enable_site"], site["model_config"], site["plan"]) == (str(alice.app.id), True, None, "basic")
    assert site["end_user_id"] and site["site"]["title"] == "Plain chat"
    assert site.keys() == {
        "app_id", "end_user_id", "enable_site", "site", "model_config", "plan", "can_replace_logo", "custom_config",
    }  # fmt: skip


def test_parameters_have_their_defaults(alice):
    parameters = alice.get("/parameters").get_json()
    assert parameters["retriever_resource"] == {"enabled": True}
    assert parameters["system_parameters"] == {
        "image_file_size_limit": 10, "video_file_size_limit": 100, "audio_file_size_limit": 50,
        "file_size_limit": 15, "workflow_file_upload_limit": 10,
    }  # fmt: skip
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


def test_an_app_of_another_mode_opens_and_does_not_answer(client, app):
    visitor = WebVisitor(client, make_app(mode="agent-chat"))
    assert visitor.get("/parameters").status_code == 200
    assert visitor.chat().get_json()["code"] == "app_unavailable"


def test_an_app_without_tools_has_no_icons(alice):
    assert alice.get("/meta").get_json() == {"tool_icons": {}}


def test_a_json_content_type_without_a_body_is_fine(alice):
    assert alice.get("/site", headers={"Content-Type": "application/json"}).status_code == 200


def test_the_features_of_a_plain_installation(client, app):
    features = client.get("/api/system-features").get_json()
    assert len(features) == 20
    assert features["webapp_auth"]["enabled"] is False
    assert features["license"] == {"status": "none", "expired_at": "", "workspaces": {"enabled": False, "size": 0, "limit": 0}}


def test_every_app_is_public(client, app):
    for query in ({}, {"appCode": "any"}, {"appId": "any"}):
        assert client.get("/api/webapp/access-mode", query_string=query).get_json() == {"accessMode": "public"}


@pytest.mark.parametrize(("query", "code", "status"), [({"appId": "x"}, "y", 200), ({}, "y", 400), ({"appId": "x"}, "", 400)])
def test_permission_needs_app_and_code(client, app, query, code, status):
    assert client.get("/api/webapp/permission", query_string=query, headers={"X-App-Code": code}).status_code == status
