"""Mails go out while every worker is busy, and again where the mail server failed."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.mail_server import MailServer
from tests.support.stack import CHAT_APP, Stack
from tests.support.visitor import Visitor, wait_until

EMAIL = "ann@example.com"
THREADS = 2


@pytest.fixture(scope="module")
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def login_stack(mail_server: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One worker with few threads, and a process for housekeeping alone."""
    environment = {
        "WEB_APP_AUTH": "on",
        "SMTP_URL": mail_server.url,
        "MAIL_FROM": "desk@example.com",
        "WORKER_THREADS": str(THREADS),
    }
    with Stack(tmp_path_factory.mktemp("mails"), web_workers=1, worker_processes=1, environment=environment) as stack:
        stack.start_worker("housekeeping")
        stack.import_app(CHAT_APP, "chat")
        stack.run("flask", "--app", "wsgi", "accounts", "create", EMAIL, "--no-password")
        yield stack


def post(stack: Stack, path: str, **body: str) -> Any:
    answer = requests.post(f"{stack.base_url}/api{path}", json=body, timeout=10)
    assert answer.ok, answer.text
    return answer.json()["data"]


def test_a_login_mail_does_not_wait_for_answers(login_stack: Stack, mail_server: MailServer) -> None:
    answers = [
        Visitor(login_stack.base_url, "chat").chat("[[chunks:400]][[delay:50]]").wait_for_frames(1)
        for _ in range(THREADS)
    ]
    token = post(login_stack, "/email-code-login", email=EMAIL)
    wait_until(lambda: mail_server.to(EMAIL), 15, "the mail")
    code = base64.b64encode(mail_server.code(EMAIL).encode()).decode()
    assert post(login_stack, "/email-code-login/validity", email=EMAIL, token=token, code=code)["access_token"]
    assert [answer.ended for answer in answers] == [None] * THREADS
    for answer in answers:
        answer.leave()


def test_a_mail_that_the_server_refused_is_sent_later(login_stack: Stack, mail_server: MailServer) -> None:
    mail_server.refuse = True
    post(login_stack, "/forgot-password", email=EMAIL)
    wait_until(lambda: mail_server.refused, 15, "the first try")
    mail_server.refuse, before = False, len(mail_server.received)
    wait_until(lambda: len(mail_server.received) > before, 30, "the second try")


def test_a_process_for_housekeeping_counts_as_no_worker(login_stack: Stack) -> None:
    assert login_stack.health()["worker"]["processes"] == 1
