"""The service that OpenAPI tools call."""

from collections.abc import Iterator

import pytest

from tests.support.web_service import WebService


@pytest.fixture
def service() -> Iterator[WebService]:
    with WebService() as started:
        yield started
