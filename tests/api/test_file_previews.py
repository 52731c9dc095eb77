"""GET /files/{id}/file-preview (contract README §8): links, ranges, safe headers."""

import time
import urllib.parse
import uuid

import pytest

from app.services.files import file_links
from tests.support.people import refusal
from tests.support.uploads import path_of, stored_files


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


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [("a\0b.txt", "text/plain"), ("a\x1b\x7fb.txt", "text/\0plain"), ("a.txt", "text/plain\x01; charset=\0")],
)
def test_control_characters_stay_out_of_headers(alice, name, mime_type):
    boundary = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="%b"\r\nContent-Type: %b\r\n\r\nhi\r\n--b--\r\n'
    )
    body = boundary % (name.encode(), mime_type.encode())
    headers = alice.headers | {"Content-Type": "multipart/form-data; boundary=b"}
    stored = alice.client.post("/api/files/upload", headers=headers, data=body).get_json()
    assert stored["name"] in ("ab.txt", "a.txt")
    answer = alice.client.get(path_of(stored["source_url"]))
    assert answer.status_code == 200
    assert all(character.isprintable() for _, value in answer.headers.items() for character in value)
