"""Publishing apps and looking after them."""

import secrets

import pytest
import redis
import structlog
from flask import current_app
from sqlalchemy import text

from app.extensions import db
from app.providers.models.routes import ModelRoutes
from app.services.definitions import published_apps
from app.services.operator import app_files, apps, datasets
from app.services.operator.app_files import AppFile
from app.services.operator.apps import AppRefused
from app.services.process.process_parts import process_parts
from app.streams import signals
from app.streams.signals import CHANGES
from tests.support.datasets import make_dataset
from tests.support.factories import chat_definition, make_app, publish

pytestmark = pytest.mark.usefixtures("app")
TABLES = ("apps", "app_versions", "end_users", "conversations", "messages", "tasks")


def new_code() -> str:
    return f"test-{secrets.token_hex(8)}"


def file_of(definition) -> AppFile:
    return app_files.check(definition)


def count_rows(app_id) -> dict[str, int]:
    statement = "SELECT count(*) FROM {} WHERE {} = :app_id"
    with db.engine.connect() as connection:
        counts = {
            table: connection.execute(
                text(statement.format(table, "id" if table == "apps" else "app_id")), {"app_id": app_id}
            ).scalar_one()
            for table in TABLES
        }
    return {table: count for table, count in counts.items() if count}


def test_a_file_becomes_an_app_with_a_code_of_its_own():
    imported = apps.publish(file_of(chat_definition()))
    assert len(imported.code) == 16 and imported.code.isalnum()
    assert (imported.mode, imported.name, imported.outcome, imported.warnings) == ("chat", "Plain chat", "created", ())
    assert published_apps.by_code(imported.code).id == imported.id


def test_the_same_code_updates_the_app_in_place():
    code = new_code()
    first = apps.publish(file_of(chat_definition()), code)
    changed = chat_definition(pre_prompt="Be brief.")
    changed["app"]["name"] = "Brief chat"
    second = apps.publish(file_of(changed), code)
    assert (second.id, second.code, second.outcome, second.name) == (first.id, code, "updated", "Brief chat")
    assert second.version_id != first.version_id
    assert published_apps.version(first.version_id).stored == chat_definition()
    assert published_apps.version(second.version_id).stored == changed


def test_the_same_definition_makes_no_version():
    code = new_code()
    first = apps.publish(file_of(chat_definition()), code)
    again = apps.publish(file_of(chat_definition()), code)
    assert (again.outcome, again.version_id) == ("unchanged", first.version_id)
    assert apps.show(code).summary.versions == 1


def test_one_and_true_are_not_the_same():
    code = new_code()
    apps.publish(AppFile("chat", "A", chat_definition(extra=1), []), code)
    assert apps.publish(AppFile("chat", "A", chat_definition(extra=True), []), code).outcome == "updated"


def test_an_app_keeps_its_mode():
    app = make_app()
    completion = chat_definition()
    completion["app"]["mode"] = "completion"
    with pytest.raises(AppRefused, match="mode chat, the file of mode completion"):
        apps.publish(file_of(completion), app.code)
    assert published_apps.by_code(app.code).definition == app.definition


@pytest.mark.parametrize("code", ["", " ", "a b", "a/b", "ü", "x" * 65, "a\n"])
def test_a_bad_code_is_refused(code):
    with pytest.raises(AppRefused, match="cannot be used"):
        apps.publish(file_of(chat_definition()), code)


@pytest.mark.parametrize("code", ["A", "a-b_C9", "x" * 64])
def test_a_good_code_is_taken(code):
    assert apps.publish(file_of(chat_definition()), code).code == code


def test_secrets_stay_in_the_table_and_out_of_exports():
    definition = {
        "app": {"name": "Flow", "mode": "workflow"},
        "workflow": {
            "graph": {"nodes": [{"id": "start", "data": {"type": "start", "title": "Start"}}]},
            "environment_variables": [
                {"name": "key", "value_type": "secret", "value": "s3cret"},
                {"name": "size", "value_type": "number", "value": 3},
            ],
        },
    }
    app = publish(definition, new_code())
    exported = apps.export(app.code)
    assert "s3cret" not in exported and "s3cret" not in repr(app)
    assert apps.show(app.code).definition == definition
    blanked = app_files.parse(exported).definition["workflow"]["environment_variables"]
    assert [variable["value"] for variable in blanked] == ["", 3]


def test_an_export_is_the_file_that_was_imported():
    app = make_app(opening_statement="Grüße 🤖")
    assert app_files.parse(apps.export(app.code)).definition == app.definition.stored


def test_apps_are_listed_by_name():
    app = make_app()
    listed = apps.list_apps()
    assert app.code in [entry.code for entry in listed]
    assert [entry.name.casefold() for entry in listed] == sorted(entry.name.casefold() for entry in listed)


def test_an_app_is_switched_off_and_on():
    app = make_app()
    apps.set_enabled(app.code, False)
    assert published_apps.by_code(app.code).enabled is False
    apps.set_enabled(app.code, True)
    assert published_apps.by_id(app.id).enabled is True


def test_removing_an_app_leaves_nothing_of_it(alice, charlie):
    alice.ask()
    others = count_rows(charlie.app.id)
    assert set(count_rows(alice.app.id)) == set(TABLES)
    apps.remove(alice.app.code)
    assert count_rows(alice.app.id) == {}
    assert published_apps.by_code(alice.app.code) is None
    assert count_rows(charlie.app.id) == others


