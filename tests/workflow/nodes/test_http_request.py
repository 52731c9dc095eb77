"""HTTP nodes against a server on a socket (contract dsl.md §3.7, http-request)."""

import base64
import json
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.sandbox import Sandbox
from app.services.generation.node_services import NodeHttp
from app.workflow.contracts.node_services import NodeServices
from app.workflow.values.files import File
from tests.support.workflow.graphs import end, graph, node, run, start


class Echo(BaseHTTPRequestHandler):
    """Answers with the path that was asked for; the path names the status and the content type, or `answer` does."""

    asked: list[dict] = []
    answer: tuple[dict[str, str], bytes] | None = None

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        request = {
            "method": self.command,
            "path": self.path,
            "headers": {k.lower(): v for k, v in self.headers.items()},
            "body": body,
        }
        self.asked.append(request)
        status = int(self.path.rpartition("/status/")[2] or 200) if "/status/" in self.path else 200
        kind, content = "application/json", json.dumps({"path": self.path}).encode()
        if "/picture.png" in self.path:
            kind, content = "image/png", b"\x89PNG\r\n\x1a\n" + b"\0" * 20
        if "/large" in self.path:
            kind, content = "text/plain", b"a" * (1024 * 1024 + 1)
        self.send_response(status)
        headers: dict[str, str] = {"Content-Type": kind}
        if self.answer is not None:
            headers, content = self.answer
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _answer

    def log_message(self, *args):
        pass


class MemoryFiles:
    """Files in memory."""

    def __init__(self):
        self.kept = []

    def read(self, file, most_bytes, seconds, cancellation):
        return b"content of " + file.name.encode()

    def store(self, name, content, mime_type):
        self.kept.append((name, content, mime_type))
        return File("f", "image", "tool_file", name, ".png", mime_type, len(content), "r")

    def image_part(self, file, detail, seconds, cancellation):
        raise NotImplementedError


@pytest.fixture
def server():
    Echo.asked, Echo.answer = [], None
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield httpd
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def send(server, files=None, inputs=None, **data):
    port = server.server_address[1]
    http = NodeHttp(GuardedHttp(AllowedAddresses([f"127.0.0.1:{port}"])))
    settings = {"method": "get", "url": f"http://127.0.0.1:{port}{data.pop('path', '/')}", **data}
    outputs = end(status=["http", "status_code"], body=["http", "body"])
    return run(
        graph(start(), node("http", "http-request", **settings), outputs, "start > http > end"),
        inputs,
        services=NodeServices(http=http, files=files),
    )


