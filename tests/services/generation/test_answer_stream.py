"""The text of one answer: what readers are sent of it, whatever moderation, speech and a lost log do."""

from types import SimpleNamespace

import orjson
import pytest

from app.models.identifiers import now
from app.models.tasks import ClaimedTask
from app.services.definitions.features import FeatureSet
from app.services.events.message_events import MessageEvents
from app.services.generation import answer_stream
from app.services.generation.answer_stream import AnswerStream
from app.services.generation.moderation import KeywordModerator

TASK = ClaimedTask(
    *("task", "app", "end user", "version", "chat", 1, 0, now(), "conversation", "message", "Hi", {}, None, now(), None)
)


class Writer:
    """Keeps what is written, as (name of the event, its text)."""

    def __init__(self, number: int = 0) -> None:
        self.number, self.log_was_lost = number, False
        self.written: list[tuple[str, str]] = []
        self.last_is_final = False

    def write(self, data: bytes, final: bool = False) -> None:
        event = orjson.loads(data)
        self.written.append((event["event"], event.get("answer", "")))
        self.number += 1
        self.last_is_final = final

    def wait_until_sent(self, timeout: float) -> None:
        pass


class Speech:
    """Keeps the text that it is fed; its sound is there at once."""

    def __init__(self) -> None:
        self.fed: list[str] = []
        self.closed = 0

    def feed(self, delta: str) -> None:
        self.fed.append(delta)

    def restart(self) -> None:
        self.fed = []

    def take_sound(self) -> bytes:
        return b"mp3"

    def remaining_sound(self):
        yield b"mp3"

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def speech(monkeypatch) -> Speech:
    speech = Speech()
    monkeypatch.setattr(answer_stream, "speech_of", lambda run, config: speech)
    return speech


def stream(writer: Writer, text: str = "", **more) -> AnswerStream:
    events = MessageEvents(TASK)
    return AnswerStream(SimpleNamespace(writer=writer), events, events, text, **more)


def test_each_piece_is_published(writer):
    answer = stream(writer)
    answer.add("Hel")
    answer.add("l\0o")
    assert writer.written == [("message", "Hel"), ("message", "lo")]
    assert (answer.text, answer.is_replaced) == ("Hello", False)


def test_a_refused_text_is_replaced_and_what_follows_is_not_published(writer):
    answer = stream(writer)
    answer.moderator = KeywordModerator(["bad"], "No.")
    for piece in ("A ba", "d word", " more"):
        answer.add(piece)
    answer.moderate(whole=True)
    assert writer.written == [("message", "A ba"), ("message", "d word"), ("message_replace", "No.")]
    assert (answer.text, answer.is_replaced) == ("No.", True)


def test_a_replacement_that_readers_have_is_not_published_again(writer):
    answer = stream(writer)
    answer.moderator = KeywordModerator(["bad"], "No.")
    answer.restore("A bad word")
    answer.moderate(whole=True, seen="No.")
    answer.publish_restored()
    assert (writer.written, answer.text) == ([], "No.")


@pytest.mark.parametrize(("number", "expected"), [(0, []), (3, [("message_replace", "Stored")])])
def test_a_restored_text_replaces_what_was_published(number, expected):
    writer = Writer(number)
    answer = stream(writer, "Half of what anot")
    answer.restore("Stored")
    answer.publish_restored()
    assert (writer.written, answer.text) == (expected, "Stored")


def test_a_lost_log_is_published_again_with_what_goes_before_it(writer):
    answer = stream(writer, repeated_events=lambda: [b'{"event": "agent_thought"}'])
    answer.add("Hel")
    writer.log_was_lost = True
    answer.add("lo")
    answer.repair_lost_log()
    assert writer.written == [("message", "Hel"), ("agent_thought", ""), ("message_replace", "Hello")]


def test_a_log_lost_at_the_end_is_published_again(writer):
    answer = stream(writer)
    answer.add("Hello")
    writer.log_was_lost = True
    answer.repair_lost_log()
    answer.repair_lost_log()
    assert writer.written == [("message", "Hello"), ("message_replace", "Hello")]


def test_the_piece_that_repairs_a_lost_log_is_spoken_and_moderated(writer, speech):
    answer = stream(writer)
    answer.moderator = KeywordModerator(["bad"], "No.")
    answer.start_speech(FeatureSet.read({}))
    writer.log_was_lost = True
    answer.add("A bad word")
    assert writer.written == [("message_replace", "A bad word"), ("tts_message", ""), ("message_replace", "No.")]
    assert speech.fed == ["No."]


def test_speech_ends_the_answer(writer, speech):
    answer = stream(writer)
    answer.start_speech(FeatureSet.read({}))
    answer.add("Hello")
    answer.finish_speech(final=True)
    assert [name for name, _ in writer.written] == ["message", "tts_message", "tts_message", "tts_message_end"]
    assert writer.last_is_final


def test_an_answer_without_speech_has_no_end_of_it(writer):
    stream(writer).finish_speech(final=True)
    assert writer.written == []


def test_speech_is_stopped_once_and_safely_before_its_start(writer, speech):
    answer = stream(writer)
    answer.stop_speech()
    answer.start_speech(FeatureSet.read({}))
    answer.stop_speech()
    answer.stop_speech()
    assert (speech.closed, answer.is_spoken) == (1, False)


def test_a_mode_without_speech_starts_none(writer, speech):
    answer = AnswerStream(SimpleNamespace(writer=writer), MessageEvents(TASK), None)
    answer.start_speech(FeatureSet.read({}))
    assert not answer.is_spoken
