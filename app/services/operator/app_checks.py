"""Check app files without publishing them."""

from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db
from app.models.apps import load_app_of_source
from app.services.definitions.app_file import AppDefinition
from app.services.operator import app_files
from app.services.operator.missing_parts import what_is_missing

NO_DATABASE = "The database cannot be asked: which datasets the app finds here was not checked."


@dataclass(frozen=True)
class CheckedFile:
    """What is wrong with a file: `errors` keep it from being published, `warnings` from working in full."""

    name: str = ""
    mode: str = ""
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        if self.errors:
            return "cannot be published"
        app = f"{self.name} ({self.mode})"
        return f"{app} can be published, with warnings" if self.warnings else f"{app} can be published"


def check(content: bytes, source: str) -> CheckedFile:
    """Check a file's content, and what its app needs here. `source`: as `apps.publish` takes it.

    Asks tool servers; works without a database, too. Raises InvalidAppFile.
    """
    file = app_files.parse(content)
    definition = AppDefinition.read(file.definition)
    try:
        app = load_app_of_source(db.session(), source)
        missing = what_is_missing(definition, *((app.id, app.code) if app is not None else ()))
    except SQLAlchemyError:
        db.session.rollback()
        missing = [*what_is_missing(definition, datasets=False), *([NO_DATABASE] if definition.datasets() else [])]
    return CheckedFile(file.name, file.mode, (), (*file.warnings, *missing))
