"""Database, Redis and Celery, not yet bound to an app. Importing this opens nothing; `create_app` binds them."""

# gevent's sockets, which stand in the place of the plain ones in web workers, do not look without waiting.
import _socket
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import psycopg2
import redis
from celery import Celery
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from psycopg2.errorcodes import READ_ONLY_SQL_TRANSACTION, UNDEFINED_COLUMN, UNDEFINED_TABLE
from psycopg2.extensions import parse_dsn
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel
from sqlalchemy import Engine, ExceptionContext, MetaData, event
from sqlalchemy.exc import InvalidatePoolError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import DeclarativeBase

from app.database_pool import ShrinkingPool
from app.redis_address import SentinelAddress, sentinel_address

NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}

# PostgreSQL is away, or its connections are all in use for too long: what waits for it may be tried again.
DATABASE_AWAY = (OperationalError, NoConnection)
CONNECT_SECONDS = 5
# A server that says nothing for so long counts as away. No command that we send waits in the server.
REDIS_SECONDS = 10
# For one question to one Sentinel: the next one is asked behind it.
SENTINEL_SECONDS = 1
# A host that vanishes, without a word from its kernel, is noticed after some ten seconds.
KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT, UNCONFIRMED_MS = 5, 2, 3, 10_000


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
        # Each thread may hold one; the rest is for heartbeats, publishers and hubs.
        most = app.config["WORKER_THREADS"] + 100
        app.extensions["redis_client"] = redis_at(app.config["REDIS_URL"] or "redis://", max_connections=most)


redis_client = Redis()


def redis_at(url: str, **options: Any) -> "redis.Redis":
    """Return a client of the Redis at an address as REDIS_URL takes it. Raises ValueError for one that is none."""
    options = {"health_check_interval": 30, **options}
    address = sentinel_address(url)
    if address is None:
        return redis.Redis.from_url(url, **socket_options(url), **options)
    # The library leaves it untyped.
    untyped: Any = Sentinel
    sentinels = untyped(address.sentinels, sentinel_kwargs=sentinel_options(address), **socket_options(url))
    client: redis.Redis = sentinels.master_for(address.name, db=address.database, **address.login, **options)
    return client


def autocommit_engine() -> Engine:
    """Return the engine for single statements: each commits by itself and takes one round trip."""
    return db.engines["autocommit"]


def bind_database(app: Flask) -> None:
    """Bind `db` to an app with two engines on one URL: one for transactions, one that commits each statement."""
    pool = {
        "creator": database_connector(app.config["DATABASE_URL"]),
        "poolclass": ShrinkingPool,
        "pool_use_lifo": True,
        "pool_size": app.config["DATABASE_POOL_SIZE"],
        "max_overflow": 0,
        "pool_timeout": 30,
        # A look at the connection before each use would cost a round trip; whoever meets a lost one tries again.
        "pool_pre_ping": False,
        # Errors are logged: what visitors write, and tokens, are parameters.
        "hide_parameters": True,
    }
    # Only the dialect: the connector has the address, which may name several hosts.
    url = "postgresql+psycopg2://"
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = pool
    app.config["SQLALCHEMY_BINDS"] = {
        # Nothing is open when a connection is returned, so that a rollback would be one more round trip for nothing.
        "autocommit": {"url": url, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None, **pool}
    }
    db.init_app(app)
    with app.app_context():
        for engine in db.engines.values():
            event.listen(engine, "handle_error", note_standby)
            event.listen(engine, "checkout", refuse_closed)


def database_connections(app: Flask) -> dict[str, int]:
    """Return how many connections of each pool are in use: `transactions` and `statements`."""
    with app.app_context():
        # The pools that bind_database makes count; the base class of pools promises nothing.
        pools: dict[str, Any] = {"transactions": db.engine.pool, "statements": autocommit_engine().pool}
    return {name: pool.checkedout() for name, pool in pools.items()}


def close_connections(app: Flask) -> None:
    """Close the idle connections of an app to Redis and PostgreSQL."""
    app.extensions["redis_client"].close()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def database_connector(url: str) -> Callable[[], Any]:
    """Return what opens a connection to PostgreSQL, for each spelling of the scheme.

    What the address says wins over our own choices. Of several hosts, the one that takes writes is chosen.
    """
    text = f"postgresql://{url.partition('://')[2]}"

    def connect() -> Any:
        given = parse_dsn(text)
        options: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "keepalives_idle": KEEPALIVE_IDLE,
            "keepalives_interval": KEEPALIVE_INTERVAL,
            "keepalives_count": KEEPALIVE_COUNT,
            "tcp_user_timeout": UNCONFIRMED_MS,
        }
        if "," in given.get("host", ""):
            options["target_session_attrs"] = "read-write"
        return psycopg2.connect(**(options | given))

    return connect


