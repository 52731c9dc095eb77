"""Apps and their published versions."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, ForeignKey, Index, String, bindparam, func, select, text, true
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from app.extensions import Base
from app.models.execution import execute, fetch_all, fetch_existing, fetch_one, fetch_value
from app.models.identifiers import new_id, now

# Of all transactions that publish; any number that nothing else uses.
_PUBLISHING_LOCK = 7_210_041


class App(Base):
    """A served app: its public code, its mode, and the version that new conversations and runs use."""

    __tablename__ = "apps"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    mode: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(255))
    enabled: Mapped[bool] = mapped_column(server_default=true(), default=True)
    access_mode: Mapped[str] = mapped_column(String(32), default="public", server_default="public")
    version_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    updated_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now, onupdate=now)


class AppVersion(Base):
    """One published state of an app: the whole app file. Never changed; kept while anything started with it."""

    __tablename__ = "app_versions"
    __table_args__ = (Index(None, "app_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("apps.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED")
    )
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)


class AppSource(Base):
    """A file that an app was imported from (`services/operator/file_sources.py` names it); it belongs to one app."""

    __tablename__ = "app_sources"
    __table_args__ = (Index(None, "app_id"),)

    source: Mapped[str] = mapped_column(String(1024), primary_key=True)
    app_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))


class AppRow(NamedTuple):
    """An app and the version of it that new conversations and runs use."""

    id: uuid.UUID
    code: str
    mode: str
    name: str
    enabled: bool
    access_mode: str
    version_id: uuid.UUID
    definition: dict[str, Any]


class VersionRow(NamedTuple):
    """What an app version holds."""

    definition: dict[str, Any]


class NamedCode(NamedTuple):
    """The code and the name of an app."""

    code: str
    name: str


@dataclass(frozen=True)
class AppSummary:
    """One app as operators see it. `published_at` is the time of its current version, `versions` counts all."""

    id: uuid.UUID
    code: str
    mode: str
    name: str
    enabled: bool
    access_mode: str
    created_at: datetime.datetime
    published_at: datetime.datetime
    versions: int


_APP = App.__table__.c
_VERSION = AppVersion.__table__.c

# Core, not ORM: these run for requests.
_WITH_DEFINITION = select(
    _APP.id, _APP.code, _APP.mode, _APP.name, _APP.enabled, _APP.access_mode, _APP.version_id, _VERSION.definition
).join_from(App.__table__, AppVersion.__table__, _VERSION.id == _APP.version_id)
_FIND_BY_CODE = _WITH_DEFINITION.where(_APP.code == bindparam("code"))
_FIND_BY_ID = _WITH_DEFINITION.where(_APP.id == bindparam("id"))
_FIND_DEFINITION = select(_VERSION.definition).where(_VERSION.id == bindparam("id"))

_CODES = select(_APP.code, _APP.name).where(_APP.mode == bindparam("mode")).order_by(_APP.created_at, _APP.id)

_COUNTED = aliased(AppVersion)
_SUMMARIES = select(
    App.id,
    App.code,
    App.mode,
    App.name,
    App.enabled,
    App.access_mode,
    App.created_at,
    AppVersion.created_at.label("published_at"),
    select(func.count()).select_from(_COUNTED).where(_COUNTED.app_id == App.id).scalar_subquery().label("versions"),
).join(AppVersion, AppVersion.id == App.version_id)


def find_app_by_code(code: str) -> AppRow | None:
    """Return the app of a public code, enabled or not, with its current definition."""
    return fetch_one(_FIND_BY_CODE, {"code": code}, AppRow)


def find_app_by_id(app_id: uuid.UUID) -> AppRow | None:
    """Return the app of an id, enabled or not, with its current definition."""
    return fetch_one(_FIND_BY_ID, {"id": app_id}, AppRow)


def find_definition(version_id: uuid.UUID) -> dict[str, Any] | None:
    """Return the app file of a version."""
    definition: dict[str, Any] | None = fetch_value(_FIND_DEFINITION, {"id": version_id})
    return definition


def read_definition(connection: Connection, version_id: uuid.UUID) -> dict[str, Any]:
    """Return the app file of a version that is there. Raises sqlalchemy.exc.NoResultFound."""
    return fetch_existing(_FIND_DEFINITION, {"id": version_id}, VersionRow, connection).definition


def load_app(session: Session, code: str) -> App | None:
    """Return the app of a public code as the session's object, to be changed."""
    return session.scalars(select(App).where(App.code == code)).one_or_none()


def load_app_of_source(session: Session, source: str) -> App | None:
    """Return the app that was imported from a file, as the session's object."""
    return session.scalars(
        select(App).join(AppSource, AppSource.app_id == App.id).where(AppSource.source == source)
    ).one_or_none()


def remember_source(session: Session, source: str, app_id: uuid.UUID) -> None:
    """Store that a file is an app's; it belongs to no other app then."""
    session.merge(AppSource(source=source, app_id=app_id))


def list_app_summaries(connection: Connection, code: str | None = None) -> list[AppSummary]:
    """Return all apps, or the one of a code, in no order."""
    statement = _SUMMARIES if code is None else _SUMMARIES.where(App.code == code)
    return fetch_all(statement, {}, AppSummary, connection)


def list_codes_by_name(mode: str) -> list[tuple[str, str]]:
    """Return code and name of every app of a mode, the oldest first."""
    rows = fetch_all(_CODES, {"mode": mode}, NamedCode)
    return [(row.code, row.name) for row in rows]


def wait_to_publish(connection: Connection) -> None:
    """Wait until no other transaction publishes an app, and let others wait until this transaction ends."""
    execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _PUBLISHING_LOCK}, connection)
