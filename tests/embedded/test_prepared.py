"""What a start of `make run` remembers of the preparation before it."""

import json
import shutil

import pytest

from app.embedded import prepared
from app.embedded.prepared import PreparedDatabase
from app.services.operator import apps
from app.services.operator.app_files import parse
from tests.support.factories import chat_definition

URL = "http://127.0.0.1:5001"


@pytest.fixture
def sample(app):
    return apps.publish(parse(json.dumps(chat_definition(), ensure_ascii=False)), "a-sample")


@pytest.fixture
def known(app, settings, sample, tmp_path):
    database = PreparedDatabase(tmp_path / "prepared.json", settings["DATABASE_URL"], URL)
    assert database.apps() is None
    database.keep([{"code": sample.code}])
    return database


def test_what_was_prepared_is_known(known, sample):
    assert known.apps() == [{"code": sample.code}]


def test_another_address_prepares_anew(known, settings, tmp_path):
    assert (
        PreparedDatabase(tmp_path / "prepared.json", settings["DATABASE_URL"], "http://127.0.0.1:5002").apps() is None
    )


def test_an_app_that_changed_or_went_prepares_anew(known, sample):
    definition = chat_definition()
    definition["app"]["name"] = "Another"
    apps.publish(parse(json.dumps(definition, ensure_ascii=False)), sample.code)
    assert known.apps() is None
    known.keep([{"code": sample.code}])
    apps.remove(sample.code)
    assert known.apps() is None


def test_a_new_file_of_the_project_prepares_anew(known, monkeypatch, tmp_path):
    folder = tmp_path / "project" / "app" / "samples"
    shutil.copytree(prepared.PROJECT / "app" / "samples", folder)
    monkeypatch.setattr(prepared, "PROJECT", tmp_path / "project")
    assert known.apps() is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"apps": [], "state": null}'])
def test_a_file_that_says_nothing_prepares_anew(settings, tmp_path, text):
    (tmp_path / "prepared.json").write_text(text)
    assert PreparedDatabase(tmp_path / "prepared.json", settings["DATABASE_URL"], URL).apps() is None


def test_a_database_that_is_away_prepares_anew(known, tmp_path):
    away = PreparedDatabase(tmp_path / "prepared.json", "postgresql://127.0.0.1:9/none", URL)
    away.keep([])
    assert away.apps() is None
