"""gunicorn's settings: `gunicorn -c python:app.web_server wsgi:app`.

One gevent worker per core carries thousands of streams; the code stays plain synchronous Flask. What a client may do to
a connection, and for how long, is bounded by the worker class (`app/connections/bounded_worker.py`).
"""

import resource
from typing import Any

from app import logs
from config import serving_config

_config = serving_config()
# The master writes lines before there is an app, and web workers inherit this from it.
logs.configure(_config.LOG_LEVEL, _config.LOG_FORMAT)
logs.catch_loose_ends()

_host = _config.HOST.strip("[]")
bind = f"[{_host}]:{_config.PORT}" if ":" in _host else f"{_host}:{_config.PORT}"
workers = _config.WEB_WORKERS
worker_class = "app.connections.bounded_worker.BoundedWorker"
worker_connections = 3000
backlog = 4096
keepalive = max(1, int(_config.KEEPALIVE_SECONDS))
# The worker class extends this one.
http_parser = "python"
timeout = 60
graceful_timeout = int(_config.DRAIN_SECONDS)
forwarded_allow_ips = ""
logger_class = "app.connections.server_log.ServerLog"
accesslog = None
loglevel = _config.LOG_LEVEL.lower()
worker_tmp_dir = "/dev/shm"
# It would lie in the home folder of the user, and every server of that user would take it from the one before.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Raise the limit of open sockets to what the system allows: each stream holds one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def post_fork(server: Any, worker: Any) -> None:
    """Let psycopg2 wait by gevent: its own wait would stop all greenlets of the worker."""
    # Imported here: the master must not load what gevent has to patch first in the worker.
    from app.connections import database_waits

    database_waits.install()


def post_worker_init(worker: Any) -> None:
    """Begin what a web worker does beside its requests; called in the worker, before its first request."""
    # Imported here for the same reason as above.
    from app.metrics.names import WEB_LIMIT
    from app.services.operator import process_start

    process_start.start_metrics(worker.wsgi, "web")
    WEB_LIMIT.set(worker_connections)
    # One line for all workers: the first one that gunicorn starts says it.
    if worker.age == 1:
        process_start.tell_of_schema(worker.wsgi)


def worker_exit(server: Any, worker: Any) -> None:
    """Close what the app of a web worker has opened; called in the worker, after its last request."""
    app = getattr(worker, "wsgi", None)
    # The worker ended before it had loaded the app; or this is the master, which calls it for workers that vanished.
    if app is None:
        return
    # Imported here for the same reason as above.
    from app.services.process.process_parts import parts_of

    parts_of(app).close()
