"""What an end user, an address, an account and an app may use; 429 beyond (contract README §3.4)."""

import itertools
import threading
import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.models.tasks import find_used_tokens
from app.services.auth.asker import Asker
from app.services.auth.households import household
from app.services.auth.open_streams import OpenStream
from config import Config
from tests.support.factories import make_app
from tests.support.logins import Person, app_of_mode, claims
from tests.support.scripted_model import ScriptedModel
from tests.support.web_client import WebVisitor

_numbers = itertools.count(1)


@pytest.fixture
def come(app: Flask) -> Callable[..., WebVisitor]:
    """A function that returns a new end user, of a new app and from a new address where none is given."""
    new_app = make_app()

    def come(address: str = "", of: object = None) -> WebVisitor:
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = address or f"198.51.{next(_numbers)}.1"
        return WebVisitor(client, of or new_app)  # type: ignore[arg-type]  # a published app

    return come


@pytest.fixture
def limit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """A function that sets a limit."""
    return lambda name, most: monkeypatch.setitem(app.config, name, most)


def refused(answer: TestResponse, code: str = "too_many_requests") -> bool:
    """Whether an answer is the refusal of a limit, and says when to come back."""
    if answer.status_code != 429:
        return False
    assert answer.get_json()["code"] == code and int(answer.headers["Retry-After"]) > 0
    return True


def codes(*answers: TestResponse) -> list[int]:
    for answer in answers:
        answer.get_data()
        answer.close()
    return [answer.status_code for answer in answers]


def test_a_new_passport_is_no_new_allowance_of_answers(come, limit, model):
    limit("ADDRESS_MINUTE_LIMIT", 2)
    first, second = come("192.0.2.10"), come("192.0.2.10")
    assert codes(first.chat(), second.chat()) == [200, 200]
    assert refused(come("192.0.2.10").chat(), "rate_limit_error")
    assert codes(come("192.0.2.11").chat()) == [200]


def test_a_household_counts_as_one_address(come, limit, model):
    limit("ADDRESS_MINUTE_LIMIT", 1)
    assert codes(come("2001:db8:7::1").chat()) == [200]
    assert refused(come("2001:db8:7::2").chat(), "rate_limit_error")
    assert codes(come("2001:db8:8::1").chat()) == [200]


def opened(visitor: WebVisitor) -> OpenStream:
    """One more stream of an end user, which goes on."""
    end_user_id = uuid.UUID(claims(visitor.headers["X-App-Passport"])["end_user_id"])
    address = household(visitor.client.environ_base["REMOTE_ADDR"])
    return OpenStream.of(Asker(visitor.app.id, end_user_id, None, address))


@pytest.mark.parametrize("name", ["VISITOR_STREAM_LIMIT", "ADDRESS_STREAM_LIMIT"])
def test_streams_at_once_are_bounded(come, limit, model, name):
    limit(name, 2)
    visitor = come()
    streams = [opened(visitor) for _ in range(2)]
    assert refused(visitor.chat())
    assert visitor.get("/conversations").get_json()["data"] == []
    streams[0].close()
    assert codes(visitor.chat()) == [200]


def test_a_new_passport_is_no_new_stream(come, limit, model):
    limit("ADDRESS_STREAM_LIMIT", 1)
    stream = opened(come("192.0.2.20"))
    assert refused(come("192.0.2.20").chat())
    assert codes(come("192.0.2.21").chat()) == [200]
    stream.close()
    stream.close()
    assert codes(come("192.0.2.20").chat()) == [200]


def test_a_resumed_stream_counts_too(come, limit, model):
    limit("VISITOR_STREAM_LIMIT", 1)
    visitor = come()
    task_id = visitor.ask()[0].data["task_id"]
    stream = opened(visitor)
    assert refused(visitor.resume(task_id))
    stream.close()
    assert codes(visitor.resume(task_id)) == [200]


def test_whoever_has_the_last_event_may_open_another_stream(come, limit, model):
    limit("VISITOR_STREAM_LIMIT", 1)
    visitor = come()
    # Read to the last event, and not closed.
    assert [answer.get_data()[:3] for answer in (visitor.chat(), visitor.chat())] == [b"id:", b"id:"]


def test_a_blocking_answer_leaves_no_place_taken(come, limit, model):
    limit("VISITOR_STREAM_LIMIT", 1)
    visitor = come()
    assert codes(*(visitor.chat(response_mode="blocking") for _ in range(3))) == [200] * 3


@pytest.mark.parametrize("kind", ["VISITOR", "ADDRESS", "APP"])
def test_answers_of_a_day_are_bounded(come, limit, model, kind):
    limit(f"{kind}_DAY_ANSWERS", 2)
    visitor = come()
    assert codes(visitor.chat(), visitor.chat()) == [200, 200]
    assert refused(visitor.chat())


def test_those_who_share_nothing_are_not_refused(come, limit, model):
    for kind in ("VISITOR", "ADDRESS", "APP"):
        limit(f"{kind}_DAY_ANSWERS", 1)
    assert codes(come(of=make_app()).chat(), come(of=make_app()).chat()) == [200, 200]


def test_a_refused_answer_uses_up_nobody_s_budget(come, limit, model):
    limit("VISITOR_DAY_ANSWERS", 1)
    limit("APP_DAY_ANSWERS", 2)
    greedy = come()
    assert codes(greedy.chat()) == [200]
    assert all(refused(greedy.chat()) for _ in range(5))
    assert codes(come().chat()) == [200]


