"""The product on real processes and a real browser, one of each for all tests of pages."""

import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import Visits, running_browser
from tests.support.cut_proxy import CutProxy
from tests.support.mail_server import MailServer
from tests.support.scripted_model import ScriptedModel
from tests.support.stack import Stack

# One for each test that logs in, and some.
ACCOUNTS = 12


@pytest.fixture(scope="package")
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture(scope="package")
def browser(mail_server: MailServer, scripted_model: ScriptedModel) -> Iterator[Browser]:
    """Started after the servers that have event loops, and stopped with this package: none can begin beside it."""
    with running_browser() as running:
        yield running


@pytest.fixture(scope="package")
def desk(browser: Browser, mail_server: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything that a visitor's page needs; the sample apps are imported under their names."""
    settings = {
        "PAGES_INDEX": "on",
        "WEB_APP_AUTH": "on",
        "SMTP_URL": mail_server.url,
        "MAIL_FROM": "desk@example.com",
        "RESET_MAIL_SECONDS": "1",
    }
    folder = tmp_path_factory.mktemp("pages")
    with Stack(folder, web_workers=1, worker_processes=1, chunks=20, delay_ms=5, environment=settings) as stack:
        stack.run("app.embedded.preparation", stack.base_url)
        yield stack


@pytest.fixture(scope="package")
def emails(desk: Stack) -> list[str]:
    """Addresses of accounts that may use the app `closed`; with them come the apps of `tests.support.page_apps`."""
    addresses = [f"ann-{secrets.token_hex(6)}@example.com" for _ in range(ACCOUNTS)]
    desk.run("tests.support.page_apps", *addresses)
    return addresses


@pytest.fixture
def email(emails: list[str]) -> str:
    """The address of an account that no other test uses: only so many mails go to one in five minutes."""
    return emails.pop()


@pytest.fixture
def visits(browser: Browser, desk: Stack) -> Iterator[Visits]:
    """Opens pages; at the end of the test no page may have complained."""
    opened = Visits(browser, desk.base_url)
    yield opened
    opened.close()
    assert opened.complaints == []


@pytest.fixture
def cut(desk: Stack) -> Iterator[CutProxy]:
    with CutProxy(int(str(desk.port))) as proxy:
        yield proxy


@pytest.fixture
def cut_visits(browser: Browser, cut: CutProxy) -> Iterator[Visits]:
    """Visitors whose network can be lost; what they complain about then is no fault."""
    opened = Visits(browser, cut.url)
    yield opened
    opened.close()
