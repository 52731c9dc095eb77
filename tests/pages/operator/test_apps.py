"""/operator/apps: what is published, what it needs, and its switches."""

from app.services.definitions import published_apps
from tests.support.agents import tool
from tests.support.factories import chat_definition, make_app, publish
from tests.support.operators import form_token_of, read


def switch(operator, code: str, **form: str):
    return operator.post(f"/apps/{code}", form_token=form_token_of(operator.get(f"/apps/{code}")), **form)


def test_an_app_is_listed(operator, alice):
    page = read(operator.page("/apps"))
    assert alice.app.code in page and "✓ enabled" in page


def test_a_disabled_app_answers_no_more_until_it_is_enabled(operator, alice):
    assert switch(operator, alice.app.code, switch="disable").status_code == 303
    assert alice.get("/parameters").get_json()["message"] == "Site is disabled."
    assert "■ disabled" in read(operator.page(f"/apps/{alice.app.code}"))
    switch(operator, alice.app.code, switch="enable")
    assert alice.get("/parameters").status_code == 200


def test_who_may_use_an_app_is_changed(operator, alice):
    switch(operator, alice.app.code, access="private")
    assert published_apps.by_code(alice.app.code).access_mode == "private"
    assert "0 members" in read(operator.page(f"/apps/{alice.app.code}"))


def test_another_switch_is_refused(operator, alice):
    assert switch(operator, alice.app.code, switch="remove").status_code == 400
    assert switch(operator, alice.app.code, access="nobody").status_code == 400
    assert published_apps.by_code(alice.app.code).enabled


def test_an_app_says_what_it_needs_and_what_of_it_is_missing(operator):
    tools = [tool("dig", provider_id="absent", provider_name="absent")]
    app = make_app("agent-chat", agent_mode={"enabled": True, "strategy": "function_call", "tools": tools})
    page = read(operator.page(f"/apps/{app.code}"))
    assert "scripted" in page and "absent/dig" in page and "Missing here" not in page
    assert "Missing here" in read(operator.page(f"/apps/{app.code}", check="on"))


def test_a_name_is_no_markup(operator):
    definition = chat_definition()
    definition["app"]["name"] = "<b>Bold</b><script>alert(1)</script>"
    app = publish(definition, "markup-in-a-name")
    for path in ("/apps", f"/apps/{app.code}", "/search?q=Bold", "/conversations"):
        page = operator.get(path).get_data(as_text=True)
        assert "<script" not in page and "<b>" not in page and "&lt;b&gt;Bold" in page
