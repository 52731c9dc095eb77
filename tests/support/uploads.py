"""Uploaded files: what is stored of them, and their links."""

import pathlib
import urllib.parse

from sqlalchemy import text

from app.extensions import autocommit_engine
from app.models.owners import Owner

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


def stored_files(app) -> list[pathlib.Path]:
    root = pathlib.Path(app.config["STORAGE_URL"].removeprefix("file://"))
    return [path for path in root.rglob("*") if path.is_file()]


def is_stored(visitor, file_id) -> bool:
    """Whether the content of a file is in the storage."""
    return any(path.name == str(file_id) for path in stored_files(visitor.client.application))


def path_of(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path}?{parts.query}"


def rows(visitor) -> list:
    with autocommit_engine().connect() as connection:
        return list(connection.execute(text("SELECT * FROM upload_files WHERE app_id = :id"), {"id": visitor.app.id}))


def owner_of(visitor) -> Owner:
    with autocommit_engine().connect() as connection:
        return Owner(
            visitor.app.id,
            connection.execute(
                text("SELECT id FROM end_users WHERE app_id = :id"), {"id": visitor.app.id}
            ).scalar_one(),
        )
