"""The connections of a web worker that wait for their clients.

A request that is sent at once is waited for some microseconds. Many that take long are held back on purpose: when too
many wait, the oldest of the address that has the most are cut, so that others are served.
"""

import collections

from app.connections.client_socket import ClientSocket

MOST_WAITING = 1_000
# How many are cut at once: finding them takes a look at all.
CUT_AT_ONCE = 50


class WaitingClients:
    """Notes connections while they wait for their clients, and cuts some where they are too many."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._since: dict[ClientSocket, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def enter(self, connection: ClientSocket, since: float) -> None:
        """Note a connection that waits for a request, or for its client to read, that began at this time."""
        self._since[connection] = since
        if len(self._since) > self._most:
            self._cut_some()

    def leave(self, connection: ClientSocket) -> None:
        """Forget a connection; safe to call for one that is not noted."""
        self._since.pop(connection, None)

    def _cut_some(self) -> None:
        shares = collections.Counter(connection.peer for connection in self._since)
        by_age = sorted(self._since.items(), key=lambda item: (-shares[item[0].peer], item[1]))
        for connection, _ in by_age[: min(CUT_AT_ONCE, len(by_age) // 2)]:
            self.leave(connection)
            connection.cut()
