"""POST /login and /logout (contract endpoints.md; README §3.5, §3.6, §4.2)."""

import concurrent.futures
import secrets

import jwt
import pytest
import time_machine
from sqlalchemy import text

from app.extensions import autocommit_engine
from app.services.auth import accounts, passwords
from tests.support.logins import PASSWORD, Person, encoded, make_account, outcome

KEY = "a key for tests that is long enough"
DAY = 86_400


def test_the_right_password_gives_an_access_token_and_no_cookie(ann):
    answer = ann.try_password(PASSWORD)
    assert answer.status_code == 200 and answer.get_json()["result"] == "success" and "Set-Cookie" not in answer.headers
    token = answer.get_json()["data"]["access_token"]
    claims = jwt.decode(token, KEY, ["HS256"])
    with autocommit_engine().connect() as connection:
        account_id = connection.execute(
            text("SELECT id FROM accounts WHERE email = :email"), {"email": ann.email}
        ).scalar_one()
    assert claims.pop("exp") > 0
    assert claims == {
        "sub": "Web API Passport",
        "user_id": str(account_id),
        "session_id": ann.email,
        "token_source": "webapp_login_token",
        "auth_type": "internal",
    }


def test_a_login_lasts_as_long_as_the_setting_says(ann, app, monkeypatch):
    monkeypatch.setitem(app.config, "ACCESS_TOKEN_MINUTES", 10)
    with time_machine.travel(1_000_000, tick=False):
        token = ann.log_in().token
    claims = jwt.decode(token, KEY, ["HS256"], options={"verify_exp": False})
    assert claims["exp"] == 1_000_000 + 10 * 24 * 60


def test_the_address_may_be_written_in_capitals(ann):
    assert ann.post("/login", email=f" {ann.email.upper()}", password=encoded(PASSWORD)).status_code == 200


def test_a_password_of_any_script_works(bound_app, login_on):
    person = Person(bound_app.test_client(), make_account(password="пароль 密码 é1 a"))
    assert person.try_password("пароль 密码 é1 a").status_code == 200


@pytest.mark.parametrize(
    "password",
    [
        "x",
        "%%%",
        encoded(PASSWORD)[:-2] + "é",
        "/w==",
        "Y29ycmVjdA",
        encoded("wrong horse 2"),
        encoded(PASSWORD.upper()),
    ],
)
def test_a_wrong_password_and_one_that_cannot_be_read_are_alike(ann, password):
    answer = ann.post("/login", email=ann.email, password=password)
    assert (outcome(answer), answer.get_json()["message"]) == (
        (401, "authentication_failed"),
        "Invalid email or password.",
    )
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_an_unknown_address_is_answered_like_a_wrong_password(ann, stranger):
    wrong, unknown = ann.try_password("wrong horse 2"), stranger.try_password("wrong horse 2")
    assert (wrong.status_code, wrong.data) == (unknown.status_code, unknown.data)


def test_an_unknown_address_costs_the_same_work(ann, stranger, bound_app, monkeypatch):
    without = Person(bound_app.test_client(), make_account(password=None))
    hashed, check = [], passwords._matches
    monkeypatch.setattr(passwords, "_matches", lambda given, known: hashed.append(known[:30]) or check(given, known))
    for person in (ann, stranger, without):
        assert outcome(person.try_password("wrong horse 2")) == (401, "authentication_failed")
    ann.post("/login", email=ann.email, password="%")
    assert len(hashed) == 4 and len(set(hashed)) == 1


def test_the_password_of_an_unknown_account_is_refused(bound_app, login_on):
    person = Person(bound_app.test_client(), make_account(password=None))
    assert outcome(person.try_password(PASSWORD)) == (401, "authentication_failed")


@pytest.mark.parametrize("password", ["short1", "only letters", "12345678", "", "1234567a"[:7]])
def test_what_cannot_be_a_password_is_refused(ann, password):
    assert outcome(ann.try_password(password)) == (400, "invalid_param")


