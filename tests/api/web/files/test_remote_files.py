"""POST /remote-files/upload and GET /remote-files/{url} (contract endpoints.md)."""

import urllib.parse

import pytest

from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.fetch.public_addresses import AllowedAddresses
from app.services.files import remote_files
from tests.support.parts import put_part
from tests.support.people import refusal
from tests.support.raw_server import RawServer, hang, say, say_and_close
from tests.support.uploads import path_of, rows, stored_files

TEXT = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 18\r\n\r\nhello from remote\n"
HEAD = TEXT.partition(b"hello")[0]
NOT_FOUND = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def trusted(app, monkeypatch):
    """Servers of this machine may be asked, at ports that are not the privileged ones."""
    put_part(monkeypatch, app, GuardedHttp(AllowedAddresses(["127.0.0.1"])))


@pytest.fixture
def nothing_stays(app, alice):
    before = set(stored_files(app))
    yield
    assert set(stored_files(app)) == before
    assert rows(alice) == []


def address(server, path="/hello.txt"):
    return f"http://127.0.0.1:{server.port}{path}"


def answer_with(**headers):
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\n{head}Content-Length: 2\r\n\r\nhi".encode()


def keep(visitor, url):
    return visitor.post("/remote-files/upload", {"url": url})


def encoded(url):
    return f"/remote-files/{urllib.parse.quote(url, safe='')}"


@pytest.mark.usefixtures("trusted")
class TestUpload:
    def test_a_copy_is_kept(self, alice):
        with RawServer(say_and_close(TEXT)) as server:
            answer = keep(alice, address(server))
        body = answer.get_json()
        assert answer.status_code == 201
        assert body.keys() == {"id", "name", "size", "extension", "url", "mime_type", "created_by", "created_at"}
        assert (body["name"], body["size"], body["extension"], body["mime_type"]) == (
            "hello.txt",
            18,
            "txt",
            "text/plain",
        )
        assert alice.client.get(path_of(body["url"])).data == b"hello from remote\n"

    @pytest.mark.parametrize(
        ("path", "headers", "name", "mime_type"),
        [
            ("/x", {"Content_Disposition": 'attachment; filename="a b.png"'}, "a b.png", "image/png"),
            ("/x", {"Content_Disposition": "attachment; filename*=UTF-8''%E4%B8%96.pdf"}, "世.pdf", "application/pdf"),
            ("/x", {"Content_Disposition": 'attachment; filename="../../etc/a.txt"'}, "a.txt", "text/plain"),
            ("/a%20b.gif?x=1", {"Content_Type": "text/html"}, "a b.gif", "image/gif"),
            ("/download", {"Content_Type": "image/png"}, "download", "image/png"),
            ("/download", {}, "download", "application/octet-stream"),
        ],
    )
    def test_name_and_type(self, alice, path, headers, name, mime_type):
        with RawServer(say_and_close(answer_with(**headers))) as server:
            body = keep(alice, address(server, path)).get_json()
        assert (body["name"], body["mime_type"]) == (name, mime_type)

    def test_a_name_is_made_up_where_there_is_none(self, alice):
        with RawServer(say_and_close(answer_with(Content_Type="image/png"))) as server:
            body = keep(alice, address(server, "/")).get_json()
        assert (len(body["name"]), body["extension"]) == (36, "png")

    @pytest.mark.parametrize(
        "body", [{}, {"url": ""}, {"url": "not a url"}, {"url": "ftp://127.0.0.1/x"}, {"url": None}, {"url": 5}]
    )
    def test_what_is_no_url(self, alice, body):
        assert refusal(alice.post("/remote-files/upload", body)) == (400, "invalid_param")

    def test_a_url_with_a_password(self, alice):
        assert refusal(keep(alice, "http://user:word@127.0.0.1/x")) == (400, "invalid_param")

    def test_no_json(self, alice):
        assert refusal(alice.client.post("/api/remote-files/upload", headers=alice.headers)) == (
            415,
            "unsupported_media_type",
        )