def refuse_closed(connection: Any, record: Any, proxy: Any) -> None:
    """Take no connection from the pool that its server has closed, nor any that is as old: they are opened anew.

    A look at what has arrived costs microseconds, a question to the server a round trip. Raises InvalidatePoolError.
    """
    server = _socket.socket(fileno=connection.fileno())
    # Celery's beat gives all new sockets a timeout: they would wait for so long, whatever the flags say.
    server.settimeout(0.0)
    try:
        arrived = server.recv(1, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    except OSError:
        arrived = b""
    finally:
        server.detach()
    # Nothing is the end of the connection, an error message is what a server sends before it.
    if arrived in (b"", b"E"):
        raise InvalidatePoolError("the server has closed the connection")


def note_standby(context: ExceptionContext) -> None:
    """Give up the connections to a server that takes no writes any more, like those to a server that is gone.

    A primary that became a standby without a restart would keep its sessions. Raises OperationalError then.
    """
    if getattr(context.original_exception, "pgcode", None) == READ_ONLY_SQL_TRANSACTION:
        context.is_disconnect = True
        raise OperationalError(context.statement, context.parameters, context.original_exception)


def lacks_tables(error: BaseException) -> bool:
    """Whether a statement failed because the database's tables are missing, or older than the code."""
    code = getattr(error.orig, "pgcode", None) if isinstance(error, ProgrammingError) else None
    return code in (UNDEFINED_TABLE, UNDEFINED_COLUMN)


def bind_celery(app: Flask) -> None:
    """Configure Celery: Redis as broker, acknowledgement after the work, one queue for answers and one for the rest."""
    threads, url = app.config["WORKER_THREADS"], app.config["REDIS_URL"]
    celery.conf.update(
        broker_url=broker_url(url),
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            # Redis hands out an unacknowledged task again after this; a running one must not come twice.
            "visibility_timeout": app.config["MAX_RUN_SECONDS"] + 600,
            # kombu's default of 10 loses acknowledgements when a hundred tasks end together.
            "max_connections": threads * 2 + 50,
            **socket_options(url),
            **broker_sentinels(url),
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
    """Return Redis's URL in kombu's spelling: `redis+socket:///path`, or one `sentinel://` for each Sentinel."""
    address = sentinel_address(redis_url)
    if address is None:
        return redis_url.replace("unix://", "redis+socket://", 1)
    login = ":".join(quote(text, safe="") for text in (address.username, address.password)) if address.login else ""
    hosts = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in address.sentinels]
    return ";".join(f"sentinel://{login and login + '@'}{host}/{address.database}" for host in hosts)


def broker_sentinels(redis_url: str) -> dict[str, Any]:
    """Return kombu's options for Redis behind Sentinels; none for a plain one."""
    address = sentinel_address(redis_url)
    return {} if address is None else {"master_name": address.name, "sentinel_kwargs": sentinel_options(address)}


def sentinel_options(address: SentinelAddress) -> dict[str, Any]:
    """Return the client library's arguments for connections to the Sentinels themselves."""
    # Not tried again: where one does not answer, another one may.
    times = {"socket_connect_timeout": SENTINEL_SECONDS, "socket_timeout": SENTINEL_SECONDS}
    return {**times, "retry": Retry(NoBackoff(), 0), **address.sentinel_login}


def socket_options(redis_url: str) -> dict[str, Any]:
    """Return the client library's arguments by which a Redis that is gone is noticed."""
    times = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": REDIS_SECONDS}
    if redis_url.startswith("unix://"):
        return times
    keepalive = {
        socket.TCP_KEEPIDLE: KEEPALIVE_IDLE,
        socket.TCP_KEEPINTVL: KEEPALIVE_INTERVAL,
        socket.TCP_KEEPCNT: KEEPALIVE_COUNT,
        # Keepalives wait while something that was sent is not confirmed: that has a limit of its own.
        socket.TCP_USER_TIMEOUT: UNCONFIRMED_MS,
    }
    return {**times, "socket_keepalive": True, "socket_keepalive_options": keepalive}
