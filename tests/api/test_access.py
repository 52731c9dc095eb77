"""Apps that are not public (contract README §4.2, §5; endpoints.md /passport, /login/status, /webapp/…)."""

import time

import jwt
import pytest

from app.services import accounts, members
from app.services.access import AccessMode
from tests.doors import Person, app_of_mode, encoded, outcome

KEY = "a key for tests that is long enough"
SSO = (401, "web_sso_auth_required")
DENIED = (401, "web_app_access_denied")


def claims(token):
    return jwt.decode(token, KEY, ["HS256"])


def forged(token, **changes):
    """A token of the server's own key with other claims; None leaves one out."""
    merged = claims(token) | changes
    return jwt.encode({name: value for name, value in merged.items() if value is not None}, KEY, "HS256")


def external(person, **changes):
    """The person's access token as an identity provider would sign it."""
    return forged(person.log_in().token, **{"auth_type": "external", "user_id": "idp|7"} | changes)


def test_a_members_passport_claims_what_the_contract_says(ann):
    app = app_of_mode("private", ann.email)
    ann.log_in()
    before, answer = int(time.time()), ann.ask_passport(app)
    passport, login = claims(answer.get_json()["access_token"]), claims(ann.token)
    assert "Set-Cookie" not in answer.headers
    assert before <= passport.pop("granted_at") <= time.time() and passport.pop("end_user_id")
    assert passport == {
        "iss": str(app.id), "sub": "Web API Passport", "app_id": str(app.id), "app_code": app.code, "user_id": login["user_id"],
        "auth_type": "internal", "token_source": "webapp", "exp": login["exp"],
    }  # fmt: skip


def test_a_member_comes_in_and_is_the_same_person_each_time(ann):
    app = app_of_mode("private", ann.email)
    ann.log_in()
    first, second = ann.passport(app), ann.passport(app)
    assert ann.knock(app, first).status_code == 200
    assert claims(first)["end_user_id"] == claims(second)["end_user_id"]


def test_an_account_that_is_no_member_gets_a_passport_and_no_further(ann, ben):
    app = app_of_mode("private", ann.email)
    passport = ben.log_in().passport(app)
    assert outcome(ben.knock(app, passport)) == DENIED
    assert ben.knock(app, passport).get_json()["message"] == "You do not have permission to access this web app."


def test_a_membership_counts_from_the_next_request_on(ann):
    app = app_of_mode("private")
    passport = ann.log_in().passport(app)
    members.add(app.code, [ann.email])
    assert ann.knock(app, passport).status_code == 200
    members.remove(app.code, [ann.email])
    assert outcome(ann.knock(app, passport)) == DENIED


def test_every_account_may_use_an_app_of_all(ann):
    app = app_of_mode("private_all")
    assert ann.knock(app, ann.log_in().passport(app)).status_code == 200


@pytest.mark.parametrize("change", [accounts.remove, lambda email: accounts.set_banned(email, True)])
@pytest.mark.parametrize("mode", ["private", "private_all"])
def test_a_banned_or_removed_account_is_out_at_once(ann, mode, change):
    app = app_of_mode(mode, ann.email)
    passport = ann.log_in().passport(app)
    change(ann.email)
    assert outcome(ann.knock(app, passport)) == DENIED
    assert outcome(ann.ask_passport(app)) == SSO


@pytest.mark.parametrize("mode", ["private", "private_all", "sso_verified"])
def test_without_a_login_there_is_no_passport(stranger, mode):
    assert outcome(stranger.ask_passport(app_of_mode(mode))) == SSO


def test_a_public_apps_passport_needs_no_login_and_looks_at_none(stranger):
    stranger.token = "rubbish"
    passport = stranger.passport(app_of_mode("public"))
    assert "exp" not in claims(passport) and "token_source" not in claims(passport)


def test_while_logins_are_off_every_app_is_public(client, app):
    private = app_of_mode("private")
    person = Person(client)
    assert person.knock(private, person.passport(private)).status_code == 200


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda token: "rubbish", SSO),
        (lambda token: forged(token, exp=int(time.time()) - 10), SSO),
        (lambda token: jwt.encode(claims(token), "another key that is long enough too", "HS256"), SSO),
        (lambda token: jwt.encode(claims(token), KEY * 2, "HS512"), SSO),
        (lambda token: jwt.encode(claims(token), None, "none"), SSO),
        (lambda token: forged(token, token_source=None), (401, "unauthorized")),
        (lambda token: forged(token, token_source="webapp"), (401, "unauthorized")),
        (lambda token: forged(token, auth_type="external"), SSO),
        (lambda token: forged(token, auth_type=None), SSO),
        (lambda token: forged(token, user_id="7"), SSO),
        (lambda token: forged(token, user_id=None), SSO),
        (lambda token: forged(token, session_id=None), SSO),
    ],
)
def test_a_login_that_is_none_gets_no_passport(ann, change, expected):
    app = app_of_mode("private_all")
    ann.token = change(ann.log_in().token)
    assert outcome(ann.ask_passport(app)) == expected


