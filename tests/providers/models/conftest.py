"""What the tests of model calls have in common."""

import logging

import pytest


@pytest.fixture(autouse=True)
def told_warnings(caplog: pytest.LogCaptureFixture) -> None:
    """Let warnings be seen, whatever level an app that was made before has set."""
    caplog.set_level(logging.WARNING)