def test_an_answer_has_status_body_and_headers(server):
    outputs = send(server, path="/a").outputs("http")
    assert (outputs["status_code"], json.loads(outputs["body"]), outputs["files"]) == (200, {"path": "/a"}, [])
    assert outputs["headers"]["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["get", "POST", "Put", "patch", "DELETE", "head", "options"])
def test_methods_are_sent_in_any_case(server, method):
    assert send(server, method=method).end.status == "succeeded"
    assert Echo.asked[0]["method"] == method.upper()


def test_texts_may_hold_references(server):
    send(
        server,
        path="/{{#start.who#}}",
        params="q:{{#start.who#}}\nq:2",
        headers="X-Who:{{#start.who#}}:b\nX-Empty",
        inputs={"who": "cat"},
    )
    asked = Echo.asked[0]
    assert (asked["path"], asked["headers"]["x-who"], asked["headers"]["x-empty"]) == ("/cat?q=cat&q=2", "cat:b", "")


def test_a_missing_reference_stays_bare(server):
    send(server, headers="X-Who:{{#no.one#}}")
    assert Echo.asked[0]["headers"]["x-who"] == "no.one"


def test_an_address_needs_its_scheme(server):
    part = node("http", "http-request", method="get", url="127.0.0.1/")
    record = run(graph(start(), part, end(), "start > http > end"), services=NodeServices(http=NodeHttp(GuardedHttp())))
    assert "http://" in record.end.error


def test_addresses_inside_are_refused(server):
    part = node("http", "http-request", method="get", url=f"http://127.0.0.1:{server.server_address[1]}/")
    record = run(graph(start(), part, end(), "start > http > end"), services=NodeServices(http=NodeHttp(GuardedHttp())))
    assert (record.end.status, Echo.asked) == ("failed", [])


@pytest.mark.parametrize(
    ("config", "header", "value"),
    [
        ({"type": "bearer", "api_key": "k"}, "authorization", "Bearer k"),
        ({"type": "basic", "api_key": "u:p"}, "authorization", "Basic " + base64.b64encode(b"u:p").decode()),
        ({"type": "custom", "api_key": "k", "header": "X-Key"}, "x-key", "k"),
    ],
)
def test_authorizations(server, config, header, value):
    record = send(server, authorization={"type": "api-key", "config": config})
    assert Echo.asked[0]["headers"][header] == value
    assert value not in str(record.of("http").process_data)


@pytest.mark.parametrize(
    ("body", "sent", "kind"),
    [
        ({"type": "raw-text", "data": [{"type": "text", "value": "hi {{#start.who#}}"}]}, b"hi cat", "text/plain"),
        ({"type": "raw-text", "data": "hi"}, b"hi", "text/plain"),
        (
            {"type": "json", "data": [{"type": "text", "value": '{"a": "{{#start.who#}}"}'}]},
            b'{"a": "cat"}',
            "application/json",
        ),
        (
            {"type": "x-www-form-urlencoded", "data": [{"key": "a", "value": "{{#start.who#}} &"}]},
            b"a=cat+%26",
            "application/x-www-form-urlencoded",
        ),
        ({"type": "x-www-form-urlencoded", "data": "a:1\nb:2"}, b"a=1&b=2", "application/x-www-form-urlencoded"),
        ({"type": "binary", "data": [{"type": "file", "file": ["start", "file"]}]}, b"content of a.txt", "text/plain"),
    ],
)
def test_bodies(server, body, sent, kind):
    file = File("i", "document", "local_file", "a.txt", ".txt", "text/plain", 1, "r")
    send(server, MemoryFiles(), {"who": "cat", "file": file}, method="post", body=body)
    assert (Echo.asked[0]["body"], Echo.asked[0]["headers"]["content-type"]) == (sent, kind)


def json_body(template):
    return {"type": "json", "data": [{"type": "text", "value": template}]}


def test_a_json_body_is_a_structure(server):
    send(server, inputs={"who": '","admin":true,"x":"'}, method="post", body=json_body('{"a": "{{#start.who#}}"}'))
    assert json.loads(Echo.asked[0]["body"]) == {"a": '","admin":true,"x":"'}


def test_code_may_make_pieces_of_a_json_body(server):
    port = server.server_address[1]
    body = json_body("{ {{#sum.output#}} }")
    parts = (
        node("tpl", "template-transform", template='"a": 1, "b": 2', variables=[]),
        node("sum", "variable-aggregator", variables=[["tpl", "output"]]),
        node("http", "http-request", method="post", url=f"http://127.0.0.1:{port}/", body=body),
    )
    services = NodeServices(http=NodeHttp(GuardedHttp(AllowedAddresses([f"127.0.0.1:{port}"]))), sandbox=Sandbox())
    run(graph(start(), *parts, end(), "start > tpl > sum > http > end"), services=services)
    assert json.loads(Echo.asked[0]["body"]) == {"a": 1, "b": 2}


def test_a_body_that_is_no_json_fails_the_node_and_nothing_is_sent(server):
    record = send(server, inputs={"t": "sample t"}, method="post", body=json_body("{{#start.t#}}"))
    assert (record.of("http").status, Echo.asked) == ("failed", [])
    assert record.of("http").error == "Failed to parse JSON: sample t"


def test_a_body_that_is_no_json_takes_the_error_branch(server):
    record = send(
        server, inputs={"t": "x"}, method="post", body=json_body("{{#start.t#}}"), error_strategy="default-value"
    )
    assert record.outputs("http") == {"error_message": "Failed to parse JSON: x", "error_type": "JSONParseError"}


def test_a_get_may_have_a_body(server):
    send(server, method="get", body=json_body('{"a": 1}'))
    assert (Echo.asked[0]["method"], Echo.asked[0]["body"]) == ("GET", b'{"a": 1}')


def test_what_cannot_stand_in_an_address_is_encoded(server):
    send(server, path="/a b/{{#start.q#}}?q={{#start.q#}}&r=%20", inputs={"q": 'C:\\x "é"\n漢'})
    encoded = "C:%5Cx%20%22%C3%A9%22%0A%E6%BC%A2"
    assert Echo.asked[0]["path"] == f"/a%20b/{encoded}?q={encoded}&r=%20"


@pytest.mark.parametrize(
    ("headers", "value", "problem"),
    [
        ("X-Who:{{#start.q#}}", "a\nX-Admin: yes", "The header 'X-Who' cannot be sent: its value has line breaks"),
        ("X-Who:{{#start.q#}}", "漢", "The header 'X-Who' cannot be sent: its value has characters outside of Latin-1"),
        ("{{#start.q#}}:a", "X Who", "The header 'X Who' cannot be sent: its name is not valid"),
    ],
)
def test_a_header_that_http_cannot_carry_is_named(server, headers, value, problem):
    record = send(server, headers=headers, inputs={"q": value})
    assert problem in record.of("http").error and Echo.asked == []


@pytest.mark.parametrize("kind", ["raw-text", "json", "x-www-form-urlencoded", "form-data"])
def test_half_of_a_character_is_replaced(server, kind):
    template = '{"a": "{{#start.q#}}"}' if kind == "json" else "{{#start.q#}}"
    body = {"type": kind, "data": [{"key": "a", "type": "text", "value": template}]}
    basic = {"type": "api-key", "config": {"type": "basic", "api_key": "{{#start.q#}}"}}
    send(server, method="post", params="q:{{#start.q#}}", authorization=basic, body=body, inputs={"q": "a\ud83d"})
    sent = Echo.asked[0]
    assert sent["path"] == "/?q=a%EF%BF%BD"
    assert "a\ufffd" in urllib.parse.unquote(sent["body"].decode())


def test_blanks_around_a_header_are_left_out(server):
    send(server, headers="X-Who: {{#start.q#}}", inputs={"q": " cat\n"})
    assert Echo.asked[0]["headers"]["x-who"] == "cat"


@pytest.mark.parametrize(
    ("disposition", "kind", "name"),
    [
        ("attachment; filename=\"r.pdf\"; filename*=UTF-8''Bericht%20%C3%BC.pdf", "application/pdf", "Bericht ü.pdf"),
        ("", "application/pdf", "download.pdf"),
        ("attachment", "text/plain", "download.txt"),
    ],
)
def test_the_name_of_a_file(server, disposition, kind, name):
    files = MemoryFiles()
    Echo.answer = {"Content-Type": kind, "Content-Disposition": disposition}, b"content"
    outputs = send(server, files, path="/download").outputs("http")
    assert (outputs["body"], [file.name for file in outputs["files"]]) == ("", [name])


def test_a_form_has_its_boundary_whatever_the_author_s_header(server):
    data = [{"key": "a", "type": "text", "value": "b"}]
    send(server, method="post", headers="Content-Type:multipart/form-data", body={"type": "form-data", "data": data})
    assert Echo.asked[0]["headers"]["content-type"].startswith("multipart/form-data; boundary=")


def test_forms_carry_files(server):
    file = File("i", "document", "local_file", "a.txt", ".txt", "text/plain", 1, "r")
    data = [{"key": "note", "type": "text", "value": "n"}, {"key": "doc", "type": "file", "file": ["start", "files"]}]
    send(server, MemoryFiles(), {"files": [file, file]}, method="post", body={"type": "form-data", "data": data})
    body = Echo.asked[0]["body"]
    assert body.count(b"content of a.txt") == 2 and b'name="note"' in body
    assert Echo.asked[0]["headers"]["content-type"].startswith("multipart/form-data; boundary=")


def test_the_author_s_content_type_wins(server):
    send(server, method="post", headers="content-type:text/x", body={"type": "raw-text", "data": "hi"})
    assert Echo.asked[0]["headers"]["content-type"] == "text/x"


def test_a_status_that_is_no_success_is_an_answer(server):
    record = send(server, path="/status/500")
    assert (record.end.status, record.outputs("http")["status_code"]) == ("succeeded", 500)


def test_with_a_strategy_it_is_a_failure(server):
    defaults = [{"key": "body", "type": "string", "value": "spare"}]
    record = send(server, path="/status/500", error_strategy="default-value", default_value=defaults)
    assert record.outputs("http") == {
        "body": "spare",
        "error_message": "Request failed with status code 500",
        "error_type": "HTTPResponseCodeError",
    }


def test_with_retries_it_is_asked_again(server):
    record = send(
        server, path="/status/503", retry_config={"retry_enabled": True, "max_retries": 2, "retry_interval": 1}
    )
    assert (record.end.status, len(Echo.asked)) == ("failed", 3)
    assert [name for name in record.named() if name.startswith("NodeRetried")] == ["NodeRetried http"] * 2


def test_what_is_no_text_becomes_a_file(server):
    files = MemoryFiles()
    outputs = send(server, files, path="/picture.png").outputs("http")
    assert (outputs["body"], [file.name for file in outputs["files"]]) == ("", ["picture.png"])
    assert files.kept[0][2] == "image/png"


def test_a_text_over_the_limit_fails_the_node(server):
    record = send(server, path="/large")
    assert (record.end.status, record.of("http").status) == ("failed", "failed")


@pytest.mark.parametrize(
    ("kind", "content", "text"),
    [
        ("text/html", "<p>你好，世界。今天天气很好。</p>".encode("gbk"), "<p>你好，世界。今天天气很好。</p>"),
        ("text/html", '<meta charset="shift_jis"><p>日本</p>'.encode("cp932"), '<meta charset="shift_jis"><p>日本</p>'),
        ("text/plain; charset=windows-1251", "Да".encode("cp1251"), "Да"),
        ("application/json", b"\xef\xbb\xbf" + '{"a": "ü"}'.encode(), '{"a": "ü"}'),
        ("application/json", '{"a": "ü"}'.encode("utf-16"), '{"a": "ü"}'),
        ("", "Grüße".encode("utf-16"), "Grüße"),
    ],
)
def test_the_text_of_an_answer_has_its_encoding_and_no_mark(server, kind, content, text):
    Echo.answer = {"Content-Type": kind} if kind else {}, content
    assert send(server).outputs("http")["body"] == text
