"""End users: whoever uses an app, by session or by account."""

import datetime
import functools
import uuid
from typing import NamedTuple

from sqlalchemy import Delete, ForeignKey, Index, String, UniqueConstraint, delete, exists, func, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import execute, fetch_existing, fetch_one
from app.models.identifiers import new_id, now
from app.models.upload_files import UploadFile


class EndUser(Base):
    """One end user of one app (contract README §4.5). `kind`: visitor, account, or forgotten (being removed).

    Logged-in accounts are kept apart from claimed names.
    """

    __tablename__ = "end_users"
    __table_args__ = (
        UniqueConstraint("app_id", "kind", "session_id", name="end_users_session_key"),
        Index("end_users_by_session", "session_id"),
        Index("end_users_forgotten", "id", postgresql_where=text("kind = 'forgotten'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16), default="visitor", server_default="visitor")
    session_id: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)


class EndUserId(NamedTuple):
    """The id of an end user."""

    id: uuid.UUID


class EndUserRow(NamedTuple):
    """Whose end user it is, and the session."""

    app_id: uuid.UUID
    session_id: str


# The update that changes nothing gives back the row that is there: DO NOTHING would return none.
_FIND_OR_MAKE = text(
    """
INSERT INTO end_users (id, app_id, kind, session_id, created_at) VALUES (:id, :app_id, :kind, :session_id, :now)
ON CONFLICT (app_id, kind, session_id) DO UPDATE SET session_id = excluded.session_id RETURNING id
"""
)
_FIND = text("SELECT app_id, session_id FROM end_users WHERE id = :id AND kind <> 'forgotten'")


def find_or_make_end_user(app_id: uuid.UUID, kind: str, session_id: str) -> uuid.UUID:
    """Return the id of the end user of a session, made where there is none; calls at the same time return the same."""
    values = {"id": new_id(), "app_id": app_id, "kind": kind, "session_id": session_id, "now": now()}
    return fetch_existing(_FIND_OR_MAKE, values, EndUserId).id


def find_end_user(end_user_id: str) -> EndUserRow | None:
    """Return the end user of an id, of whatever app."""
    return fetch_one(_FIND, {"id": end_user_id}, EndUserRow)


def delete_end_users_without_rows(age: datetime.timedelta) -> int:
    """Delete end users older than `age` to whom no row refers and who sent no file in that time; return how many."""
    return execute(sweep_statement(age), {})


@functools.cache
def sweep_statement(age: datetime.timedelta) -> Delete:
    """Return the statement of `delete_end_users_without_rows`.

    It is made of the foreign keys of all tables, so that whatever refers to an end user keeps it, in tables that come
    later too. Files do not refer: they go with their end user.
    """
    end_users = Base.metadata.tables[EndUser.__tablename__].c
    owners = [column for table in Base.metadata.sorted_tables for column in table.c if column.references(end_users.id)]
    nothing_of_theirs = [~exists().where(owner == end_users.id) for owner in owners]
    long_ago = func.now() - age
    no_new_file = ~exists().where(UploadFile.end_user_id == end_users.id, UploadFile.created_at > long_ago)
    return delete(EndUser).where(end_users.created_at < long_ago, no_new_file, *nothing_of_theirs)
