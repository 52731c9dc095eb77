"""The places of open streams while Redis is away: the streams go on."""

import uuid

import pytest
import redis
from flask import Flask

from app.services.auth import open_streams
from app.services.auth.asker import Asker
from app.services.auth.open_streams import OpenStream
from app.streams.channel import ChannelEvent

EVENTS = [[], [ChannelEvent(1, b"{}", False)], [ChannelEvent(2, b"{}", True)]]


@pytest.fixture
def stream(app: Flask, servers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> OpenStream:
    """A stream whose place is kept at every event, and whose Redis has gone since it was opened."""
    monkeypatch.setitem(app.config, "VISITOR_STREAM_LIMIT", 1)
    monkeypatch.setitem(app.config, "PING_SECONDS", 0.0)
    monkeypatch.setattr(open_streams, "LEAST_SECONDS", 0.0)
    client = redis.Redis.from_url(servers["REDIS_URL"])
    monkeypatch.setitem(app.extensions, "redis_client", client)
    opened = OpenStream.of(Asker(uuid.uuid4(), uuid.uuid4(), None, "192.0.2.1"))
    client.connection_pool.disconnect()
    client.connection_pool = redis.Redis(port=1).connection_pool
    return opened


def test_a_stream_goes_on_to_its_end(stream: OpenStream) -> None:
    assert list(stream.kept(EVENTS)) == EVENTS


def test_a_stream_is_closed(stream: OpenStream) -> None:
    stream.close()
    stream.close()
