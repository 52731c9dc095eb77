"""End users: found or made for a passport, remembered for some seconds, swept when they left nothing."""

import datetime
import threading
import uuid
from typing import NamedTuple

from cachetools import TTLCache

from app.models.end_users import delete_end_users_without_rows, find_end_user, find_or_make_end_user

REMEMBERED_SECONDS = 30.0
MOST_REMEMBERED = 20_000
SWEPT_AFTER = datetime.timedelta(days=30)
# Logged-in accounts are a kind of their own: nobody gets to one by claiming its address (contract README §4.5).
VISITOR, ACCOUNT = "visitor", "account"

_remembered: "TTLCache[str, tuple[uuid.UUID, EndUserIdentity]]" = TTLCache(MOST_REMEMBERED, REMEMBERED_SECONDS)
_lock = threading.Lock()


class EndUserIdentity(NamedTuple):
    """One visitor of one app."""

    id: uuid.UUID
    session_id: str


def find_or_make(app_id: uuid.UUID, session_id: str | None = None, kind: str = VISITOR) -> uuid.UUID:
    """The visitor of this session, or a new one; calls at the same time get the same."""
    return find_or_make_end_user(app_id, kind, session_id or str(uuid.uuid4()))


def known(end_user_id: str, app_id: uuid.UUID) -> EndUserIdentity | None:
    """The end user of this id if it belongs to the app."""
    with _lock:
        remembered = _remembered.get(end_user_id)
    if remembered is None:
        row = find_end_user(end_user_id)
        if row is None:
            return None
        remembered = row.app_id, EndUserIdentity(uuid.UUID(end_user_id), row.session_id)
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
    return delete_end_users_without_rows(SWEPT_AFTER)
