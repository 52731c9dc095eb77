"""An operator who has signed in, and things to look at."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.extensions import db
from tests.support.agents import agent, house_registry
from tests.support.operators import OperatorBrowser, new_address
from tests.support.parts import put_part
from tests.support.people import asking
from tests.support.scripted_model import ScriptedModel
from tests.support.web_client import WebVisitor
from tests.support.workflow.toolbox import CountedTool


@pytest.fixture
def browser(app: Flask) -> OperatorBrowser:
    """A browser at an address of its own, in which nobody has signed in."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = new_address()
    return OperatorBrowser(client)


@pytest.fixture
def operator(browser: OperatorBrowser) -> OperatorBrowser:
    """A browser in which an operator has signed in."""
    assert browser.sign_in().status_code == 303
    return browser


@pytest.fixture
def asker(client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch, model: ScriptedModel) -> WebVisitor:
    """An end user of an agent that has one tool."""
    put_part(monkeypatch, app, house_registry(CountedTool("lookup")))
    return agent(client)


@pytest.fixture
def waiting_run(client: FlaskClient) -> str:
    """A run that waits for people."""
    return str(WebVisitor(client, asking("go", "no")).run()[0].data["workflow_run_id"])


@pytest.fixture
def count_statements(app: Flask) -> Callable[[Callable[[], object]], int]:
    """Counts the statements that a call sends to the database."""

    def count(call: Callable[[], object]) -> int:
        sent: list[str] = []
        watches = [
            (engine, "before_cursor_execute", lambda *given: sent.append(given[2])) for engine in db.engines.values()
        ]
        for watch in watches:
            event.listen(*watch)
        try:
            call()
        finally:
            for watch in watches:
                event.remove(*watch)
        return len(sent)

    return count
