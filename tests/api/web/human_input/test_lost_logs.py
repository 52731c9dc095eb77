"""Redis is emptied while a run waits for a person: its numbers go on, and whoever comes back lacks nothing."""

import pytest

from app.models.tasks import claim_task, find_task
from app.streams import channel
from tests.support.factories import make_graph_app
from tests.support.people import answerer_of, events, execute, rest, run_id
from tests.support.sse import Frame, answer_text, parse_frames
from tests.support.web_client import WebVisitor
from tests.support.workflow.forms import human, paragraph
from tests.support.workflow.graphs import answer, graph, start


@pytest.fixture
def chatter(client) -> WebVisitor:
    """A visitor of a chatflow that says something before and behind the form."""
    asks = human("ask", inputs=[paragraph("comment")])
    path = "start > before > ask:go > after"
    nodes = [start(), answer("Thanks. ", "before"), asks, answer("You said {{#ask.comment#}}.", "after")]
    return WebVisitor(client, make_graph_app(graph(*nodes, path), mode="advanced-chat"))


def comes_back(chatter: WebVisitor, frames: list[Frame], number: int) -> list[Frame]:
    """Return what a client has who had the frames up to a number and comes back with it."""
    reply = chatter.resume(run_id(frames), str(number))
    return [frame for frame in frames if (frame.number or 0) <= number] + parse_frames(reply.get_data(as_text=True))


def test_the_numbers_go_on_over_an_emptied_redis(chatter, redis_db):
    frames = chatter.ask("Hi")
    redis_db.flushall()
    answerer_of(chatter, frames).submit(comment="fine")
    went_on = rest(chatter, frames)
    assert events(went_on)[:2] == ["workflow_started", "human_input_form_filled"]
    assert [frame.number for frame in frames + went_on] == list(range(1, len(frames) + len(went_on) + 1))


def test_a_client_comes_back_with_any_number_from_before_the_pause(chatter, redis_db):
    frames = chatter.ask("Hi")
    redis_db.flushall()
    answerer_of(chatter, frames).submit(comment="fine")
    for number in range(len(frames) + 1):
        whole = comes_back(chatter, frames, number)
        assert answer_text(whole) == "Thanks. You said fine."
        assert events(whole)[-1] == "workflow_finished"
        numbers = [frame.number for frame in whole if frame.number]
        assert numbers == sorted(set(numbers))


def test_a_client_waits_for_the_person_behind_the_end_that_the_rows_told(chatter, redis_db):
    frames = chatter.ask("Hi")
    redis_db.flushall()
    told = comes_back(chatter, frames, 1)
    assert (events(told)[-1], told[-1].number) == ("workflow_paused", frames[-1].number)


def test_a_worker_that_dies_behind_a_pause_leaves_no_number_to_the_next_one(chatter, redis_db):
    frames = chatter.ask("Hi")
    state = find_task(run_id(frames))
    execute("UPDATE tasks SET status = 'running' WHERE id = :id", id=state.task_id)
    assert claim_task(state.task_id).last_event_is_known
    redis_db.delete(channel.head_key(state.task_id), channel.log_key(state.task_id))
    execute("UPDATE tasks SET status = 'paused' WHERE id = :id", id=state.task_id)
    answerer_of(chatter, frames).submit(comment="fine")
    whole = comes_back(chatter, frames, state.last_event)
    assert min(frame.number for frame in whole[len(frames) :] if frame.number) > 2**32
    assert answer_text(whole) == "Thanks. You said fine."