@pytest.mark.usefixtures("trusted", "nothing_stays")
class TestRefusals:
    @pytest.mark.parametrize("status", [b"404 No", b"500 Oh", b"204 Empty", b"206 Part", b"401 Who"])
    def test_another_status(self, alice, status):
        with RawServer(say_and_close(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")) as server:
            answer = keep(alice, address(server))
            assert refusal(answer) == (400, "remote_file_upload_error")
            assert answer.get_json()["message"] == f"Failed to fetch file from {address(server)}"

    def test_nobody_there(self, alice):
        assert refusal(keep(alice, "http://127.0.0.1:1/x")) == (400, "remote_file_upload_error")

    def test_a_body_that_breaks_off(self, alice):
        with RawServer(say_and_close(HEAD + b"hello")) as server:
            assert refusal(keep(alice, address(server))) == (400, "remote_file_upload_error")

    def test_a_body_that_never_ends(self, alice):
        def for_ever(connection):
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"x" * 1_048_576)

        with RawServer(for_ever) as server:
            assert refusal(keep(alice, address(server))) == (413, "file_too_large")

    def test_a_server_that_falls_silent(self, alice, monkeypatch):
        monkeypatch.setattr(remote_files, "WAIT_SECONDS", 0.2)
        for behaviour in (hang, say(HEAD + b"hello")):
            with RawServer(behaviour) as server:
                assert refusal(keep(alice, address(server))) == (400, "remote_file_upload_error")

    def test_a_size_over_the_limit_is_not_fetched(self, alice):
        with RawServer(say(b"HTTP/1.1 200 OK\r\nContent-Length: 10485761\r\n\r\n")) as server:
            assert refusal(keep(alice, address(server, "/a.png"))) == (413, "file_too_large")

    def test_a_size_that_is_a_lie(self, alice):
        content = (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA00001\r\n" + b"x" * 0xA00001 + b"\r\n0\r\n\r\n"
        )
        with RawServer(say_and_close(content)) as server:
            assert refusal(keep(alice, address(server, "/a.png"))) == (413, "file_too_large")

    def test_redirects_for_ever(self, alice):
        with RawServer(say_and_close(b"HTTP/1.1 302 There\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")) as server:
            assert refusal(keep(alice, address(server))) == (400, "remote_file_upload_error")

    def test_content_that_cannot_be_what_the_name_says(self, alice):
        with RawServer(say_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nPK\x03\x04xxxxxx")) as server:
            assert refusal(keep(alice, address(server, "/a.png"))) == (415, "unsupported_file_type")

    def test_a_blocked_extension(self, app, alice, monkeypatch):
        monkeypatch.setitem(app.config, "UPLOAD_BLOCKED_EXTENSIONS", ["txt"])
        with RawServer(say_and_close(TEXT)) as server:
            assert refusal(keep(alice, address(server))) == (400, "file_extension_blocked")


class TestTheInside:
    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "2130706433", "[::ffff:127.0.0.1]"]
    )
    def test_is_not_reached(self, alice, host):
        with RawServer(say(TEXT)) as server:
            assert refusal(keep(alice, f"http://{host}:{server.port}/x")) == (400, "remote_file_upload_error")
            assert refusal(alice.get(encoded(f"http://{host}:{server.port}/x"))) == (400, "remote_file_upload_error")
            assert server.connections == 0


@pytest.mark.usefixtures("trusted")
class TestInformation:
    @pytest.mark.parametrize("form", ["encoded", "raw"])
    def test_type_and_length(self, alice, form):
        with RawServer(say(HEAD)) as server:
            url = address(server)
            answer = alice.get(encoded(url) if form == "encoded" else f"/remote-files/{url}")
        assert (answer.status_code, answer.get_json()) == (200, {"file_type": "text/plain", "file_length": 18})

    def test_unknown_type_and_length(self, alice):
        with RawServer(say_and_close(b"HTTP/1.1 200 OK\r\n\r\n")) as server:
            assert alice.get(encoded(address(server))).get_json() == {
                "file_type": "application/octet-stream",
                "file_length": -1,
            }

    def test_a_server_without_head_is_asked_by_get(self, alice):
        with RawServer(say_and_close(b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n"), say_and_close(TEXT)) as server:
            assert alice.get(encoded(address(server))).get_json()["file_length"] == 18

    def test_query_double_slashes_and_escapes_belong_to_the_url(self, alice):
        asked = []

        def behave(connection):
            asked.append(connection.recv(65_536).split(b"\r\n")[0])
            connection.sendall(HEAD)

        with RawServer(behave) as server:
            alice.get(f"/remote-files/{address(server, '/a//b')}", x="1", y="ä")
            alice.get(encoded(address(server, "/a%20b?x=1")))
        assert asked == [b"HEAD /a//b?x=1&y=%C3%A4 HTTP/1.1", b"HEAD /a%20b?x=1 HTTP/1.1"]

    def test_a_file_that_is_not_there(self, alice):
        with RawServer(say_and_close(NOT_FOUND)) as server:
            assert refusal(alice.get(encoded(address(server)))) == (404, "not_found")

    def test_another_error_of_the_server(self, alice):
        with RawServer(say_and_close(NOT_FOUND.replace(b"404", b"503"))) as server:
            assert refusal(alice.get(encoded(address(server)))) == (500, "internal_server_error")

    def test_nobody_there(self, alice):
        assert refusal(alice.get(encoded("http://127.0.0.1:1/x"))) == (400, "remote_file_upload_error")

    @pytest.mark.parametrize("url", ["not-a-url", "ftp://127.0.0.1/x", "http://", "file:///etc/passwd"])
    def test_what_is_no_url(self, alice, url):
        assert refusal(alice.get(encoded(url))) == (400, "invalid_param")

    def test_no_passport(self, alice):
        alice.headers = {}
        assert refusal(alice.get(encoded("http://127.0.0.1/x"))) == (401, "unauthorized")
