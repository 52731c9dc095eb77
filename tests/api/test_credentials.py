"""Every operation that needs a passport, with every kind of credential (contract README §4.3, §5.3)."""

import base64
import hmac
import json
import re
import time
import uuid

import jwt
import pytest
from sqlalchemy import text

from app.api import swagger_document
from app.extensions import autocommit_engine
from app.services.auth import accounts, end_users
from app.services.auth.access import AccessMode
from app.services.definitions import published_apps
from app.services.operator import apps, members
from tests.support.logins import KEY, app_of_mode, claims, forged, outcome

NOTHING = "00000000-0000-4000-8000-000000000000"
# It takes a passport, but does not require one.
OPTIONAL_PASSPORT = "/login/status"


def guarded_operations(app):
    """Yield method and path of every operation that needs a passport."""
    for path, operations in swagger_document(app)["paths"].items():
        for method, operation in operations.items():
            if (
                method != "parameters"
                and {"Passport": []} in operation.get("security", [])
                and path != OPTIONAL_PASSPORT
            ):
                yield method, "/api" + re.sub(r"{.*?}", NOTHING, path)


def assert_all_answer(app, client, code, passport, expected):
    """Call every operation that needs a passport with this one, and compare status and code."""
    tried = list(guarded_operations(app))
    assert len(tried) > 15
    for method, path in tried:
        answer = client.open(path, method=method, headers={"X-App-Code": code, "X-App-Passport": passport})
        assert outcome(answer) == expected, f"{method} {path}"


def asymmetric(token):
    """A token that names an algorithm of key pairs and is signed with our key as if it were the public one."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "RS256", "typ": "JWT"}, claims(token))
    ]
    signature = hmac.digest(KEY.encode(), b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


# What makes a passport bad, whatever the app.
FORGERIES = {
    "none": lambda token: "",
    "malformed": lambda token: "rubbish",
    "three parts of rubbish": lambda token: "a.b.c",
    "cut": lambda token: token[:-1],
    "expired": lambda token: forged(token, exp=int(time.time()) - 1),
    "wrong signature": lambda token: jwt.encode(claims(token), "another key that is long enough too", "HS256"),
    "alg none": lambda token: jwt.encode(claims(token), None, "none"),
    "another algorithm of the same key": lambda token: jwt.encode(claims(token), KEY * 2, "HS512"),
    "a confused key": asymmetric,
    "a key of its own": lambda token: jwt.encode(
        claims(token), "k" * 32, "HS256", headers={"jwk": {"kty": "oct", "k": "a2tr"}, "kid": "/dev/null"}
    ),
    "no claims": lambda token: jwt.encode({"sub": "Web API Passport"}, KEY, "HS256"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_public_app_refuses_a_passport_that_is(alice, app, forgery):
    assert_all_answer(
        app, alice.client, alice.app.code, FORGERIES[forgery](alice.headers["X-App-Passport"]), (401, "unauthorized")
    )


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_private_app_refuses_a_passport_that_is(ann, app, forgery):
    private = app_of_mode("private", ann.email)
    passport = ann.log_in().passport(private)
    assert_all_answer(app, ann.client, private.code, FORGERIES[forgery](passport), (401, "web_sso_auth_required"))


def change_code(app):
    with autocommit_engine().connect() as connection:
        connection.execute(
            text("UPDATE apps SET code = :code WHERE id = :id"), {"code": uuid.uuid4().hex, "id": app.id}
        )
    published_apps.forget(app.id)


def remove_end_users(app):
    with autocommit_engine().connect() as connection:
        connection.execute(text("DELETE FROM end_users WHERE app_id = :id"), {"id": app.id})
    end_users.forget_all()


CHANGES = {
    "a disabled site": (lambda app: apps.set_enabled(app.code, False), (400, "bad_request")),
    "a changed code": (change_code, (400, "bad_request")),
    "an app that is gone": (lambda app: apps.remove(app.code), (404, "not_found")),
    "an end user that is gone": (remove_end_users, (404, "not_found")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_public_app_refuses_a_passport_after(alice, app, change):
    happen, expected = CHANGES[change]
    happen(alice.app)
    assert_all_answer(app, alice.client, alice.app.code, alice.headers["X-App-Passport"], expected)


@pytest.mark.parametrize("change", CHANGES)
def test_a_private_app_refuses_a_passport_after(ann, app, change):
    private = app_of_mode("private", ann.email)
    passport = ann.log_in().passport(private)
    happen, expected = CHANGES[change]
    happen(private)
    assert_all_answer(app, ann.client, private.code, passport, expected)


def test_a_passport_of_another_apps_end_user_is_refused(alice, charlie, app):
    stolen = claims(charlie.headers["X-App-Passport"])["end_user_id"]
    assert_all_answer(
        app,
        alice.client,
        alice.app.code,
        forged(alice.headers["X-App-Passport"], end_user_id=stolen),
        (404, "not_found"),
    )


def test_a_banned_account_is_refused(ann, app):
    private = app_of_mode("private_all")
    passport = ann.log_in().passport(private)
    accounts.set_banned(ann.email, True)
    assert_all_answer(app, ann.client, private.code, passport, (401, "web_app_access_denied"))


def test_an_account_that_is_no_member_is_refused(ann, ben, app):
    private = app_of_mode("private", ben.email)
    assert_all_answer(app, ann.client, private.code, ann.log_in().passport(private), (401, "web_app_access_denied"))


def test_a_passport_of_a_public_app_is_refused_once_it_is_private(alice, login_on, app):
    members.set_mode(alice.app.code, AccessMode.PRIVATE_ALL)
    assert_all_answer(
        app, alice.client, alice.app.code, alice.headers["X-App-Passport"], (401, "web_sso_auth_required")
    )


def test_a_passport_of_a_private_app_is_refused_once_it_is_public(ann, app):
    private = app_of_mode("private_all")
    passport = ann.log_in().passport(private)
    members.set_mode(private.code, AccessMode.PUBLIC)
    assert_all_answer(app, ann.client, private.code, passport, (401, "unauthorized"))


def test_a_cookie_from_a_page_of_another_origin_is_no_passport(alice, app):
    alice.client.set_cookie(f"passport-{alice.app.code}", alice.headers["X-App-Passport"])
    for method, path in guarded_operations(app):
        headers = {"X-App-Code": alice.app.code, "Origin": "https://elsewhere.example"}
        assert outcome(alice.client.open(path, method=method, headers=headers)) == (401, "unauthorized"), (
            f"{method} {path}"
        )
