"""What processes remember and when they must forget it: one Redis channel, a short text per change."""

import redis

CHANNEL = "frontdesk:changes"


def announce(client: "redis.Redis", subject: str) -> None:
    """Tell every process to drop what it remembers of `subject` (`app:<id>`, `end_user:<id>`)."""
    client.publish(CHANNEL, subject)
