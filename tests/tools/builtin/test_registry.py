"""The built-in tools, which need no tools file."""

import http.server
import threading
import time
from typing import Any

import pytest

from app.providers.cancellation import Cancellation
from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.fetch.public_addresses import AllowedAddresses
from app.tools.arithmetic import ArithmeticFailed, evaluate
from app.tools.bound_tools import fixed_settings
from app.tools.tool_types import ToolChoice, ToolFailed
from tests.tools.builtin.calls import SANDBOX, call, registry


def value_of(expression: str) -> str:
    return evaluate(expression, SANDBOX, 5, Cancellation())


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("(3 + 4) * 2.5", "17.5"),
        ("2^10", "1024"),
        ("2 ** -1", "0.5"),
        ("7 // 2", "3"),
        ("7 % 4", "3"),
        ("-3 - -4", "1"),
        ("sqrt(16) + abs(-2)", "6.0"),
        ("max(1, 2, 3)", "3"),
        ("round(pi, 2)", "3.14"),
        ("6 × 7 ÷ 2", "21.0"),
        ("10/4", "2.5"),
        ("round(2.675, 2)", "2.67"),
        ("round(2.5)", "2"),
        ("round(12345, -2)", "12300"),
        ("1e3 + 0x10 + 1_000", "2016.0"),
        ("-2 ** 2", "-4"),
        ("10 ** 120", f"1{'0' * 120}"),
        ("1e999", "inf"),
    ],
)
def test_arithmetic(expression: str, value: str) -> None:
    assert call("calculator", "calculator", expression=expression).text == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1 +",
        "__import__('os')",
        "().__class__",
        "open('/etc/passwd')",
        "9**9**9**9",
        "2**(10**9)",
        "1/0",
        "'a' * 5",
        "[1] * 5",
        "True + 1",
        "-" * 200 + "1",
        "1+" * 600 + "1",
        "lambda: 1",
        "x",
        "round(ndigits=1)",
        "(-8) ** 0.5",
        "f'{1}'",
        "1 if 1 else 2",
        "10 ** 400 * 1.0",
        "max()",
        "1e999 - 1e999 + int",
        "99**99**9",
    ],
)
def test_what_is_no_arithmetic_has_no_value(expression: str) -> None:
    with pytest.raises(ArithmeticFailed):
        value_of(expression)


def test_numbers_do_not_grow_for_ever() -> None:
    with pytest.raises(ArithmeticFailed, match="too large"):
        value_of("*".join(["9" * 300] * 3))


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "This is no arithmetic expression."),
        ("1 +", "This is no arithmetic expression."),
        ("sqrt(-1)", "This is no arithmetic expression."),
        ("1/0", "Division by zero."),
        ("max()", "The expression has no value."),
        ("exp(1000)", "The expression has no value."),
        ("(-8) ** 0.5", "The expression has no real value."),
        ("-" * 200 + "1", "The expression is nested too deeply."),
        ("9**9**9**9", "The number is too large."),
        ("10**500", "The number is too large."),
        ("9**9**7 % 9**9**6", "The number is too large."),
        ("*".join(["9**9**5"] * 80), "The number is too large."),
        ("1+" * 600 + "1", "The expression is longer than 1000 characters."),
        ("1 if 1 else 2", "Only numbers, + - * / // % **, parentheses and the usual functions are understood."),
        ("(1, 2)", "Only numbers, + - * / // % **, parentheses and the usual functions are understood."),
        ("1], [2", "Only numbers, + - * / // % **, parentheses and the usual functions are understood."),
    ],
)
def test_why_there_is_no_value_is_said(expression: str, sentence: str) -> None:
    with pytest.raises(ArithmeticFailed) as failed:
        value_of(expression)
    assert str(failed.value) == sentence


def test_a_calculation_that_takes_long_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(ArithmeticFailed, match="too large"):
        value_of("9**(9**7)")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("expression", ["1)+(1", "1\n2", "1\n]\ndef main(most_bits): return 5\n[", f"{'9' * 999}x"])
def test_an_expression_cannot_leave_its_place(expression: str) -> None:
    with pytest.raises(ArithmeticFailed):
        value_of(expression)


def test_an_expression_may_have_lines() -> None:
    assert value_of("(1 +\n 2)") == "3"


@pytest.mark.parametrize("arguments", [{}, {"expression": 5}, {"expression": None}])
def test_bad_arguments_are_said_in_a_line(arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolFailed, match="Bad argument") as refused:
        call("calculator", "calculator", **arguments)
    assert "\n" not in str(refused.value)


def test_what_the_author_fixed_is_neither_seen_nor_chosen() -> None:
    tool = registry().find(ToolChoice("builtin", "time", "current_time", settings={"timezone": "UTC", "format": ""}))
    assert set(tool.description.parameters["properties"]) == {"format"}
    assert tool.call({"timezone": "Asia/Tokyo", "format": "%Z"}, 5, Cancellation()).text == "UTC"


@pytest.mark.parametrize(
    ("settings", "fixed"),
    [
        ({"a": "x", "b": None, "c": ""}, {"a": "x"}),
        ({"a": {"auto": 1, "value": "x"}}, {}),
        ({"a": {"auto": 0, "value": {"type": "constant", "value": "x"}}}, {"a": "x"}),
        ({"a": {"type": "constant", "value": 5}}, {"a": 5}),
        ({"a": {"free": "object"}}, {"a": {"free": "object"}}),
    ],
)
def test_settings_are_read_in_every_spelling(settings: dict[str, Any], fixed: dict[str, Any]) -> None:
    assert fixed_settings(settings) == fixed


def test_a_tool_that_nobody_set_up_is_named() -> None:
    with pytest.raises(ToolFailed, match="The tool 'search' of 'google' is not set up here"):
        registry().find(ToolChoice("builtin", "google", "search"))


def test_other_names_lead_to_tools_of_ours() -> None:
    assert registry().find(ToolChoice("builtin", "langgenius/google/google", "ask")).description.name == "calculator"


def test_custom_tools_are_found_by_the_name_of_their_provider() -> None:
    assert (
        registry()
        .find(ToolChoice("api", "0198f0a0-0000-7000-8000-000000000001", "current_time", "time"))
        .description.name
        == "current_time"
    )


def test_a_page_inside_is_not_read() -> None:
    with pytest.raises(ToolFailed):
        call("webscraper", "webscraper", url="http://127.0.0.1:1/")


def test_built_in_tools_have_pictures_that_need_no_server() -> None:
    icon = registry().icon(ToolChoice("builtin", "time", "current_time"))
    assert isinstance(icon, str) and icon.startswith("data:image/svg+xml;base64,")


def test_everything_can_be_listed() -> None:
    assert {(tool.provider, tool.name) for tool in registry().listed()} >= {
        ("time", "current_time"),
        ("calculator", "calculator"),
    }


def test_trusted_pages_are_read(guarded_page: tuple[GuardedHttp, str]) -> None:
    client, url = guarded_page
    assert "Opening hours" in call("webscraper", "webscraper", client, url=url).text


@pytest.fixture
def guarded_page() -> Any:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<html><body><script>var x = 1</script><h1>Opening hours</h1><p>9 to 5</p></body></html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield GuardedHttp(AllowedAddresses([f"127.0.0.1:{server.server_port}"])), f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
