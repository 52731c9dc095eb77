"""/operator/sign-in, /operator/sign-out, and what guards the pages."""

import secrets

import pytest
import time_machine
from flask import Flask

from app.pages import operator as pages
from app.pages.operator import guard
from app.services.auth import operator_access, tokens
from app.services.auth.operator_access import OperatorSession
from tests.support.operators import OPERATOR_TOKEN, OperatorBrowser, form_token_of, read

PAGES = ("", "/conversations", "/runs", "/feedback", "/usage", "/apps", "/search", "/nowhere")
FORMS = ("/apps/chat", "/sign-out", "/runs/0198f0a0-0000-7000-8000-000000000001/stop")


def cookie_of(browser: OperatorBrowser) -> str:
    cookie = browser.client.get_cookie(guard.COOKIE, path=guard.PATH)
    assert cookie is not None
    return cookie.value


def set_cookie(browser: OperatorBrowser, value: str) -> None:
    browser.client.set_cookie(guard.COOKIE, value, path=guard.PATH)


def leads_to_the_form(answer) -> bool:
    return answer.status_code == 302 and answer.location.startswith("/operator/sign-in")


def test_a_token_opens_the_page_that_was_wanted(browser):
    answer = browser.sign_in(then="/operator/conversations?app=chat")
    assert (answer.status_code, answer.location) == (303, "/operator/conversations?app=chat")
    assert browser.get("/conversations").status_code == 200


def test_who_is_sent_to_the_form_comes_back_to_the_page(browser):
    answer = browser.get("/conversations", rating="like")
    assert answer.location == "/operator/sign-in?then=/operator/conversations?rating%3Dlike"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_shown_before(browser, path):
    assert leads_to_the_form(browser.get(path))


@pytest.mark.parametrize("path", FORMS)
def test_no_form_is_taken_before(browser, path):
    form_token = form_token_of(browser.get("/sign-in"))
    answer = browser.post(path, form_token=form_token)
    assert leads_to_the_form(answer)


def test_the_cookie_is_for_these_pages_alone(browser):
    set_by = [text for text in browser.sign_in().headers.getlist("Set-Cookie") if text.startswith(f"{guard.COOKIE}=")]
    assert len(set_by) == 1
    parts = set_by[0].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/operator", "Max-Age=43200"} <= set(parts) and "Secure" not in parts


def test_the_cookie_is_for_tls_where_the_browser_speaks_it(browser):
    form_token = form_token_of(browser.get("/sign-in"))
    answer = browser.post("/sign-in", origin="https://localhost", token=OPERATOR_TOKEN, form_token=form_token)
    assert answer.status_code == 303 and "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("token", ["", "wrong", OPERATOR_TOKEN + "x", OPERATOR_TOKEN[:-1], "Ü" * 24])
def test_another_token_opens_nothing(browser, token):
    answer = browser.sign_in(token)
    assert answer.status_code == 401 and "token" in read(answer.get_data(as_text=True))
    assert leads_to_the_form(browser.get())


def test_ten_wrong_tokens_shut_an_address_out(app, browser):
    answers = [browser.sign_in(secrets.token_hex(16)).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    assert browser.sign_in().status_code == 429
    other = OperatorBrowser(app.test_client())
    other.client.environ_base["REMOTE_ADDR"] = f"2001:db8:{secrets.randbelow(65536):x}::1"
    assert other.sign_in().status_code == 303


@pytest.mark.parametrize("then", ["https://evil.example/", "//evil.example", "/api/docs", "/operatorx", "javascript:1"])
def test_nobody_is_sent_elsewhere(browser, then):
    assert browser.sign_in(then=then).location == "/operator"


def test_several_tokens_may_be_set(app, browser, monkeypatch):
    monkeypatch.setitem(app.config, "OPERATOR_TOKEN", ["another-token-of-operators", OPERATOR_TOKEN])
    assert browser.sign_in("another-token-of-operators").status_code == 303


def test_a_session_ends_with_its_token(app, operator, monkeypatch):
    monkeypatch.setitem(app.config, "OPERATOR_TOKEN", ["another-token-of-operators"])
    assert leads_to_the_form(operator.get())


def test_a_session_outlives_a_new_key_while_the_old_one_counts(app, operator, monkeypatch):
    monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [app.config["SECRET_KEY"]])
    monkeypatch.setitem(app.config, "SECRET_KEY", "a newer key for tests, which is long enough")
    assert operator.get().status_code == 200


