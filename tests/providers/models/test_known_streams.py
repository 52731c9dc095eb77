"""The streams of known servers, cut anywhere: nothing is lost, and nothing is read twice."""

import random
from collections.abc import Iterable

import pytest

from app.providers.models.chat_types import Chunk
from app.providers.models.server_sent_events import AnswerEvents
from app.providers.models.streamed_answers import StreamedAnswer
from tests.support.known_streams import CALL, KNOWN_STREAMS, KnownStream

named = pytest.mark.parametrize("known", KNOWN_STREAMS.values(), ids=KNOWN_STREAMS)

NOISE = [b"\x00", b"{", b"]", b'"', b"\\", b"\xff", b"\n", b"\r", b"null", b"5", b"\\ud83d", b""]


def read(pieces: Iterable[bytes]) -> KnownStream:
    """Read pieces as a call does, and take a chunk behind each; return what they say."""
    source, answer, chunks = AnswerEvents(), StreamedAnswer([CALL[0]]), list[Chunk | None]()
    for piece in pieces:
        answer.add(source.feed(piece))
        if answer.done:
            break
        chunks.append(answer.take())
    else:
        answer.add(source.finish())
    answer.end()
    chunks.append(answer.take())
    assert answer.failure is None
    taken = [chunk for chunk in chunks if chunk is not None]
    calls = [(call.name, call.arguments) for chunk in taken for call in chunk.tool_calls]
    return KnownStream(b"", "".join(c.text for c in taken), "".join(c.reasoning for c in taken), calls)


def said(known: KnownStream) -> KnownStream:
    return KnownStream(b"", known.text, known.thoughts, known.calls)


@named
def test_a_stream_may_be_cut_at_every_byte(known: KnownStream) -> None:
    for cut in range(len(known.sent) + 1):
        assert read([known.sent[:cut], known.sent[cut:]]) == said(known), cut


@named
def test_a_stream_may_come_byte_by_byte_and_in_pieces_of_any_size(known: KnownStream) -> None:
    assert read(bytes([byte]) for byte in known.sent) == said(known)
    for seed in range(20):
        chance = random.Random(seed)
        cuts = sorted(chance.choices(range(len(known.sent)), k=chance.randint(1, 30)))
        pieces = [known.sent[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
        assert read(pieces) == said(known), seed


@named
def test_a_stream_that_stops_early_never_fails_otherwise_than_as_cut_off(known: KnownStream) -> None:
    for cut in range(0, len(known.sent), 3):
        source, answer = AnswerEvents(), StreamedAnswer([CALL[0]])
        answer.add(source.feed(known.sent[:cut]) + source.finish())
        answer.end(source.beginning)
        chunk = answer.take()
        assert chunk is None or known.text.startswith(chunk.text.rstrip("�"))


def test_noise_never_crashes() -> None:
    for seed in range(300):
        chance = random.Random(seed)
        sent = bytearray(chance.choice(list(KNOWN_STREAMS.values())).sent)
        for _ in range(chance.randint(1, 12)):
            place = chance.randrange(len(sent))
            sent[place : place + chance.randint(0, 3)] = chance.choice(NOISE)
        source, answer = AnswerEvents(), StreamedAnswer([CALL[0]])
        answer.add(source.feed(bytes(sent)) + source.finish())
        answer.end(source.beginning)
        chunk = answer.take()
        if chunk is not None:
            # Lone surrogates cannot be encoded.
            "".join([chunk.text, chunk.reasoning, *(call.name + call.arguments for call in chunk.tool_calls)]).encode()
