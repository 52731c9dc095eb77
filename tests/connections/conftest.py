"""One web server for all tests of connections, with short times."""

import pathlib
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.web_process import WebProcess

SHORT_TIMES = {
    "HEAD_SECONDS": "0.5",
    "KEEPALIVE_SECONDS": "1",
    "WRITE_SECONDS": "0.5",
    "BODY_SECONDS": "1.5",
    "BODY_LEAST_RATE": "20000",
    "ADDRESS_CONNECTIONS": "400",
    "WEB_APP_AUTH": "on",
    "LOG_LEVEL": "INFO",
}


@pytest.fixture(scope="session")
def web(bound_app: Flask, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """A web server on the session's database, whose clients have half a second."""
    directory: pathlib.Path = tmp_path_factory.mktemp("web")
    with WebProcess(directory, settings | SHORT_TIMES) as server:
        yield server
