"""`flask apps …`: publish and manage apps."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import click
from flask import current_app

from app.cli.groups import OperatorGroup
from app.cli.output import as_json_option, print_facts, print_json, print_table, utc_time
from app.models.apps import AppSummary
from app.services.definitions.app_file import MODEL_CONFIG_MODES, AppDefinition
from app.services.operator import app_checks, app_files, apps, file_sources
from app.services.operator.file_warnings import file_warnings
from app.services.operator.missing_parts import what_is_missing
from app.services.operator.sample_requests import sample_request

NO_URL = "unknown: WEB_APP_URL is not set"
PAGES = {"workflow": "workflow", "completion": "completion"}

apps_group = OperatorGroup("apps", help="Publish and manage apps.")


@apps_group.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=pathlib.Path))
@click.option("--code", help="The app's public code: an app that has it is updated, else one is created.")
@click.option("--new", "anew", is_flag=True, help="Create another app, also from a file that was imported before.")
@as_json_option
def import_files(files: tuple[pathlib.Path, ...], code: str | None, anew: bool, as_json: bool) -> None:
    """Publish app files; a file that was imported before updates its app, unless --code or --new says otherwise.

    A file that cannot be used changes nothing; the others are published.
    """
    if code is not None and len(files) > 1:
        raise click.ClickException("--code is for one file only: each app needs its own code.")
    if code is not None and anew:
        raise click.ClickException("--new gives the app a code of its own: leave --code out.")
    results = []
    for number, path in enumerate(files, 1):
        if len(files) > 1:
            click.echo(f"[{number}/{len(files)}] {path}", err=True)
        try:
            file = app_files.parse(_read(path))
            imported = apps.publish(file, code, file_sources.source_of(path), anew)
        except app_files.InvalidAppFile as error:
            click.echo(f"Error: {path}: {error}", err=True)
            results.append(_refused_line(path, error.problems))
            continue
        except apps.AppRefused as error:
            click.echo(f"Error: {path}: {error}", err=True)
            results.append(_refused_line(path, [str(error)]))
            continue
        curl = sample_request(current_app.config["PUBLIC_URL"], imported.code, AppDefinition.read(file.definition))
        results.append(_import_line(path, imported, curl))
        if not as_json:
            _print_import(imported, curl)
    if as_json:
        print_json(results)
    if any(result["errors"] for result in results):
        raise click.exceptions.Exit(1)


@apps_group.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=pathlib.Path))
@as_json_option
def check_files(files: tuple[pathlib.Path, ...], as_json: bool) -> None:
    """Say what is wrong with app files, without publishing them; the exit code is 1 where one cannot be published."""
    results = []
    for path in files:
        try:
            checked = app_checks.check(_read(path), file_sources.source_of(path))
        except app_files.InvalidAppFile as error:
            checked = app_checks.CheckedFile(errors=tuple(error.problems))
        results.append({"file": str(path)} | dataclasses.asdict(checked))
        if not as_json:
            _print_check(path, checked)
    if as_json:
        print_json(results)
    if any(result["errors"] for result in results):
        raise click.exceptions.Exit(1)


@apps_group.command("list")
@as_json_option
def list_apps(as_json: bool) -> None:
    """List the published apps."""
    found = apps.list_apps()
    if as_json:
        print_json([_summary(app) for app in found])
        return
    if not found:
        click.echo("No apps yet: publish one with `.venv/bin/flask --app wsgi apps import FILE`.")
        return
    rows = [
        (app.code, app.mode, "on" if app.enabled else "off", app.access_mode, utc_time(app.published_at), app.name)
        for app in found
    ]
    print_table(("CODE", "MODE", "PAGE", "ACCESS", "PUBLISHED", "NAME"), rows)


@apps_group.command("show")
@click.argument("code")
@as_json_option
def show(code: str, as_json: bool) -> None:
    """Show one app: its address, model and inputs, and what its file asks for that is not supported."""
    details = apps.show(code)
    facts = _summary(details.summary) | _contents(details)
    if as_json:
        print_json(facts)
        return
    print_facts(facts | {"url": facts["url"] or NO_URL})


@apps_group.command("export")
@click.argument("code")
@click.option(
    "--output", metavar="FILE", type=click.Path(path_type=pathlib.Path, dir_okay=False), help="Write to a file."
)
def export(code: str, output: pathlib.Path | None) -> None:
    """Print an app as an app file, in which secret variables are blank."""
    text = apps.export(code)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise click.ClickException(f"{output}: cannot be written: {error.strerror}") from None


@apps_group.command("disable")
@click.argument("code")
@as_json_option
def disable(code: str, as_json: bool) -> None:
    """Switch off an app's page; its conversations stay."""
    _print_change(apps.set_enabled(code, False), "off", as_json)


