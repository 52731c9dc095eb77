"""PgBouncer in front of a PostgreSQL, with transaction pooling: few sessions there serve all connections here."""

import pathlib
import shutil
import socket
from types import TracebackType
from typing import Self

from psycopg2.extensions import parse_dsn

from app.embedded.ports import ReservedPort
from app.embedded.system_users import system_user_for
from tests.support.child import COMMANDS, Child
from tests.support.visitor import wait_until

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
SESSIONS = 3
START_SECONDS = 120


class PgBouncer:
    """One process; it needs Debian's package `pgbouncer`. `url`: the address, as DATABASE_URL takes it.

    PostgreSQL may start behind it: it connects when somebody asks.
    """

    def __init__(self, directory: pathlib.Path, database_url: str) -> None:
        self._directory = directory
        self._port = ReservedPort()
        self._database = parse_dsn(database_url)
        self._child: Child | None = None
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> Self:
        assert PROGRAM is not None
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        server = " ".join(f"{name}={value}" for name, value in self._database.items() if name in ("host", "port"))
        users = self._directory / "users.txt"
        users.write_text('"postgres" ""\n')
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self._port,
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": users,
            "pool_mode": "transaction",
            "default_pool_size": SESSIONS,
            "max_client_conn": 1000,
            # Seconds until the server is tried again behind a restart; the default is 15.
            "server_login_retry": 1,
            # A session that one connection left changed is not put right for the next one: what needs that shows.
            "server_reset_query": "",
        }
        lines = ["[databases]", f"postgres = {server} dbname=postgres user=postgres", "[pgbouncer]"]
        file = self._directory / "pgbouncer.ini"
        file.write_text("\n".join([*lines, *(f"{name} = {value}" for name, value in settings.items()), ""]))
        # It refuses to run as root, as PostgreSQL does.
        account = system_user_for(self._directory, PROGRAM)
        command = [*account.prefix, PROGRAM, str(file)]
        log = self._directory / "pgbouncer.log"
        self._child = Child("pgbouncer", command, COMMANDS, log, self._directory, account.user)
        wait_until(self._answers, START_SECONDS, "PgBouncer")
        return self

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
        self._port.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port.number), 1).close()
        except OSError:
            return False
        return True
