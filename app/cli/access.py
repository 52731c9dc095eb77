"""`flask apps access` and `flask apps members`: set who may use an app."""

import click

from app.cli.apps import apps_group, print_change
from app.cli.output import as_json_option, print_json
from app.services.auth import access
from app.services.auth.access import AccessMode
from app.services.operator import members

__all__ = ["apps_group"]

OFF = "WEB_APP_AUTH is off: until it is on, every app is public."
NO_MEMBERS = "The app has no members yet, so nobody can use it: add them by `apps members CODE add EMAIL…`."
NO_ACCOUNTS = "Only users of your identity provider can log in; accounts of this server cannot."


@apps_group.command("access")
@click.argument("code")
@click.argument("mode", type=click.Choice([mode.value for mode in AccessMode]))
@as_json_option
def set_access(code: str, mode: str, as_json: bool) -> None:
    """Set who may use an app: everybody, its members, all accounts, or the users of an identity provider."""
    change = members.set_mode(code, AccessMode(mode))
    warnings = list(change.warnings)
    if mode != AccessMode.PUBLIC and not access.authentication_is_on():
        warnings.append(OFF)
    if mode == AccessMode.PRIVATE and not members.of_app(code):
        warnings.append(NO_MEMBERS)
    if mode == AccessMode.SSO_VERIFIED:
        warnings.append(NO_ACCOUNTS)
    print_change(change.code, change.name, mode, warnings, as_json)


@apps_group.command("members")
@click.argument("code")
@click.argument("action", type=click.Choice(["add", "remove", "list"]), default="list")
@click.argument("emails", nargs=-1, metavar="EMAIL…")
@as_json_option
def change_members(code: str, action: str, emails: tuple[str, ...], as_json: bool) -> None:
    """Add or remove accounts that may use a private app, or list them."""
    if bool(emails) != (action != "list"):
        raise click.UsageError("`add` and `remove` need e-mail addresses; `list` takes none.")
    if action == "add":
        listed = members.add(code, emails)
    elif action == "remove":
        listed = members.remove(code, emails)
    else:
        listed = members.of_app(code)
    if as_json:
        print_json({"code": code, "members": list(listed)})
    else:
        click.echo("\n".join(listed) or f"{code} has no members.")
