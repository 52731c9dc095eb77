"""POST /files/upload (contract endpoints.md) and GET /files/{id}/file-preview (README §8)."""

import io
import time
import uuid

import pytest
from sqlalchemy import text
from werkzeug.datastructures import MultiDict

from app.extensions import autocommit_engine
from app.providers.file_storage import FileStorage
from app.services.files import uploads
from app.services.operator import apps
from tests.support.parts import put_part
from tests.support.people import refusal
from tests.support.uploads import PNG, owner_of, path_of, rows, stored_files

MEGABYTE = 1_048_576


@pytest.fixture
def nothing_stays(app, alice):
    """Neither row nor content is left by the test."""
    before = set(stored_files(app))
    yield
    assert set(stored_files(app)) == before
    assert rows(alice) == []


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
        put_part(monkeypatch, app, FileStorage(f"file://{tmp_path}/file/below"))
        assert refusal(alice.upload()) == (503, "service_unavailable")
