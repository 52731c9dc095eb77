"""POST /email-code-login and /validity (contract endpoints.md; README §3.5, §3.6)."""

import concurrent.futures

import jwt
import pytest

from app import tasks
from app.services.auth import accounts
from tests.support.logins import PASSWORD, Person, encoded, outcome
from tests.support.mail_server import body

KEY = "a key for tests that is long enough"


def ask(person, **more):
    answer = person.post("/email-code-login", email=person.email, **more)
    assert answer.status_code == 200 and answer.get_json()["result"] == "success", answer.get_data(as_text=True)
    return answer.get_json()["data"]


def enter(person, token, code, email=None):
    return person.post("/email-code-login/validity", email=email or person.email, token=token, code=encoded(code))


def other(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_a_mailed_code_logs_in(ann, mailbox):
    answer = enter(ann, ask(ann), mailbox.code(ann.email))
    assert answer.status_code == 200 and answer.get_json()["result"] == "success"
    claims = jwt.decode(answer.get_json()["data"]["access_token"], KEY, ["HS256"])
    assert (claims["session_id"], claims["token_source"]) == (ann.email, "webapp_login_token")


@pytest.mark.parametrize(
    ("language", "words"),
    [("en-US", "Your login code"), (None, "Your login code"), ("fr", "Your login code"), ("zh-Hans", "登录验证码")],
)
def test_the_mail_says_it_in_text_and_html_in_the_asked_language(ann, mailbox, language, words):
    ask(ann, **({"language": language} if language else {}))
    (mail,) = mailbox.to(ann.email)
    code = mailbox.code(ann.email)
    assert words in mail["Subject"] and code in mail["Subject"]
    assert words in body(mail, "plain") and words in body(mail, "html") and code in body(mail, "html")
    assert mail["From"] == "Frontdesk <desk@example.com>"
    assert mail["Date"] and mail["Message-ID"].endswith("@example.com>")


def test_an_unknown_or_banned_address_gets_a_token_and_no_mail(stranger, ann, mailbox):
    accounts.set_banned(ann.email, True)
    for person in (stranger, ann):
        token = ask(person)
        assert [outcome(enter(person, token, code))[1] for code in ("", "000000", "123456")] == ["email_code_error"] * 3
    assert mailbox.received == []


def test_an_unknown_address_costs_a_request_the_same_work(ann, stranger, redis_db, monkeypatch):
    queued = []
    monkeypatch.setattr(tasks.mail_code, "apply_async", lambda arguments, **_: queued.append(arguments))
    commands = []
    for person in (ann, stranger):
        before = redis_db.info("stats")["total_commands_processed"]
        ask(person)
        commands.append(redis_db.info("stats")["total_commands_processed"] - before)
    assert len(queued) == 2 and {len(arguments[1]) for arguments in queued} == {43}
    assert commands[0] == commands[1]


def test_a_code_is_good_once(ann, mailbox):
    token, code = ask(ann), mailbox.code(ann.email)
    assert enter(ann, token, code).status_code == 200
    assert outcome(enter(ann, token, code)) == (400, "invalid_or_expired_token")


def test_of_two_at_the_same_time_one_gets_in(ann, mailbox, bound_app):
    token, code = ask(ann), mailbox.code(ann.email)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: enter(Person(bound_app.test_client(), ann.email), token, code).status_code, range(8))
        )
    assert sorted(answers) == [200] + [400] * 7


def test_the_checks_come_in_the_contracts_order(ann, ben, mailbox):
    token, code = ask(ann), mailbox.code(ann.email)
    unread = ann.post("/email-code-login/validity", email=ann.email, token="nosuch", code="%")
    assert outcome(unread) == (400, "email_code_error")
    assert outcome(enter(ann, "nosuch", code)) == (400, "invalid_or_expired_token")
    assert outcome(enter(ann, token, "x", email=ben.email)) == (400, "invalid_email")
    assert outcome(enter(ann, token, other(code))) == (400, "email_code_error")
    assert enter(ann, token, code, email=ann.email.upper()).status_code == 200


def test_five_wrong_codes_end_a_token(ann, mailbox):
    token, code = ask(ann), mailbox.code(ann.email)
    answers = [outcome(enter(ann, token, other(code))) for _ in range(100)]
    assert answers[:5] == [(400, "email_code_error")] * 5
    assert set(answers[5:]) == {(400, "invalid_or_expired_token")}
    assert outcome(enter(ann, token, code)) == (400, "invalid_or_expired_token")


def test_a_dead_token_ends_alike(stranger, mailbox):
    token = ask(stranger)
    answers = [outcome(enter(stranger, token, "123456"))[1] for _ in range(6)]
    assert answers == ["email_code_error"] * 5 + ["invalid_or_expired_token"]


def test_a_new_token_ends_the_former_one(ann, mailbox):
    first, code = ask(ann), mailbox.code(ann.email)
    ask(ann)
    assert outcome(enter(ann, first, code)) == (400, "invalid_or_expired_token")


def test_a_token_ends_by_itself(ann, mailbox, redis_db):
    token = ask(ann)
    assert 290 < redis_db.ttl(f"frontdesk:mail_token:login:{token}") <= 300
    redis_db.delete(f"frontdesk:mail_token:login:{token}")
    assert outcome(enter(ann, token, mailbox.code(ann.email))) == (400, "invalid_or_expired_token")


def test_a_reset_token_logs_nobody_in(ann, mailbox):
    token = ann.post("/forgot-password", email=ann.email).get_json()["data"]
    assert outcome(enter(ann, token, mailbox.code(ann.email))) == (400, "invalid_or_expired_token")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (accounts.remove, (401, "authentication_failed")),
        (lambda email: accounts.set_banned(email, True), (403, "account_banned")),
    ],
)
def test_an_account_that_went_in_the_meantime(ann, mailbox, change, expected):
    token, code = ask(ann), mailbox.code(ann.email)
    change(ann.email)
    assert outcome(enter(ann, token, code)) == expected


def test_a_code_clears_the_count_of_wrong_passwords(ann, mailbox):
    for number in range(11):
        ann.try_password(f"wrong horse {number}")
    enter(ann, ask(ann), mailbox.code(ann.email))
    assert ann.try_password(PASSWORD).status_code == 200


def test_mails_to_one_address_are_limited(ann, stranger, ben, mailbox):
    for person in (ann, stranger):
        answers = [outcome(person.post("/email-code-login", email=person.email)) for _ in range(6)]
        assert answers == [(200, "")] * 5 + [(429, "email_code_login_rate_limit_exceeded")]
    assert ask(ben) and len(mailbox.received) == 6


def test_mails_from_one_client_are_limited(stranger, app, monkeypatch):
    monkeypatch.setitem(app.config, "MAIL_IP_LIMIT", 3)
    answers = [outcome(stranger.post("/email-code-login", email=f"{number}{stranger.email}")) for number in range(4)]
    assert answers == [(200, "")] * 3 + [(429, "email_send_ip_limit")]


@pytest.mark.parametrize(
    "address",
    [
        "x",
        "",
        None,
        1,
        "a@b",
        "a@-b.example",
        "a@example.com, b@example.com",
        "ü@example.com",
        "a" * 250 + "@b.example",
    ],
)
def test_what_is_no_address_is_refused(stranger, address):
    assert outcome(stranger.post("/email-code-login", email=address)) == (400, "invalid_param")


def test_all_of_a_code_is_needed(ann):
    assert outcome(ann.post("/email-code-login/validity", email=ann.email, code="x")) == (400, "invalid_param")