def test_a_question_that_is_refused_is_not_counted(come, limit, model):
    limit("VISITOR_DAY_ANSWERS", 1)
    visitor = come()
    assert codes(visitor.chat(""), visitor.chat(inputs=5)) == [400, 400]
    assert codes(visitor.chat()) == [200]


def test_answers_at_the_same_time_are_counted_one_by_one(come, limit, model, app):
    limit("APP_DAY_ANSWERS", 3)
    visitors = [come() for _ in range(8)]
    answers: list[int] = []

    def ask(visitor: WebVisitor) -> None:
        with app.app_context():
            answers.extend(codes(visitor.chat()))

    threads = [threading.Thread(target=ask, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 3 + [429] * 5


@pytest.mark.parametrize("kind", ["VISITOR", "ADDRESS", "APP"])
def test_tokens_of_a_day_are_bounded(come, limit, model: ScriptedModel, kind):
    limit(f"{kind}_DAY_TOKENS", 1)
    visitor = come()
    frames = visitor.ask()
    assert find_used_tokens(frames[0].data["task_id"]) > 0
    assert refused(visitor.chat())


def test_an_account_s_budget_counts_in_all_apps(app, limit, model, ann: Person):
    limit("ACCOUNT_DAY_ANSWERS", 1)
    ann.log_in()
    apps = [app_of_mode("private_all") for _ in range(2)]
    first, second = (WebVisitor(app.test_client(), one, passport=ann.passport(one)) for one in apps)
    assert codes(first.chat()) == [200]
    assert refused(second.chat())


def test_uploads_are_counted_by_address(come, limit):
    limit("ADDRESS_MINUTE_LIMIT", 1)
    assert come("192.0.2.30").upload().status_code == 201
    assert refused(come("192.0.2.30").upload(), "rate_limit_error")


def lookups(visitor: WebVisitor) -> dict[str, Callable[[], TestResponse]]:
    """The requests beside answers that call a model or another server, by name."""
    end = visitor.ask()[-1].data
    return {
        "questions": lambda: visitor.get(f"/messages/{end['message_id']}/suggested-questions"),
        "names": lambda: visitor.post(f"/conversations/{end['conversation_id']}/name", {"auto_generate": True}),
        "remote files": lambda: visitor.get("/remote-files/ftp%3A%2F%2Fx"),
    }


@pytest.mark.parametrize("name", ["VISITOR_MINUTE_LIMIT", "ADDRESS_MINUTE_LIMIT"])
@pytest.mark.parametrize("what", ["questions", "names", "remote files"])
def test_what_costs_a_call_beside_answers_is_counted_apart(come, limit, model, name, what):
    limit(name, 1)
    visitor = come()
    look = lookups(visitor)[what]
    assert look().status_code != 429
    assert refused(look(), "rate_limit_error")


def test_an_end_user_stores_only_so_much(come, limit):
    limit("VISITOR_STORAGE_MB", 1)
    visitor = come()
    assert visitor.upload(b"x" * 1_048_576).status_code == 201
    answer = visitor.upload()
    assert (answer.status_code, answer.get_json()["code"]) == (413, "file_too_large")
    assert come().upload().status_code == 201


def test_an_address_uploads_only_so_much_a_day(come, limit):
    limit("ADDRESS_DAY_UPLOAD_MB", 1)
    assert come("192.0.2.40").upload(b"x" * 1_048_576).status_code == 201
    assert refused(come("192.0.2.40").upload())


LIMITS = (
    "PASSPORT_IP_LIMIT",
    "VISITOR_MINUTE_LIMIT",
    "ADDRESS_MINUTE_LIMIT",
    "VISITOR_STREAM_LIMIT",
    "ADDRESS_STREAM_LIMIT",
    "VISITOR_STORAGE_MB",
    "ADDRESS_DAY_UPLOAD_MB",
    "ADDRESS_CONNECTIONS",
    *(f"{kind}_DAY_{what}" for kind in ("VISITOR", "ADDRESS", "ACCOUNT", "APP") for what in ("ANSWERS", "TOKENS")),
)


@pytest.mark.parametrize(
    ("settings", "open_to_others"),
    [
        ({}, False),
        ({"HOST": "127.0.0.7"}, False),
        ({"HOST": "localhost"}, False),
        ({"HOST": "::1"}, False),
        ({"HOST": "0.0.0.0"}, True),
        ({"HOST": "::"}, True),
        ({"HOST": "desk.example.com"}, True),
        ({"PROXY_HOPS": "1"}, True),
    ],
)
def test_limits_are_on_where_others_can_call(tmp_path, settings, open_to_others):
    config = Config(settings | {"DATA_DIR": str(tmp_path)})
    assert {name: bool(getattr(config, name)) for name in LIMITS} == dict.fromkeys(LIMITS, open_to_others)


def test_each_limit_can_be_set_by_itself(tmp_path):
    config = Config({"HOST": "0.0.0.0", "VISITOR_STREAM_LIMIT": "0", "APP_DAY_TOKENS": "7", "DATA_DIR": str(tmp_path)})
    assert (config.VISITOR_STREAM_LIMIT, config.APP_DAY_TOKENS, config.ADDRESS_STREAM_LIMIT) == (0, 7, 10)
