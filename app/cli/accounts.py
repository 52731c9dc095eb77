"""`flask accounts …`: manage the accounts that log in to apps which are not public."""

import sys
from typing import Any

import click

from app.cli.groups import OperatorGroup
from app.cli.output import as_json_option, print_json, print_table, utc_time
from app.models.accounts import AccountSummary
from app.services.auth import accounts

accounts_group = OperatorGroup("accounts", help="Manage the accounts that log in to apps which are not public.")


@accounts_group.command("create")
@click.argument("email")
@click.option("--no-password", is_flag=True, help="The account logs in by mailed codes only.")
@as_json_option
def create(email: str, no_password: bool, as_json: bool) -> None:
    """Create an account. The password is prompted for, or read from standard input if that is not a terminal."""
    _print_change(accounts.create(email, None if no_password else _password()), "created", as_json)


@accounts_group.command("list")
@as_json_option
def list_accounts(as_json: bool) -> None:
    """List the accounts."""
    found = accounts.list_accounts()
    if as_json:
        print_json([_facts(account) for account in found])
        return
    if not found:
        click.echo("No accounts yet: create one with `.venv/bin/flask --app wsgi accounts create EMAIL`.")
        return
    rows = [
        (
            account.email,
            "banned" if account.banned else "active",
            "yes" if account.has_password else "no",
            utc_time(account.created_at),
        )
        for account in found
    ]
    print_table(("EMAIL", "STATE", "PASSWORD", "CREATED"), rows)


@accounts_group.command("ban")
@click.argument("email")
@as_json_option
def ban(email: str, as_json: bool) -> None:
    """Ban an account from its next request on."""
    _print_change(accounts.set_banned(email, True), "banned", as_json)


@accounts_group.command("unban")
@click.argument("email")
@as_json_option
def unban(email: str, as_json: bool) -> None:
    """Lift the ban of an account."""
    _print_change(accounts.set_banned(email, False), "active", as_json)


@accounts_group.command("set-password")
@click.argument("email")
@as_json_option
def set_password(email: str, as_json: bool) -> None:
    """Set an account's password: prompted for, or read from standard input if that is not a terminal."""
    _print_change(accounts.set_password(email, _password()), "password set", as_json)


@accounts_group.command("remove")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@as_json_option
def remove(email: str, yes: bool, as_json: bool) -> None:
    """Remove an account. Its conversations stay, and an account created again for its address finds them."""
    if not yes:
        click.confirm(f"Remove the account {email!r}?", abort=True, err=True)
    _print_change(accounts.remove(email), "removed", as_json)


def _password() -> str:
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return password
    return sys.stdin.readline().rstrip("\r\n")


def _facts(account: AccountSummary) -> dict[str, Any]:
    return {
        "email": account.email,
        "banned": account.banned,
        "has_password": account.has_password,
        "created_at": utc_time(account.created_at),
    }


def _print_change(email: str, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"email": email, "state": state})
    else:
        click.echo(f"{email}: {state}")
