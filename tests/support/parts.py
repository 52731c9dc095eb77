"""Parts of the process for one test: one of the test's own, or one that is built anew from changed settings."""

import contextlib
from collections.abc import Iterator

import pytest
from flask import Flask

from app.services.process.process_parts import parts_of


def put_part(monkeypatch: pytest.MonkeyPatch, app: Flask, part: object) -> None:
    """Put a part in the place of the app's own of its class."""
    monkeypatch.setitem(parts_of(app).built, type(part), part)


@contextlib.contextmanager
def built_anew(app: Flask, kind: type) -> Iterator[None]:
    """Inside, the part of a class is built again when somebody asks for it; afterwards the old one is back."""
    built = parts_of(app).built
    old = built.pop(kind, None)
    try:
        yield
    finally:
        built.pop(kind, None)
        if old is not None:
            built[kind] = old
