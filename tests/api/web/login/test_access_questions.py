"""What a page asks of an app that is not public: /login/status, /webapp/…, /system-features (contract endpoints.md)."""

import pytest

from app.services.auth import accounts
from app.services.auth.access import AccessMode
from app.services.operator import members
from tests.support.logins import app_of_mode, encoded, forged, outcome


def status(person, app, passport="", **query):
    return person.get("/login/status", app, passport, app_code=app.code, **query).get_json()


def test_the_status_of_a_private_apps_end_user(ann):
    app = app_of_mode("private", ann.email)
    assert status(ann, app) == {"logged_in": False, "app_logged_in": False}
    ann.log_in()
    assert status(ann, app) == {"logged_in": True, "app_logged_in": False}
    passport = ann.passport(app)
    assert status(ann, app, passport) == {"logged_in": True, "app_logged_in": True}
    assert status(ann, app, passport, user_id=ann.email)["app_logged_in"] is True
    assert status(ann, app, passport, user_id="somebody")["app_logged_in"] is False


def test_the_status_of_who_may_not_come_in(ann, stranger):
    app = app_of_mode("private")
    assert status(ann.log_in(), app, ann.passport(app)) == {"logged_in": True, "app_logged_in": False}
    stranger.token = "rubbish"
    assert status(stranger, app) == {"logged_in": False, "app_logged_in": False}


@pytest.mark.parametrize("mode", ["public", "sso_verified"])
def test_the_status_where_no_account_is_asked_for(stranger, mode):
    assert status(stranger, app_of_mode(mode)) == {"logged_in": True, "app_logged_in": False}


@pytest.mark.parametrize("mode", ["public", "private", "private_all", "sso_verified"])
def test_the_mode_is_told_by_code_and_id(stranger, mode):
    app = app_of_mode(mode)
    for query in ({"appCode": app.code}, {"appId": str(app.id)}):
        assert stranger.client.get("/api/webapp/access-mode", query_string=query).get_json() == {"accessMode": mode}


@pytest.mark.parametrize(
    "query",
    [{}, {"appCode": ""}, {"appCode": "nowhere"}, {"appId": "x"}, {"appId": "00000000-0000-4000-8000-000000000000"}],
)
def test_the_mode_of_no_app(stranger, query):
    assert outcome(stranger.client.get("/api/webapp/access-mode", query_string=query)) == (400, "invalid_param")


def permission(person, app, passport=""):
    return person.get("/webapp/permission", app, passport, appId=str(app.id))


def test_permission_is_the_outcome_of_the_check(ann, ben):
    app = app_of_mode("private", ann.email)
    assert permission(ann, app, ann.log_in().passport(app)).get_json() == {"result": True}
    assert permission(ben, app, ben.log_in().passport(app)).get_json() == {"result": False}


def test_an_anonymous_passport_has_no_permission(ann):
    app = app_of_mode("public")
    passport = ann.passport(app)
    members.set_mode(app.code, AccessMode.PRIVATE)
    assert permission(ann, app, passport).get_json() == {"result": False}


def test_permission_of_a_banned_account(ann):
    app = app_of_mode("private_all")
    passport = ann.log_in().passport(app)
    accounts.set_banned(ann.email, True)
    assert permission(ann, app, passport).get_json() == {"result": False}


@pytest.mark.parametrize("mode", ["public", "sso_verified"])
def test_without_a_check_everybody_has_permission(stranger, mode):
    assert permission(stranger, app_of_mode(mode)).get_json() == {"result": True}


def test_permission_needs_a_good_passport_of_the_app(ann):
    app, other = app_of_mode("private_all"), app_of_mode("private_all")
    for passport in ("", "rubbish", ann.log_in().passport(other), ann.token, forged(ann.passport(app), exp=1)):
        assert outcome(permission(ann, app, passport)) == (401, "unauthorized")


def test_permission_for_no_app_is_refused(ann):
    for app_id in ("x", "00000000-0000-4000-8000-000000000000"):
        answer = ann.client.get("/api/webapp/permission", query_string={"appId": app_id}, headers={"X-App-Code": "any"})
        assert outcome(answer) == (400, "invalid_param")


def test_the_features_say_how_to_log_in(stranger, mailbox):
    features = stranger.client.get("/api/system-features").get_json()
    assert features["is_email_setup"] is True
    assert features["webapp_auth"] == {
        "enabled": True,
        "allow_sso": False,
        "sso_config": {"protocol": ""},
        "allow_email_code_login": True,
        "allow_email_password_login": True,
    }
    assert (features["enable_email_code_login"], features["enable_email_password_login"]) == (True, True)


@pytest.mark.parametrize(("environment", "offered"), [("PRODUCTION", False), ("DEVELOPMENT", True)])
def test_without_mail_codes_are_offered_in_a_development_run_alone(stranger, app, monkeypatch, environment, offered):
    monkeypatch.setitem(app.config, "DEPLOY_ENV", environment)
    features = stranger.client.get("/api/system-features").get_json()
    assert features["is_email_setup"] is False and features["webapp_auth"]["allow_email_code_login"] is offered
    assert features["enable_email_code_login"] is offered


def test_the_whole_way_of_a_stock_page(ann):
    """client.md §4: features, mode, status, sign-in, passport, status, page."""
    app = app_of_mode("private", ann.email)
    assert ann.client.get("/api/system-features").get_json()["webapp_auth"]["enabled"] is True
    assert ann.client.get("/api/webapp/access-mode", query_string={"appCode": app.code}).get_json() == {
        "accessMode": "private"
    }
    assert status(ann, app)["logged_in"] is False
    ann.token = ann.post("/login", email=ann.email, password=encoded("correct horse 1")).get_json()["data"][
        "access_token"
    ]
    passport = ann.passport(app)
    assert status(ann, app, passport) == {"logged_in": True, "app_logged_in": True}
    assert [ann.get(path, app, passport).status_code for path in ("/site", "/parameters", "/meta")] == [200] * 3
    assert permission(ann, app, passport).get_json() == {"result": True}
    assert ann.post("/logout").get_json() == {"result": "success"}
