"""HTTP requests of code nodes: by the packages that code knows, over the client of HTTP nodes."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.providers.cancellation import Cancellation
from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.sandbox import Sandbox, SandboxFailed
from app.services.generation.node_services import NodeHttp
from app.workflow.contracts.node_services import NodeServices
from tests.support.workflow.graphs import end, graph, node, run, start


class Echo(BaseHTTPRequestHandler):
    """Answers with the request as JSON; `/redirect` leads to `/there`, `/status/418` has that status."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = int(self.path.rpartition("/status/")[2]) if "/status/" in self.path else 200
        if self.path == "/slow":
            self.server.release.wait(10)  # type: ignore[attr-defined] # set where the server is made
        self.send_response(302 if self.path == "/redirect" else status)
        if self.path == "/redirect":
            self.send_header("Location", "/there")
            self.send_header("Set-Cookie", "session=1; Path=/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = {"method": self.command, "path": self.path, "headers": headers, "body": body.decode("latin-1")}
        content = json.dumps(told).encode()
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _answer

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.release = threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.release.set()
        server.shutdown()


@pytest.fixture(scope="module")
def sandbox():
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


@pytest.fixture
def code(server, sandbox):
    """Runs code in a node, with the server's address as `url`; returns its output `x`, or its error."""
    origin = f"http://127.0.0.1:{server.server_port}"
    http = NodeHttp(GuardedHttp(AllowedAddresses([f"127.0.0.1:{server.server_port}"])))

    def call(imports: str, expression: str) -> object:
        source = f"import {imports}\ndef main(url):\n    return {{'x': json.dumps(({expression}))}}"
        variables = [{"variable": "url", "value_selector": ["start", "url"]}]
        part = node("code", "code", code=source, variables=variables, outputs={"x": {"type": "string"}})
        services = NodeServices(sandbox=sandbox, http=http)
        record = run(graph(start(), part, end(), "start > code > end"), {"url": origin}, services=services)
        return record.end.error or json.loads(record.outputs("code")["x"])

    return call


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("requests.codes.ok", 200),
        ("requests.get(url + '/a', params={'q': 'a b'}).json()['path']", "/a?q=a+b"),
        ("requests.post(url, json={'a': 1}).json()['body']", '{"a": 1}'),
        ("requests.post(url, data={'a': 'b c'}).json()['body']", "a=b+c"),
        ("requests.put(url, data='ü'.encode()).json()['body']", "Ã¼"),
        ("requests.get(url, headers={'X-A': 'b'}).json()['headers']['x-a']", "b"),
        ("requests.get(url, auth=('u', 'p')).json()['headers']['authorization']", "Basic dTpw"),
        ("requests.delete(url).json()['method'], requests.head(url).text", ["DELETE", ""]),
        ("requests.get(url + '/status/418').ok, requests.get(url + '/status/404').status_code", [False, 404]),
        ("requests.get(url + '/redirect').json()['path']", "/there"),
        ("[earlier.status_code for earlier in requests.get(url + '/redirect').history]", [302]),
        ("requests.get(url + '/redirect', allow_redirects=False).headers['location']", "/there"),
        ("(lambda s: s.get(url + '/redirect').json()['headers']['cookie'])(requests.Session())", "session=1"),
        ("requests.post(url, files={'f': ('n.txt', b'content')}).json()['body'].count('content')", 1),
        ("requests.get(url).headers['Content-Type'][:16], requests.get(url).encoding", ["application/json", "utf-8"]),
        ("len(list(requests.get(url, stream=True).iter_content(8))) > 3", True),
    ],
)
def test_requests_works_as_it_does_elsewhere(code, expression, value):
    assert code("requests", expression) == value


CONNECTED = "(lambda c: [c.request('GET', '/b'), json.load(c.getresponse())['path']])"


