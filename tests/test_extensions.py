"""Addresses of Redis and PostgreSQL, as their libraries take them; connections that a server has closed."""

import contextlib
import socket

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

from app import database_pool
from app.database_pool import ShrinkingPool
from app.extensions import broker_sentinels, broker_url, database_connector, db, note_standby, refuse_closed
from app.redis_address import SentinelAddress, sentinel_address
from tests.support.visitor import wait_until

SENTINELS = "redis+sentinel://me:a%20pass%2Fword@one:26380,[::1],three/desk/2?sentinel_password=p%40s"


def test_a_plain_address_has_no_sentinels():
    assert sentinel_address("redis://one:6379/0") is None
    assert broker_url("unix:///run/redis.sock") == "redis+socket:///run/redis.sock"
    assert broker_sentinels("redis://one:6379/0") == {}


def test_an_address_with_sentinels_names_all_of_them():
    assert sentinel_address(SENTINELS) == SentinelAddress(
        [("one", 26380), ("::1", 26379), ("three", 26379)], "desk", 2, "me", "a pass/word", "", "p@s"
    )


def test_celery_gets_each_sentinel_and_the_name():
    login = "me:a%20pass%2Fword"
    assert broker_url(SENTINELS) == ";".join(
        f"sentinel://{login}@{host}/2" for host in ("one:26380", "[::1]:26379", "three:26379")
    )
    options = broker_sentinels(SENTINELS)
    assert options["master_name"] == "desk"
    assert options["sentinel_kwargs"]["password"] == "p@s"


@pytest.mark.parametrize("rest", ["one/", "/desk", "one:x/desk", "one/desk/x", "one/desk?unknown=1"])
def test_an_address_that_lacks_something_is_refused(rest):
    with pytest.raises(ValueError):
        sentinel_address(f"redis+sentinel://{rest}")


@pytest.fixture
def engine(servers):
    made = create_engine("postgresql+psycopg2://", creator=database_connector(servers["DATABASE_URL"]), pool_size=2)
    event.listen(made, "checkout", refuse_closed)
    event.listen(made, "handle_error", note_standby)
    yield made
    made.dispose()


def session_id(engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_connection_that_the_server_closed_is_not_used(engine, servers):
    with engine.connect(), engine.connect():
        pass
    first = session_id(engine)
    other = create_engine("postgresql+psycopg2://", creator=database_connector(servers["DATABASE_URL"]))
    with other.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = :first"), {"first": first}
        )
    other.dispose()
    assert session_id(engine) != first


def test_a_server_that_takes_no_writes_counts_as_away(engine):
    before = session_id(engine)
    with pytest.raises(OperationalError), engine.connect() as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text("CREATE TABLE nothing (id integer)"))
    assert session_id(engine) != before


def test_a_default_timeout_of_sockets_makes_no_connection_look_closed(engine):
    """Celery's beat sets one: each look at a connection waited for so long, and the connection was given up."""
    first = session_id(engine)
    socket.setdefaulttimeout(0.01)
    try:
        assert [session_id(engine) for _ in range(3)] == [first] * 3
    finally:
        socket.setdefaulttimeout(None)


@pytest.fixture
def shrinking(servers, monkeypatch):
    monkeypatch.setattr(database_pool, "LOOK_SECONDS", 0.01)
    connect = database_connector(servers["DATABASE_URL"])
    made = create_engine(
        "postgresql+psycopg2://",
        creator=connect,
        poolclass=ShrinkingPool,
        pool_use_lifo=True,
        pool_size=8,
        max_overflow=0,
    )
    yield made
    made.dispose()


def open_together(engine, count: int) -> set[int]:
    """The sessions of so many connections at once."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(engine.connect()) for _ in range(count)]
        return {int(one.execute(text("SELECT pg_backend_pid()")).scalar_one()) for one in connections}


def test_idle_connections_are_closed_but_for_one(shrinking, engine, monkeypatch):
    monkeypatch.setattr(database_pool, "IDLE_SECONDS", 0.0)
    sessions = open_together(shrinking, 8)
    alive = text("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(:pids)")

    def left() -> int:
        with engine.connect() as connection:
            return int(connection.execute(alive, {"pids": list(sessions)}).scalar_one())

    wait_until(lambda: left() == 1, 10, "one connection to be left")
    assert len(open_together(shrinking, 8)) == 8, "as many as before may be opened again"


def test_connections_in_use_and_fresh_ones_stay(shrinking, monkeypatch):
    monkeypatch.setattr(database_pool, "IDLE_SECONDS", 0.0)
    with shrinking.connect() as used:
        mine = used.execute(text("SELECT pg_backend_pid()")).scalar_one()
        open_together(shrinking, 7)
        wait_until(lambda: shrinking.pool.checkedin() == 1, 10, "one idle connection to be left")
        assert used.execute(text("SELECT pg_backend_pid()")).scalar_one() == mine
    monkeypatch.setattr(database_pool, "IDLE_SECONDS", 1000.0)
    fresh = open_together(shrinking, 5)
    assert open_together(shrinking, 5) == fresh


def test_every_pool_of_the_app_shrinks(app):
    assert {type(engine.pool) for engine in db.engines.values()} == {ShrinkingPool}
