"""What is older than RETENTION_DAYS goes, and what nothing needs."""

import secrets

import pytest

from app import tasks
from app.services.definitions import published_apps
from app.services.keeping import retention
from tests.support.factories import chat_definition, make_graph_app, publish
from tests.support.people import asking, execute
from tests.support.uploads import is_stored
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import end, graph, start

OLD = "now() - interval '40 days'"


@pytest.fixture
def thirty_days(app, monkeypatch):
    monkeypatch.setitem(app.config, "RETENTION_DAYS", 30)


def age_conversation(conversation_id):
    execute(f"UPDATE conversations SET updated_at = {OLD}, created_at = {OLD} WHERE id = :id", id=conversation_id)


def age_run(run_id):
    execute(f"UPDATE workflow_runs SET created_at = {OLD}, finished_at = {OLD} WHERE id = :id", id=run_id)


def conversations_of(visitor):
    return [row["id"] for row in visitor.get("/conversations").get_json()["data"]]


def rows(table, visitor):
    return execute(f"SELECT count(*) FROM {table} WHERE app_id = :id", id=visitor.app.id)[0][0]


def ask(visitor, **body):
    return visitor.ask(**body)[-1].data["conversation_id"]


class TestConversations:
    def test_go_by_their_last_activity_with_all_their_messages(self, alice, thirty_days):
        old, active = ask(alice), ask(alice)
        ask(alice, conversation_id=active)
        age_conversation(old)
        execute(f"UPDATE messages SET created_at = {OLD} WHERE conversation_id = :id", id=active)
        tasks.remove_old()
        assert conversations_of(alice) == [active]
        assert (rows("conversations", alice), rows("messages", alice), rows("tasks", alice)) == (1, 2, 2)

    def test_stay_for_ever_where_nothing_is_set(self, alice):
        old = ask(alice)
        age_conversation(old)
        tasks.remove_old()
        assert conversations_of(alice) == [old]

    def test_go_though_they_are_pinned_and_their_messages_saved(self, alice, thirty_days):
        last = alice.ask()[-1].data
        alice.patch(f"/conversations/{last['conversation_id']}/pin")
        age_conversation(last["conversation_id"])
        tasks.remove_old()
        assert conversations_of(alice) == []

    @pytest.mark.parametrize("status", ["running", "paused"])
    def test_stay_while_an_answer_is_under_way_or_waits(self, alice, thirty_days, status):
        old = ask(alice)
        execute("UPDATE tasks SET status = :status WHERE conversation_id = :id", id=old, status=status)
        age_conversation(old)
        tasks.remove_old()
        assert conversations_of(alice) == [old]
        execute("UPDATE tasks SET status = 'succeeded' WHERE conversation_id = :id", id=old)
        tasks.remove_old()
        assert conversations_of(alice) == []

    def test_go_in_batches_and_whoever_comes_next_goes_on(self, alice, thirty_days, monkeypatch):
        monkeypatch.setattr(retention, "BATCH", 1)
        for _ in range(3):
            age_conversation(ask(alice))
        retention.remove_old(seconds=0)
        assert len(conversations_of(alice)) == 3
        retention.remove_old()
        assert (conversations_of(alice), rows("messages", alice)) == ([], 0)

    def test_that_were_deleted_keep_an_answer_s_rows_until_its_worker_has_stopped(self, alice):
        old = ask(alice)
        execute("UPDATE tasks SET status = 'running' WHERE conversation_id = :id", id=old)
        execute("UPDATE conversations SET deleted_at = now() WHERE id = :id", id=old)
        retention.purge_deleted()
        assert rows("messages", alice) == 1
        execute("UPDATE conversations SET deleted_at = now() - interval '11 minutes' WHERE id = :id", id=old)
        retention.purge_deleted()
        assert (rows("messages", alice), rows("conversations", alice)) == (0, 0)


class TestRuns:
    def test_go_with_their_node_executions(self, client, thirty_days):
        visitor = WebVisitor(client, make_graph_app(graph(start(), end(), "start > end")))
        old, new = (visitor.run()[0].data["workflow_run_id"] for _ in range(2))
        age_run(old)
        tasks.remove_old()
        assert [
            str(row[0]) for row in execute("SELECT id FROM workflow_runs WHERE app_id = :id", id=visitor.app.id)
        ] == [new]
        assert execute("SELECT count(*) FROM node_executions WHERE run_id = :id", id=old)[0][0] == 0

    def test_stay_while_they_wait_for_people(self, client, thirty_days):
        visitor = WebVisitor(client, asking())
        age_run(visitor.run(topic="tea")[0].data["workflow_run_id"])
        tasks.remove_old()
        assert rows("workflow_runs", visitor) == 1


