"""The caller is identified by passport, from header or cookie (contract README §4.3, §6)."""

import base64
import json
import time
import uuid

import jwt
import pytest
import time_machine
from sqlalchemy import event, text

from app.extensions import autocommit_engine
from app.services.auth import end_users
from app.services.definitions import published_apps
from app.services.operator import apps
from tests.support.web_client import WebVisitor

KEY = "a key for tests that is long enough"


def claims_of(visitor):
    return jwt.decode(visitor.headers["X-App-Passport"], KEY, ["HS256"])


def use_passport(visitor, passport, **headers):
    return visitor.client.get(
        "/api/site", headers={"X-App-Code": visitor.app.code, "X-App-Passport": passport, **headers}
    )


def signed(claims, key=KEY):
    return jwt.encode(claims, key, "HS256")


def unsigned(claims):
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none", "typ": "JWT"}, claims)
    ]
    return ".".join([*parts, ""])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda claims: "", "App token is missing."),
        (lambda claims: "rubbish", "Invalid token."),
        (lambda claims: "a.b.c", "Invalid token."),
        (unsigned, "Invalid token."),
        (lambda claims: jwt.encode(claims, KEY * 2, "HS512"), "Invalid token."),
        (lambda claims: signed(claims, "another key that is long enough too"), "Invalid token signature."),
        (lambda claims: signed(claims | {"exp": int(time.time()) - 10}), "Token has expired."),
        (lambda claims: signed({"sub": "x"}), "Invalid token."),
        (lambda claims: signed(claims | {"app_id": "x"}), "Invalid token."),
        (lambda claims: signed(claims | {"token_source": "webapp"}), "webapp token expired."),
    ],
)
def test_a_bad_passport_is_refused(alice, make, message):
    answer = use_passport(alice, make(claims_of(alice)))
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["message"]) == (
        401,
        "unauthorized",
        message,
    )
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_passport_of_no_app_is_not_found(alice):
    assert use_passport(alice, signed(claims_of(alice) | {"app_id": str(uuid.uuid4())})).status_code == 404


def test_a_changed_code_ends_old_passports(alice):
    with autocommit_engine().connect() as connection:
        connection.execute(
            text("UPDATE apps SET code = :code WHERE id = :id"), {"code": uuid.uuid4().hex, "id": alice.app.id}
        )
    published_apps.forget(alice.app.id)
    answer = use_passport(alice, alice.headers["X-App-Passport"])
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Site URL is no longer valid.")


def test_a_passport_without_a_code_names_no_site(alice):
    claims = claims_of(alice)
    del claims["app_code"]
    answer = use_passport(alice, signed(claims))
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Site URL is no longer valid.")


def test_a_passport_that_was_good_expires(alice):
    expires = int(time.time()) + 60
    passport = signed(claims_of(alice) | {"exp": expires})
    assert use_passport(alice, passport).status_code == 200
    with time_machine.travel(expires, tick=False):
        answer = use_passport(alice, passport)
    assert (answer.status_code, answer.get_json()["message"]) == (401, "Token has expired.")


def test_a_passport_that_was_good_is_worth_nothing_under_another_key(alice, app, monkeypatch):
    assert use_passport(alice, alice.headers["X-App-Passport"]).status_code == 200
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key that is long enough too")
    assert use_passport(alice, alice.headers["X-App-Passport"]).get_json()["message"] == "Invalid token signature."


def test_a_disabled_site_turns_old_passports_away(alice):
    apps.set_enabled(alice.app.code, False)
    answer = use_passport(alice, alice.headers["X-App-Passport"])
    assert (answer.status_code, answer.get_json()["message"]) == (400, "Site is disabled.")


def test_an_end_user_that_is_gone_is_not_found(alice):
    with autocommit_engine().connect() as connection:
        connection.execute(text("DELETE FROM end_users WHERE id = :id"), {"id": claims_of(alice)["end_user_id"]})
    end_users.forget_all()
    assert use_passport(alice, alice.headers["X-App-Passport"]).status_code == 404


def test_an_end_user_of_another_app_is_not_found(alice, charlie):
    claims = claims_of(alice) | {"end_user_id": claims_of(charlie)["end_user_id"]}
    assert use_passport(alice, signed(claims)).status_code == 404


def test_the_passport_counts_not_the_code_of_the_request(alice, charlie):
    answer = alice.client.get(
        "/api/site", headers={"X-App-Code": charlie.app.code, "X-App-Passport": alice.headers["X-App-Passport"]}
    )
    assert answer.get_json()["app_id"] == str(alice.app.id)


def with_cookie(visitor, passport, **headers):
    visitor.client.set_cookie(f"passport-{visitor.app.code}", passport)
    return use_passport(visitor, "rubbish", **headers)


def test_a_cookie_wins_over_the_header(alice):
    assert with_cookie(alice, alice.headers["X-App-Passport"]).status_code == 200


def test_a_bad_cookie_wins_too(alice):
    alice.client.set_cookie(f"passport-{alice.app.code}", "rubbish")
    answer = use_passport(alice, alice.headers["X-App-Passport"])
    assert (answer.status_code, answer.get_json()["message"]) == (401, "Invalid token.")


def test_without_a_code_no_cookie_is_looked_at(alice):
    alice.client.set_cookie(f"passport-{alice.app.code}", alice.headers["X-App-Passport"])
    assert alice.client.get("/api/site").get_json()["message"] == "App token is missing."


@pytest.mark.parametrize(
    ("origin", "status"), [("http://localhost", 200), ("http://elsewhere.example", 401), ("null", 401)]
)
def test_a_cookie_counts_for_pages_of_this_origin_alone(alice, origin, status):
    assert with_cookie(alice, alice.headers["X-App-Passport"], Origin=origin).status_code == status


def test_a_cookie_counts_for_pages_of_listed_origins(alice, app, monkeypatch):
    monkeypatch.setitem(app.config, "CORS_ALLOW_ORIGINS", ["http://listed.example"])
    assert with_cookie(alice, alice.headers["X-App-Passport"], Origin="http://listed.example").status_code == 200


def test_a_remembered_end_user_costs_no_query(alice):
    use_passport(alice, alice.headers["X-App-Passport"])
    statements = []
    watch = autocommit_engine(), "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
    event.listen(*watch)
    answer = use_passport(alice, alice.headers["X-App-Passport"])
    event.remove(*watch)
    assert (answer.status_code, statements) == (200, [])


def test_a_new_key_signs_and_the_old_one_is_still_accepted(alice, app, monkeypatch):
    new = "another key that is long enough too"
    monkeypatch.setitem(app.config, "SECRET_KEY", new)
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [KEY])
    assert use_passport(alice, alice.headers["X-App-Passport"]).status_code == 200
    later = WebVisitor(alice.client, alice.app)
    assert jwt.decode(later.headers["X-App-Passport"], new, ["HS256"])["app_code"] == alice.app.code
    assert use_passport(later, later.headers["X-App-Passport"]).status_code == 200
    third = signed(claims_of(alice), "a third key that is long enough too")
    assert use_passport(alice, third).get_json()["message"] == "Invalid token signature."