@apps_group.command("enable")
@click.argument("code")
@as_json_option
def enable(code: str, as_json: bool) -> None:
    """Switch on an app's page again."""
    _print_change(apps.set_enabled(code, True), "on", as_json)


@apps_group.command("remove")
@click.argument("code")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@as_json_option
def remove(code: str, yes: bool, as_json: bool) -> None:
    """Remove an app with all its conversations. This cannot be undone."""
    app = apps.show(code).summary
    if not yes:
        click.confirm(f"Remove {app.name!r} ({app.code}) and all its conversations?", abort=True, err=True)
    _print_change(apps.remove(code), "removed", as_json)


def _read(path: pathlib.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise app_files.InvalidAppFile(f"cannot be read: {error.strerror}") from None


def _page_url(mode: str, code: str) -> str | None:
    """Return the address of the app's page; None while WEB_APP_URL is not set."""
    base = current_app.config["WEB_APP_URL"]
    return f"{base}/{PAGES.get(mode, 'chat')}/{code}" if base else None


def _import_line(path: pathlib.Path, app: apps.ImportedApp, curl: str) -> dict[str, Any]:
    return {
        "file": str(path),
        "id": app.id,
        "code": app.code,
        "mode": app.mode,
        "name": app.name,
        "outcome": app.outcome,
        "url": _page_url(app.mode, app.code),
        "curl": curl,
        "errors": [],
        "warnings": list(app.warnings),
    }


def _refused_line(path: pathlib.Path, problems: Sequence[str]) -> dict[str, Any]:
    return {"file": str(path), "outcome": "refused", "errors": list(problems), "warnings": []}


def _print_import(app: apps.ImportedApp, curl: str) -> None:
    click.echo(f"{app.name} ({app.mode}): {app.outcome}")
    click.echo(f"  code     {app.code}")
    click.echo(f"  page     {_page_url(app.mode, app.code) or NO_URL}")
    for warning in app.warnings:
        click.echo(f"  warning  {warning}")
    click.echo(f"  try      {curl}")


def _print_check(path: pathlib.Path, checked: app_checks.CheckedFile) -> None:
    click.echo(f"{path}: {checked.verdict}")
    for error in checked.errors:
        click.echo(f"  error    {error}")
    for warning in checked.warnings:
        click.echo(f"  warning  {warning}")


def _summary(app: AppSummary) -> dict[str, Any]:
    return {
        "id": app.id,
        "code": app.code,
        "name": app.name,
        "mode": app.mode,
        "enabled": app.enabled,
        "access_mode": app.access_mode,
        "url": _page_url(app.mode, app.code),
        "created_at": utc_time(app.created_at),
        "published_at": utc_time(app.published_at),
        "versions": app.versions,
    }


def _contents(app: apps.AppDetails) -> dict[str, Any]:
    """Return the model, the inputs and the warnings of an app's definition."""
    definition = AppDefinition.read(app.definition)
    mode, config = definition.app.mode, definition.model_config_
    facts: dict[str, Any] = {}
    if mode in MODEL_CONFIG_MODES and config is not None:
        facts["model"] = f"{config.model.provider} {config.model.name}"
    form = definition.input_form(mode)
    fields = [
        f"{field.variable} ({field.type}{', required' if field.required else ''})" for field in form if field.variable
    ]
    missing = what_is_missing(definition, app.summary.id, app.summary.code)
    return facts | {"inputs": fields, "warnings": file_warnings(definition) + missing}


def print_change(code: str, name: str, state: str, warnings: Sequence[str], as_json: bool) -> None:
    """Print the new state of an app, and warnings about it."""
    if as_json:
        print_json({"code": code, "name": name, "state": state, "warnings": list(warnings)})
        return
    click.echo(f"{name} ({code}): {state}")
    for warning in warnings:
        click.echo(f"  warning  {warning}")


def _print_change(change: apps.AppChange, state: str, as_json: bool) -> None:
    print_change(change.code, change.name, state, change.warnings, as_json)
