"""Find people by what an operator knows of them: a session id, or a part of an account's address."""

import uuid
from typing import NamedTuple

from sqlalchemy import Connection, text

from app.models.execution import fetch_all
from app.models.reports.scopes import holding


class FoundPerson(NamedTuple):
    """One end user of one app. `account`: the address of whoever is logged in, else empty."""

    id: str
    app: str
    session_id: str
    account: str


class FoundAccount(NamedTuple):
    """An account."""

    email: str
    banned: bool


_PEOPLE = text(
    """
SELECT end_user.id::text, app.code AS app, end_user.session_id,
    CASE WHEN end_user.kind = 'account' THEN end_user.session_id ELSE '' END AS account
FROM end_users end_user JOIN apps app ON app.id = end_user.app_id
WHERE end_user.session_id = :session_id ORDER BY app.code LIMIT :most
"""
)
_ACCOUNTS = text("SELECT email, banned FROM accounts WHERE email LIKE :words OR id = :id ORDER BY email LIMIT :most")


def list_people(connection: Connection, session_id: str, most: int) -> list[FoundPerson]:
    """Return the end users of a session, in whatever app."""
    return fetch_all(_PEOPLE, {"session_id": session_id, "most": most}, FoundPerson, connection)


def list_accounts_with(
    connection: Connection, words: str, account_id: uuid.UUID | None, most: int
) -> list[FoundAccount]:
    """Return the accounts whose address, in lower case, has this text in it, and the one of this id."""
    return fetch_all(_ACCOUNTS, {"words": holding(words), "id": account_id, "most": most}, FoundAccount, connection)