def test_a_session_ends_after_twelve_hours(operator):
    with time_machine.travel(operator_access.time.time() + operator_access.SESSION_SECONDS + 60):
        assert operator_access.session_of(cookie_of(operator)) is None


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(operator):
    copy = cookie_of(operator)
    answer = operator.post("/sign-out", form_token=form_token_of(operator.get("/apps")))
    assert (answer.status_code, answer.location) == (303, "/operator/sign-in")
    set_cookie(operator, copy)
    assert leads_to_the_form(operator.get())


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://localhost.evil.example"])
def test_a_form_of_another_origin_is_refused(operator, origin):
    form_token = form_token_of(operator.get("/apps"))
    assert operator.post("/sign-out", origin=origin, form_token=form_token).status_code == 403
    assert operator.get().status_code == 200


@pytest.mark.parametrize("form_token", ["", "0" * 64, "ü"])
def test_a_form_without_the_pages_token_is_refused(operator, form_token):
    assert operator.post("/sign-out", form_token=form_token).status_code == 403
    assert operator.get().status_code == 200


def test_a_form_of_another_session_is_refused(app, operator):
    other = OperatorBrowser(app.test_client())
    other.sign_in()
    assert operator.post("/sign-out", form_token=form_token_of(other.get("/apps"))).status_code == 403


def test_the_sign_in_form_itself_cannot_be_sent_from_elsewhere(browser):
    form_token = form_token_of(browser.get("/sign-in"))
    answer = browser.post("/sign-in", origin="https://evil.example", token=OPERATOR_TOKEN, form_token=form_token)
    assert answer.status_code == 403
    assert browser.post("/sign-in", token=OPERATOR_TOKEN).status_code == 403


def test_the_form_leaves_a_session_in_place_that_a_strict_cookie_did_not_show(app, operator):
    kept = cookie_of(operator)
    operator.client.delete_cookie(guard.COOKIE, path=guard.PATH)
    assert guard.COOKIE + "=" not in "".join(operator.get("/sign-in").headers.getlist("Set-Cookie"))
    set_cookie(operator, kept)
    assert operator.get().status_code == 200


def test_a_passport_is_no_session(browser, alice):
    set_cookie(browser, alice.headers["X-App-Passport"])
    assert leads_to_the_form(browser.get())
    assert browser.client.get("/operator/apps", headers=alice.headers).status_code == 302


def test_a_session_is_no_passport(operator, client):
    answer = client.get("/api/parameters", headers={"X-App-Passport": cookie_of(operator)})
    assert answer.status_code == 401


@pytest.mark.parametrize("cookie", ["x", "a.b.c"])
def test_a_made_up_cookie_is_no_session(browser, cookie):
    set_cookie(browser, cookie)
    assert leads_to_the_form(browser.get())


def test_a_session_that_no_token_began_opens_nothing(app, browser):
    unsigned = operator_access.cookie_of(OperatorSession("0" * 32, "", 4_000_000_000))
    forged = tokens.sign({"sub": operator_access.SUBJECT, "jti": "0" * 32, "token": "f" * 64, "exp": 4_000_000_000})
    for cookie in (unsigned, forged):
        set_cookie(browser, cookie)
        assert leads_to_the_form(browser.get())


@pytest.mark.parametrize("path", ["/sign-in", *PAGES])
def test_pages_are_kept_out_of_caches_frames_and_scripts(operator, path):
    headers = operator.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store" and headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_of_other_origins_may_not_call(operator):
    answer = operator.client.get("/operator/apps", headers={"Origin": "https://page.example"})
    preflight = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    for headers in (answer.headers, operator.client.options("/operator/api/apps", headers=preflight).headers):
        assert [name for name, _ in headers if name.startswith("Access-Control")] == []


def test_the_stylesheet_is_kept_for_ever_under_the_name_of_its_content(operator):
    page = operator.page("/apps")
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0].removeprefix("/operator")
    assert operator.get(address).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert operator.get("/static/operator-0.css").headers["Cache-Control"] == "no-store"


def test_pages_have_no_script_and_no_style_of_their_own(operator):
    for path in PAGES:
        page = operator.get(path).get_data(as_text=True)
        assert "<script" not in page and "<style" not in page and " style=" not in page and " onclick" not in page


def test_without_a_token_there_are_no_pages():
    app = Flask("without")
    app.config["OPERATOR_TOKEN"] = []
    pages.init_app(app)
    assert [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/operator")] == []
