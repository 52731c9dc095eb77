"""The lines that a module logs, as events with their fields."""

from types import ModuleType
from typing import Any

import pytest


class LogLines:
    """Takes the place of a module's `log`, whatever the level, and keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})

    warning = error = info

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    @property
    def only(self) -> dict[str, Any]:
        """The one line that there is."""
        (line,) = self.lines
        return line


def lines_of(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> LogLines:
    """Keep what a module logs until the test ends."""
    lines = LogLines()
    monkeypatch.setattr(module, "log", lines)
    return lines
