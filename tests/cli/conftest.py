"""Commands as an operator types them."""

from collections.abc import Callable

import pytest
from flask import Flask


@pytest.fixture
def run_in() -> Callable[..., tuple[int, str, str]]:
    """Run a command line in an app: its exit code, stdout and stderr."""

    def run_line(app: Flask, *line: object) -> tuple[int, str, str]:
        result = app.test_cli_runner().invoke(args=[str(word) for word in line])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return run_line


@pytest.fixture
def run(app: Flask, run_in: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str, str]]:
    """Run a command line: its exit code, stdout and stderr."""
    return lambda *line: run_in(app, *line)
