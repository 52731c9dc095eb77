"""GET /passport (contract endpoints.md; README §4.2, §4.5)."""

import concurrent.futures
import hashlib
import hmac
import secrets

import jwt
import pytest
from flask import Flask

from app.api import client_address
from app.services.operator import apps
from tests.support.factories import make_app

KEY = "a key for tests that is long enough"


@pytest.fixture
def visited(app):
    return make_app()


def ask(client, app, user_id=None):
    return client.get(
        "/api/passport",
        headers={"X-App-Code": app.code},
        query_string={"user_id": user_id} if user_id is not None else None,
    )


def visitor_of(answer):
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return jwt.decode(answer.get_json()["access_token"], KEY, ["HS256"])["end_user_id"]


def test_a_passport_claims_what_the_contract_says(client, visited):
    answer = ask(client, visited)
    claims = jwt.decode(answer.get_json()["access_token"], KEY, ["HS256"])
    end_user_id = claims.pop("end_user_id")
    assert end_user_id
    assert claims == {
        "iss": str(visited.id),
        "sub": "Web API Passport",
        "app_id": str(visited.id),
        "app_code": visited.code,
    }
    assert "Set-Cookie" not in answer.headers


def test_every_passport_without_a_claim_is_a_new_end_user(client, visited):
    assert visitor_of(ask(client, visited)) != visitor_of(ask(client, visited))


def test_a_claimed_name_is_one_end_user_of_one_app(client, visited):
    assert visitor_of(ask(client, visited, "ann")) == visitor_of(ask(client, visited, "ann"))
    assert visitor_of(ask(client, visited, "ann")) != visitor_of(ask(client, make_app(), "ann"))


def test_an_empty_name_claims_nothing(client, visited):
    assert visitor_of(ask(client, visited, "")) != visitor_of(ask(client, visited, ""))


def test_calls_at_the_same_time_make_one_end_user(bound_app: Flask, visited):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(bound_app.test_client(), visited, "twice"), range(16)))
    assert len({visitor_of(answer) for answer in answers}) == 1


@pytest.mark.parametrize("name", ["u" * 256, "u" * 300, "uuu\0", "\0"])
def test_a_name_that_no_row_can_hold_is_refused(client, visited, name):
    answer = ask(client, visited, name)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_param")
    assert "uuu" not in answer.get_json()["message"]


def test_the_longest_name_is_one_end_user(client, visited):
    assert visitor_of(ask(client, visited, "ü" * 255)) == visitor_of(ask(client, visited, "ü" * 255))


def test_without_a_code_there_is_no_passport(client):
    answer = client.get("/api/passport")
    assert (answer.status_code, answer.get_json()["message"]) == (401, "X-App-Code header is missing.")


@pytest.mark.parametrize("code", ["", "nowhere", "../etc", "x" * 300])
def test_an_unknown_code_is_not_found(client, app, code):
    answer = client.get("/api/passport", headers={"X-App-Code": code})
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_a_disabled_site_is_not_found(client, visited):
    apps.set_enabled(visited.code, False)
    assert ask(client, visited).status_code == 404


def test_a_signed_name_is_believed_and_others_are_not(client, app, visited, monkeypatch):
    monkeypatch.setitem(app.config, "PASSPORT_USER_ID", "signed")
    signed = "ann." + hmac.new(KEY.encode(), b"ann", hashlib.sha256).hexdigest()
    assert visitor_of(ask(client, visited, signed)) == visitor_of(ask(client, visited, signed))
    for forged in ("ann", "ann.00", "." + signed[4:], "bob" + signed[3:], "ann.é"):
        assert ask(client, visited, forged).status_code == 401


def test_names_count_for_nothing_where_they_are_switched_off(client, app, visited, monkeypatch):
    monkeypatch.setitem(app.config, "PASSPORT_USER_ID", "off")
    assert visitor_of(ask(client, visited, "ann")) != visitor_of(ask(client, visited, "ann"))


@pytest.fixture
def limited(app, monkeypatch):
    """Three passports a minute for one address; asks as somebody behind a proxy of ours."""
    monkeypatch.setitem(app.config, "PASSPORT_IP_LIMIT", 3)

    def ask_from(visited, address):
        return app.test_client().get(
            "/api/passport", headers={"X-App-Code": visited.code}, environ_base={"REMOTE_ADDR": address}
        )

    return ask_from


def test_one_address_gets_so_many_passports_a_minute(limited, visited):
    own, other = (f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{last}" for last in (1, 2))
    answers = [limited(visited, own) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert answers[-1].get_json()["code"] == "rate_limit_error"
    assert limited(visited, other).status_code == 200


def test_a_network_of_ipv6_is_one_address(limited, visited):
    network = f"2001:db8:{secrets.randbelow(65_536):x}:{secrets.randbelow(65_536):x}"
    assert [limited(visited, f"{network}::{number}").status_code for number in range(1, 5)] == [200] * 3 + [429]
    assert limited(visited, "2001:db8:ffff:ffff:1::1").status_code == 200


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, "1.1.1.1", "9.9.9.9"),
        (1, "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (2, "1.1.1.1, 2.2.2.2, 3.3.3.3", "2.2.2.2"),
        (2, "3.3.3.3", "9.9.9.9"),
        (1, "", "9.9.9.9"),
        (1, "rubbish", "rubbish"),
        (1, "::ffff:2.2.2.2", "2.2.2.2"),
    ],
)
def test_as_many_proxies_are_believed_as_are_ours(hops, forwarded, address):
    app = Flask(__name__)
    app.config["PROXY_HOPS"] = hops
    client_address.init_app(app)
    app.add_url_rule("/", view_func=client_address.client_address)
    answer = app.test_client().get("/", headers={"X-Forwarded-For": forwarded}, environ_base={"REMOTE_ADDR": "9.9.9.9"})
    assert answer.text == address


def test_a_name_may_be_signed_by_an_old_key(client, app, visited, monkeypatch):
    monkeypatch.setitem(app.config, "PASSPORT_USER_ID", "signed")
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", ["an old key that is long enough too"])
    signed = "ann." + hmac.new(b"an old key that is long enough too", b"ann", hashlib.sha256).hexdigest()
    assert visitor_of(ask(client, visited, signed)) == visitor_of(ask(client, visited, signed))
