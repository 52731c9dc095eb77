"""The reading side of a channel: live events, with the event log for whatever was missed.

Pub/sub is fast and may lose messages: with the connection, with a queue that overflows, before the subscription. The
log has them all and costs a request. So the log is read only where something may be missing: the numbers have a gap,
the subscription says so, or it is silent. A gap that the log has too stands for events that nobody has any more.
"""

from collections.abc import Iterator

import redis

from app.streams.channel import ChannelEvent, LogLost, RedisAway, read_log
from app.streams.hub import Subscription

RETRY_SECONDS = 0.3


def follow(
    client: "redis.Redis", subscription: Subscription, after: int, idle_seconds: float, look_back: bool
) -> Iterator[list[ChannelEvent]]:
    """Yield the events behind number `after`, in order, each once, none left out, up to a final one.

    They come in groups, with an empty group for each `idle_seconds` of silence. `look_back`: whether events may have
    been published before the subscription. While Redis is away it waits for it. Raises LogLost where the log lacks
    what was missed.
    """
    live: list[ChannelEvent] = []
    unsure, silent = look_back, False
    while True:
        # A live event may be known already: the log had it first.
        group = [event for event in live if event.number > after]
        # In silence the log is asked too: nothing follows a last message that was lost, so no gap would show.
        if unsure or silent or _has_gap(group, after):
            try:
                group = _fill_gaps(client, subscription.task_id, after, group)
            except RedisAway:
                unsure, live = True, live + subscription.take(RETRY_SECONDS)[0]
                continue
        if group:
            after = group[-1].number
            ended = next((index for index, event in enumerate(group) if event.final), None)
            yield group if ended is None else group[: ended + 1]
            if ended is not None:
                return
        elif silent:
            yield []
        live, unsure = subscription.take(idle_seconds)
        silent = not live and not unsure


def _fill_gaps(client: "redis.Redis", task_id: str, after: int, live: list[ChannelEvent]) -> list[ChannelEvent]:
    """Return the logged events behind `after` and the live ones behind those. Raises LogLost for a missing number."""
    logged = list(read_log(client, task_id, after))
    last = logged[-1].number if logged else after
    group = logged + [event for event in live if event.number > last]
    if _has_gap(group, after):
        raise LogLost(task_id)
    return group


def _has_gap(group: list[ChannelEvent], after: int) -> bool:
    """Return whether a number is missing between `after` and the last event, whose numbers only grow."""
    return bool(group) and group[-1].number != after + len(group)