def test_a_passport_is_no_access_token(ann):
    app = app_of_mode("private_all")
    ann.token = ann.log_in().passport(app)
    assert outcome(ann.ask_passport(app)) == (401, "unauthorized")


def test_an_access_token_is_no_passport(ann):
    app = app_of_mode("private_all")
    assert outcome(ann.knock(app, ann.log_in().token)) == SSO


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"token_source": None}, SSO),
        ({"token_source": "other"}, SSO),
        ({"user_id": None}, SSO),
        ({"auth_type": None}, DENIED),
        ({"granted_at": None}, DENIED),
        ({"auth_type": "external"}, SSO),
        ({"user_id": "7"}, DENIED),
        ({"exp": 1}, SSO),
    ],
)
def test_a_passport_that_says_too_little_does_not_open_a_private_app(ann, change, expected):
    app = app_of_mode("private", ann.email)
    assert outcome(ann.knock(app, forged(ann.log_in().passport(app), **change))) == expected


@pytest.mark.parametrize("passport", ["", "rubbish", "a.b.c"])
def test_a_missing_or_bad_passport_asks_for_a_login(stranger, passport):
    assert outcome(stranger.knock(app_of_mode("private"), passport)) == SSO
    assert outcome(stranger.knock(app_of_mode("public"), passport)) == (401, "unauthorized")


def test_without_the_apps_code_a_bad_passport_is_just_bad(stranger):
    assert outcome(stranger.client.get("/api/site", headers={"X-App-Passport": "rubbish"})) == (401, "unauthorized")


def test_an_app_that_becomes_private_wants_logins_from_then_on(stranger):
    app = app_of_mode("public")
    passport = stranger.passport(app)
    members.set_mode(app.code, AccessMode.PRIVATE_ALL)
    assert outcome(stranger.knock(app, passport)) == SSO


def test_an_app_that_becomes_public_ends_the_passports_of_logins(ann):
    app = app_of_mode("private_all")
    passport = ann.log_in().passport(app)
    members.set_mode(app.code, AccessMode.PUBLIC)
    answer = ann.knock(app, passport)
    assert (outcome(answer), answer.get_json()["message"]) == ((401, "unauthorized"), "webapp token expired.")
    again = ann.passport(app)
    assert ann.knock(app, again).status_code == 200
    assert claims(again)["end_user_id"] != claims(passport)["end_user_id"]


def test_nobody_becomes_an_account_by_claiming_its_address(ann, stranger):
    app = app_of_mode("private_all")
    passport = ann.log_in().passport(app)
    members.set_mode(app.code, AccessMode.PUBLIC)
    answer = stranger.client.get("/api/passport", headers={"X-App-Code": app.code}, query_string={"user_id": ann.email})
    assert claims(answer.get_json()["access_token"])["end_user_id"] != claims(passport)["end_user_id"]


def test_what_a_user_of_a_private_app_asked_is_theirs_alone(ann, ben, model):
    app = app_of_mode("private", ann.email, ben.email)
    anns, bens = ann.log_in().passport(app), ben.log_in().passport(app)
    asked = ann.client.post(
        "/api/chat-messages", json={"inputs": {}, "query": "Hi"}, headers={"X-App-Code": app.code, "X-App-Passport": anns}
    ).get_json()
    query = {"conversation_id": asked["conversation_id"]}
    assert len(ann.get("/messages", app, anns, **query).get_json()["data"]) == 1
    assert ben.get("/messages", app, bens, **query).status_code == 404
    assert ben.get("/conversations", app, bens).get_json()["data"] == []


def test_the_users_of_an_identity_provider(ann):
    app = app_of_mode("sso_verified")
    ann.token = external(ann)
    passport = ann.passport(app)
    assert (claims(passport)["auth_type"], claims(passport)["user_id"]) == ("external", "idp|7")
    assert ann.knock(app, passport).status_code == 200
    assert outcome(ann.ask_passport(app_of_mode("private_all"))) == SSO


def test_a_provider_may_leave_the_end_of_a_login_to_us(ann):
    ann.token = external(ann, exp=None)
    passport = claims(ann.passport(app_of_mode("sso_verified")))
    assert passport["exp"] - passport["granted_at"] == 3600


