"""Read the address of a Redis that several Sentinels watch; plain addresses are the client library's business.

`redis+sentinel://user:password@host1:26379,host2:26379/name/0?sentinel_password=…`: user and password are those of
Redis, `name` is what the Sentinels call it, behind it stands the database, 0 where it is absent.
"""

import urllib.parse
from typing import NamedTuple

SENTINEL_SCHEME = "redis+sentinel"
SENTINEL_PORT = 26379


class SentinelAddress(NamedTuple):
    """Where Sentinels are asked for Redis; texts are empty where the address does not say."""

    sentinels: list[tuple[str, int]]
    name: str
    database: int
    username: str
    password: str
    sentinel_username: str
    sentinel_password: str

    @property
    def login(self) -> dict[str, str]:
        """Return what Redis wants to know, as the client library's arguments."""
        return _given(username=self.username, password=self.password)

    @property
    def sentinel_login(self) -> dict[str, str]:
        """Return what the Sentinels want to know, as the client library's arguments."""
        return _given(username=self.sentinel_username, password=self.sentinel_password)


def sentinel_address(url: str) -> SentinelAddress | None:
    """Return the parts of an address with Sentinels; None for a plain one. Raises ValueError."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != SENTINEL_SCHEME:
        return None
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    name, _, database = parts.path.strip("/").partition("/")
    options = dict(urllib.parse.parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    address = SentinelAddress(
        split_hosts(hosts, SENTINEL_PORT),
        urllib.parse.unquote(name),
        int(database or "0"),
        urllib.parse.unquote(username),
        urllib.parse.unquote(password),
        options.pop("sentinel_username", ""),
        options.pop("sentinel_password", ""),
    )
    if not address.name or options:
        raise ValueError(f"no name of the watched Redis, or unknown options: {', '.join(options)}")
    return address


def split_hosts(text: str, port: int) -> list[tuple[str, int]]:
    """Return hosts and ports of a list such as `a:1,[::1]:2,b`; `port` where an item has none. Raises ValueError."""
    found = []
    for item in text.split(","):
        one = urllib.parse.urlsplit(f"//{item}")
        if not one.hostname or one.path:
            raise ValueError(f"{item!r} is not a host")
        found.append((one.hostname, one.port or port))
    return found


def _given(**texts: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}
