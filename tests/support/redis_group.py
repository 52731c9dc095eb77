"""Redis behind Sentinels: a primary, its replica, and three Sentinels that put the replica in its place."""

import pathlib
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import redis
from redis.sentinel import Sentinel

from app.embedded.ports import ReservedPort
from app.embedded.redis import redis_program
from tests.support.child import Child
from tests.support.visitor import wait_until

NAME = "desk"
# As passwords may be: an address has to quote them.
PASSWORD, SENTINEL_PASSWORD = "a pass/word", "another@one"
SENTINELS = 3
# Milliseconds of silence behind which a Sentinel takes the primary for gone.
DOWN_AFTER = 700
START_SECONDS = 20


class RedisGroup:
    """Two servers and three Sentinels, as processes of their own. Stands in a Stack for the embedded Redis."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory
        self.ports = [ReservedPort() for _ in range(2)]
        self._sentinel_ports = [ReservedPort() for _ in range(SENTINELS)]
        self._servers: dict[int, Child] = {}
        self._sentinels: list[Child] = []

    @property
    def url(self) -> str:
        """The address, as REDIS_URL takes it."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._sentinel_ports)
        login = f":{quote(PASSWORD, safe='')}"
        return f"redis+sentinel://{login}@{hosts}/{NAME}/0?sentinel_password={quote(SENTINEL_PASSWORD, safe='')}"

    @property
    def pid(self) -> int:
        """The process id of the primary."""
        return self._servers[self.primary_port()].pid

    def start(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        for port in self.ports:
            self.start_server(port.number, self.ports[0].number)
        first = self.ports[0].number
        wait_until(lambda: self._info(first).get("connected_slaves") == 1, START_SECONDS, "a replica")
        for port in self._sentinel_ports:
            self._start_sentinel(port.number, first)
        wait_until(self._sentinels_agree, START_SECONDS, "Sentinels that know each other and the replica")
        return self

    def stop(self) -> None:
        for child in (*self._sentinels, *self._servers.values()):
            child.stop()
        for port in (*self.ports, *self._sentinel_ports):
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

    def primary_port(self) -> int:
        return int(self._asked().discover_master(NAME)[1])

    def kill_primary(self) -> int:
        """kill -9; returns the port of what was the primary."""
        port = self.primary_port()
        self._servers.pop(port).kill()
        return port

    def wait_for_primary(self, other_than: int) -> int:
        """Wait until Sentinels have made another server the primary; returns its port."""

        def changed() -> bool:
            try:
                return self.primary_port() != other_than
            except redis.ConnectionError:
                return False

        wait_until(changed, START_SECONDS, "another primary")
        return self.primary_port()

    def start_server(self, port: int, primary: int) -> None:
        """Start a server, as a replica unless it is the primary itself."""
        lines = [f"port {port}", "bind 127.0.0.1", 'save ""', "appendonly no", "repl-diskless-sync-delay 0"]
        lines += [f'requirepass "{PASSWORD}"', f'masterauth "{PASSWORD}"', f"dir {self._directory}"]
        lines += [] if port == primary else [f"replicaof 127.0.0.1 {primary}"]
        self._servers[port] = self._child(f"redis-{port}", lines)

    def _start_sentinel(self, port: int, primary: int) -> None:
        lines = [f"port {port}", "bind 127.0.0.1", f"dir {self._directory}", f'requirepass "{SENTINEL_PASSWORD}"']
        lines += [f'sentinel sentinel-pass "{SENTINEL_PASSWORD}"', f"sentinel monitor {NAME} 127.0.0.1 {primary} 2"]
        lines += [f'sentinel auth-pass {NAME} "{PASSWORD}"', f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER}"]
        lines += [f"sentinel failover-timeout {NAME} 1500"]
        self._sentinels.append(self._child(f"sentinel-{port}", lines, "--sentinel"))

    def _child(self, name: str, lines: list[str], *options: str) -> Child:
        file = self._directory / f"{name}.conf"
        file.write_text("\n".join([*lines, ""]))
        command = [redis_program(), str(file), *options]
        return Child(name, command, {}, self._directory / f"{name}.log", self._directory)

    def _info(self, port: int) -> dict[str, Any]:
        with redis.Redis(port=port, password=PASSWORD) as client:
            try:
                return dict(client.info("replication"))
            except redis.ConnectionError:
                return {}

    def _asked(self) -> Sentinel:
        hosts = [("127.0.0.1", port.number) for port in self._sentinel_ports]
        return Sentinel(hosts, sentinel_kwargs={"password": SENTINEL_PASSWORD, "socket_timeout": 1})

    def _sentinels_agree(self) -> bool:
        for sentinel in self._asked().sentinels:
            try:
                known = sentinel.sentinel_master(NAME)
            except (redis.ConnectionError, redis.ResponseError):
                return False
            if (known["num-other-sentinels"], known["num-slaves"]) != (SENTINELS - 1, 1):
                return False
        return True
