"""The parts that an app is bound to, unbound here. Importing this does no work."""

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
    """The Redis client of the app at hand."""

    @property
    def client(self) -> "redis.Redis":
        """To be taken inside an app's context; usable outside of it."""
        client: redis.Redis = current_app.extensions["redis_client"]
        return client

    def init_app(self, app: Flask) -> None:
        app.extensions["redis_client"] = redis.Redis.from_url(
            app.config["REDIS_URL"] or "redis://",
            max_connections=app.config["WORKER_THREADS"] + 100,
            socket_connect_timeout=5,
            health_check_interval=30,
        )


redis_client = Redis()


def autocommit_engine() -> Engine:
    """One statement, one round trip: for look-ups and single-statement writes on the hot path."""
    return db.engines["autocommit"]


def bind_database(app: Flask) -> None:
    """Bind `db` with two engines on one URL: transactions, and autocommit without a reset on return."""
    url = database_url(app.config["DATABASE_URL"])
    pool = {
        "pool_size": app.config["DATABASE_POOL_SIZE"],
        "max_overflow": 0,
        "pool_timeout": 30,
        "pool_pre_ping": False,
    }
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = pool
    app.config["SQLALCHEMY_BINDS"] = {
        "autocommit": {"url": url, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None, **pool}
    }
    db.init_app(app)


def close_connections(app: Flask) -> None:
    """Close the connections of an app that nobody uses, to PostgreSQL and Redis."""
    app.extensions["redis_client"].close()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def database_url(text: str) -> str:
    """The address as SQLAlchemy takes it: psycopg2, whichever way the scheme is spelled."""
    return f"postgresql+psycopg2://{text.partition('://')[2]}"


def bind_celery(app: Flask) -> None:
    """Configure Celery: Redis broker, late acknowledgement, two queues (DESIGN: work that survives)."""
    threads = app.config["WORKER_THREADS"]
    celery.conf.update(
        broker_url=broker_url(app.config["REDIS_URL"]),
        broker_connection_retry_on_startup=True,
        # kombu's pool of 10 loses acknowledgements when a hundred tasks end together.
        broker_transport_options={
            "visibility_timeout": app.config["MAX_RUN_SECONDS"] + 600,
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
    """Redis's URL as kombu spells it (`unix:///path` is `redis+socket:///path` there)."""
    return redis_url.replace("unix://", "redis+socket://", 1)
