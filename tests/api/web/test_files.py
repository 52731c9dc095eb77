"""POST /files/upload (contract endpoints.md) and GET /files/{id}/file-preview (README §8)."""

import io
import pathlib
import time
import urllib.parse
import uuid

import pytest
from sqlalchemy import text
from werkzeug.datastructures import MultiDict

from app.extensions import autocommit_engine
from app.providers.file_storage import FileStorage
from app.services.files import file_links, uploads
from app.services.operator import apps
from app.services.process.owners import Owner

MEGABYTE = 1_048_576
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


def stored_files(app) -> list[pathlib.Path]:
    root = pathlib.Path(app.config["STORAGE_URL"].removeprefix("file://"))
    return [path for path in root.rglob("*") if path.is_file()]


def rows(visitor) -> list:
    with autocommit_engine().connect() as connection:
        return list(connection.execute(text("SELECT * FROM upload_files WHERE app_id = :id"), {"id": visitor.app.id}))


def owner_of(visitor) -> Owner:
    with autocommit_engine().connect() as connection:
        return Owner(
            visitor.app.id,
            connection.execute(
                text("SELECT id FROM end_users WHERE app_id = :id"), {"id": visitor.app.id}
            ).scalar_one(),
        )


@pytest.fixture
def nothing_stays(app, alice):
    """Neither row nor content is left by the test."""
    before = set(stored_files(app))
    yield
    assert set(stored_files(app)) == before
    assert rows(alice) == []


def path_of(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path}?{parts.query}"


def refusal(answer) -> tuple[int, str]:
    body = answer.get_json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


class TestUpload:
    def test_the_answer_tells_the_file(self, alice):
        before = int(time.time())
        answer = alice.upload(b"hello\n", "hello.txt", "text/plain")
        assert answer.status_code == 201
        body = answer.get_json()
        assert uuid.UUID(body["id"]) and uuid.UUID(body["created_by"]) and uuid.UUID(body["tenant_id"])
        assert (body["name"], body["size"], body["extension"], body["mime_type"]) == (
            "hello.txt",
            6,
            "txt",
            "text/plain",
        )
        assert before <= body["created_at"] <= time.time()
        assert body["source_url"].startswith(f"http://127.0.0.1:5001/files/{body['id']}/file-preview?timestamp=")
        for name in ("preview_url", "reference", "original_url", "user_id", "conversation_id", "file_key"):
            assert body[name] is None

    @pytest.mark.parametrize(
        ("sent", "name", "extension"),
        [
            ("héllo 世界.md", "héllo 世界.md", "md"),
            ("README", "README", ""),
            ("a.tar.GZ", "a.tar.GZ", "gz"),
            ("PHOTO.PNG", "PHOTO.PNG", "png"),
            ("x" * 300 + ".txt", "x" * 196 + ".txt", "txt"),
            ("x" * 300, "x" * 200, ""),
            ("a." + "x" * 300, "a." + "x" * 198, ""),
            ("..hidden", "..hidden", "hidden"),
            ("evil.exe. . ", "evil.exe", "exe"),
            ("photo\u202egnp.exe", "photognp.exe", "exe"),
            ("a\tb\x7f.txt", "ab.txt", "txt"),
        ],
    )
    def test_names_are_kept_and_made_safe(self, alice, sent, name, extension):
        body = alice.upload(PNG, sent, "application/octet-stream").get_json()
        assert (body["name"], body["extension"]) == (name, extension)

    @pytest.mark.parametrize(
        ("declared", "kept"),
        [
            ("image/png", "image/png"),
            ("text/plain; charset=x", "text/plain"),
            ("nonsense", "application/octet-stream"),
            ("a/b/c", "application/octet-stream"),
        ],
    )
    def test_the_type_is_the_declared_one(self, alice, declared, kept):
        assert alice.upload(PNG, "a.png", declared).get_json()["mime_type"] == kept

    def test_an_empty_file_is_a_file(self, alice):
        body = alice.upload(b"").get_json()
        assert body["size"] == 0
        assert alice.client.get(path_of(body["source_url"])).data == b""

    def test_the_same_content_twice_makes_two_files(self, alice):
        assert alice.upload().get_json()["id"] != alice.upload().get_json()["id"]

    @pytest.mark.parametrize(("name", "megabytes"), [("a.txt", 15), ("a.png", 10), ("a.mp3", 50), ("README", 15)])
    def test_each_kind_has_its_limit_to_the_byte(self, alice, name, megabytes):
        assert alice.upload(b"x" * megabytes * MEGABYTE, name).status_code == 201
        assert refusal(alice.upload(b"x" * (megabytes * MEGABYTE + 1), name)) == (413, "file_too_large")

    @pytest.mark.parametrize("source", ["bogus", ""])
    def test_another_source_counts_as_none(self, alice, source):
        assert alice.upload(name="a.exe", source=source).status_code == 201

    def test_a_document_may_be_meant_for_data_sets(self, alice):
        assert alice.upload(name="a.PDF", source="datasets").status_code == 201


