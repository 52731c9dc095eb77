"""Accounts: who may log in to apps that are not public, and to which of them."""

import datetime
import uuid
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, ForeignKey, Index, String, delete, false, select, text, update
from sqlalchemy.dialects.postgresql import TIMESTAMP, insert
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import execute, fetch_all, fetch_one, fetch_value, fetch_values
from app.models.identifiers import new_id, now


class Account(Base):
    """Somebody who can log in. `email` is in lower case; without a password only mail codes log in."""

    __tablename__ = "accounts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    banned: Mapped[bool] = mapped_column(server_default=false(), default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)


class AppMember(Base):
    """An account that may use an app of access mode `private`."""

    __tablename__ = "app_members"
    __table_args__ = (Index(None, "account_id"),)

    app_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)


class AccountRow(NamedTuple):
    """What a login asks of an account."""

    id: uuid.UUID
    email: str
    password_hash: str | None
    banned: bool


class AccountSummary(NamedTuple):
    """An account as operators see it."""

    email: str
    banned: bool
    has_password: bool
    created_at: datetime.datetime


class AccountName(NamedTuple):
    """An account's address and id."""

    email: str
    id: uuid.UUID


_FIND = text("SELECT id, email, password_hash, banned FROM accounts WHERE email = :email")
_IS_ACTIVE = text("SELECT NOT banned FROM accounts WHERE id = :account_id")
_IS_ACTIVE_EMAIL = text("SELECT NOT banned FROM accounts WHERE email = :email")
_MAY_ENTER = text(
    """
SELECT NOT banned AND (:everybody OR EXISTS (
    SELECT 1 FROM app_members WHERE app_members.app_id = :app_id AND app_members.account_id = accounts.id
)) FROM accounts WHERE id = :account_id
"""
)
_EMAILS_OF = text(
    """
SELECT email FROM accounts
WHERE NOT banned AND (id::text = ANY(:references) OR email = ANY(:references)) ORDER BY email
"""
)
_ACTIVE_EMAILS = text("SELECT email FROM accounts WHERE NOT banned ORDER BY email LIMIT :most")


def find_account(email: str) -> AccountRow | None:
    """Return the account of an address."""
    return fetch_one(_FIND, {"email": email}, AccountRow)


def is_active(account_id: uuid.UUID) -> bool:
    """Return whether there is such an account and it is not banned."""
    return bool(fetch_value(_IS_ACTIVE, {"account_id": account_id}))


def is_active_email(email: str) -> bool:
    """Return whether there is an account of this address and it is not banned."""
    return bool(fetch_value(_IS_ACTIVE_EMAIL, {"email": email}))


def may_enter(account_id: uuid.UUID, app_id: uuid.UUID, everybody: bool) -> bool:
    """Return whether an account is not banned and is a member of the app; with `everybody` no membership is needed."""
    values = {"account_id": account_id, "app_id": app_id, "everybody": everybody}
    return bool(fetch_value(_MAY_ENTER, values))


def list_emails_of(references: Sequence[str]) -> list[str]:
    """Return the addresses of the accounts that are named by id or address and not banned."""
    return fetch_values(_EMAILS_OF, {"references": list(references)})


def list_active_emails(most: int) -> list[str]:
    """Return the addresses of accounts that are not banned."""
    return fetch_values(_ACTIVE_EMAILS, {"most": most})


def insert_account(connection: Connection, email: str, password_hash: str | None) -> bool:
    """Make an account; False where the address has one already."""
    values = {"id": new_id(), "email": email, "password_hash": password_hash, "banned": False, "created_at": now()}
    statement = insert(Account).values(values).on_conflict_do_nothing().returning(Account.id)
    return fetch_value(statement, {}, connection) is not None


def list_accounts(connection: Connection) -> list[AccountSummary]:
    """Return all accounts, by address."""
    has_password = Account.password_hash.is_not(None).label("has_password")
    columns = (Account.email, Account.banned, has_password, Account.created_at)
    return fetch_all(select(*columns).order_by(Account.email), {}, AccountSummary, connection)


def update_account(connection: Connection, email: str, **changes: Any) -> bool:
    """Set columns of the account of an address; False where there is none."""
    statement = update(Account).where(Account.email == email).values(**changes).returning(Account.id)
    return fetch_value(statement, {}, connection) is not None


def delete_account(connection: Connection, email: str) -> bool:
    """Delete the account of an address and its memberships; False where there is none."""
    statement = delete(Account).where(Account.email == email).returning(Account.id)
    return fetch_value(statement, {}, connection) is not None


def find_account_ids(connection: Connection, emails: Collection[str]) -> dict[str, uuid.UUID]:
    """Return the ids of the accounts of these addresses, by address."""
    statement = select(Account.email, Account.id).where(Account.email.in_(emails))
    return {row.email: row.id for row in fetch_all(statement, {}, AccountName, connection)}


def list_member_emails(connection: Connection, app_id: uuid.UUID) -> list[str]:
    """Return the addresses of an app's members."""
    members = select(Account.email).join(AppMember, AppMember.account_id == Account.id)
    return fetch_values(members.where(AppMember.app_id == app_id).order_by(Account.email), {}, connection)


def insert_members(connection: Connection, app_id: uuid.UUID, account_ids: Collection[uuid.UUID]) -> None:
    """Make accounts members of an app; those that are members already stay so."""
    rows = [{"app_id": app_id, "account_id": account_id} for account_id in account_ids]
    execute(insert(AppMember).values(rows).on_conflict_do_nothing(), {}, connection)


def delete_members(connection: Connection, app_id: uuid.UUID, account_ids: Collection[uuid.UUID]) -> None:
    """End the membership of accounts in an app."""
    execute(delete(AppMember).where(AppMember.app_id == app_id, AppMember.account_id.in_(account_ids)), {}, connection)
