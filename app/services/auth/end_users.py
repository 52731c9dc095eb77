"""End users: found or made for a passport, remembered for some seconds, swept when they left nothing."""

import datetime
import functools
import threading
import uuid
from typing import NamedTuple

from cachetools import TTLCache
from sqlalchemy import Delete, delete, exists, func, text

from app.extensions import Base, autocommit_engine
from app.models import EndUser, UploadFile
from app.models.identifiers import new_id, now

REMEMBERED_SECONDS = 30.0
MOST_REMEMBERED = 20_000
SWEPT_AFTER = datetime.timedelta(days=30)
# Logged-in accounts are a kind of their own: nobody gets to one by claiming its address (contract README §4.5).
VISITOR, ACCOUNT = "visitor", "account"

_MAKE = text(
    "INSERT INTO end_users (id, app_id, kind, session_id, created_at) VALUES (:id, :app_id, :kind, :session_id, :now)"
    " ON CONFLICT (app_id, kind, session_id) DO UPDATE SET session_id = excluded.session_id RETURNING id"
)
_FIND = text("SELECT app_id, session_id FROM end_users WHERE id = :id")
_remembered: "TTLCache[str, tuple[uuid.UUID, EndUserIdentity]]" = TTLCache(MOST_REMEMBERED, REMEMBERED_SECONDS)
_lock = threading.Lock()


class EndUserIdentity(NamedTuple):
    """One visitor of one app."""

    id: uuid.UUID
    session_id: str


def find_or_make(app_id: uuid.UUID, session_id: str | None = None, kind: str = VISITOR) -> uuid.UUID:
    """The visitor of this session, or a new one; calls at the same time get the same."""
    values = {
        "id": new_id(),
        "app_id": app_id,
        "kind": kind,
        "session_id": session_id or str(uuid.uuid4()),
        "now": now(),
    }
    with autocommit_engine().connect() as connection:
        return uuid.UUID(str(connection.execute(_MAKE, values).scalar_one()))


def known(end_user_id: str, app_id: uuid.UUID) -> EndUserIdentity | None:
    """The end user of this id if it belongs to the app."""
    with _lock:
        remembered = _remembered.get(end_user_id)
    if remembered is None:
        with autocommit_engine().connect() as connection:
            row = connection.execute(_FIND, {"id": end_user_id}).one_or_none()
        if row is None:
            return None
        remembered = uuid.UUID(str(row.app_id)), EndUserIdentity(uuid.UUID(end_user_id), row.session_id)
        with _lock:
            _remembered[end_user_id] = remembered
    owner, identity = remembered
    return identity if owner == app_id else None


def forget(end_user_id: str) -> None:
    with _lock:
        _remembered.pop(end_user_id, None)


def forget_all() -> None:
    with _lock:
        _remembered.clear()


def sweep() -> int:
    """Remove visitors older than 30 days to whom no row refers and who sent no file in that time; gives how many."""
    with autocommit_engine().connect() as connection:
        return connection.execute(_sweep_statement()).rowcount


@functools.cache
def _sweep_statement() -> Delete:
    """Whatever refers to an end user keeps it, in tables that come later too. Files do not refer: they go with their visitor."""
    end_users = Base.metadata.tables[EndUser.__tablename__].c
    owners = [column for table in Base.metadata.sorted_tables for column in table.c if column.references(end_users.id)]
    nothing_of_theirs = [~exists().where(owner == end_users.id) for owner in owners]
    long_ago = func.now() - SWEPT_AFTER
    no_new_file = ~exists().where(UploadFile.end_user_id == end_users.id, UploadFile.created_at > long_ago)
    return delete(EndUser).where(end_users.created_at < long_ago, no_new_file, *nothing_of_theirs)