def test_removing_an_app_stops_what_it_is_answering(alice, redis_db):
    ended, running = (alice.ask()[-1].data["task_id"] for _ in range(2))
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE tasks SET status = 'running' WHERE id = :id"), {"id": running})
    apps.remove(alice.app.code)
    assert signals.stops_requested(redis_db, [ended, running]) == [running]


def test_every_change_is_announced(redis_db):
    app = make_app()
    with redis_db.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(CHANGES)
        subscription.get_message(timeout=5)
        apps.set_enabled(app.code, False)
        publish(chat_definition(pre_prompt="New"), app.code)
        apps.remove(app.code)
        heard = [message["data"].decode() for message in iter(lambda: subscription.get_message(timeout=1), None)]
    assert heard == [f"app:{app.id}"] * 3


def test_a_change_is_made_without_redis_too(monkeypatch):
    app = make_app()
    monkeypatch.setitem(current_app.extensions, "redis_client", redis.Redis(port=1))
    with structlog.testing.capture_logs():
        change = apps.set_enabled(app.code, False)
    assert change.warnings == (apps.REDIS_AWAY,)
    assert published_apps.by_code(app.code).enabled is False


@pytest.mark.parametrize("call", [apps.show, apps.export, apps.remove, lambda code: apps.set_enabled(code, True)])
def test_an_unknown_code_is_refused(call):
    with pytest.raises(AppRefused, match="no app with the code 'nobody'"):
        call("nobody")


def test_a_dataset_that_is_not_known_is_named_with_what_to_do(app):
    datasets_of = {"datasets": {"datasets": [{"dataset": {"enabled": True, "id": "old-id"}}]}}
    file = AppFile("chat", "Reader", chat_definition(dataset_configs=datasets_of), [])
    made = apps.publish(file)
    (warning,) = made.warnings
    assert f"`.venv/bin/flask --app wsgi datasets bind {made.code} old-id DATASET`" in warning
    datasets.bind(made.code, "old-id", make_dataset().name)
    assert apps.publish(file, made.code).warnings == ()


def test_a_tool_that_is_not_set_up_is_named(app):
    tools = [
        {
            "enabled": True,
            "provider_id": "garden",
            "provider_name": "garden",
            "provider_type": "api",
            "tool_name": "weed",
            "tool_parameters": {},
        }
    ]
    definition = chat_definition(agent_mode={"enabled": True, "strategy": "function_call", "tools": tools})
    assert apps.publish(AppFile("chat", "Gardener", definition, [])).warnings == (
        "The tool 'weed' of 'garden' is not set up here. Add to TOOLS_FILE:"
        " `providers: {garden: {openapi: {description: FILE_OR_URL}}}`.",
    )


def test_an_empty_model_name_is_told_and_the_default_answers(app):
    file = AppFile("chat", "Nameless", chat_definition(model={"provider": "", "name": "", "mode": "chat"}), [])
    (warning,) = apps.publish(file).warnings
    assert warning.startswith("No model is named (model_config.model): ")


def test_a_model_that_no_route_leads_to_is_told(monkeypatch):
    monkeypatch.setitem(process_parts().built, ModelRoutes, ModelRoutes.from_settings("", "", "", "", {}))
    (warning,) = apps.publish(file_of(chat_definition())).warnings
    assert "'scripted' of 'openai' cannot be asked (model_config.model): no route leads to it" in warning


class TestAFileThatWasImportedBefore:
    """Which app it is of."""

    def of(self, source, name="Plain chat", **config):
        definition = chat_definition(**config)
        definition["app"]["name"] = name
        return lambda **more: apps.publish(file_of(definition), source=source, **more)

    def test_updates_its_app(self):
        source = new_code()
        first = self.of(source)()
        again, changed = self.of(source)(), self.of(source, pre_prompt="New.")()
        assert (first.id, first.code) == (again.id, again.code) == (changed.id, changed.code)
        assert (first.outcome, again.outcome, changed.outcome) == ("created", "unchanged", "updated")

    def test_another_file_of_the_same_content_is_another_app(self):
        assert self.of(new_code())().id != self.of(new_code())().id

    def test_makes_another_app_when_told_and_is_of_that_one_then(self):
        source = new_code()
        first, second = self.of(source)(), self.of(source)(anew=True)
        assert first.id != second.id and second.outcome == "created"
        assert self.of(source)().id == second.id

    def test_is_of_the_app_whose_code_it_was_imported_under(self):
        source, code = new_code(), new_code()
        assert self.of(source)(code=code).id == self.of(source)().id

    def test_stays_its_app_s_when_another_file_updates_that_app_by_its_code(self):
        source, other, code = new_code(), new_code(), new_code()
        app = self.of(source)(code=code)
        self.of(other, pre_prompt="Other.")(code=code)
        assert self.of(source)().id == self.of(other)().id == app.id

    def test_makes_a_new_app_once_its_app_is_removed(self):
        source = new_code()
        first = self.of(source)()
        apps.remove(first.code)
        assert self.of(source)().outcome == "created"

    def test_with_another_name_updates_and_says_so(self):
        source = new_code()
        first = self.of(source)()
        renamed = self.of(source, "Brief chat")()
        assert renamed.id == first.id and "was named 'Plain chat' before" in renamed.warnings[0]

    def test_with_another_mode_is_another_app_and_says_so(self):
        source, completion = new_code(), chat_definition()
        first = self.of(source)()
        completion["app"]["mode"] = "completion"
        second = apps.publish(file_of(completion), source=source)
        assert second.id != first.id and f"held the app {first.code!r} of mode chat" in second.warnings[0]
