"""GET /login/status for public apps (contract endpoints.md; client.md §3, §11)."""

import hashlib
import hmac

import pytest

from app.services.operator import apps
from tests.support.web_client import WebVisitor


def status(visitor, headers=None, **query):
    return visitor.client.get("/api/login/status", headers=headers or {}, query_string=query)


def test_the_first_visit_is_logged_in_but_not_to_the_app(alice):
    assert status(alice, app_code=alice.app.code).get_json() == {"logged_in": True, "app_logged_in": False}


def test_with_a_passport_the_app_is_logged_in(alice):
    assert status(alice, alice.headers, app_code=alice.app.code).get_json() == {
        "logged_in": True,
        "app_logged_in": True,
    }


@pytest.mark.parametrize("passport", ["", "rubbish"])
def test_a_bad_passport_is_no_error(alice, passport):
    answer = status(alice, {"X-App-Passport": passport}, app_code=alice.app.code)
    assert (answer.status_code, answer.get_json()["app_logged_in"]) == (200, False)


@pytest.mark.parametrize(("origin", "logged_in"), [(None, True), ("http://elsewhere.example", False)])
def test_the_cookies_of_foreign_pages_do_not_count(alice, origin, logged_in):
    alice.client.set_cookie(f"passport-{alice.app.code}", alice.headers["X-App-Passport"])
    alice.client.set_cookie("webapp_access_token", "any")
    headers = {"X-App-Code": alice.app.code} | ({"Origin": origin} if origin else {})
    assert status(alice, headers, app_code=alice.app.code).get_json()["app_logged_in"] is logged_in
    assert status(alice, headers).get_json() == {"logged_in": logged_in, "app_logged_in": False}


def test_a_disabled_app_is_one_to_log_in_to(alice):
    apps.set_enabled(alice.app.code, False)
    assert status(alice, alice.headers, app_code=alice.app.code).get_json() == {
        "logged_in": True,
        "app_logged_in": False,
    }


def test_a_passport_of_another_app_does_not_count(alice, charlie):
    passport = {"X-App-Passport": charlie.headers["X-App-Passport"]}
    assert status(alice, passport, app_code=alice.app.code).get_json()["app_logged_in"] is False


@pytest.mark.parametrize(("user_id", "logged_in"), [("ann", True), ("bob", False), ("", True)])
def test_another_end_users_name_asks_for_a_new_passport(client, alice, user_id, logged_in):
    ann = WebVisitor(client, alice.app, "ann")
    assert status(ann, ann.headers, app_code=alice.app.code, user_id=user_id).get_json()["app_logged_in"] is logged_in


def test_a_signed_name_is_known_again(client, alice, app, monkeypatch):
    monkeypatch.setitem(app.config, "PASSPORT_USER_ID", "signed")
    signed = "ann." + hmac.new(app.config["SECRET_KEY"].encode(), b"ann", hashlib.sha256).hexdigest()
    ann = WebVisitor(client, alice.app, signed)
    for user_id, logged_in in ((signed, True), ("ann", False), ("ann.00", False)):
        assert (
            status(ann, ann.headers, app_code=alice.app.code, user_id=user_id).get_json()["app_logged_in"] is logged_in
        )


def test_a_name_is_not_looked_at_where_names_are_switched_off(alice, app, monkeypatch):
    monkeypatch.setitem(app.config, "PASSPORT_USER_ID", "off")
    assert status(alice, alice.headers, app_code=alice.app.code, user_id="ann").get_json()["app_logged_in"] is True


def test_an_unknown_app_is_refused(client, app):
    answer = client.get("/api/login/status", query_string={"app_code": "nowhere"})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_param")


@pytest.mark.parametrize(
    ("authorization", "logged_in"), [(None, False), ("Bearer x", True), ("Bearer ", False), ("Basic x", False)]
)
def test_without_an_app_only_the_token_is_looked_for(client, app, authorization, logged_in):
    headers = {} if authorization is None else {"Authorization": authorization}
    assert client.get("/api/login/status", headers=headers).get_json() == {
        "logged_in": logged_in,
        "app_logged_in": False,
    }
