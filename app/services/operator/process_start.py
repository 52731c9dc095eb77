"""What each serving process begins with: its metrics, and a line where the database's tables do not fit the code."""

import threading
import time

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.metrics import recording
from app.metrics.host_values import archive_dead
from app.services.operator.metrics_server import MetricsServer
from app.services.operator.pool_levels import PoolLevels
from app.services.operator.schema import UPGRADE, SchemaState, code_schema, schema_state
from app.services.process.process_parts import parts_of

log = structlog.get_logger(__name__)

# Between two looks at a database that does not answer, or whose tables are old.
PAUSE_SECONDS = 1.0


def start_metrics(app: Flask, process: str) -> None:
    """Record this process's metrics, where they are on. `process`: `web`, `worker`, `housekeeping` or `beat`.

    A folder that cannot be written is logged: metrics are no reason not to serve.
    """
    settings = app.config
    if not (settings["METRICS_TOKEN"] or settings["METRICS_PORT"]):
        return
    parts = parts_of(app)
    try:
        recording.start(settings["METRICS_DIR"], process)
        archive_dead(settings["METRICS_DIR"])
    except OSError as problem:
        log.error("metrics.off", folder=str(settings["METRICS_DIR"]), error=problem.strerror or str(problem))
        return
    parts.on_close(recording.stop)
    parts.get(PoolLevels, lambda: PoolLevels(app).start(), PoolLevels.stop)
    if settings["METRICS_PORT"]:
        server = MetricsServer(app, settings["METRICS_HOST"], settings["METRICS_PORT"], settings["METRICS_TOKEN"])
        parts.get(MetricsServer, server.start, MetricsServer.stop)


def tell_of_schema(app: Flask) -> None:
    """Log, beside the start, where the tables do not fit the code, as soon as the database answers."""
    threading.Thread(target=_tell, args=(app,), name="schema", daemon=True).start()


def wait_for_schema(app: Flask) -> None:
    """Wait until the database has the tables that this code needs: answers that are taken before would fail.

    Logs once where it has not. Without a database it waits for nothing: who works knows how to wait for one.
    """
    told = False
    while _lacks_tables(app, told) is True:
        told = True
        time.sleep(PAUSE_SECONDS)


def _tell(app: Flask) -> None:
    while _lacks_tables(app, told=False) is None:
        time.sleep(PAUSE_SECONDS)


def _lacks_tables(app: Flask, told: bool) -> bool | None:
    """Return whether tables are missing or old, None where the database does not answer. Logs it unless it was told."""
    with app.app_context():
        try:
            state = schema_state()
        except SQLAlchemyError:
            return None
        expected = ", ".join(sorted(code_schema().newest))
        lacks = state in (SchemaState.OLD, SchemaState.MISSING)
        if lacks and not told:
            log.error("schema.old", tables=state.value, expected=expected, what_to_do=UPGRADE)
        elif state is SchemaState.NEWER:
            log.warning("schema.newer", expected=expected, what_to_do="install the version that the tables are of")
        return lacks
