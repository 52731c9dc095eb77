"""Whether the database has the tables that this version of the code needs."""

import enum
import pathlib
import re
from dataclasses import dataclass

from flask import Flask, current_app

from app.models.schema import list_schema_revisions

UPGRADE = "run `flask --app wsgi db upgrade`"
_EXTENSION = "code_schema"
_FOLDER = pathlib.Path(__file__).resolve().parents[3] / "migrations" / "versions"
_REVISION = re.compile(r"""^revision\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE)
_BEFORE = re.compile(r"^down_revision\b[^=\n]*=(.*)$", re.MULTILINE)
_NAME = re.compile(r"""["']([^"']+)["']""")


class SchemaState(enum.Enum):
    """How the tables compare with the code.

    NEWER tables are no fault: in an upgrade they come first, and the processes that run serve on until they are
    restarted.
    """

    CURRENT = "current"
    OLD = "old"
    MISSING = "missing"
    NEWER = "newer"


@dataclass(frozen=True)
class CodeSchema:
    """The revisions of the tables that this version of the code knows, and the newest of them."""

    known: frozenset[str]
    newest: frozenset[str]

    def compare(self, revisions: list[str]) -> SchemaState:
        """Return how tables that stand at these revisions compare with the code."""
        if not revisions:
            return SchemaState.MISSING
        if set(revisions) == self.newest:
            return SchemaState.CURRENT
        return SchemaState.OLD if self.known.issuperset(revisions) else SchemaState.NEWER


def read_code_schema(folder: pathlib.Path = _FOLDER) -> CodeSchema:
    """Read the revisions from the files of the migrations. They are not imported: their library takes ten megabytes."""
    known: set[str] = set()
    followed: set[str] = set()
    for file in folder.glob("*.py"):
        text = file.read_text()
        known.update(_REVISION.findall(text))
        for before in _BEFORE.findall(text):
            followed.update(_NAME.findall(before))
    return CodeSchema(frozenset(known), frozenset(known - followed))


def init_app(app: Flask) -> None:
    """Note the revisions now: the files may be replaced by a newer version while this process runs."""
    app.extensions[_EXTENSION] = read_code_schema()


def code_schema() -> CodeSchema:
    """Return the current app's revisions."""
    schema: CodeSchema = current_app.extensions[_EXTENSION]
    return schema


def schema_state() -> SchemaState:
    """Ask the database. Raises sqlalchemy.exc.SQLAlchemyError."""
    return code_schema().compare(list_schema_revisions())
