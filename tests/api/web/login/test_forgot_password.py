"""POST /forgot-password, /validity, /resets (contract endpoints.md; README §3.5, §3.6, §7)."""

import pytest

from app.services.auth import accounts, rate_limits
from tests.support.logins import PASSWORD, Person, outcome

NEW = "another horse 2"


def ask(person, **more):
    """The token of a mail, without the pause after the one before."""
    rate_limits.forget(f"reset mail {person.email}")
    answer = person.post("/forgot-password", email=person.email, **more)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()["data"]


def check(person, token, code, email=None):
    return person.post("/forgot-password/validity", email=email or person.email, token=token, code=code)


def reset(person, token, password=NEW, confirm=None):
    return person.post(
        "/forgot-password/resets",
        token=token,
        new_password=password,
        password_confirm=password if confirm is None else confirm,
    )


def verified(person, mailbox):
    return check(person, ask(person), mailbox.code(person.email)).get_json()["token"]


def other(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_a_mailed_code_leads_to_a_new_password(ann, mailbox):
    token = ask(ann)
    answer = check(ann, token, mailbox.code(ann.email), ann.email.upper())
    assert answer.status_code == 200
    assert answer.get_json() == {"is_valid": True, "email": ann.email, "token": answer.get_json()["token"]}
    assert answer.get_json()["token"] != token
    assert (reset(ann, answer.get_json()["token"]).status_code, ann.try_password(NEW).status_code) == (200, 200)
    assert outcome(ann.try_password(PASSWORD)) == (401, "authentication_failed")


@pytest.mark.parametrize(("language", "word"), [("en-US", "new password"), ("zh-Hans", "密码重置")])
def test_the_mail_is_in_the_asked_language(ann, mailbox, language, word):
    ask(ann, language=language)
    assert word in mailbox.to(ann.email)[0]["Subject"]


def test_an_unknown_or_banned_address_gets_a_dead_token(stranger, ann, mailbox):
    accounts.set_banned(ann.email, True)
    for person in (stranger, ann):
        assert outcome(check(person, ask(person), "123456")) == (400, "email_code_error")
    assert mailbox.received == []


def test_a_token_needs_its_code_first(ann, mailbox):
    assert outcome(reset(ann, ask(ann))) == (400, "invalid_or_expired_token")


def test_the_old_token_dies_with_its_code(ann, mailbox):
    token, code = ask(ann), mailbox.code(ann.email)
    assert check(ann, token, code).status_code == 200
    assert outcome(check(ann, token, code)) == (400, "invalid_or_expired_token")


def test_a_password_is_set_once(ann, mailbox):
    token = verified(ann, mailbox)
    assert reset(ann, token).status_code == 200
    assert outcome(reset(ann, token, "a third horse 3")) == (400, "invalid_or_expired_token")


def test_the_checks_of_a_code_come_in_the_contracts_order(ann, ben, mailbox):
    token, code = ask(ann), mailbox.code(ann.email)
    assert outcome(check(ann, "nosuch", code, ben.email)) == (400, "invalid_or_expired_token")
    assert outcome(check(ann, token, "x", ben.email)) == (400, "invalid_email")
    assert outcome(check(ann, token, other(code))) == (400, "email_code_error")
    assert check(ann, token, code).status_code == 200


def test_the_checks_of_a_password_come_in_the_contracts_order(ann, mailbox):
    token = verified(ann, mailbox)
    assert outcome(reset(ann, "nosuch", "weak", "other")) == (400, "invalid_param")
    assert outcome(reset(ann, "nosuch", NEW, "other horse 2")) == (400, "password_mismatch")
    assert outcome(reset(ann, "nosuch")) == (400, "invalid_or_expired_token")
    assert reset(ann, token).status_code == 200


def test_an_account_that_is_gone_fails(ann, mailbox):
    token = verified(ann, mailbox)
    accounts.remove(ann.email)
    assert outcome(reset(ann, token)) == (401, "authentication_failed")


def test_five_wrong_codes_end_a_token_and_six_lock_the_address(ann, mailbox, bound_app):
    token, code = ask(ann), mailbox.code(ann.email)
    answers = [outcome(check(ann, token, other(code))) for _ in range(6)]
    assert answers == [(400, "email_code_error")] * 5 + [(400, "invalid_or_expired_token")]
    again = ask(ann)
    code = mailbox.code(ann.email)
    answers = [outcome(check(ann, again, other(code))) for _ in range(100)]
    assert answers == [(400, "email_code_error")] + [(429, "email_password_reset_limit")] * 99
    assert outcome(check(ann, again, code)) == (429, "email_password_reset_limit")
    assert check(Person(bound_app.test_client(), ann.email), again, code).status_code == 200


def test_a_right_code_clears_the_count(ann, mailbox):
    for _ in range(3):
        token, code = ask(ann), mailbox.code(ann.email)
        for _ in range(4):
            check(ann, token, other(code))
        assert check(ann, token, code).status_code == 200


def test_a_new_password_ends_the_lock_of_wrong_ones(ann, mailbox):
    for number in range(11):
        ann.try_password(f"wrong horse {number}")
    reset(ann, verified(ann, mailbox))
    assert ann.try_password(NEW).status_code == 200


def test_an_address_gets_one_mail_and_then_a_pause(ann, stranger, ben, mailbox, redis_db):
    for person in (ann, stranger):
        answers = [outcome(person.post("/forgot-password", email=person.email)) for _ in range(3)]
        assert answers == [(200, "")] + [(429, "password_reset_rate_limit_exceeded")] * 2
    assert ask(ben) and len(mailbox.received) == 2


def test_one_client_gets_so_many_mails_and_then_a_pause(stranger, app, monkeypatch):
    monkeypatch.setitem(app.config, "MAIL_IP_LIMIT", 3)
    answers = [outcome(stranger.post("/forgot-password", email=f"{number}{stranger.email}")) for number in range(3)]
    assert answers == [(200, "")] * 3
    assert outcome(stranger.post("/forgot-password", email=f"0{stranger.email}")) == (429, "email_send_ip_limit")


@pytest.mark.parametrize("path", ["/forgot-password", "/forgot-password/validity", "/forgot-password/resets"])
def test_what_is_missing_is_named(stranger, path):
    answer = stranger.post(path, email="x")
    assert (
        outcome(answer) == (400, "invalid_param")
        and "email" in answer.get_json()["message"]
        or "token" in answer.get_json()["message"]
    )
