"""Looking up published apps, and what is remembered of them."""

import threading
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import event, text

from app.errors import AppUnavailable
from app.extensions import autocommit_engine
from app.services.definitions import published_apps
from app.services.operator import apps
from app.services.operator.app_files import AppFile
from app.streams import signals
from tests.support.factories import chat_definition, make_app

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def statements(app) -> Iterator[list[str]]:
    """What was asked of the database on the engine for look-ups."""
    seen: list[str] = []

    def note(connection, cursor, statement, *_):
        seen.append(statement)

    event.listen(autocommit_engine(), "before_cursor_execute", note)
    yield seen
    event.remove(autocommit_engine(), "before_cursor_execute", note)


@pytest.fixture(autouse=True)
def unannounced(monkeypatch) -> None:
    """The web server's own listener would hear of the new apps and forget them in the middle of a test."""
    monkeypatch.setattr(signals, "announce_change", lambda *_: None)


def change_name_behind_our_back(app, name):
    with autocommit_engine().connect() as connection:
        connection.execute(text("UPDATE apps SET name = :name WHERE id = :id"), {"name": name, "id": app.id})


def test_an_app_is_found_by_code_and_by_id():
    app = make_app()
    assert published_apps.by_code(app.code) == published_apps.by_id(app.id) == published_apps.by_id(str(app.id)) == app
    assert (app.mode, app.enabled, app.access_mode, app.definition.app.name) == ("chat", True, "public", app.name)


def test_one_query_serves_many_look_ups(statements):
    app = make_app()
    published_apps.forget_all()
    statements.clear()
    for _ in range(3):
        assert published_apps.by_code(app.code) is published_apps.by_id(app.id)
    assert len(statements) == 1


@pytest.mark.parametrize("code", ["nobody", "", "a b", "x" * 65, "a\0b", "ü"])
def test_an_unknown_code_is_none(code):
    assert published_apps.by_code(code) is None


def test_an_unknown_id_is_none():
    assert published_apps.by_id(uuid.uuid4()) is None


def test_a_code_that_looks_like_another_apps_id_is_its_own():
    app = make_app()
    published_apps.by_id(app.id)
    assert published_apps.by_code(str(app.id)) is None


def test_an_app_is_remembered_until_it_is_forgotten():
    app = make_app()
    change_name_behind_our_back(app, "New")
    assert published_apps.by_code(app.code).name == app.name
    published_apps.forget(str(app.id))
    assert published_apps.by_code(app.code).name == published_apps.by_id(app.id).name == "New"


def test_an_app_is_read_again_after_a_minute(monkeypatch):
    seconds = [0.0]
    monkeypatch.setattr(published_apps, "_memory", published_apps._Memory(lambda: seconds[0]))
    app = make_app()
    change_name_behind_our_back(app, "New")
    seconds[0] = published_apps.REMEMBER_SECONDS - 1
    assert published_apps.by_code(app.code).name == app.name
    seconds[0] += 2
    assert published_apps.by_code(app.code).name == "New"


def test_a_code_that_another_app_has_taken_leads_to_that_one():
    first, other = make_app(), make_app()
    with autocommit_engine().connect() as connection:
        for app, code in ((first, f"{first.code}-old"), (other, first.code)):
            connection.execute(text("UPDATE apps SET code = :code WHERE id = :id"), {"code": code, "id": app.id})
    published_apps.forget(first.id)
    published_apps.forget(other.id)
    assert published_apps.by_id(first.id).code == f"{first.code}-old"
    assert published_apps.by_code(first.code).id == other.id


def test_everything_is_forgotten_at_once():
    app = make_app()
    change_name_behind_our_back(app, "New")
    published_apps.forget_all()
    assert published_apps.by_id(app.id).name == "New"


def test_a_change_during_a_look_up_is_not_missed(app):
    """The row is read, the app changes and is forgotten, and only then would the row be remembered."""
    published = make_app()
    published_apps.forget_all()

    def change(*_):
        if changed.is_set():
            return
        changed.set()
        change_name_behind_our_back(published, "New")
        published_apps.forget(published.id)

    changed = threading.Event()
    event.listen(autocommit_engine(), "after_cursor_execute", change)
    assert published_apps.by_code(published.code).name == published.name
    event.remove(autocommit_engine(), "after_cursor_execute", change)
    assert published_apps.by_code(published.code).name == "New"


def test_versions_are_read_once(statements):
    published = apps.publish(AppFile("chat", "Plain chat", chat_definition(), []), "test-versions")
    statements.clear()
    assert published_apps.version(published.version_id) is published_apps.version(str(published.version_id))
    assert published_apps.version(published.version_id).stored == chat_definition()
    assert len(statements) == 1


def test_a_version_that_was_read_with_its_app_is_not_read_again(statements):
    app = make_app()
    statements.clear()
    assert published_apps.version(app.version_id) is app.definition
    assert statements == []


def test_a_look_up_keeps_the_definition_that_was_read_before():
    app = make_app()
    published_apps.forget_all()
    assert published_apps.by_id(app.id).definition is app.definition


def test_an_unknown_version_is_unavailable():
    with pytest.raises(AppUnavailable):
        published_apps.version(uuid.uuid4())


def test_threads_agree(app):
    published = make_app()
    published_apps.forget_all()
    found = []

    def look_up():
        with app.app_context():
            for _ in range(50):
                found.append(published_apps.by_code(published.code))
                published_apps.forget(published.id)

    threads = [threading.Thread(target=look_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [published] * 400
