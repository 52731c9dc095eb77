"""Optional members of a request are left out where the server refuses them."""

import socket
from typing import Any

import orjson
import pytest

from app.errors import ProviderBadRequest
from tests.support.raw_server import ANSWER, QUESTION, RawServer, read_request, say

TOOLS = [{"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}


@pytest.mark.parametrize(
    ("sentence", "options", "member"),
    [
        (b"Unrecognized request argument supplied: stream_options", {}, "stream_options"),
        (b"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", {"max_tokens": 5}, "max_tokens"),
        (b"registry.example/tiny does not support tools", {"tools": TOOLS, "tool_choice": "auto"}, "tools"),
        (
            b"tool_choice does not support being set to required in thinking mode",
            {"tools": TOOLS, "tool_choice": "required"},
            "tool_choice",
        ),
        (b"tools param requires --jinja flag", {"tools": TOOLS}, "tools"),
        (b"This response_format type is unavailable now", {"response_format": "json_object"}, "response_format"),
        (b"Model tiny does not support the `json_schema` format", {"response_format": SCHEMA}, "response_format"),
    ],
)
def test_a_member_that_is_refused_is_left_out_from_then_on(
    sentence: bytes, options: dict[str, Any], member: str
) -> None:
    bodies = []

    def behave(connection: socket.socket) -> None:
        while request := read_request(connection):
            body = orjson.loads(request.partition(b"\r\n\r\n")[2])
            bodies.append(body)
            content = b'{"error": {"message": "%b"}}' % sentence
            connection.sendall(
                b"HTTP/1.1 400 No\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)
                if member in body
                else ANSWER
            )

    with RawServer(behave) as server:
        model = server.model()
        for _ in range(2):
            assert model.complete(QUESTION, options)[0] == "Hello"

    assert [member in body for body in bodies] == [True, False, False]
    assert [body.get("max_completion_tokens") for body in bodies[1:]] == [options.get("max_tokens")] * 2
    assert all("tool_choice" not in body for body in bodies[1:])


@pytest.mark.parametrize(
    ("sentence", "options"),
    [
        (b"Invalid schema for function 'clock': schema must be of type object", {"tools": TOOLS}),
        (b"Invalid schema for response_format 'answer': schema must be of type object", {"response_format": SCHEMA}),
    ],
)
def test_a_member_whose_content_is_at_fault_is_an_error(sentence: bytes, options: dict[str, Any]) -> None:
    content = b'{"error": {"message": "%b"}}' % sentence
    with RawServer(say(b"HTTP/1.1 400 No\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))) as server:
        with pytest.raises(ProviderBadRequest):
            server.model().complete(QUESTION, options)
        assert server.model()._endpoint.refused == set()


def test_a_member_that_is_refused_again_is_an_error() -> None:
    content = b'{"error": {"message": "no stream_options"}}'
    refusal = b"HTTP/1.1 400 No\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)
    with RawServer(say(refusal)) as server, pytest.raises(ProviderBadRequest):
        server.model().complete(QUESTION, {})
