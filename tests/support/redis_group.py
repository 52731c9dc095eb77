"""Redis behind Sentinels: a primary, its replica, and Sentinels that put the replica in its place."""

import pathlib
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import redis
from redis.sentinel import Sentinel

from app.embedded.redis import redis_program
from tests.support.child import COMMANDS, Child
from tests.support.places import HERE, Place
from tests.support.visitor import wait_until

NAME = "desk"
# As passwords may be: an address has to quote them.
PASSWORD, SENTINEL_PASSWORD = "a pass/word", "another@one"
# Milliseconds of silence behind which a Sentinel takes the primary for gone.
DOWN_AFTER = 700
START_SECONDS = 120
Address = tuple[str, int]


class RedisGroup:
    """Two servers and their Sentinels, as processes of their own. Stands in a Stack for the embedded Redis."""

    def __init__(self, directory: pathlib.Path, places: Sequence[Place] = (HERE, HERE, HERE)) -> None:
        """`places`: one for each Sentinel; the first two are those of the servers, too."""
        self._directory, self._places = directory, places
        self._ports = [place.port(6379) for place in places[:2]]
        self._sentinel_ports = [place.port(26379) for place in places]
        self._servers: dict[Address, Child] = {}
        self._sentinels: list[Child] = []

    @property
    def url(self) -> str:
        """The address, as REDIS_URL takes it."""
        hosts = ",".join(f"{host}:{port}" for host, port in self._sentinel_addresses)
        login = f":{quote(PASSWORD, safe='')}"
        return f"redis+sentinel://{login}@{hosts}/{NAME}/0?sentinel_password={quote(SENTINEL_PASSWORD, safe='')}"

    @property
    def pid(self) -> int:
        """The process id of the primary."""
        return self._servers[self.primary()].pid

    def start(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        for place, port in zip(self._places, self._ports, strict=False):
            self._start_server(place, port.number)
        wait_until(lambda: self._info(0).get("connected_slaves") == 1, START_SECONDS, "a replica")
        for place, port in zip(self._places, self._sentinel_ports, strict=True):
            self._start_sentinel(place, port.number)
        wait_until(self._sentinels_agree, START_SECONDS, "Sentinels that know each other and the replica")
        return self

    def stop(self) -> None:
        for child in (*self._sentinels, *self._servers.values()):
            child.stop()
        for port in (*self._ports, *self._sentinel_ports):
            port.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def client(self) -> "redis.Redis":
        """A client of whatever server is the primary."""
        client: redis.Redis = self._asked().master_for(NAME, password=PASSWORD)
        return client

    def primary(self) -> Address:
        host, port = self._asked().discover_master(NAME)
        return str(host), int(port)

    def kill_primary(self) -> Address:
        """kill -9; returns the address of what was the primary."""
        address = self.primary()
        self._servers.pop(address).kill()
        return address

    def _start_server(self, place: Place, port: int) -> None:
        first = (self._places[0].address, self._ports[0].number)
        lines = [f"port {port}", f"bind {place.address}", 'save ""', "appendonly no", "repl-diskless-sync-delay 0"]
        lines += [f'requirepass "{PASSWORD}"', f'masterauth "{PASSWORD}"', f"dir {self._directory}"]
        lines += [] if (place.address, port) == first else [f"replicaof {first[0]} {first[1]}"]
        self._servers[place.address, port] = self._child("redis", place, port, lines)

    def _start_sentinel(self, place: Place, port: int) -> None:
        first = f"{self._places[0].address} {self._ports[0]}"
        lines = [f"port {port}", f"bind {place.address}", f"dir {self._directory}"]
        lines += [f'requirepass "{SENTINEL_PASSWORD}"', f'sentinel sentinel-pass "{SENTINEL_PASSWORD}"']
        lines += [f"sentinel monitor {NAME} {first} 2", f'sentinel auth-pass {NAME} "{PASSWORD}"']
        lines += [f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER}", f"sentinel failover-timeout {NAME} 1500"]
        self._sentinels.append(self._child("sentinel", place, port, lines, "--sentinel"))

    def _child(self, kind: str, place: Place, port: int, lines: list[str], *options: str) -> Child:
        file = self._directory / f"{kind}-{place.address}-{port}.conf"
        file.write_text("\n".join([*lines, ""]))
        command = [*place.prefix, redis_program(), str(file), *options]
        return Child(file.stem, command, COMMANDS, file.with_suffix(".log"), self._directory)

    def _info(self, number: int) -> dict[str, Any]:
        host, port = self._places[number].address, self._ports[number].number
        with redis.Redis(host, port, password=PASSWORD) as client:
            try:
                return dict(client.info("replication"))
            except redis.ConnectionError:
                return {}

    @property
    def _sentinel_addresses(self) -> list[Address]:
        return [(place.address, port.number) for place, port in zip(self._places, self._sentinel_ports, strict=True)]

    def _asked(self) -> Sentinel:
        options = {"password": SENTINEL_PASSWORD, "socket_timeout": 1, "socket_connect_timeout": 1}
        return Sentinel(self._sentinel_addresses, sentinel_kwargs=options)

    def _sentinels_agree(self) -> bool:
        for sentinel in self._asked().sentinels:
            try:
                known = sentinel.sentinel_master(NAME)
            except (redis.ConnectionError, redis.ResponseError):
                return False
            if (known["num-other-sentinels"], known["num-slaves"]) != (len(self._places) - 1, 1):
                return False
        return True
