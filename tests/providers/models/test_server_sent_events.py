import random

import pytest

from app.errors import ProviderProtocolError
from app.providers.models import server_sent_events
from app.providers.models.server_sent_events import EventStream, WholeDocument

STREAM = (
    ": keep-alive\n\n"
    'data: {"text": "größe 🙂"}\n\n'
    "event: message\nid: 7\nretry: 5\ndata:tight\n\n"
    'data: {"two":\r\ndata:  "lines"}\r\n\r\n'
    "data\n\ndata:\n\n"
    "unknown: x\n\n\n\n"
    "data: [DONE]\n\n"
).encode()
EVENTS = ['{"text": "größe 🙂"}'.encode(), b"tight", b'{"two":\n "lines"}', b"[DONE]"]


def events_of(pieces: list[bytes]) -> list[bytes]:
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)] + stream.finish()


def test_events_are_read_in_one_piece() -> None:
    assert events_of([STREAM]) == EVENTS


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_events_are_the_same_in_small_pieces(size: int) -> None:
    assert events_of([STREAM[start : start + size] for start in range(0, len(STREAM), size)]) == EVENTS


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
def test_events_are_the_same_cut_at_every_byte(cut: int) -> None:
    assert events_of([STREAM[:cut], STREAM[cut:]]) == EVENTS


@pytest.mark.parametrize("seed", range(50))
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_events_are_the_same_in_random_pieces(seed: int, line_end: bytes) -> None:
    stream = STREAM.replace(b"\r\n", b"\n").replace(b"\n", line_end)
    chance = random.Random(seed)
    cuts = [0, *sorted(chance.choices(range(len(stream)), k=12)), len(stream)]

    assert events_of([stream[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]) == EVENTS


def test_the_last_event_needs_no_empty_line() -> None:
    stream = EventStream()

    assert stream.feed(b"data: 1\n\ndata: 2") == [b"1"]
    assert stream.finish() == [b"2"]
    assert stream.finish() == []


def test_an_event_without_an_end_is_a_protocol_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_sent_events, "LARGEST_EVENT", 10)

    for source in (EventStream(), WholeDocument()):
        with pytest.raises(ProviderProtocolError):
            source.feed(b"data: 12345")


def test_a_document_is_one_event() -> None:
    document = WholeDocument()

    assert document.feed(b'{"choices"') == document.feed(b": []}") == []
    assert document.finish() == [b'{"choices": []}']
