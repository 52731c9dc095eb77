"""Callers of the operators' API."""

import secrets

import pytest
from flask import Flask

from tests.support.operators import OPERATOR_TOKEN, OperatorCaller


@pytest.fixture
def operator(app: Flask) -> OperatorCaller:
    """An operator, at an address of their own."""
    return OperatorCaller(app.test_client(), OPERATOR_TOKEN)


@pytest.fixture
def guesser(app: Flask) -> OperatorCaller:
    """Somebody without a token, at an address of their own."""
    return OperatorCaller(app.test_client(), secrets.token_hex(16))
