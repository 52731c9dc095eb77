"""Uploads on real processes: gunicorn, its memory, connections that break, the object store."""

import pathlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import psycopg2
import pytest
import requests

from tests.support.object_store import ObjectStore
from tests.support.raw_server import RawServer, say
from tests.support.stack import CHAT_APP, Stack
from tests.support.visitor import wait_until

MEGABYTE = 1_048_576


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory):
    with Stack(tmp_path_factory.mktemp("stack"), web_workers=1, worker_processes=1) as stack:
        stack.import_app(CHAT_APP, "chat")
        yield stack


class Endless:
    """So many megabytes, made as they are read."""

    def __init__(self, before: bytes, megabytes: int, after: bytes) -> None:
        self._parts = [before, *[b"\0" * MEGABYTE] * megabytes, after]
        self._length = sum(map(len, self._parts))

    def __len__(self) -> int:
        return self._length

    def __iter__(self):
        return iter(self._parts)


def headers_of(stack):
    passport = requests.get(f"{stack.base_url}/api/passport", headers={"X-App-Code": "chat"}, timeout=10).json()[
        "access_token"
    ]
    return {"X-App-Code": "chat", "X-App-Passport": passport}


def upload(stack, megabytes, name="film.mp4"):
    body = Endless(
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode(),
        megabytes,
        b"\r\n--b--\r\n",
    )
    headers = headers_of(stack) | {"Content-Type": "multipart/form-data; boundary=b"}
    return requests.post(f"{stack.base_url}/api/files/upload", data=body, headers=headers, timeout=60)


def web_processes(stack):
    (master,) = stack.trees["web"]
    return [psutil.Process(master), *psutil.Process(master).children(recursive=True)]


def resident(stack):
    return sum(process.memory_info().rss for process in web_processes(stack))


def peak(stack):
    """The kernel's own count of the most that each process ever held."""
    lines = [pathlib.Path(f"/proc/{process.pid}/status").read_text() for process in web_processes(stack)]
    return sum(int(text.partition("VmHWM:")[2].split()[0]) * 1024 for text in lines)


def stored(stack):
    return sorted(path for path in (stack.directory / "data" / "files").rglob("*") if path.is_file())


def test_a_hundred_megabytes_are_never_held_in_memory(stack):
    assert upload(stack, 1).status_code == 201
    before = resident(stack)
    answer = upload(stack, 100)
    assert (answer.status_code, answer.json()["size"]) == (201, 100 * MEGABYTE)
    growth = peak(stack) - before
    print(f"peak of 100 MB: {growth / MEGABYTE:.1f} MB more than before")
    assert growth < 20 * MEGABYTE
    with requests.get(
        answer.json()["source_url"].replace("http://127.0.0.1:5001", stack.base_url), stream=True, timeout=30
    ) as download:
        assert sum(map(len, download.iter_content(MEGABYTE))) == 100 * MEGABYTE
    assert peak(stack) - before < 20 * MEGABYTE


def test_one_byte_too_many_is_told_after_the_last(stack):
    before = stored(stack)
    assert upload(stack, 101).status_code == 413
    assert stored(stack) == before


def test_a_connection_that_is_cut_leaves_nothing(stack):
    before, rows = stored(stack), count_rows(stack)
    headers = "".join(f"{name}: {value}\r\n" for name, value in headers_of(stack).items())
    with socket.create_connection(("127.0.0.1", stack.port.number)) as connection:
        connection.sendall(
            f"POST /api/files/upload HTTP/1.1\r\nHost: x\r\n{headers}"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000000\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'.encode()
            + b"x" * 1_000_000
        )
        wait_until(lambda: stored(stack) != before, 15)
    wait_until(lambda: stored(stack) == before, 15)
    wait_until(lambda: count_rows(stack) == rows, 15)


def count_rows(stack):
    with psycopg2.connect(stack.postgres.url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM upload_files")
        return cursor.fetchone()[0]


def test_remote_files_are_fetched_while_others_are_served(tmp_path):
    """A server that sends a byte now and then delays only the request that fetches from it."""
    started = threading.Event()

    def drop_by_drop(connection):
        connection.recv(65_536)
        started.set()
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not threading.Event().wait(0.2):
            connection.sendall(b"X: y\r\n")

    good = say(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
    with RawServer(drop_by_drop) as slow, RawServer(good) as quick:
        settings = {"FETCH_TRUSTED": f"127.0.0.1:{slow.port},127.0.0.1:{quick.port}"}
        with (
            Stack(tmp_path, web_workers=1, worker_processes=1, environment=settings) as stack,
            ThreadPoolExecutor() as pool,
        ):
            stack.import_app(CHAT_APP, "chat")
            headers = headers_of(stack)
            waiting = pool.submit(
                requests.get,
                f"{stack.base_url}/api/remote-files/http://localhost:{slow.port}/x",
                headers=headers,
                timeout=30,
            )
            assert started.wait(10)
            url = f"http://localhost:{quick.port}/hello.txt"
            kept = requests.post(
                f"{stack.base_url}/api/remote-files/upload", json={"url": url}, headers=headers, timeout=10
            )
            assert (kept.status_code, kept.json()["size"], waiting.done()) == (201, 5, False)
            assert (waiting.result().status_code, waiting.result().json()["code"]) == (400, "remote_file_upload_error")


def test_the_object_store_serves_gunicorn(tmp_path):
    with ObjectStore() as store:
        bucket = store.make_bucket()
        settings = store.environment | {"STORAGE_URL": f"s3://{bucket}/files"}
        with Stack(tmp_path, web_workers=1, worker_processes=1, environment=settings) as stack:
            stack.import_app(CHAT_APP, "chat")
            answer = upload(stack, 20)
            assert answer.status_code == 201, answer.text
            url = answer.json()["source_url"].replace("http://127.0.0.1:5001", stack.base_url)
            part = requests.get(url, headers={"Range": "bytes=10-19"}, timeout=30)
            assert (part.status_code, part.content) == (206, b"\0" * 10)
            assert upload(stack, 101).status_code == 413
            listed = store.client().list_objects_v2(Bucket=bucket)
            assert [item["Size"] for item in listed["Contents"]] == [20 * MEGABYTE]
            assert "Uploads" not in store.client().list_multipart_uploads(Bucket=bucket)
