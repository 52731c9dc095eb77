"""`flask apps access` and `flask apps members`: who may use an app."""

import click

from app.cli.apps import apps_group, print_change
from app.cli.output import as_json_option, print_json
from app.services.auth import access
from app.services.auth.access import AccessMode
from app.services.operator import members

__all__ = ["apps_group"]

OFF = "WEB_APP_AUTH is off, so that every app is public."
NOBODY = "It has no members yet, so that nobody may use it: `apps members CODE add EMAIL…`."
NO_PROVIDER = "Logins come from an identity provider of yours; accounts of this server cannot enter."


@apps_group.command("access")
@click.argument("code")
@click.argument("mode", type=click.Choice([mode.value for mode in AccessMode]))
@as_json_option
def set_access(code: str, mode: str, as_json: bool) -> None:
    """Say who may use an app: everybody, its members, all accounts, or the users of an identity provider."""
    change = members.set_mode(code, AccessMode(mode))
    warnings = list(change.warnings)
    if mode != AccessMode.PUBLIC and not access.authentication_is_on():
        warnings.append(OFF)
    if mode == AccessMode.PRIVATE and not members.of_app(code):
        warnings.append(NOBODY)
    if mode == AccessMode.SSO_VERIFIED:
        warnings.append(NO_PROVIDER)
    print_change(change.code, change.name, mode, warnings, as_json)


@apps_group.command("members")
@click.argument("code")
@click.argument("action", type=click.Choice(["add", "remove", "list"]), default="list")
@click.argument("emails", nargs=-1, metavar="EMAIL…")
@as_json_option
def change_members(code: str, action: str, emails: tuple[str, ...], as_json: bool) -> None:
    """Add or remove accounts that may use a private app, or list them."""
    if bool(emails) != (action != "list"):
        raise click.UsageError("`add` and `remove` take addresses, `list` takes none.")
    if action == "add":
        left = members.add(code, emails)
    elif action == "remove":
        left = members.remove(code, emails)
    else:
        left = members.of_app(code)
    if as_json:
        print_json({"code": code, "members": list(left)})
    else:
        click.echo("\n".join(left) or f"{code} has no members.")
