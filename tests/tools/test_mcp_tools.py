"""MCP servers as tools, against a real server: a child process, and one on a socket."""

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.embedded.ports import ReservedPort
from app.providers.cancellation import Cancellation, Cancelled
from app.providers.http.outgoing import Outgoing
from app.tools.mcp_tools import McpTools
from app.tools.registry import ToolRegistry
from app.tools.tool_file import McpEntry
from app.tools.tool_types import ToolAnswer, ToolChoice, ToolFailed
from tests.support.mcp_server import PICTURE
from tests.support.proxy_server import ProxyServer

MODULE = [sys.executable, "-m", "tests.support.mcp_server"]


class HttpServer:
    """The server on a port of its own, which can be killed and started again."""

    def __init__(self) -> None:
        self.port = ReservedPort()
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def start(self) -> None:
        self.process = subprocess.Popen([*MODULE, "http", str(self.port)], stderr=subprocess.DEVNULL)
        wait_until(self._answers)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port.number)) == 0


def wait_until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def served() -> Iterator[HttpServer]:
    server = HttpServer()
    yield server
    server.kill()
    server.port.release()


@pytest.fixture(scope="module")
def by_http(served: HttpServer) -> Iterator[McpTools]:
    tools = McpTools("house", McpEntry(url=served.url, megabytes=1), {}, None)
    yield tools
    tools.close()


@pytest.fixture(scope="module")
def by_stdio() -> Iterator[McpTools]:
    tools = McpTools(
        "house",
        McpEntry(command=[*MODULE, "stdio"], environment={"PYTHONPATH": "$HERE"}, megabytes=1),
        {"HERE": os.getcwd()},
        None,
    )
    yield tools
    tools.close()


@pytest.fixture(params=["http", "stdio"])
def house(request: pytest.FixtureRequest) -> McpTools:
    tools: McpTools = request.getfixturevalue(f"by_{request.param}")
    return tools


def call(
    tools: McpTools, name: str, seconds: float = 20.0, cancellation: Cancellation | None = None, **arguments: object
) -> ToolAnswer:
    tool = ToolRegistry({"house": tools}, {}).find(ToolChoice("mcp", "house", name))
    return tool.call(arguments, seconds, cancellation or Cancellation())


def failure(tools: McpTools, name: str, **arguments: object) -> str:
    with pytest.raises(ToolFailed) as failed:
        call(tools, name, **arguments)
    return str(failed.value)


def test_tools_are_listed_with_what_they_take(house: McpTools) -> None:
    described = {tool.description.name: tool.description for tool in house.tools()}
    assert {"say", "house_facts", "draw"} <= set(described)
    assert described["say"].description == "Says a text so many times."
    assert described["say"].parameters["required"] == ["text"]


def test_a_tool_is_called(house: McpTools) -> None:
    assert call(house, "say", text="tea", count=2).text == "teatea"


def test_a_tool_is_found_by_the_server_s_name_for_it(house: McpTools) -> None:
    answer = call(house, "house.facts")
    assert list(answer.json) == [{"rooms": 4}]


def test_a_picture_is_a_file(house: McpTools) -> None:
    (file,) = call(house, "draw").files
    assert (file.content, file.mime_type, file.name) == (PICTURE, "image/png", "draw-1.png")


def test_bad_arguments_do_not_go_out(house: McpTools) -> None:
    assert "'text' is a required property" in failure(house, "say")


def test_a_tool_s_error_is_told_without_its_inside(house: McpTools) -> None:
    said = failure(house, "fail")
    assert said and "secret-host" not in said and "\n" not in said


def test_an_unknown_tool_is_not_found(house: McpTools) -> None:
    assert failure(house, "teleport") == "The tool 'teleport' of 'house' is not set up here."


def test_a_flood_is_refused_and_the_next_call_is_well(house: McpTools) -> None:
    assert failure(house, "flood") == "The tool server's answer is too large."
    assert call(house, "say", text="tea").text == "tea"


def test_a_tool_that_takes_too_long_is_given_up(house: McpTools) -> None:
    began = time.monotonic()
    with pytest.raises(ToolFailed, match="did not answer within 0.5 seconds"):
        _slow(house, 0.5)
    assert time.monotonic() - began < 3


def _slow(tools: McpTools, wait: float, cancellation: Cancellation | None = None) -> ToolAnswer:
    tool = ToolRegistry({"house": tools}, {}).find(ToolChoice("mcp", "house", "slow"))
    return tool.call({"seconds": 3}, wait, cancellation or Cancellation())


def test_a_stop_ends_the_wait_at_once(house: McpTools) -> None:
    cancellation = Cancellation()
    house.tools()
    threading.Timer(0.2, cancellation.cancel).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        _slow(house, 20, cancellation)
    assert time.monotonic() - began < 2


def test_many_calls_at_once_are_well(house: McpTools) -> None:
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda text=str(n): answers.append(call(house, "say", text=text).text))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=int) == [str(number) for number in range(20)]


