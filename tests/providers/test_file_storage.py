"""The storage does the same in a folder and in a real S3-compatible server."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from app.errors import ServiceUnavailable
from app.providers.file_storage import PART, FileMissing, FileStorage
from tests.support.object_store import ObjectStore
from tests.support.paths import PROJECT


@pytest.fixture(scope="module")
def object_store() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        yield store


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> FileStorage:
    if request.param == "folder":
        return FileStorage(f"file://{tmp_path}/files")
    store: ObjectStore = request.getfixturevalue("object_store")
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    return FileStorage(f"s3://{store.make_bucket()}/files")


def write(storage: FileStorage, key: str, *pieces: bytes) -> None:
    with storage.create(key) as new:
        for piece in pieces:
            new.write(piece)
        new.keep()


def read(storage: FileStorage, key: str) -> bytes:
    with storage.open(key) as stored:
        return stored.read()


def test_what_was_kept_is_read_again(storage: FileStorage) -> None:
    write(storage, "app/one", b"hello ", b"world")
    assert read(storage, "app/one") == b"hello world"


def test_an_empty_file_is_a_file(storage: FileStorage) -> None:
    write(storage, "app/one")
    assert read(storage, "app/one") == b""


def test_more_than_one_part(storage: FileStorage) -> None:
    piece = bytes(range(256)) * 4096
    write(storage, "app/large", *[piece] * (3 * PART // len(piece)), b"end")
    assert read(storage, "app/large") == piece * (3 * PART // len(piece)) + b"end"


def test_any_place_can_be_read(storage: FileStorage) -> None:
    write(storage, "app/one", b"0123456789")
    with storage.open("app/one") as stored:
        assert (stored.seek(4), stored.read(3), stored.tell()) == (4, b"456", 7)


@pytest.mark.parametrize("size", [0, 10, 2 * PART])
def test_what_is_not_kept_leaves_nothing(storage: FileStorage, size: int) -> None:
    with storage.create("app/one") as new:
        new.write(b"x" * size)
    with pytest.raises(FileMissing):
        storage.open("app/one")


def test_a_failure_in_the_middle_leaves_nothing(storage: FileStorage) -> None:
    with pytest.raises(ZeroDivisionError), storage.create("app/one") as new:
        new.write(b"x" * 2 * PART)
        raise ZeroDivisionError
    with pytest.raises(FileMissing):
        storage.open("app/one")


def test_a_deleted_file_is_gone(storage: FileStorage) -> None:
    write(storage, "app/one", b"x")
    storage.delete("app/one")
    storage.delete("app/one")
    with pytest.raises(FileMissing):
        storage.open("app/one")


def test_a_store_that_is_away_is_told_so(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    (tmp_path / "file").write_text("no folder")
    for storage in (
        FileStorage("s3://away/files"),
        FileStorage(f"file://{tmp_path}/file/x"),
        FileStorage("nonsense://x"),
    ):
        with pytest.raises(ServiceUnavailable):
            write(storage, "app/one", b"x")


def test_the_object_store_works_under_gevent(object_store: ObjectStore) -> None:
    """In a process of its own, as gunicorn's workers are: patched before anything else is loaded."""
    program = f"""
from gevent import monkey
monkey.patch_all()
import gevent
from app.providers.file_storage import FileStorage
storage = FileStorage("s3://{object_store.make_bucket()}/files")
def work(number):
    with storage.create(f"app/{{number}}") as new:
        new.write(b"x" * 100_000)
        new.keep()
    with storage.open(f"app/{{number}}") as stored:
        return len(stored.read())
jobs = [gevent.spawn(work, number) for number in range(20)]
gevent.joinall(jobs, timeout=20)
print(sum(job.value or 0 for job in jobs))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env=os.environ | object_store.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "2000000", done.stderr
