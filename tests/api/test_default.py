"""GET /workflow/{task_id}/events: continue the stream of an answer (contract streaming.md §9.4)."""

import pytest

from app.streams import channel
from tests.support.sse import answer_text, find_problem, parse_frames


def frames_of(answer):
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return parse_frames(answer.get_data(as_text=True))


@pytest.mark.parametrize("identifier", ["task_id", "message_id"])
def test_a_reloaded_page_gets_the_whole_answer(alice, identifier):
    frames = alice.ask()
    assert frames_of(alice.resume(frames[0].data[identifier])) == frames


def test_a_client_that_was_cut_off_gets_the_rest(alice):
    frames = alice.ask()
    assert frames_of(alice.resume(frames[0].data["task_id"], "1")) == frames[1:]


def test_nothing_is_left_behind_the_last_event(alice):
    frames = alice.ask()
    answer = alice.resume(frames[0].data["task_id"], str(frames[-1].number))
    assert (answer.status_code, answer.get_data()) == (200, b"")


def test_an_empty_header_is_no_header(alice):
    frames = alice.ask()
    assert frames_of(alice.resume(frames[0].data["task_id"], "")) == frames


@pytest.mark.parametrize("number", ["-1", "1.5", "x", "٣"])
def test_a_bad_number_is_refused(alice, number):
    frames = alice.ask()
    answer = alice.resume(frames[0].data["task_id"], number.encode().decode("latin-1"))
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_param")


def test_the_stored_answer_serves_when_the_log_is_gone(alice, redis_db):
    frames = alice.ask()
    task_id = frames[0].data["task_id"]
    redis_db.delete(channel.log_key(task_id), channel.head_key(task_id))
    again = frames_of(alice.resume(task_id))
    assert [frame.event for frame in again] == ["message_replace", "message_end"]
    assert answer_text(again) == answer_text(frames)


def test_a_stored_error_serves_when_the_log_is_gone(alice, redis_db):
    frames = alice.ask("[[fail-after:1]]")
    message_id = frames[0].data["message_id"]
    redis_db.delete(*redis_db.keys("run:*"))
    told = frames_of(alice.resume(message_id))
    assert [frame.event for frame in told] == ["message_replace", "error"]
    assert (answer_text(told), told[-1].data) == (answer_text(frames), frames[-1].data)


def test_another_end_users_answer_does_not_exist(alice, bob, charlie):
    frames = alice.ask()
    for stranger in (bob, charlie):
        answer = stranger.resume(frames[0].data["task_id"])
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("identifier", ["0f4d2c7e-3f6b-4a57-9a0e-5d5f3c1b2a49", "rubbish"])
def test_an_unknown_answer_does_not_exist(alice, identifier):
    assert alice.resume(identifier).status_code == 404


def test_the_frames_of_a_run_are_numbered_without_gap(alice):
    assert find_problem(alice.ask("[[chunks:5]]"), "tok0 tok1 tok2 tok3 tok4") is None
