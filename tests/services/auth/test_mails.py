"""Mails out of the house."""

import smtplib

import pytest
from structlog.testing import CapturingLogger

from app import tasks
from app.services.auth import mail_codes, mails
from app.services.auth.mail_codes import Kind
from app.services.auth.mail_texts import code_mail
from tests.support.logins import make_account
from tests.support.mail_server import MailServer, body

MAIL = mails.Mail("Grüße", "Guten Tag\n", "<p>Guten Tag</p>\n")


def test_a_mail_arrives_whole(app, mailbox):
    mails.send("ann@example.com", MAIL)
    (mail,) = mailbox.received
    assert (mail["To"], mail["Subject"], body(mail, "plain"), body(mail, "html")) == ("ann@example.com", *MAIL)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_the_servers_name_and_password_may_hold_any_character(app, monkeypatch):
    with MailServer(login=("desk@example.com", "p:a/s@s")) as server:
        monkeypatch.setitem(app.config, "SMTP_URL", server.url.replace("//", "//desk%40example.com:p%3Aa%2Fs%40s@"))
        monkeypatch.setitem(app.config, "MAIL_FROM", "desk@example.com")
        mails.send("ann@example.com", MAIL)
        assert len(server.received) == 1


@pytest.mark.parametrize(("scheme", "problem"), [("smtp+starttls", smtplib.SMTPNotSupportedError), ("smtps", OSError)])
def test_what_asks_for_encryption_never_goes_without(app, mailbox, monkeypatch, scheme, problem):
    monkeypatch.setitem(app.config, "SMTP_URL", mailbox.url.replace("smtp", scheme))
    with pytest.raises(problem):
        mails.send("ann@example.com", MAIL)
    assert mailbox.received == []


@pytest.fixture
def log(monkeypatch):
    """What is logged about mails, whatever the level."""
    capturing = CapturingLogger()
    monkeypatch.setattr(mails, "log", capturing)
    return capturing


def test_a_development_run_shows_the_mail_and_says_why(app, monkeypatch, log):
    monkeypatch.setitem(app.config, "DEPLOY_ENV", "DEVELOPMENT")
    mails.send("ann@example.com", MAIL)
    (line,) = log.calls
    assert line.args == ("mail.shown_here",)
    assert line.kwargs == {
        "reason": "SMTP_URL is not set",
        "to": "ann@example.com",
        "subject": "Grüße",
        "text": MAIL.text,
    }


def test_a_production_log_holds_no_mail(app, log):
    mails.send("ann@example.com", MAIL)
    (line,) = log.calls
    assert (line.method_name, line.args, line.kwargs) == (
        "error",
        ("mail.not_sent",),
        {"reason": "SMTP_URL is not set"},
    )


def test_a_mail_that_is_sent_again_has_the_same_code(app, mailbox):
    address = make_account()
    token = mail_codes.issue(Kind.LOGIN, address)
    for _ in range(2):
        tasks.mail_code(Kind.LOGIN, token, None)
    assert len({mail["Subject"] for mail in mailbox.to(address)}) == 1 and len(mailbox.to(address)) == 2


def test_a_token_that_ended_gets_no_mail_and_does_not_come_back(app, mailbox, redis_db):
    address = make_account()
    token = mail_codes.issue(Kind.LOGIN, address)
    redis_db.delete(f"frontdesk:mail_token:login:{token}")
    tasks.mail_code(Kind.LOGIN, token, None)
    assert mailbox.received == [] and not redis_db.exists(f"frontdesk:mail_token:login:{token}")


def test_a_mail_that_is_refused_is_an_error(app, mailbox):
    mailbox.refuse = True
    with pytest.raises(smtplib.SMTPException):
        mails.send("ann@example.com", MAIL)


@pytest.mark.parametrize("kind", ["login", "reset"])
@pytest.mark.parametrize("language", ["en-US", "zh-Hans"])
def test_every_mail_says_how_long_its_code_is_good(kind, language):
    mail = code_mail(kind, "012345", 5, language)
    assert all("012345" in part and "$" not in part for part in mail) and "5" in mail.text.replace("012345", "")
