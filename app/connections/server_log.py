"""gunicorn's own lines, in the form of all other lines of the process."""

from typing import Any

from gunicorn.glogging import Logger

from app import logs


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's log, of the master and of web workers; `app.logs` is configured before it is made."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(logs.line_formatter())