@pytest.mark.usefixtures("nothing_stays")
class TestRefusals:
    def test_no_part(self, alice):
        assert refusal(alice.send_form({"other": "x"})) == (400, "no_file_uploaded")

    def test_a_text_field_is_no_file(self, alice):
        assert refusal(alice.send_form({"file": "x"})) == (400, "no_file_uploaded")

    def test_another_field(self, alice):
        assert refusal(alice.send_form({"attachment": (io.BytesIO(b"x"), "a.txt")})) == (400, "no_file_uploaded")

    def test_no_form(self, alice):
        assert refusal(alice.post("/files/upload", {"file": "x"})) == (400, "no_file_uploaded")
        assert refusal(alice.client.post("/api/files/upload", headers=alice.headers)) == (400, "no_file_uploaded")

    @pytest.mark.parametrize("second", ["file", "file2"])
    def test_two_files(self, alice, second):
        form = [("file", (io.BytesIO(b"x"), "a.txt")), (second, (io.BytesIO(b"x"), "b.txt"))]
        answer = alice.send_form(MultiDict(form))
        assert (refusal(answer), answer.get_json()["message"]) == ((400, "too_many_files"), "Only one file is allowed.")

    @pytest.mark.parametrize("name", ["", " ", "...", "\u202e"])
    def test_no_name(self, alice, name):
        body = (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="'
            + name.encode()
            + b'"\r\n\r\nx\r\n--b--\r\n'
        )
        answer = alice.client.post(
            "/api/files/upload", headers=alice.headers, data=body, content_type="multipart/form-data; boundary=b"
        )
        assert refusal(answer) == (400, "filename_not_exists_error")

    @pytest.mark.parametrize("name", ["../a.txt", "a/b.txt", "/etc/passwd", "..\\\\a.txt", "C:\\\\a.txt"])
    def test_a_path_for_a_name(self, alice, name):
        body = (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="'
            + name.encode()
            + b'"\r\n\r\nx\r\n--b--\r\n'
        )
        answer = alice.client.post(
            "/api/files/upload", headers=alice.headers, data=body, content_type="multipart/form-data; boundary=b"
        )
        assert refusal(answer) == (400, "invalid_param")

    @pytest.mark.parametrize("name", ["a.exe", "A.EXE", "a.txt.exe", "a.exe."])
    def test_a_blocked_extension(self, app, alice, monkeypatch, name):
        monkeypatch.setitem(app.config, "UPLOAD_BLOCKED_EXTENSIONS", ["exe"])
        assert refusal(alice.upload(name=name)) == (400, "file_extension_blocked")

    def test_what_is_no_document_for_data_sets(self, alice):
        answer = alice.upload(name="a.exe", source="datasets")
        assert (refusal(answer), answer.get_json()["message"]) == (
            (415, "unsupported_file_type"),
            "File type not allowed.",
        )

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.png", b"PK\x03\x04rest"),
            ("a.jpg", b"%PDF-1.7"),
            ("a.mp3", b"MZ\x90"),
            ("a.mp4", b"\x7fELF"),
            ("a.gif", b"\x1f\x8b\x08"),
        ],
    )
    def test_content_that_cannot_be_what_the_name_says(self, alice, name, content):
        assert refusal(alice.upload(content + b"\0" * 1000, name)) == (415, "unsupported_file_type")

    def test_more_than_any_file_may_have(self, alice):
        length = {"CONTENT_LENGTH": str(200 * MEGABYTE)}
        answer = alice.client.post(
            "/api/files/upload",
            headers=alice.headers,
            data=b"x",
            content_type="multipart/form-data; boundary=b",
            environ_overrides=length,
        )
        assert refusal(answer) == (413, "file_too_large")

    @pytest.mark.parametrize("length", [20, 100, 200])
    def test_a_form_that_breaks_off(self, alice, length):
        body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + b"x" * 1000
        answer = alice.client.post(
            "/api/files/upload",
            headers=alice.headers,
            data=body[:length],
            content_type="multipart/form-data; boundary=b",
        )
        assert refusal(answer) == (400, "bad_request")

    def test_no_passport(self, alice):
        alice.headers = {}
        assert refusal(alice.upload()) == (401, "unauthorized")