class TestAProcess:
    def test_has_its_own_environment_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_KEY", "ours")
        environment = {"PYTHONPATH": "$HERE", "KEY": "${HOUSE_KEY}"}
        tools = McpTools(
            "house",
            McpEntry(command=[*MODULE, "stdio"], environment=environment),
            {"HERE": os.getcwd(), "HOUSE_KEY": "sesame"},
            None,
        )
        assert call(tools, "whoami", variable="KEY").text.endswith(":sesame")
        assert call(tools, "whoami", variable="SECRET_KEY").text.endswith(":unset")
        tools.close()

    def test_that_died_is_started_anew(self, by_stdio: McpTools) -> None:
        def serving() -> str | None:
            # A call between the death and its discovery fails, and says so.
            try:
                return call(by_stdio, "whoami", variable="KEY").text.partition(":")[0]
            except ToolFailed as failed:
                assert str(failed) == "The connection to the tool server was lost."
                return None

        first = serving()
        assert first is not None
        os.kill(int(first), signal.SIGKILL)
        wait_until(lambda: _ended(int(first)))
        wait_until(lambda: serving() not in (None, first))

    def test_that_dies_in_a_call_is_told_and_the_call_is_not_made_again(self, by_stdio: McpTools) -> None:
        assert failure(by_stdio, "die") == "The connection to the tool server was lost."
        assert call(by_stdio, "say", text="tea").text == "tea"

    def test_ends_with_us(self) -> None:
        tools = McpTools(
            "house",
            McpEntry(command=[*MODULE, "stdio"], environment={"PYTHONPATH": "$HERE"}),
            {"HERE": os.getcwd()},
            None,
        )
        number = int(call(tools, "whoami", variable="X").text.partition(":")[0])
        tools.close()
        wait_until(lambda: _ended(number))

    @pytest.mark.parametrize("command", [["/no/such/program"], ["/bin/true"], ["/bin/echo", "rubbish"]])
    def test_that_is_no_server_is_told(self, command: list[str]) -> None:
        with pytest.raises(ToolFailed, match="tool server"):
            McpTools("house", McpEntry(command=command), {}, None).tools()


class TestAServer:
    def test_that_was_restarted_is_found_again(self) -> None:
        server = HttpServer()
        tools = McpTools("house", McpEntry(url=server.url), {}, None)
        try:
            assert call(tools, "say", text="tea").text == "tea"
            server.kill()
            server.start()
            assert call(tools, "say", text="tea").text == "tea"
        finally:
            tools.close()
            server.kill()

    def test_that_is_away_is_told_and_what_it_had_is_remembered(self) -> None:
        server = HttpServer()
        tools = McpTools("house", McpEntry(url=server.url), {}, None)
        known = [tool.description.name for tool in tools.tools()]
        server.kill()
        assert [tool.description.name for tool in tools.tools()] == known
        assert failure(tools, "say", text="tea") == "The tool server cannot be reached."
        tools.close()

    def test_that_is_behind_a_proxy_is_reached_through_it(self, served: HttpServer) -> None:
        with ProxyServer() as proxy:
            url = served.url.replace("127.0.0.1", "tools.test")
            # The package's server takes no requests for other names than its own.
            entry = McpEntry(url=url, headers={"Host": f"127.0.0.1:{served.port}"})
            tools = McpTools("house", entry, {}, None, Outgoing(http=proxy.url))
            assert call(tools, "say", text="tea").text == "tea"
            tools.close()
            assert set(proxy.requests) == {f"POST {url}"}

    def test_that_was_never_there_is_told(self) -> None:
        with pytest.raises(ToolFailed, match="The tool server cannot be reached."):
            McpTools("house", McpEntry(url="http://127.0.0.1:1/mcp"), {}, None).tools()

    def test_whose_key_is_not_set_is_told(self) -> None:
        with pytest.raises(ToolFailed, match="The tools of 'house' cannot be used at the moment.") as failed:
            McpTools(
                "house",
                McpEntry(url="http://127.0.0.1:1/mcp", headers={"Authorization": "Bearer $HOUSE_KEY"}),
                {},
                None,
            ).tools()
        assert failed.value.cause == "house: the variable HOUSE_KEY is not set"


class Odd(http.server.BaseHTTPRequestHandler):
    """A server that answers what no MCP server answers."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kept = self.server
        kept.seen.append(self.headers)  # type: ignore[attr-defined]
        status, headers, body = kept.says  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def odd() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        server.seen = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class TestAnOddServer:
    @pytest.mark.parametrize(
        ("says", "told"),
        [
            ((401, {}, b""), "The tool server answered 401."),
            ((500, {}, b"Traceback"), "The tool server answered 500."),
            ((302, {"Location": "http://127.0.0.1:1/inside"}, b""), "tool server"),
            ((307, {"Location": "http://127.0.0.1:1/inside"}, b""), "tool server"),
            ((200, {"Content-Type": "text/html"}, b"<html>"), "tool server"),
            ((200, {"Content-Type": "application/json"}, b"{"), "tool server"),
            ((200, {"Content-Type": "application/json"}, b"x" * 3_000_000), "tool server"),
        ],
    )
    def test_is_told_in_one_line_without_the_key(
        self, odd: http.server.ThreadingHTTPServer, says: tuple[int, dict[str, str], bytes], told: str
    ) -> None:
        odd.says = says  # type: ignore[attr-defined]
        url = f"http://127.0.0.1:{odd.server_port}/mcp"
        tools = McpTools(
            "house", McpEntry(url=url, headers={"Authorization": "Bearer $KEY"}, megabytes=1), {"KEY": "sesame"}, None
        )
        with pytest.raises(ToolFailed, match=told) as failed:
            tools.tools()
        assert "sesame" not in str(failed.value) and "\n" not in str(failed.value)
        assert odd.seen[0]["Authorization"] == "Bearer sesame"  # type: ignore[attr-defined]
        tools.close()


def _ended(number: int) -> bool:
    """Return whether the process has ended and was reaped."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False
