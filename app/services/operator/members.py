"""Who may use an app, as an operator says it: access mode and members."""

import uuid
from collections.abc import Sequence

from app.extensions import db
from app.models import App
from app.models.accounts import delete_members, find_account_ids, insert_members, list_member_emails
from app.services.auth import accounts
from app.services.auth.access import AccessMode
from app.services.operator import apps


def set_mode(code: str, mode: AccessMode) -> apps.AppChange:
    """Raises AppRefused where there is no such app."""
    app = apps.find(code)
    app.access_mode = mode
    app_id, name = app.id, app.name
    db.session.commit()
    return apps.AppChange(code, name, apps.announce(app_id))


def of_app(code: str) -> Sequence[str]:
    """The addresses of an app's members. Raises AppRefused."""
    app = apps.find(code)
    return list_member_emails(db.session.connection(), app.id)


def add(code: str, emails: Sequence[str]) -> Sequence[str]:
    """Gives all members. Raises AppRefused, AccountRefused; then nobody is added."""
    app, found = _app_and_accounts(code, emails)
    insert_members(db.session.connection(), app.id, found)
    db.session.commit()
    return of_app(code)


def remove(code: str, emails: Sequence[str]) -> Sequence[str]:
    """Gives the members that are left. Raises AppRefused, AccountRefused; then nobody is removed."""
    app, found = _app_and_accounts(code, emails)
    delete_members(db.session.connection(), app.id, found)
    db.session.commit()
    return of_app(code)


def _app_and_accounts(code: str, emails: Sequence[str]) -> tuple[App, Sequence[uuid.UUID]]:
    app = apps.find(code)
    addresses = {email.strip().lower() for email in emails}
    found = find_account_ids(db.session.connection(), addresses)
    for address in sorted(addresses - found.keys()):
        raise accounts.unknown(address)
    return app, list(found.values())
