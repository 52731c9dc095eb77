"""Apps as an operator sees them: publish, list, show, export, switch off and on, remove."""

import copy
import dataclasses
import json
import secrets
import string
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis
import structlog

from app.extensions import db, redis_client
from app.models import App, AppVersion
from app.models.apps import (
    AppSummary,
    list_app_summaries,
    load_app,
    load_app_of_source,
    read_definition,
    remember_source,
    wait_to_publish,
)
from app.models.identifiers import new_id, now
from app.models.tasks import list_running_tasks_of_app
from app.services.definitions import published_apps, yaml_documents
from app.services.definitions.app_file import AppDefinition
from app.services.operator.app_files import AppFile
from app.services.operator.missing_parts import what_is_missing
from app.streams import signals

log = structlog.get_logger(__name__)

CODE_LENGTH = 16
REDIS_AWAY = "Redis cannot be reached: running servers notice this change within a minute."


class AppRefused(Exception):
    """What an operator asked for cannot be done; the text is one line that says why."""


@dataclass(frozen=True)
class ImportedApp:
    """A published file. `outcome` is `created`, `updated` or `unchanged`."""

    id: uuid.UUID
    code: str
    mode: str
    name: str
    version_id: uuid.UUID
    outcome: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class AppDetails:
    """An app with its current definition, which may hold secrets."""

    summary: AppSummary
    definition: dict[str, Any]


@dataclass(frozen=True)
class AppChange:
    """An app that was switched or removed, and what the operator should know."""

    code: str
    name: str
    warnings: tuple[str, ...]


def publish(file: AppFile, code: str | None = None, source: str | None = None, anew: bool = False) -> ImportedApp:
    """Make an app, or give the one that the file is of a new version; the same definition again changes nothing.

    The file is of the app that has this `code`; without one, of the app that was imported from this `source`
    (`file_sources.source_of`) before and is of the file's mode. `anew`: of none. The source is the app's from now on.
    Raises AppRefused for a code that cannot be one, and for one of an app of another mode.
    """
    if code is not None and published_apps.CODE.fullmatch(code) is None:
        raise AppRefused(f"The code {code!r} cannot be used: 1 to 64 letters, digits, '-' and '_' are allowed.")
    # Two imports under one code or from one source come one after the other.
    wait_to_publish(db.session.connection())
    app, doubts = _app_to_update(file, code, None if anew else source)
    outcome = "created" if app is None else "updated"
    if app is None:
        app = App(id=new_id(), code=code or _random_code(), mode=file.mode, name=file.name)
    elif _same(_definition(app), file.definition):
        outcome = "unchanged"
    if outcome != "unchanged":
        version = AppVersion(id=new_id(), app_id=app.id, definition=file.definition)
        app.name, app.version_id, app.updated_at = file.name, version.id, now()
        db.session.add_all([app, version])
        db.session.flush()
    if source is not None:
        remember_source(db.session(), source, app.id)
    imported = ImportedApp(app.id, app.code, app.mode, app.name, app.version_id, outcome, warnings=())
    db.session.commit()
    missing = what_is_missing(AppDefinition.read(file.definition), imported.id, imported.code)
    return dataclasses.replace(imported, warnings=(*doubts, *file.warnings, *missing, *announce(imported.id)))


def _app_to_update(file: AppFile, code: str | None, source: str | None) -> tuple[App | None, tuple[str, ...]]:
    """Return the app that a file is of, None for a new one, and what speaks against it. Raises AppRefused."""
    if code is not None:
        app = load_app(db.session(), code)
        if app is not None and app.mode != file.mode:
            known, mode = app.code, app.mode
            db.session.rollback()
            raise AppRefused(
                f"The app {known!r} is of mode {mode}, the file of mode {file.mode}: import it under another code."
            )
        return app, ()
    app = load_app_of_source(db.session(), source) if source is not None else None
    if app is None:
        return None, ()
    if app.mode != file.mode:
        return None, (
            f"This file held the app {app.code!r} of mode {app.mode} before: that app stays, and this is a new one.",
        )
    if app.name != file.name:
        return app, (
            f"This app was named {app.name!r} before. If the file holds another app now, import it with --new, and"
            f" the earlier file with --code {app.code}.",
        )
    return app, ()


def list_apps() -> list[AppSummary]:
    """All apps, by name."""
    return sorted(list_app_summaries(db.session.connection()), key=lambda app: (app.name.casefold(), app.code))


def show(code: str) -> AppDetails:
    """Raises AppRefused where there is no such app."""
    for summary in list_app_summaries(db.session.connection(), code):
        return AppDetails(summary, _definition(find(code)))
    raise _unknown(code)


def export(code: str) -> str:
    """The app's current file, without the values of its secrets. Raises AppRefused where there is no such app."""
    definition = copy.deepcopy(_definition(find(code)))
    workflow = definition.get("workflow")
    variables = workflow.get("environment_variables") if isinstance(workflow, dict) else None
    for variable in variables if isinstance(variables, list) else []:
        if variable.get("value_type") == "secret":
            variable["value"] = ""
    return yaml_documents.write(definition)


def set_enabled(code: str, enabled: bool) -> AppChange:
    """Switch an app's page on or off. Raises AppRefused where there is no such app."""
    app = find(code)
    app.enabled = enabled
    app_id, name = app.id, app.name
    db.session.commit()
    return AppChange(code, name, announce(app_id))


def remove(code: str) -> AppChange:
    """Remove an app with its versions, visitors, conversations and messages, and stop its running answers.

    Raises AppRefused where there is no such app.
    """
    app = find(code)
    app_id, name = app.id, app.name
    answering = list_running_tasks_of_app(db.session.connection(), app_id)
    db.session.delete(app)
    db.session.commit()
    return AppChange(code, name, announce(app_id, answering))


def announce(app_id: uuid.UUID, to_stop: Iterable[uuid.UUID] = ()) -> tuple[str, ...]:
    """Make this process and all others read the app again, and stop these tasks; return warnings for the operator."""
    published_apps.forget(app_id)
    try:
        signals.announce_change(redis_client.client, f"app:{app_id}")
        for task_id in to_stop:
            signals.request_stop(redis_client.client, str(task_id))
    except redis.RedisError as error:
        log.warning("app.change_not_announced", app_id=str(app_id), error=str(error))
        return (REDIS_AWAY,)
    return ()


def find(code: str) -> App:
    """The row of an app. Raises AppRefused where there is no such app."""
    app = load_app(db.session(), code)
    if app is None:
        raise _unknown(code)
    return app


def _unknown(code: str) -> AppRefused:
    return AppRefused(f"There is no app with the code {code!r}.")


def _definition(app: App) -> dict[str, Any]:
    return read_definition(db.session.connection(), app.version_id)


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: unlike Python, it keeps 1 and true apart."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _random_code() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(CODE_LENGTH))
