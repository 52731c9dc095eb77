"""Make the Flask app of a process."""

import functools
from collections.abc import Callable

import structlog
from flask import Flask

from app import VERSION, logs, tracing
from app.extensions import bind_celery, bind_database, close_connections, redis_client
from app.services.operator import schema
from app.services.process import process_parts
from app.services.process.process_parts import ProcessParts
from config import Config

log = structlog.get_logger(__name__)


def create_app(config: Config, *mounts: Callable[[Flask], None]) -> Flask:
    """Return the app of one process, with what is to be mounted on it: a worker needs no API. Opens no connection.

    `parts_of(app).close()` closes at the end of the process whatever it has opened by then.
    """
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(vars(config))
    app.config["VERSION"] = VERSION
    logs.configure(config.LOG_LEVEL, config.LOG_FORMAT)
    bind_database(app)
    redis_client.init_app(app)
    bind_celery(app)
    parts = process_parts.init_app(app)
    parts.on_close(functools.partial(close_connections, app))
    if config.traces_endpoint and not config.COMMAND_LINE:
        _send_traces(config, parts)
    schema.init_app(app)
    for mount in mounts:
        mount(app)
    return app


def _send_traces(config: Config, parts: ProcessParts) -> None:
    """Let this process's spans go to the collector at `config.traces_endpoint`, until its parts are closed."""
    try:
        # Imported here: its packages are not in production.txt, and take memory.
        from app.open_telemetry import OpenTelemetryTracer
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("opentelemetry"):
            raise
        log.error("traces.off", problem="OpenTelemetry is not installed: install app/requirements/traces.txt")
        return
    tracer = OpenTelemetryTracer(config.traces_endpoint, VERSION, config.LOG_CONTENT == "on")
    tracing.install(tracer)
    parts.on_close(tracer.close)
    parts.on_close(tracing.uninstall)