class TestPreview:
    def fetch(self, visitor, content=b"0123456789", name="a.txt", mime_type="text/plain", headers=None, more=""):
        url = visitor.upload(content, name, mime_type).get_json()["source_url"]
        return visitor.client.get(path_of(url) + more, headers=headers)

    def test_a_link_works_without_credentials(self, alice):
        answer = self.fetch(alice)
        assert (answer.status_code, answer.data) == (200, b"0123456789")
        assert (answer.content_type, answer.content_length) == ("text/plain; charset=utf-8", 10)

    def test_it_may_be_cached_as_long_as_the_link_works(self, alice):
        answer = self.fetch(alice)
        assert answer.cache_control.private and 290 <= answer.cache_control.max_age <= 300
        assert answer.get_etag()[0] and answer.last_modified and answer.headers["Accept-Ranges"] == "bytes"

    def test_who_has_it_need_not_get_it_again(self, alice):
        url = path_of(alice.upload().get_json()["source_url"])
        etag = alice.client.get(url).headers["ETag"]
        again = alice.client.get(url, headers={"If-None-Match": etag})
        assert (again.status_code, again.data) == (304, b"")

    def test_a_head_request_gets_the_headers(self, alice):
        url = path_of(alice.upload().get_json()["source_url"])
        answer = alice.client.head(url)
        assert (answer.status_code, answer.data, answer.content_length) == (200, b"", 6)

    @pytest.mark.parametrize(
        ("wanted", "content", "told"),
        [
            ("bytes=0-3", b"0123", "bytes 0-3/10"),
            ("bytes=4-", b"456789", "bytes 4-9/10"),
            ("bytes=-2", b"89", "bytes 8-9/10"),
            ("bytes=9-99", b"9", "bytes 9-9/10"),
        ],
    )
    def test_a_range(self, alice, wanted, content, told):
        answer = self.fetch(alice, headers={"Range": wanted})
        assert (answer.status_code, answer.data, answer.headers["Content-Range"]) == (206, content, told)
        assert answer.content_length == len(content)

    def test_a_range_that_is_not_there(self, alice):
        answer = self.fetch(alice, headers={"Range": "bytes=10-"})
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */10")

    def test_a_range_in_the_middle_of_much(self, alice):
        content = bytes(number % 251 for number in range(1_000_000))
        answer = self.fetch(alice, content, headers={"Range": "bytes=300000-900000"})
        assert answer.data == content[300_000:900_001]

    @pytest.mark.parametrize("mime_type", ["image/png", "text/plain", "application/pdf", "audio/mpeg", "video/mp4"])
    def test_what_runs_nothing_is_shown(self, alice, mime_type):
        answer = self.fetch(alice, name="a", mime_type=mime_type)
        assert answer.headers["Content-Disposition"].startswith("inline;")
        assert answer.mimetype == mime_type

    @pytest.mark.parametrize(
        "mime_type", ["text/html", "application/xhtml+xml", "text/xml", "text/javascript", "application/x-anything"]
    )
    def test_what_might_run_is_saved_as_bytes(self, alice, mime_type):
        answer = self.fetch(alice, b"<script>alert(1)</script>", "a.html", mime_type)
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert (answer.mimetype, answer.headers["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")

    def test_a_drawing_is_shown_in_pages_alone(self, alice):
        answer = self.fetch(alice, b"<svg/>", "a.svg", "image/svg+xml")
        assert answer.mimetype == "image/svg+xml"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "sandbox" in answer.headers["Content-Security-Policy"]

    def test_the_name_goes_along(self, alice):
        answer = self.fetch(alice, name="wörld;1.txt", more="&as_attachment=true")
        assert answer.headers["Content-Disposition"] == (
            "attachment; filename=\"w_rld;1.txt\"; filename*=UTF-8''w%C3%B6rld%3B1.txt"
        )

    @pytest.mark.parametrize("name", ["timestamp", "nonce", "sign"])
    def test_a_changed_link_does_not_work(self, alice, name):
        parts = urllib.parse.urlsplit(alice.upload().get_json()["source_url"])
        query = dict(urllib.parse.parse_qsl(parts.query))
        for value in ("", "1", query[name][:-1] + ("1" if query[name][-1] != "1" else "2"), "é"):
            answer = alice.client.get(parts.path, query_string=query | {name: value})
            assert refusal(answer) == (403, "forbidden")

    def test_a_link_of_another_file_does_not_work(self, alice):
        first, second = (alice.upload().get_json() for _ in range(2))
        assert alice.client.get(path_of(first["source_url"].replace(first["id"], second["id"]))).status_code == 403

    def test_a_link_ends_to_work(self, app, alice, monkeypatch):
        url = path_of(alice.upload().get_json()["source_url"])
        clock = time.time()
        monkeypatch.setattr(file_links.time, "time", lambda: clock + 299)
        assert alice.client.get(url).status_code == 200
        monkeypatch.setattr(file_links.time, "time", lambda: clock + 301)
        assert alice.client.get(url).status_code == 403

    def test_a_file_that_is_not_there(self, app, alice):
        assert refusal(alice.client.get(path_of(file_links.link(str(uuid.uuid4()))))) == (404, "not_found")

    def test_a_file_whose_content_is_lost(self, app, alice):
        body = alice.upload().get_json()
        next(path for path in stored_files(app) if path.name == body["id"]).unlink()
        assert refusal(alice.client.get(path_of(body["source_url"]))) == (404, "not_found")

    def test_links_begin_with_the_public_address(self, app, alice, monkeypatch):
        monkeypatch.setitem(app.config, "PUBLIC_URL", "https://files.example")
        assert alice.upload().get_json()["source_url"].startswith("https://files.example/files/")


class TestWhatIsLeftOver:
    def test_what_was_begun_and_never_finished_is_removed(self, app, alice):
        upload = uploads.Upload(owner_of(alice), "a.txt", "text/plain")
        upload.write(b"half")
        (row,) = rows(alice)
        assert uploads.sweep() == 0 and rows(alice)
        with autocommit_engine().connect() as connection:
            connection.execute(
                text("UPDATE upload_files SET created_at = now() - interval '7 hours' WHERE id = :id"), {"id": row.id}
            )
        assert uploads.sweep() == 1
        assert rows(alice) == [] and str(row.id) not in {path.name for path in stored_files(app)}

    def test_files_go_with_their_app(self, app, alice):
        body = alice.upload().get_json()
        apps.remove(alice.app.code)
        assert alice.client.get(path_of(body["source_url"])).status_code == 404
        uploads.sweep()
        assert rows(alice) == [] and body["id"] not in {path.name for path in stored_files(app)}

    def test_a_store_that_is_away_refuses_and_keeps_nothing(self, app, alice, monkeypatch, tmp_path):
        (tmp_path / "file").write_text("no folder")
        monkeypatch.setitem(app.extensions, "file_storage", FileStorage(f"file://{tmp_path}/file/below"))
        assert refusal(alice.upload()) == (503, "service_unavailable")
