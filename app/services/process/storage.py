"""The file storage of this process."""

from flask import current_app

from app.providers.file_storage import FileStorage


def storage() -> FileStorage:
    """To be taken inside an app's context; usable outside of it."""
    extensions = current_app.extensions
    if "file_storage" not in extensions:
        extensions.setdefault("file_storage", FileStorage(current_app.config["STORAGE_URL"]))
    known: FileStorage = extensions["file_storage"]
    return known