def test_a_providers_user_does_not_pass_where_the_mode_changed(ann):
    app = app_of_mode("sso_verified")
    ann.token = external(ann)
    passport = ann.passport(app)
    members.set_mode(app.code, AccessMode.PRIVATE_ALL)
    assert outcome(ann.knock(app, passport)) == SSO


def cookie(person, origin=None):
    """The person's passport call with nothing but cookies."""
    app = app_of_mode("private", person.email)
    person.client.set_cookie("webapp_access_token", person.log_in().token)
    person.token = ""
    return person.ask_passport(app, **({"Origin": origin} if origin else {}))


def test_the_token_may_be_a_cookie(ann):
    assert cookie(ann).status_code == 200


def test_a_cookie_of_one_host_counts_too(ann):
    ann.client.set_cookie("__Host-webapp_access_token", ann.log_in().token, secure=True)
    ann.token = ""
    answer = ann.client.get("/api/passport", headers={"X-App-Code": app_of_mode("private_all").code}, base_url="https://localhost")
    assert answer.status_code == 200


def test_the_cookie_wins_over_the_header(ann):
    ann.client.set_cookie("webapp_access_token", "rubbish")
    assert outcome(ann.log_in().ask_passport(app_of_mode("private_all"))) == SSO


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost", 200), ("https://listed.example", 200), ("https://desk.example", 200), ("https://elsewhere.example", 401), ("null", 401),
     ("http://desk.example", 401), ("http://localhost:81", 401), ("http://localhost.elsewhere.example", 401)],
)  # fmt: skip
def test_a_token_cookie_counts_for_known_pages_alone(ann, app, monkeypatch, origin, status):
    monkeypatch.setitem(app.config, "CORS_ALLOW_ORIGINS", ["*", "https://listed.example"])
    monkeypatch.setitem(app.config, "PUBLIC_URL", "https://desk.example")
    assert cookie(ann, origin).status_code == status


def test_bearer_is_the_only_scheme(ann):
    token = ann.log_in().token
    ann.token = ""
    answers = [ann.ask_passport(app_of_mode("private_all"), Authorization=f"{scheme}{token}").status_code for scheme in ("Bearer ", "bearer ", "", "Basic ")]
    assert answers == [200, 200, 401, 401]


def status(person, app, passport="", **query):
    return person.get("/login/status", app, passport, app_code=app.code, **query).get_json()


def test_the_status_of_a_private_apps_visitor(ann):
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


@pytest.mark.parametrize("query", [{}, {"appCode": ""}, {"appCode": "nowhere"}, {"appId": "x"}, {"appId": "00000000-0000-4000-8000-000000000000"}])
def test_the_mode_of_no_app(stranger, query):
    assert outcome(stranger.client.get("/api/webapp/access-mode", query_string=query)) == (400, "invalid_param")


def permission(person, app, passport=""):
    return person.get("/webapp/permission", app, passport, appId=str(app.id))


def test_permission_is_the_outcome_of_the_check(ann, ben):
    app = app_of_mode("private", ann.email)
    assert permission(ann, app, ann.log_in().passport(app)).get_json() == {"result": True}
    assert permission(ben, app, ben.log_in().passport(app)).get_json() == {"result": False}


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
        "enabled": True, "allow_sso": False, "sso_config": {"protocol": ""}, "allow_email_code_login": True, "allow_email_password_login": True,
    }  # fmt: skip


@pytest.mark.parametrize(("environment", "offered"), [("PRODUCTION", False), ("DEVELOPMENT", True)])
def test_without_mail_codes_are_offered_in_a_development_run_alone(stranger, app, monkeypatch, environment, offered):
    monkeypatch.setitem(app.config, "DEPLOY_ENV", environment)
    features = stranger.client.get("/api/system-features").get_json()
    assert features["is_email_setup"] is False and features["webapp_auth"]["allow_email_code_login"] is offered


def test_the_whole_way_of_a_stock_page(ann):
    """client.md §4: features, mode, status, sign-in, passport, status, page."""
    app = app_of_mode("private", ann.email)
    assert ann.client.get("/api/system-features").get_json()["webapp_auth"]["enabled"] is True
    assert ann.client.get("/api/webapp/access-mode", query_string={"appCode": app.code}).get_json() == {"accessMode": "private"}
    assert status(ann, app)["logged_in"] is False
    ann.token = ann.post("/login", email=ann.email, password=encoded("correct horse 1")).get_json()["data"]["access_token"]
    passport = ann.passport(app)
    assert status(ann, app, passport) == {"logged_in": True, "app_logged_in": True}
    assert [ann.get(path, app, passport).status_code for path in ("/site", "/parameters", "/meta")] == [200] * 3
    assert permission(ann, app, passport).get_json() == {"result": True}
    assert ann.post("/logout").get_json() == {"result": "success"}
