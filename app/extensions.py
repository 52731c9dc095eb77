"""Database, Redis and Celery, not yet bound to an app. Importing this opens nothing; `create_app` binds them."""

import redis
from celery import Celery
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, MetaData
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base)
celery = Celery("frontdesk")


class Redis:
    """Finds the Redis client of the current app; one client per app, with a pool of connections for all threads."""

    @property
    def client(self) -> "redis.Redis":
        """The client; taken inside an app's context, it works outside of one too."""
        client: redis.Redis = current_app.extensions["redis_client"]
        return client

    def init_app(self, app: Flask) -> None:
        app.extensions["redis_client"] = redis.Redis.from_url(
            app.config["REDIS_URL"] or "redis://",
            # Each thread may hold one; the rest is for heartbeats, publishers and hubs.
            max_connections=app.config["WORKER_THREADS"] + 100,
            socket_connect_timeout=5,
            health_check_interval=30,
        )


redis_client = Redis()


def autocommit_engine() -> Engine:
    """Return the engine for single statements: each commits by itself and takes one round trip."""
    return db.engines["autocommit"]


def bind_database(app: Flask) -> None:
    """Bind `db` to an app with two engines on one URL: one for transactions, one that commits each statement."""
    url = database_url(app.config["DATABASE_URL"])
    pool = {
        "pool_size": app.config["DATABASE_POOL_SIZE"],
        "max_overflow": 0,
        "pool_timeout": 30,
        # A look at the connection before each use would cost a round trip; whoever meets a lost one tries again.
        "pool_pre_ping": False,
    }
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = pool
    app.config["SQLALCHEMY_BINDS"] = {
        # Nothing is open when a connection is returned, so that a rollback would be one more round trip for nothing.
        "autocommit": {"url": url, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None, **pool}
    }
    db.init_app(app)


def close_connections(app: Flask) -> None:
    """Close the idle connections of an app to Redis and PostgreSQL."""
    app.extensions["redis_client"].close()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def database_url(text: str) -> str:
    """Return the address in SQLAlchemy's spelling, with psycopg2 as driver, for each spelling of the scheme."""
    return f"postgresql+psycopg2://{text.partition('://')[2]}"


def bind_celery(app: Flask) -> None:
    """Configure Celery: Redis as broker, acknowledgement after the work, one queue for answers and one for the rest."""
    threads = app.config["WORKER_THREADS"]
    celery.conf.update(
        broker_url=broker_url(app.config["REDIS_URL"]),
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            # Redis hands out an unacknowledged task again after this; a running one must not come twice.
            "visibility_timeout": app.config["MAX_RUN_SECONDS"] + 600,
            # kombu's default of 10 loses acknowledgements when a hundred tasks end together.
            "max_connections": threads * 2 + 50,
        },
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        task_ignore_result=True,
        task_default_queue="generations",
        task_routes={"housekeeping.*": {"queue": "housekeeping"}},
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        timezone="UTC",
    )


def broker_url(redis_url: str) -> str:
    """Return Redis's URL in kombu's spelling: `redis+socket:///path` for `unix:///path`."""
    return redis_url.replace("unix://", "redis+socket://", 1)
