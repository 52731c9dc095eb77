"""PostgreSQL as a primary and a standby that follows it; what the primary confirmed, the standby has."""

import contextlib
import pathlib
import subprocess
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import psycopg2

from app.embedded.postgres import CONNECTIONS, postgres_program
from app.embedded.system_users import SystemUser, system_user_for
from tests.support.child import COMMANDS, Child
from tests.support.places import HERE, Place
from tests.support.visitor import wait_until

START_SECONDS = 120
# A power cut is not what is tested; a confirmation by the standby is, so that commits wait for it.
OPTIONS = (f"max_connections={CONNECTIONS}", "fsync=off", "full_page_writes=off")


class PostgresPair:
    """Two servers as processes of their own. Stands in a Stack for the embedded PostgreSQL."""

    def __init__(self, directory: pathlib.Path, places: Sequence[Place] = (HERE, HERE)) -> None:
        self._directory, self._places = directory, places
        self._ports = [place.port(5432) for place in places]
        self._account = SystemUser()
        self._servers: list[Child] = []

    @property
    def url(self) -> str:
        """The address, as DATABASE_URL takes it: of both, whichever takes writes."""
        hosts = ",".join(f"{place.address}:{port}" for place, port in zip(self._places, self._ports, strict=True))
        return f"postgresql://postgres@{hosts}/postgres"

    @property
    def pid(self) -> int:
        return self._servers[0].pid

    def start(self) -> Self:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._account = system_user_for(self._directory, postgres_program("postgres"))
        self._command("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-D", self._data(0))
        with (self._directory / "data0" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\nhost replication all samenet trust\n")
        self._start_server(0)
        source = self._address(0)
        self._command(
            "pg_basebackup", "-d", source, "--write-recovery-conf", "--no-sync", "-c", "fast", "-D", self._data(1)
        )
        self._start_server(1)
        wait_until(lambda: self._ask(0, "SELECT count(*) FROM pg_stat_replication")[0], START_SECONDS, "replication")
        self._ask(0, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._ask(0, "SELECT pg_reload_conf()")
        return self

    def stop(self) -> None:
        for server in self._servers:
            server.kill()
        for port in self._ports:
            port.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def kill_primary(self) -> None:
        """kill -9 of the primary with its sessions."""
        self._servers[0].kill()

    def promote(self) -> None:
        """Make the standby the primary, as a cluster's manager or an operator does."""
        self._ask(1, "SELECT pg_promote()")

    def _start_server(self, number: int) -> None:
        options = [part for option in OPTIONS for part in ("-c", option)]
        place = self._places[number]
        command = [*place.prefix, *self._account.prefix, postgres_program("postgres"), "-D", self._data(number)]
        command += ["-k", "", "-p", str(self._ports[number]), *options]
        command += ["-c", f"listen_addresses={place.address}"]
        log = self._directory.parent / f"postgres-{number}.log"
        self._servers.append(Child(f"postgres {number}", command, COMMANDS, log, self._directory, self._account.user))
        wait_until(lambda: self._answers(number), START_SECONDS, "PostgreSQL")

    def _command(self, program: str, *options: str) -> None:
        account = self._account
        done = subprocess.run(
            [*account.prefix, postgres_program(program), *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=self._directory,
            user=account.user,
            group=account.user,
            extra_groups=None if account.user is None else [],
        )
        assert done.returncode == 0, done.stderr

    def _data(self, number: int) -> str:
        return str(self._directory / f"data{number}")

    def _ask(self, number: int, statement: str) -> Any:
        with contextlib.closing(psycopg2.connect(self._address(number))) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None

    def _address(self, number: int) -> str:
        return f"host={self._places[number].address} port={self._ports[number]} user=postgres dbname=postgres"

    def _answers(self, number: int) -> bool:
        try:
            self._ask(number, "SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True