class TestFiles:
    @pytest.fixture
    def uploaded(self, alice):
        return alice.upload().get_json()["id"]

    @staticmethod
    def is_kept(alice, file_id):
        kept = execute("SELECT count(*) FROM upload_files WHERE id = :id", id=file_id)[0][0] == 1
        assert is_stored(alice, file_id) == kept
        return kept

    @staticmethod
    def age(file_id):
        execute(f"UPDATE upload_files SET created_at = {OLD} WHERE id = :id", id=file_id)

    def test_go_where_nothing_names_them(self, alice, uploaded, thirty_days):
        tasks.remove_old()
        assert self.is_kept(alice, uploaded)
        self.age(uploaded)
        tasks.remove_old()
        assert not self.is_kept(alice, uploaded)

    @pytest.mark.parametrize("column", ["files", "answer", "inputs"])
    def test_stay_while_a_message_names_them(self, alice, uploaded, thirty_days, column):
        conversation = ask(alice)
        value = "x" if column == "answer" else "jsonb_build_object('related_id', :file)"
        value = "'see /files/' || :file || '/file-preview'" if column == "answer" else value
        execute(f"UPDATE messages SET {column} = {value} WHERE conversation_id = :id", id=conversation, file=uploaded)
        self.age(uploaded)
        tasks.remove_old()
        assert self.is_kept(alice, uploaded)
        age_conversation(conversation)
        tasks.remove_old()
        assert not self.is_kept(alice, uploaded)

    def test_are_all_looked_at_though_most_of_them_stay(self, alice, thirty_days, monkeypatch):
        monkeypatch.setattr(retention, "FILES_AT_ONCE", 1)
        conversation, kept = ask(alice), [alice.upload().get_json()["id"] for _ in range(2)]
        execute("UPDATE messages SET query = :text WHERE conversation_id = :id", id=conversation, text=" ".join(kept))
        last = alice.upload().get_json()["id"]
        for file_id in (*kept, last):
            self.age(file_id)
        retention.remove_old()
        assert [self.is_kept(alice, file_id) for file_id in (*kept, last)] == [True, True, False]


class TestAppVersions:
    @pytest.fixture
    def house(self, client):
        app = publish(chat_definition(pre_prompt="one"), f"test-{secrets.token_hex(8)}")
        return WebVisitor(client, app)

    def publish_again(self, visitor, prompt, days=2):
        """Publish another version; all of them were published so many days ago."""
        publish(chat_definition(pre_prompt=prompt), visitor.app.code)
        execute(
            "UPDATE app_versions SET created_at = created_at - make_interval(days => :days) WHERE app_id = :id",
            id=visitor.app.id,
            days=days,
        )

    def versions(self, visitor):
        tasks.remove_old()
        found = execute("SELECT definition FROM app_versions WHERE app_id = :id ORDER BY created_at", id=visitor.app.id)
        return [row[0]["model_config"]["pre_prompt"] for row in found]

    def test_that_nothing_needs_go(self, house):
        self.publish_again(house, "two")
        self.publish_again(house, "three")
        assert self.versions(house) == ["three"]
        assert published_apps.by_code(house.app.code) is not None

    def test_stay_for_their_conversations(self, house):
        conversation = ask(house)
        self.publish_again(house, "two")
        self.publish_again(house, "three")
        assert self.versions(house) == ["one", "three"]
        assert ask(house, conversation_id=conversation) == conversation
        house.delete(f"/conversations/{conversation}")
        retention.purge_deleted()
        assert self.versions(house) == ["three"]

    def test_stay_for_a_day_for_processes_that_know_them_still(self, house):
        self.publish_again(house, "two", days=0)
        assert self.versions(house) == ["one", "two"]

    def test_stay_for_their_runs(self, client):
        flow = graph(start(), end(), "start > end")
        visitor = WebVisitor(client, make_graph_app(flow))
        visitor.run()
        execute(
            "INSERT INTO app_versions (id, app_id, definition, created_at) SELECT gen_random_uuid(), id, '{}',"
            " now() - interval '2 days' FROM apps WHERE id = :id",
            id=visitor.app.id,
        )
        execute(
            "UPDATE app_versions SET created_at = now() - interval '3 days' WHERE app_id = :id AND definition <> '{}'",
            id=visitor.app.id,
        )
        execute(
            "UPDATE apps SET version_id = (SELECT id FROM app_versions WHERE app_id = :id AND definition = '{}')"
            " WHERE id = :id",
            id=visitor.app.id,
        )
        tasks.remove_old()
        count = "SELECT count(*) FROM app_versions WHERE app_id = :id"
        assert execute(count, id=visitor.app.id)[0][0] == 2
        execute("DELETE FROM workflow_runs WHERE app_id = :id", id=visitor.app.id)
        tasks.remove_old()
        assert execute(count, id=visitor.app.id)[0][0] == 1
