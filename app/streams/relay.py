"""The reader's side of a channel: live events, with the log for whatever was missed."""

from collections.abc import Iterator

import redis

from app.streams.channel import ChannelEvent, LogLost, read_log
from app.streams.hub import Subscription

RETRY = 0.3


def follow(
    client: "redis.Redis", subscription: Subscription, after: int, idle: float, look_back: bool
) -> Iterator[list[ChannelEvent]]:
    """The events behind number `after`, in order, each once, none left out, up to a final one.

    Gives them in groups as they come, and an empty group for each `idle` seconds of silence; the
    silence is used to look into the log, in case the last message was lost on its way. `look_back`:
    whether events may have been sent before the subscription. While Redis is away it waits for it.
    Raises LogLost where the log lacks what was missed.
    """
    live: list[ChannelEvent] = []
    unsure, silent = look_back, False
    while True:
        group = [event for event in live if event.number > after]
        if unsure or silent or (group and group[0].number > after + 1):
            try:
                group = _complete(client, subscription.task_id, after, group)
            except (redis.ConnectionError, redis.TimeoutError):
                unsure, live = True, live + subscription.take(RETRY)[0]
                continue
        if group:
            after = group[-1].number
            ended = next((index for index, event in enumerate(group) if event.final), None)
            yield group if ended is None else group[: ended + 1]
            if ended is not None:
                return
        elif silent:
            yield []
        live, unsure = subscription.take(idle)
        silent = not live and not unsure


def _complete(client: "redis.Redis", task_id: str, after: int, live: list[ChannelEvent]) -> list[ChannelEvent]:
    logged = list(read_log(client, task_id, after))
    last = logged[-1].number if logged else after
    group = logged + [event for event in live if event.number > last]
    for event in group:
        if event.number != after + 1:
            raise LogLost(task_id)
        after = event.number
    return group
