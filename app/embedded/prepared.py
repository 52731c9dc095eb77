"""Remember what the last start prepared: the next one need not load the whole product to find nothing to do."""

import contextlib
import hashlib
import json
import pathlib
from typing import Any

import psycopg2

from app import VERSION

PROJECT = pathlib.Path(__file__).parent.parent.parent
# What the preparation goes by.
FILES = ("migrations/versions/*.py", "app/samples/*", "app/embedded/preparation.py", "app/services/operator/*.py")
_REVISION = "SELECT version_num FROM alembic_version"
_VERSIONS = "SELECT code, version_id::text FROM apps WHERE code = ANY(%s) ORDER BY code"


class PreparedDatabase:
    """The sample apps that a database has, as the last preparation printed them; kept in a file.

    They count as long as the project's files, this server's address, the tables' revision and the versions of the
    sample apps are what they were then.
    """

    def __init__(self, file: pathlib.Path, database_url: str, url: str) -> None:
        self._file, self._url = file, url
        self._database = f"postgresql://{database_url.partition('://')[2]}"

    def apps(self) -> list[dict[str, str]] | None:
        """Return what was kept; None where a preparation is needed."""
        try:
            kept = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return None
        if not isinstance(kept, dict) or not isinstance(kept.get("apps"), list):
            return None
        apps: list[dict[str, str]] = kept["apps"]
        state = self._state([app["code"] for app in apps])
        return apps if state is not None and kept.get("state") == state else None

    def keep(self, apps: list[dict[str, str]]) -> None:
        """Keep what a preparation has printed."""
        self._file.write_text(json.dumps({"state": self._state([app["code"] for app in apps]), "apps": apps}))

    def _state(self, codes: list[str]) -> dict[str, Any] | None:
        digest = hashlib.sha256(VERSION.encode())
        for path in sorted(path for pattern in FILES for path in PROJECT.glob(pattern)):
            digest.update(f"{path.name}\0".encode() + path.read_bytes())
        try:
            with contextlib.closing(psycopg2.connect(self._database)) as connection, connection.cursor() as cursor:
                cursor.execute(_REVISION)
                revision = cursor.fetchall()
                cursor.execute(_VERSIONS, (codes,))
                versions = cursor.fetchall()
        except psycopg2.Error:
            return None
        found = [list(row) for row in versions]
        return {
            "files": digest.hexdigest(),
            "url": self._url,
            "revision": [list(row) for row in revision],
            "apps": found,
        }
