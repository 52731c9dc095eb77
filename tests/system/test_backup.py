"""A backup that was taken under traffic, restored beside an empty Redis: the answers under way are completed."""

import contextlib
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator

import psycopg2
import pytest

from app.embedded.postgres import postgres_program
from app.embedded.redis import EmbeddedRedis
from tests.support.child import Child
from tests.support.paths import PROJECT
from tests.support.sse import numbered_text
from tests.support.stack import Stack
from tests.support.visitor import Visitor, wait_until

ANSWERS = 6
CHUNKS = 60
RESTORED = "restored"
LEFT = """
SELECT count(*) FROM tasks task JOIN messages message ON message.id = task.message_id
WHERE position(%s in message.query) > 0 AND NOT task.status IN ('succeeded', 'failed', 'stopped')
"""
ANSWERED = "SELECT answer, status FROM messages WHERE position(%s in query) > 0"


def program(name: str, *arguments: str) -> None:
    done = subprocess.run([postgres_program(name), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def restored(stack: Stack) -> Iterator[str]:
    """The address of an empty database beside the stack's own."""
    address = stack.postgres.url.replace("/postgres?", f"/{RESTORED}?")
    with contextlib.closing(psycopg2.connect(stack.postgres.url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {RESTORED}")
            yield address
            cursor.execute(f"DROP DATABASE {RESTORED} WITH (FORCE)")


def rows(address: str, statement: str, *values: object) -> list[tuple]:
    with contextlib.closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def test_answers_under_way_are_completed_from_a_backup(
    stack: Stack, visitor: Visitor, mark: str, restored: str, tmp_path: pathlib.Path
) -> None:
    """As the page of installations says: the database first, then the files; back without any data of Redis."""
    uploaded = visitor.json("POST", "/files/upload", files={"file": ("note.txt", b"kept with the rows")})
    streams = [visitor.chat(f"{mark} [[chunks:{CHUNKS}]][[delay:40]]") for _ in range(ANSWERS)]
    for stream in streams:
        stream.wait_for_frames(3)

    dump, files = str(tmp_path / "frontdesk.dump"), stack.directory / "data" / "files"
    program("pg_dump", "--format=custom", f"--file={dump}", stack.postgres.url)
    shutil.copytree(files, tmp_path / "files")
    program("pg_restore", "--clean", "--if-exists", "--no-owner", f"--dbname={restored}", dump)
    assert rows(restored, LEFT, mark) == [(ANSWERS,)], "the backup was taken under traffic"

    with EmbeddedRedis(tmp_path / "redis") as redis:
        own = {"DATABASE_URL": restored, "REDIS_URL": redis.url, "STORAGE_URL": f"file://{tmp_path / 'files'}"}
        command = ["celery", "-A", "celery_worker", "worker", "-P", "threads", "-c", "10", "--loglevel", "WARNING"]
        command += ["-Q", "generations,housekeeping", "--without-gossip", "--without-mingle"]
        worker = Child("restored", [sys.executable, "-m", *command], stack.env | own, tmp_path / "worker.log", PROJECT)
        try:
            wait_until(lambda: rows(restored, LEFT, mark) == [(0,)], 60, f"all answers\n{worker.tail()}")
        finally:
            worker.stop()

    assert rows(restored, ANSWERED, mark) == [(numbered_text(CHUNKS), "normal")] * ANSWERS
    assert rows(restored, "SELECT name FROM upload_files WHERE id = %s", uploaded["id"]) == [("note.txt",)]
    kept = [path.read_bytes() for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert b"kept with the rows" in kept
    for stream in streams:
        stream.wait_for_end()
