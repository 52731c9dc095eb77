"""Budgets of a day where an answer does not begin."""

import uuid

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from app.errors import InvalidParam
from app.services.auth import day_budgets
from app.services.auth.asker import Asker


@pytest.mark.parametrize("error", [InvalidParam("no"), OperationalError("INSERT", {}, Exception("away"))])
def test_an_answer_that_did_not_begin_is_not_counted(
    app: Flask, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setitem(app.config, "VISITOR_DAY_ANSWERS", 1)
    asker = Asker(uuid.uuid4(), uuid.uuid4(), None, "192.0.2.1")
    for _ in range(2):
        with pytest.raises(type(error)), day_budgets.counted(asker):
            raise error
    with day_budgets.counted(asker):
        pass
