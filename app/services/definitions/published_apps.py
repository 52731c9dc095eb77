"""Look up published apps and their definitions, as every request does.

Definitions are read once per app version and process, and shared between threads.
"""

import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache, TTLCache, cached

from app.errors import AppUnavailable
from app.models.apps import AppRow, find_app_by_code, find_app_by_id, find_definition
from app.services.definitions.app_file import AppDefinition

# One installation is one tenant.
TENANT_ID = "00000000-0000-4000-8000-000000000001"
CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
REMEMBER_SECONDS = 60.0
REMEMBERED_APPS = 1_000
REMEMBERED_VERSIONS = 256


@dataclass(frozen=True)
class PublishedApp:
    """An app and the version of it that new conversations and runs use."""

    id: uuid.UUID
    code: str
    mode: str
    name: str
    enabled: bool
    access_mode: str
    version_id: uuid.UUID
    # Not shown, as it may hold secrets. Not compared, as the version says which it is.
    definition: AppDefinition = field(repr=False, compare=False)


class _Memory:
    """Apps by code and by id, a minute each. Shared by all threads and greenlets."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._apps: TTLCache[str, PublishedApp] = TTLCache(REMEMBERED_APPS, REMEMBER_SECONDS, clock)
        self._ids_by_code: LRUCache[str, str] = LRUCache(REMEMBERED_APPS)
        self._lock = threading.Lock()
        # Counts what was forgotten: a row that was read before a change must not be remembered after it.
        self.changes = 0

    def of_code(self, code: str) -> PublishedApp | None:
        with self._lock:
            app = self._apps.get(self._ids_by_code.get(code, ""))
        # Only apps are forgotten; which id a code had may be out of date.
        return app if app is not None and app.code == code else None

    def of_id(self, app_id: str) -> PublishedApp | None:
        with self._lock:
            return self._apps.get(app_id)

    def keep(self, app: PublishedApp, changes: int) -> None:
        with self._lock:
            if changes == self.changes:
                self._apps[str(app.id)] = app
                self._ids_by_code[app.code] = str(app.id)

    def forget(self, app_id: str) -> None:
        with self._lock:
            self.changes += 1
            self._apps.pop(app_id, None)

    def forget_all(self) -> None:
        with self._lock:
            self.changes += 1
            self._apps.clear()


_memory = _Memory()


def by_code(code: str) -> PublishedApp | None:
    """Return the app of a public code, enabled or not; remembered for a minute. Unknown codes are not remembered."""
    known = _memory.of_code(code)
    if known is not None or CODE.fullmatch(code) is None:
        return known
    return _look_up(lambda: find_app_by_code(code))


def by_id(app_id: uuid.UUID | str) -> PublishedApp | None:
    """Return the app of an id, enabled or not; remembered for a minute."""
    return _memory.of_id(str(app_id)) or _look_up(lambda: find_app_by_id(_uuid(app_id)))


def version(version_id: uuid.UUID | str) -> AppDefinition:
    """Return the definition of an app version, which never changes. Raises AppUnavailable where there is none."""
    return _version(str(version_id), lambda: find_definition(_uuid(version_id)))


def forget(app_id: uuid.UUID | str) -> None:
    """Read an app again when it is asked for next: it changed or is gone."""
    _memory.forget(str(app_id))


def forget_all() -> None:
    """Read all apps again when they are asked for next: changes may have been missed."""
    _memory.forget_all()


def _look_up(find: Callable[[], AppRow | None]) -> PublishedApp | None:
    changes = _memory.changes
    row = find()
    if row is None:
        return None
    definition = _version(str(row.version_id), lambda: row.definition)
    app = PublishedApp(**row._asdict() | {"definition": definition})
    _memory.keep(app, changes)
    return app


@cached(LRUCache(REMEMBERED_VERSIONS), key=lambda version_id, load: version_id, lock=threading.Lock())
def _version(version_id: str, load: Callable[[], dict[str, Any] | None]) -> AppDefinition:
    """Read what `load` gives, once per version and process."""
    stored = load()
    if stored is None:
        raise AppUnavailable
    return AppDefinition.read(stored)


def _uuid(value: uuid.UUID | str) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)
