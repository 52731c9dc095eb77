"""One stack for all system tests. A test that breaks a part mends it: the next one finds two workers at work."""

import uuid
from collections.abc import Iterator

import pytest

from app.embedded.ports import ReservedPort
from tests.support.stack import CHAT_APP, COMPLETION_APP, Stack, stop_on_signals
from tests.support.visitor import Visitor, wait_until

WORKERS = 2
METRICS_TOKEN = "a token for scrapes"


@pytest.fixture(scope="session")
def metrics_port() -> Iterator[ReservedPort]:
    port = ReservedPort()
    yield port
    port.release()


@pytest.fixture(scope="session")
def running_stack(tmp_path_factory: pytest.TempPathFactory, metrics_port: ReservedPort) -> Iterator[Stack]:
    stop_on_signals()
    metrics = {"METRICS_TOKEN": METRICS_TOKEN, "METRICS_PORT": str(metrics_port)}
    with Stack(tmp_path_factory.mktemp("stack"), worker_processes=WORKERS, environment=metrics) as stack:
        stack.import_app(CHAT_APP, "chat")
        stack.import_app(COMPLETION_APP, "completion")
        yield stack


@pytest.fixture
def stack(running_stack: Stack, request: pytest.FixtureRequest) -> Iterator[Stack]:
    yield running_stack
    for worker in [worker for worker in running_stack.workers if not worker.alive]:
        running_stack.workers.remove(worker)
    while len(running_stack.workers) < WORKERS:
        running_stack.start_worker()
    running_stack.wait_for_health()
    wait_until(lambda: not running_stack.unfinished(), 15, f"rest after the test ({running_stack.unfinished()})")


@pytest.fixture
def visitor(stack: Stack) -> Visitor:
    return Visitor(stack.base_url, "chat")


@pytest.fixture
def mark() -> str:
    """A word that no other test's query has."""
    return f"mark-{uuid.uuid4().hex[:8]}"
