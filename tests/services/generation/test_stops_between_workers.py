"""A worker is gone and somebody stops its task before another one takes it: what was said by then is the answer."""

import dataclasses

import pytest

from app import tasks as queue
from app.agents.steps import AgentStep, ToolCall
from app.models import tasks
from app.models.agent_thoughts import ThoughtRow, list_thoughts, store_thought
from app.models.identifiers import now
from app.models.task_losses import record_losses
from app.models.tasks import claim_task, find_task
from app.services.auth.end_users import find_or_make
from app.services.events import lost_tasks
from app.services.events.message_events import MessageEvents
from app.services.generation.task_execution import worker_runtime
from app.services.visitor import generations
from app.services.visitor.chat import start as begin
from app.streams import channel, signals
from tests.support.factories import make_app, make_graph_app
from tests.support.sse import answer_text, parse_frame
from tests.support.workflow.graphs import answer, graph, start


def lose_worker(published, *pieces: str):
    """Ask a question whose worker says something and dies; return the task under its epoch."""
    task = begin(published, find_or_make(published.id), generations.Question("Hi", {}))
    claimed = claim_task(task.task_id)
    writer = worker_runtime().publisher.open(task.task_id, claimed.epoch, 0, is_last=True)
    for piece in pieces:
        writer.write(MessageEvents(claimed).text(piece))
    writer.wait_until_sent(5)
    return claimed


def stop_and_take_over(task, redis_db) -> list[str]:
    """Return the names of the events that the next worker publishes."""
    before = len(list(channel.read_log(redis_db, task.task_id, 0)))
    signals.request_stop(redis_db, task.task_id)
    queue.generate(task.task_id)
    frames = [parse_frame(f"data: {event.data.decode()}") for event in channel.read_log(redis_db, task.task_id, 0)]
    assert answer_text(frames) == find_task(task.task_id).answer
    return [frame.event for frame in frames[before:]]


def test_a_message_keeps_its_text(app, redis_db):
    task = lose_worker(make_app(), "Half ", "an answer")
    assert stop_and_take_over(task, redis_db) == ["message_end"]
    state = find_task(task.task_id)
    assert (state.status, state.answer) == (tasks.STOPPED, "Half an answer")


def test_a_chatflow_keeps_its_text(app, redis_db):
    task = lose_worker(make_graph_app(graph(start(), answer("All."), "start > answer"), mode="advanced-chat"), "Half")
    assert stop_and_take_over(task, redis_db) == ["message_end", "workflow_finished"]
    state = find_task(task.task_id)
    assert (state.status, state.answer) == (tasks.STOPPED, "Half")


def test_an_agent_keeps_its_steps_and_its_last_words(app, redis_db):
    task = lose_worker(make_app("agent-chat"), "Let me look.", "\nIt is", " tea")
    call = ToolCall("1", "lookup", "{}", observation="tea")
    step = AgentStep(task.message_id, 1, "Let me look.", "Let me look.", calls=[call])
    row = ThoughtRow(
        step.id, task.message_id, 1, step.thought, step.shown, [dataclasses.asdict(call)], created_at=now()
    )
    store_thought(task.task_id, task.epoch, row, [])
    stop_and_take_over(task, redis_db)
    state = find_task(task.task_id)
    assert (state.status, state.answer) == (tasks.STOPPED, "Let me look.\nIt is tea")
    assert [thought.thought for thought in list_thoughts([task.message_id])] == ["Let me look.", "\nIt is tea"]


def test_a_task_that_lost_all_its_workers_keeps_its_text(app, redis_db):
    task = lose_worker(make_app(), "Half an answer")
    for _ in range(lost_tasks.MOST_LOSSES):
        record_losses([task.task_id])
    queue.generate(task.task_id)
    state = find_task(task.task_id)
    assert (state.status, state.answer) == (tasks.FAILED, "Half an answer")


@pytest.mark.parametrize("log", ["kept", "lost"])
def test_a_task_that_goes_on_says_its_answer_anew(app, redis_db, log):
    task = lose_worker(make_app(), "Half an answer")
    if log == "lost":
        redis_db.flushall()
    queue.generate(task.task_id)
    assert find_task(task.task_id).status == tasks.SUCCEEDED
    assert not find_task(task.task_id).answer.startswith("Half")
