"""What an answer adds to the metrics of the process that makes it."""

import datetime
from typing import Any

import pytest

from app.metrics.known_names import OTHER
from app.models.tasks import FAILED, PAUSED, SUCCEEDED, ClaimedTask
from app.services.events.answer_counts import count_rest
from tests.support.datasets import embedded
from tests.support.metrics import value

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def claimed(epoch: int = 1, **more: Any) -> ClaimedTask:
    """A task of a chat app, as a worker claims it."""
    names = dict.fromkeys(("task_id", "app_id", "end_user_id", "app_version_id", "conversation_id", "message_id"), "")
    return ClaimedTask(
        **names,
        mode="chat",
        epoch=epoch,
        last_event=0,
        created_at=NOW,
        query="",
        inputs={},
        previous_message_id=None,
        message_created_at=NOW,
        options=None,
        **more,
    )


def test_an_answer_is_counted_with_its_times_and_tokens(alice, model, counted):
    model.script("Hello ", "there")
    alice.ask()
    samples = counted()
    of_app = {"app": alice.app.code, "mode": "chat"}
    assert value(samples, "frontdesk_answers_total", **of_app, outcome=SUCCEEDED) == 1
    assert value(samples, "frontdesk_first_token_seconds_count", **of_app) == 1
    assert value(samples, "frontdesk_answer_seconds_count", **of_app) == 1
    assert value(samples, "frontdesk_queue_seconds_count", mode="chat") == 1
    assert value(samples, "frontdesk_tokens_total", kind="prompt", endpoint="OPENAI_BASE_URL") > 0
    assert value(samples, "frontdesk_tokens_total", kind="completion") > 0
    assert value(samples, "frontdesk_model_calls_total", kind="chat", outcome="succeeded") == 1
    assert value(samples, "frontdesk_model_call_seconds_count", kind="chat") == 1
    assert value(samples, "frontdesk_answer_failures_total") == 0


def test_a_failure_is_counted_by_its_cause(alice, model, counted):
    model.script(status=401)
    alice.ask()
    samples = counted()
    assert value(samples, "frontdesk_answers_total", app=alice.app.code, outcome=FAILED) == 1
    assert value(samples, "frontdesk_answer_failures_total", app=alice.app.code, cause="ProviderAuthFailed") == 1
    assert value(samples, "frontdesk_model_calls_total", outcome="failed") == 1
    assert value(samples, "frontdesk_model_failures_total", kind="chat", cause="ProviderAuthFailed") == 1
    assert value(samples, "frontdesk_first_token_seconds_count") == 0


def test_a_client_that_comes_back_is_counted(alice, model, counted):
    task_id = alice.ask()[0].data["task_id"]
    alice.resume(task_id, "1").get_data()
    assert value(counted(), "frontdesk_client_reconnects_total") == 1


def test_embeddings_are_calls_with_tokens(app, model, counted):
    embedded("Frontdesk answers.")
    samples = counted()
    assert value(samples, "frontdesk_model_calls_total", kind="embedding", outcome="succeeded") >= 1
    assert value(samples, "frontdesk_tokens_total", kind="prompt") > 0


def test_requests_are_counted_by_status_and_probes_are_not(client, counted):
    for path in ("/api/site", "/livez", "/readyz", "/metrics"):
        client.get(path)
    assert {labels: number for (name, labels), number in counted().items() if name == "frontdesk_requests_total"} == {
        (("status", "401"),): 1
    }


def test_a_run_that_waits_for_people_has_not_ended(counted):
    count_rest(claimed(), "desk", PAUSED, None, 0.5, 3.0)
    samples = counted()
    assert value(samples, "frontdesk_answers_total", outcome=PAUSED) == 1
    assert value(samples, "frontdesk_first_token_seconds_count") == 1
    assert value(samples, "frontdesk_answer_seconds_count") == 0


def test_behind_a_take_over_the_first_token_came_before(counted):
    count_rest(claimed(epoch=2), "desk", SUCCEEDED, None, 0.5, 3.0)
    samples = counted()
    assert value(samples, "frontdesk_first_token_seconds_count") == 0
    assert value(samples, "frontdesk_answer_seconds_sum") == 3.0


@pytest.mark.parametrize("cause", [None, "FaultOfOurs"])
def test_an_app_that_is_gone_counts_as_other(counted, cause):
    count_rest(claimed(), None, FAILED, cause, None, 1.0)
    samples = counted()
    assert value(samples, "frontdesk_answers_total", app=OTHER) == 1
    assert value(samples, "frontdesk_answer_failures_total", app=OTHER, cause=cause or OTHER) == 1
