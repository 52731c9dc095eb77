"""Create, list, ban and remove accounts, and set their passwords, for operators and for forgotten passwords."""

import re
from collections.abc import Sequence

from app.extensions import db
from app.models import accounts
from app.models.accounts import AccountSummary
from app.services.auth import passwords

LONGEST_EMAIL = 254
# HTML's own rule for an address, with a dot in the domain.
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@(?:{_LABEL}\.)+{_LABEL}")


class AccountRefused(Exception):
    """An account cannot be created or changed as asked; the text is one line that says why."""


def is_email(text: str) -> bool:
    """Whether a text is a single e-mail address."""
    return len(text) <= LONGEST_EMAIL and _EMAIL.fullmatch(text) is not None


def create(email: str, password: str | None = None) -> str:
    """Create an account and return its address as it is stored, in lower case. Raises AccountRefused."""
    address = email.strip().lower()
    if not is_email(address):
        raise AccountRefused(f"{email!r} is not an e-mail address.")
    made = accounts.insert_account(db.session.connection(), address, _hash(password))
    db.session.commit()
    if not made:
        raise AccountRefused(f"There is an account {address!r} already.")
    return address


def list_accounts() -> Sequence[AccountSummary]:
    """Return all accounts, sorted by address."""
    return accounts.list_accounts(db.session.connection())


def set_banned(email: str, banned: bool) -> str:
    """Ban an account or lift its ban, and return its address. Raises AccountRefused.

    The tokens and passports of a banned account are refused from the next request on.
    """
    return _change(email, banned=banned)


def set_password(email: str, password: str) -> str:
    """Give an account a password, and return its address. Raises AccountRefused, also for a weak password."""
    return _change(email, password_hash=_hash(password))


def remove(email: str) -> str:
    """Remove an account and its memberships, and return its address. Its conversations stay. Raises AccountRefused."""
    address = email.strip().lower()
    gone = accounts.delete_account(db.session.connection(), address)
    db.session.commit()
    if not gone:
        raise unknown(address)
    return address


def unknown(email: str) -> AccountRefused:
    """Return the refusal for an address that no account has."""
    return AccountRefused(f"There is no account {email!r}.")


def _change(email: str, **values: object) -> str:
    address = email.strip().lower()
    changed = accounts.update_account(db.session.connection(), address, **values)
    db.session.commit()
    if not changed:
        raise unknown(address)
    return address


def _hash(password: str | None) -> str | None:
    if password is None:
        return None
    if not passwords.is_strong(password):
        raise AccountRefused(passwords.WEAK)
    return passwords.hash_password(password)
