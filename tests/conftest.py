"""Real servers for the tests: embedded PostgreSQL and Redis for the session, a scripted model on a real socket.

Celery runs its tasks at once, in the request that enqueues them: their events are in the log when the
relay begins to read. What needs separate processes is under tests/system/.
"""

import pathlib
from collections.abc import Callable, Iterator

import flask_migrate
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from app import api, cli, worker
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.extensions import celery
from app.factory import create_app
from app.metrics import recording
from app.pages import operator, visitor
from app.services.process.process_parts import parts_of
from config import Config
from tests.support.logins import Person, make_account, new_email
from tests.support.mail_server import MailServer
from tests.support.metrics import Series, scraped
from tests.support.operators import OPERATOR_TOKEN
from tests.support.paths import PROJECT
from tests.support.scripted_model import ScriptedModel
from tests.support.web_client import WebVisitor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that processes that share the tests end together."""
    items.sort(key=lambda item: not item.path.is_relative_to(PROJECT / "tests" / "system"))


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The addresses of this session's PostgreSQL and Redis, as settings."""
    directory: pathlib.Path = tmp_path_factory.mktemp("servers")
    with (
        EmbeddedPostgres(directory / "postgres", durable=False) as postgres,
        EmbeddedRedis(directory / "redis") as server,
    ):
        yield {"DATABASE_URL": postgres.url, "REDIS_URL": server.url}


@pytest.fixture(scope="session")
def scripted_model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def model(scripted_model: ScriptedModel) -> Iterator[ScriptedModel]:
    """The scripted model, without a memory of other tests and for them."""
    scripted_model.reset()
    yield scripted_model
    scripted_model.reset()


@pytest.fixture(scope="session")
def settings(
    servers: dict[str, str], scripted_model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    return servers | {
        "DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "SECRET_KEY": "a key for tests that is long enough",
        "OPERATOR_TOKEN": OPERATOR_TOKEN,
        "OPENAI_BASE_URL": scripted_model.base_url,
        "OPENAI_API_KEY": "sk-scripted",
        "LOG_LEVEL": "ERROR",
    }


@pytest.fixture(scope="session")
def bound_app(settings: dict[str, str]) -> Iterator[Flask]:
    """The app on a migrated database, with Celery's tasks run where they are enqueued."""
    bound = create_app(Config(settings), api.init_app, visitor.init_app, operator.init_app, cli.register)
    worker.attach(celery, bound)
    celery.conf.update(task_always_eager=True, task_eager_propagates=True)
    with bound.app_context():
        flask_migrate.upgrade()
    yield bound
    parts_of(bound).close()


@pytest.fixture
def app(bound_app: Flask) -> Iterator[Flask]:
    with bound_app.app_context():
        yield bound_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def redis_db(servers: dict[str, str]) -> Iterator["redis.Redis"]:
    connection = redis.Redis.from_url(servers["REDIS_URL"])
    yield connection
    connection.close()


@pytest.fixture
def alice(client: FlaskClient) -> WebVisitor:
    """A visitor of an app of her own."""
    return WebVisitor.of_new_app(client)


@pytest.fixture
def bob(client: FlaskClient, alice: WebVisitor) -> WebVisitor:
    """Another visitor of Alice's app."""
    return WebVisitor(client, alice.app)


@pytest.fixture
def charlie(client: FlaskClient) -> WebVisitor:
    """A visitor of another app, who must see nothing."""
    return WebVisitor.of_new_app(client)


@pytest.fixture
def counted(tmp_path: pathlib.Path) -> Iterator[Callable[[], dict[Series, float]]]:
    """What this process has counted for the metrics since the test began, as Prometheus reads it."""
    recording.start(tmp_path / "metrics", "worker")
    yield lambda: scraped(tmp_path / "metrics")
    recording.stop()


@pytest.fixture
def login_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Web-app authentication is on."""
    monkeypatch.setitem(app.config, "WEB_APP_AUTH", "on")


@pytest.fixture
def mailbox(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """The server that mails go to."""
    with MailServer() as server:
        monkeypatch.setitem(app.config, "SMTP_URL", server.url)
        monkeypatch.setitem(app.config, "MAIL_FROM", "Frontdesk <desk@example.com>")
        yield server


@pytest.fixture
def ann(bound_app: Flask, login_on: None) -> Person:
    """Somebody with an account."""
    return Person(bound_app.test_client(), make_account())


@pytest.fixture
def ben(bound_app: Flask, login_on: None) -> Person:
    """Somebody else with an account."""
    return Person(bound_app.test_client(), make_account())


@pytest.fixture
def stranger(bound_app: Flask, login_on: None) -> Person:
    """Somebody without an account."""
    return Person(bound_app.test_client(), new_email())
