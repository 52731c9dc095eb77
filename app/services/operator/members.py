"""Who may use an app, as an operator says it: access mode and members."""

import uuid
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.extensions import db
from app.models import Account, App, AppMember
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
    statement = (
        select(Account.email).join(AppMember, AppMember.account_id == Account.id).where(AppMember.app_id == app.id)
    )
    return db.session.scalars(statement.order_by(Account.email)).all()


def add(code: str, emails: Sequence[str]) -> Sequence[str]:
    """Gives all members. Raises AppRefused, AccountRefused; then nobody is added."""
    app, found = _app_and_accounts(code, emails)
    rows = [{"app_id": app.id, "account_id": account_id} for account_id in found]
    db.session.execute(insert(AppMember).values(rows).on_conflict_do_nothing())
    db.session.commit()
    return of_app(code)


def remove(code: str, emails: Sequence[str]) -> Sequence[str]:
    """Gives the members that are left. Raises AppRefused, AccountRefused; then nobody is removed."""
    app, found = _app_and_accounts(code, emails)
    db.session.execute(delete(AppMember).where(AppMember.app_id == app.id, AppMember.account_id.in_(found)))
    db.session.commit()
    return of_app(code)


def _app_and_accounts(code: str, emails: Sequence[str]) -> tuple[App, Sequence[uuid.UUID]]:
    app = apps.find(code)
    addresses = {email.strip().lower() for email in emails}
    found = {
        row.email: row.id
        for row in db.session.execute(select(Account.email, Account.id).where(Account.email.in_(addresses)))
    }
    for address in sorted(addresses - found.keys()):
        raise accounts.unknown(address)
    return app, list(found.values())