@pytest.mark.parametrize(
    "body",
    [
        {"email": "x"},
        {"email": "a@b"},
        {"email": "a b@example.com"},
        {"email": "a@example.com\nx"},
        {"email": 1},
        {"email": None},
        {},
    ],
)
def test_what_is_no_address_is_refused(stranger, body):
    answer = stranger.post("/login", **body | {"password": encoded(PASSWORD)})
    assert outcome(answer) == (400, "invalid_param")
    assert PASSWORD not in answer.get_data(as_text=True) and encoded(PASSWORD) not in answer.get_data(as_text=True)


def test_a_password_is_needed(ann):
    assert outcome(ann.post("/login", email=ann.email)) == (400, "invalid_param")


def test_a_ban_is_told_only_to_who_knows_the_password(ann):
    accounts.set_banned(ann.email, True)
    assert outcome(ann.try_password("wrong horse 2")) == (401, "authentication_failed")
    assert outcome(ann.try_password(PASSWORD)) == (403, "account_banned")


def test_after_ten_wrong_passwords_even_the_right_one_waits(ann):
    answers = [outcome(ann.try_password(f"wrong horse {number}")) for number in range(100)]
    assert answers[:10] == [(401, "authentication_failed")] * 10
    assert set(answers[10:]) == {(429, "email_password_login_limit")}
    assert outcome(ann.try_password(PASSWORD)) == (429, "email_password_login_limit")


def test_an_unknown_address_is_locked_alike(stranger):
    answers = [stranger.try_password(f"wrong horse {number}").status_code for number in range(12)]
    assert answers == [401] * 10 + [429] * 2


def test_a_lock_is_for_one_address_from_one_client(ann, ben, bound_app):
    for number in range(11):
        ann.try_password(f"wrong horse {number}")
    elsewhere = Person(bound_app.test_client(), ann.email)
    assert elsewhere.try_password(PASSWORD).status_code == 200
    ann.email = ben.email
    assert ann.try_password(PASSWORD).status_code == 200


def test_the_right_password_clears_the_count(ann):
    for _ in range(3):
        for number in range(9):
            ann.try_password(f"wrong horse {number}")
        assert ann.try_password(PASSWORD).status_code == 200


def test_a_lock_ends(ann, redis_db):
    for number in range(11):
        ann.try_password(f"wrong horse {number}")
    keys = [key for key in redis_db.scan_iter("frontdesk:attempts:*") if int(redis_db.get(key)) == 11]
    assert keys and all(0 < redis_db.ttl(key) <= 900 for key in keys)


def test_guesses_at_the_same_time_do_not_slip_through(ann, bound_app):
    octets = f"10.9.{secrets.randbelow(256)}.{secrets.randbelow(256)}"

    def guess(number):
        client = bound_app.test_client()
        body = {"email": ann.email, "password": encoded(f"wrong horse {number}")}
        return client.post("/api/login", json=body, environ_base={"REMOTE_ADDR": octets}).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(40)))
    assert sorted(answers) == [401] * 10 + [429] * 30


@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/email-code-login",
        "/email-code-login/validity",
        "/forgot-password",
        "/forgot-password/validity",
        "/forgot-password/resets",
    ],
)
def test_there_is_no_login_while_it_is_switched_off(client, app, path):
    for body in ({}, {"email": "a@example.com", "password": encoded(PASSWORD)}):
        assert outcome(client.post(f"/api{path}", json=body)) == (404, "not_found")
    assert outcome(client.post(f"/api{path}", data="x")) == (404, "not_found")


def test_logout_clears_the_cookie_and_needs_nothing(client, app):
    client.set_cookie("webapp_access_token", "any")
    answer = client.post("/api/logout")
    assert (answer.status_code, answer.get_json()) == (200, {"result": "success"})
    assert client.get_cookie("webapp_access_token") is None
    assert "HttpOnly" in answer.headers["Set-Cookie"]


def test_a_page_of_another_origin_cannot_log_out(client, app):
    answer = client.post("/api/logout", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers


def test_behind_https_the_cookie_of_one_host_is_cleared_too(client, app, monkeypatch):
    monkeypatch.setitem(app.config, "PUBLIC_URL", "https://desk.example")
    cookies = client.post("/api/logout").headers.getlist("Set-Cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == ["webapp_access_token", "__Host-webapp_access_token"]
    assert all("Secure" in cookie and "SameSite=None" in cookie for cookie in cookies)
