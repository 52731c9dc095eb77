"""Apps that are not public (contract README §4.2, §5; endpoints.md /passport)."""

import time

import jwt
import pytest

from app.services.auth import accounts
from app.services.auth.access import AccessMode
from app.services.operator import members
from tests.support.logins import KEY, Person, app_of_mode, claims, forged, outcome

SSO = (401, "web_sso_auth_required")
DENIED = (401, "web_app_access_denied")


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
        "iss": str(app.id),
        "sub": "Web API Passport",
        "app_id": str(app.id),
        "app_code": app.code,
        "user_id": login["user_id"],
        "auth_type": "internal",
        "token_source": "webapp",
        "exp": login["exp"],
    }


def test_a_member_comes_in_and_is_the_same_person_each_time(ann):
    app = app_of_mode("private", ann.email)
    ann.log_in()
    first, second = ann.passport(app), ann.passport(app)
    assert ann.use_passport(app, first).status_code == 200
    assert claims(first)["end_user_id"] == claims(second)["end_user_id"]


def test_an_account_that_is_no_member_gets_a_passport_and_no_further(ann, ben):
    app = app_of_mode("private", ann.email)
    passport = ben.log_in().passport(app)
    assert outcome(ben.use_passport(app, passport)) == DENIED
    assert ben.use_passport(app, passport).get_json()["message"] == "You do not have permission to access this web app."


def test_a_membership_counts_from_the_next_request_on(ann):
    app = app_of_mode("private")
    passport = ann.log_in().passport(app)
    members.add(app.code, [ann.email])
    assert ann.use_passport(app, passport).status_code == 200
    members.remove(app.code, [ann.email])
    assert outcome(ann.use_passport(app, passport)) == DENIED


def test_every_account_may_use_an_app_of_all(ann):
    app = app_of_mode("private_all")
    assert ann.use_passport(app, ann.log_in().passport(app)).status_code == 200


@pytest.mark.parametrize("change", [accounts.remove, lambda email: accounts.set_banned(email, True)])
@pytest.mark.parametrize("mode", ["private", "private_all"])
def test_a_banned_or_removed_account_is_out_at_once(ann, mode, change):
    app = app_of_mode(mode, ann.email)
    passport = ann.log_in().passport(app)
    change(ann.email)
    assert outcome(ann.use_passport(app, passport)) == DENIED
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
    assert person.use_passport(private, person.passport(private)).status_code == 200


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
def test_an_invalid_login_gets_no_passport(ann, change, expected):
    app = app_of_mode("private_all")
    ann.token = change(ann.log_in().token)
    assert outcome(ann.ask_passport(app)) == expected


def test_a_passport_is_no_access_token(ann):
    app = app_of_mode("private_all")
    ann.token = ann.log_in().passport(app)
    assert outcome(ann.ask_passport(app)) == (401, "unauthorized")


def test_an_access_token_is_no_passport(ann):
    app = app_of_mode("private_all")
    assert outcome(ann.use_passport(app, ann.log_in().token)) == SSO


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
    assert outcome(ann.use_passport(app, forged(ann.log_in().passport(app), **change))) == expected


@pytest.mark.parametrize("passport", ["", "rubbish", "a.b.c"])
def test_a_missing_or_bad_passport_asks_for_a_login(stranger, passport):
    assert outcome(stranger.use_passport(app_of_mode("private"), passport)) == SSO
    assert outcome(stranger.use_passport(app_of_mode("public"), passport)) == (401, "unauthorized")


def test_without_the_apps_code_a_bad_passport_is_just_bad(stranger):
    assert outcome(stranger.client.get("/api/site", headers={"X-App-Passport": "rubbish"})) == (401, "unauthorized")


def test_an_app_that_becomes_private_wants_logins_from_then_on(stranger):
    app = app_of_mode("public")
    passport = stranger.passport(app)
    members.set_mode(app.code, AccessMode.PRIVATE_ALL)
    assert outcome(stranger.use_passport(app, passport)) == SSO


def test_an_app_that_becomes_public_ends_the_passports_of_logins(ann):
    app = app_of_mode("private_all")
    passport = ann.log_in().passport(app)
    members.set_mode(app.code, AccessMode.PUBLIC)
    answer = ann.use_passport(app, passport)
    assert (outcome(answer), answer.get_json()["message"]) == ((401, "unauthorized"), "webapp token expired.")
    again = ann.passport(app)
    assert ann.use_passport(app, again).status_code == 200
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
        "/api/chat-messages",
        json={"inputs": {}, "query": "Hi"},
        headers={"X-App-Code": app.code, "X-App-Passport": anns},
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
    assert ann.use_passport(app, passport).status_code == 200
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
    assert outcome(ann.use_passport(app, passport)) == SSO


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
    answer = ann.client.get(
        "/api/passport", headers={"X-App-Code": app_of_mode("private_all").code}, base_url="https://localhost"
    )
    assert answer.status_code == 200


def test_the_cookie_wins_over_the_header(ann):
    ann.client.set_cookie("webapp_access_token", "rubbish")
    assert outcome(ann.log_in().ask_passport(app_of_mode("private_all"))) == SSO


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost", 200),
        ("https://listed.example", 200),
        ("https://desk.example", 200),
        ("https://elsewhere.example", 401),
        ("null", 401),
        ("http://desk.example", 401),
        ("http://localhost:81", 401),
        ("http://localhost.elsewhere.example", 401),
    ],
)
def test_a_token_cookie_counts_for_known_pages_alone(ann, app, monkeypatch, origin, status):
    monkeypatch.setitem(app.config, "CORS_ALLOW_ORIGINS", ["*", "https://listed.example"])
    monkeypatch.setitem(app.config, "PUBLIC_URL", "https://desk.example")
    assert cookie(ann, origin).status_code == status


def test_bearer_is_the_only_scheme(ann):
    token = ann.log_in().token
    ann.token = ""
    headers = [f"{scheme}{token}" for scheme in ("Bearer ", "bearer ", "", "Basic ")]
    answers = [ann.ask_passport(app_of_mode("private_all"), Authorization=header).status_code for header in headers]
    assert answers == [200, 200, 401, 401]
