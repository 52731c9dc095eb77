"""`flask forget`: remove a person with everything."""

import dataclasses
import sys

import click
from flask.cli import with_appcontext

from app.cli.groups import OperatorCommand
from app.cli.output import as_json_option, print_facts, print_json
from app.errors import ServiceUnavailable
from app.models.keeping.forgetting import PersonCounts
from app.services.keeping import forgetting


@click.command("forget", cls=OperatorCommand)
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
@with_appcontext
def forget(person: str, yes: bool, as_json: bool) -> None:
    """Remove a person: by e-mail address or id of an account, by session id, or by the id of an end user.

    Shows first what would be removed, and asks. Conversations, messages, runs, files, forms and logins go; sums of
    tokens and money stay, without a name. Where it is cut off, the same command or housekeeping goes on with it.
    """
    identity = forgetting.find_identity(person)
    before = forgetting.count(identity)
    if identity.is_nobody:
        if as_json:
            print_json({"removed": dataclasses.asdict(before), "warnings": []})
        else:
            click.echo(f"Nothing is known of {person!r}.")
        return
    if not as_json:
        _print("To be removed:", before)
    if not yes:
        click.confirm("Remove all of this? It cannot be taken back.", abort=True, err=True)
    try:
        warnings = forgetting.forget(identity, _tell if sys.stderr.isatty() else lambda step: None)
    except ServiceUnavailable as away:
        raise click.ClickException(f"Not everything is removed: {away.message} The same command goes on.") from None
    left = dataclasses.asdict(forgetting.count(identity))
    removed = {name: number - left[name] for name, number in dataclasses.asdict(before).items()}
    if as_json:
        print_json({"removed": removed, "warnings": warnings})
        return
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    _print("Removed:", PersonCounts(**removed))


def _print(title: str, counts: PersonCounts) -> None:
    click.echo(title)
    found = {name.replace("_", " "): str(number) for name, number in dataclasses.asdict(counts).items() if number}
    print_facts(found or {"nothing": ""})


def _tell(step: str) -> None:
    click.echo(f"  {step}", err=True)
