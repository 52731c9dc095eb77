"""The embedded PostgreSQL and Redis as processes."""

import os
import signal
import subprocess
import sys
import time

import psutil
import psycopg2
import redis

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from tests.support.child import runs
from tests.support.paths import PROJECT

ORPHAN = """
import pathlib, sys, time
from app.embedded.redis import EmbeddedRedis
from app.embedded.postgres import EmbeddedPostgres
directory = pathlib.Path(sys.argv[1])
redis, postgres = EmbeddedRedis(directory / "redis"), EmbeddedPostgres(directory / "postgres", durable=False)
print(redis.start().pid, postgres.start().pid, flush=True)
time.sleep(60)
"""


def gone(pid: int) -> bool:
    try:
        return not runs(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True


def test_postgres_keeps_its_data_over_a_restart(tmp_path):
    server = EmbeddedPostgres(tmp_path)
    with server, psycopg2.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 7 AS number")
    with server, psycopg2.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT number FROM kept")
        assert cursor.fetchone() == (7,)


def test_a_long_path_gets_a_short_socket(tmp_path):
    deep = tmp_path / ("long" * 20) / ("folder" * 10)
    with EmbeddedRedis(deep) as server:
        assert redis.Redis.from_url(server.url).ping()


def test_redis_starts_again_on_the_same_socket(tmp_path):
    server = EmbeddedRedis(tmp_path)
    with server:
        address = server.url
    with server:
        assert server.url == address
        assert redis.Redis.from_url(address).ping()


def test_stopping_leaves_no_process(tmp_path):
    with (
        EmbeddedPostgres(tmp_path / "postgres", durable=False) as postgres,
        EmbeddedRedis(tmp_path / "redis") as server,
    ):
        pids = [
            process.pid
            for pid in (postgres.pid, server.pid)
            for process in (psutil.Process(pid), *psutil.Process(pid).children(True))
        ]
    assert all(gone(pid) for pid in pids)


def test_the_servers_end_when_their_starter_is_killed(tmp_path):
    starter = subprocess.Popen([sys.executable, "-c", ORPHAN, str(tmp_path)], stdout=subprocess.PIPE, cwd=PROJECT)
    pids = [int(word) for word in starter.stdout.readline().split()]
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    deadline = time.monotonic() + 10
    while not all(gone(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)
