"""The streams that an end user and an address have open at once (VISITOR_STREAM_LIMIT, ADDRESS_STREAM_LIMIT)."""

import contextlib
import hashlib
import secrets
import time
from collections.abc import Iterable, Iterator
from typing import Self

from flask import current_app

from app.errors import TooManyRequests
from app.extensions import redis_client
from app.services.auth.asker import Asker
from app.streams import stream_places
from app.streams.channel import ChannelEvent, RedisAway

# A place lasts so many pings: it is kept at each.
PINGS = 4
LEAST_SECONDS = 30.0


class OpenStream:
    """One open stream of an asker. Close it when done; a process that died leaves none behind."""

    def __init__(self, subjects: dict[str, int]) -> None:
        """`subjects`: who has it open, and how many each may have. Raises TooManyRequests."""
        self._client = redis_client.client
        self._subjects = list(subjects)
        self._place = secrets.token_hex(8)
        self._seconds = max(LEAST_SECONDS, PINGS * float(current_app.config["PING_SECONDS"]))
        self._kept = time.monotonic()
        if subjects and not stream_places.take(self._client, subjects, self._place, self._seconds):
            raise TooManyRequests("Too many answers are open at once. Please close some, or wait for their end.")

    @classmethod
    def of(cls, asker: Asker) -> Self:
        """Open a stream for an end user and an address. Raises TooManyRequests."""
        most = {
            f"end user {asker.end_user_id}": current_app.config["VISITOR_STREAM_LIMIT"],
            f"address {asker.address}": current_app.config["ADDRESS_STREAM_LIMIT"],
        }
        # Hashed: addresses are not to be read in Redis.
        return cls({hashlib.sha256(name.encode()).hexdigest(): number for name, number in most.items() if number})

    def kept(self, groups: Iterable[list[ChannelEvent]]) -> Iterator[list[ChannelEvent]]:
        """Yield what comes, silences included, and keep the place meanwhile."""
        for group in groups:
            # Before the client has the last event: it may open another stream at once.
            if any(event.final for event in group):
                self.close()
            yield group
            if self._subjects and time.monotonic() > self._kept + self._seconds / PINGS:
                self._kept = time.monotonic()
                # The stream outlives an outage of Redis; its place may be lost then.
                with contextlib.suppress(*RedisAway):
                    stream_places.keep(self._client, self._subjects, self._place, self._seconds)

    def close(self) -> None:
        """Free the place; safe to call twice. Without Redis it ends by itself."""
        subjects, self._subjects = self._subjects, []
        if subjects:
            with contextlib.suppress(*RedisAway):
                stream_places.give_back(self._client, subjects, self._place)