@pytest.mark.parametrize(
    ("imports", "expression", "value"),
    [
        ("urllib.request as u", "json.load(u.urlopen(url + '/a'))['path']", "/a"),
        ("urllib.request as u", "json.load(u.urlopen(url + '/redirect'))['path']", "/there"),
        ("urllib.request as u", "json.load(u.urlopen(u.Request(url, b'x=1', {'X-A': 'b'})))['headers']['x-a']", "b"),
        ("urllib.request as u", "json.load(u.urlopen(u.Request(url, b'x=1', method='PUT')))['body']", "x=1"),
        ("urllib.request as u", "u.urlopen(url).getcode(), u.urlopen(url).length > 1", [200, True]),
        ("http.client as h", f"{CONNECTED}(h.HTTPConnection(url[7:]))", [None, "/b"]),
    ],
)
def test_the_standard_library_requests_too(code, imports, expression, value):
    assert code(imports, expression) == value


@pytest.mark.parametrize(
    ("imports", "expression", "text"),
    [
        ("requests", "requests.get('http://169.254.169.254/').text", "Requests to this address are not allowed."),
        ("requests", "requests.get('http://localhost:1/').text", "Requests to this address are not allowed."),
        ("requests", "requests.get('file:///etc/passwd').text", "InvalidSchema"),
        ("requests", "requests.get(url + '/status/500').raise_for_status()", "HTTPError: 500 Server Error"),
        ("urllib.request", "urllib.request.urlopen('http://10.0.0.1/')", "Requests to this address are not allowed."),
        ("urllib.request", "urllib.request.urlopen('file:///etc/passwd')", "URLError"),
        ("urllib.request", "urllib.request.urlopen(url + '/status/404')", "HTTPError: HTTP Error 404: Not Found"),
        ("requests", "requests.get(url + '/slow', timeout=0.2)", "Timeout: "),
        ("socket", "socket.create_connection(('127.0.0.1', 80))", "PermissionError"),
    ],
)
def test_what_is_not_allowed_fails(code, imports, expression, text):
    assert text in str(code(imports, expression))


def test_requests_by_https_are_made_by_the_worker(code):
    refused = "Requests to this address are not allowed."
    assert refused in str(code("requests", "requests.get('https://192.168.0.1').text"))
    assert refused in str(code("http.client as h", f"{CONNECTED}(h.HTTPSConnection('192.168.0.1'))"))


def test_threads_of_code_may_request(code):
    expression = "sorted(f.ThreadPoolExecutor(4).map(lambda n: requests.get(f'{url}/{n}').json()['path'], range(4)))"
    assert code("requests, concurrent.futures as f", expression) == ["/0", "/1", "/2", "/3"]


def test_a_call_makes_a_bounded_number_of_requests(code):
    assert "more than 100 requests" in str(code("requests", "[requests.get(url).status_code for _ in range(101)]"))


FORGED = """
import os, struct
def main(count):
    message = b'{"http": {"method": "GET", "url": "http://x", "headers": [], "body": "", "verify": 1, "timeout": 1%b}}'
    message %= b"0" * 400
    for _ in range(count):
        os.write(3, struct.pack(">I", len(message)) + message)
        answer = os.read(3, struct.unpack(">I", os.read(3, 4))[0])
    return answer.decode()
"""


def test_what_code_sends_past_its_packages_is_answered_too(sandbox):
    def http(request, cancellation):
        raise AssertionError("No such request can be made.")

    answer = sandbox.run_code("python3", FORGED, {"count": 100}, 5.0, Cancellation(), http)
    assert json.loads(answer) == {"error": "This request cannot be sent."}
    with pytest.raises(SandboxFailed, match="more than 100 requests"):
        sandbox.run_code("python3", FORGED, {"count": 101}, 5.0, Cancellation(), http)


def test_without_a_client_requests_fail(sandbox):
    source = "import requests\ndef main():\n    return requests.get('http://example.com').text"
    with pytest.raises(Exception, match="HTTP requests are not available here"):
        sandbox.run_code("python3", source, {}, 5.0, Cancellation())
