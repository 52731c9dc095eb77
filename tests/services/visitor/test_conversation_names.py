"""The names of conversations whose first answer ended when nobody was there (contract endpoints.md, /chat-messages)."""

import uuid

import pytest

from app import tasks as queue
from app.api.process_hub import hub
from app.models.tasks import find_task
from app.services.auth.end_users import find_or_make
from app.services.visitor import conversations, generations
from app.services.visitor.chat import start as begin
from app.streams import signals
from tests.support.factories import make_app, make_graph_app
from tests.support.people import execute
from tests.support.workflow.graphs import answer, graph, start

QUESTION = "How do I brew a pot of green tea?"


@pytest.fixture(params=["chat", "advanced-chat"])
def published(app, request):
    if request.param == "chat":
        return make_app()
    return make_graph_app(graph(start(), answer("Gently."), "start > answer"), mode="advanced-chat")


def ask(published, query=QUESTION):
    return begin(published, find_or_make(published.id), generations.Question(query, {}))


def name_of(task) -> str:
    ((name,),) = execute("SELECT name FROM conversations WHERE id = :id", id=task.conversation_id)
    return str(name)


def test_a_conversation_is_named_where_nobody_was_at_the_end(published, model):
    task = ask(published)
    if task.mode == "chat":
        model.script("Gently.")
    model.script("Green tea")
    queue.generate(task.task_id)
    assert name_of(task) == "Green tea"


def test_a_reader_at_the_end_asks_for_the_name(published):
    task = ask(published)
    subscription = hub().subscribe(task.task_id)
    queue.generate(task.task_id)
    subscription.close()
    assert name_of(task) == QUESTION[:20] + "…"


def test_a_name_that_somebody_gave_stays(published, model):
    task = ask(published)
    execute("UPDATE conversations SET name = 'My tea' WHERE id = :id", id=task.conversation_id)
    queue.generate(task.task_id)
    assert name_of(task) == "My tea"


def test_a_name_that_is_given_meanwhile_stays(app, model, monkeypatch):
    task = ask(make_app())
    title = conversations._title

    def rename_first(begun: conversations.BegunConversation) -> str:
        execute("UPDATE conversations SET name = 'My tea' WHERE id = :id", id=task.conversation_id)
        return title(begun)

    monkeypatch.setattr(conversations, "_title", rename_first)
    queue.generate(task.task_id)
    assert name_of(task) == "My tea"


def test_a_later_answer_names_nothing(published):
    first = ask(published)
    subscription = hub().subscribe(first.task_id)
    queue.generate(first.task_id)
    subscription.close()
    asked = generations.Question("And black tea?", {}, conversation_id=first.conversation_id)
    queue.generate(begin(published, uuid.UUID(first.end_user_id), asked).task_id)
    assert name_of(first) == QUESTION[:20] + "…"


def test_an_answer_that_failed_or_was_stopped_names_nothing(app, redis_db):
    failed = ask(make_app(), query="[[fail:400]]")
    stopped = ask(make_app())
    signals.request_stop(redis_db, stopped.task_id)
    for task in (failed, stopped):
        queue.generate(task.task_id)
    assert (name_of(failed), name_of(stopped)) == ("[[fail:400]]", QUESTION[:20] + "…")


def test_a_model_that_fails_leaves_the_name(app, model):
    task = ask(make_app())
    model.script("Gently.")
    model.script(status=500)
    queue.generate(task.task_id)
    assert name_of(task) == QUESTION[:20] + "…"


def test_an_ending_that_a_dead_worker_did_not_publish_names_too(app, model, redis_db):
    task = ask(make_app())
    subscription = hub().subscribe(task.task_id)
    queue.generate(task.task_id)
    subscription.close()
    assert name_of(task) == QUESTION[:20] + "…"
    redis_db.delete(*redis_db.keys(f"run:{task.task_id}:*"))
    model.script("Green tea")
    queue.generate(task.task_id)
    assert (name_of(task), find_task(task.task_id).status) == ("Green tea", "succeeded")
