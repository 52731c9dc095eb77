"""Putting an app together."""

from collections.abc import Callable

from flask import Flask

from app import VERSION, logs
from app.extensions import bind_celery, bind_database, redis_client
from config import Config


def create_app(config: Config, *mounts: Callable[[Flask], None]) -> Flask:
    """The app of one process, with what is to be mounted on it: a worker needs no API. Opens no connection."""
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(vars(config))
    app.config["VERSION"] = VERSION
    logs.configure(config.LOG_LEVEL, config.LOG_FORMAT)
    bind_database(app)
    redis_client.init_app(app)
    bind_celery(app)
    for mount in mounts:
        mount(app)
    return app
