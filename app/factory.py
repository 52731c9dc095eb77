"""Make the Flask app of a process."""

import functools
from collections.abc import Callable

from flask import Flask

from app import VERSION, logs
from app.extensions import bind_celery, bind_database, close_connections, redis_client
from app.services.process import process_parts
from config import Config


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
    process_parts.init_app(app).on_close(functools.partial(close_connections, app))
    for mount in mounts:
        mount(app)
    return app
