"""Putting an app together."""

from flask import Flask

from app import VERSION, api, cli, logs
from app.extensions import bind_celery, bind_database, redis_client
from config import Config


def create_app(config: Config) -> Flask:
    """The app of one process. Opens no connection."""
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping(vars(config))
    app.config["VERSION"] = VERSION
    logs.configure(config.LOG_LEVEL, config.LOG_FORMAT)
    bind_database(app)
    redis_client.init_app(app)
    bind_celery(app)
    logs.init_app(app)
    api.init_app(app)
    cli.register(app)
    return app
