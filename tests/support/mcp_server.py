"""A real MCP server for tests: `python -m tests.support.mcp_server stdio`, or `http PORT`."""

import base64
import os
import sys
import time

from mcp.server.mcpserver import Image, MCPServer
from mcp.types import CallToolResult, TextContent

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
server = MCPServer("house")


@server.tool()
def say(text: str, count: int = 1) -> str:
    """Says a text so many times."""
    return text * count


@server.tool(name="house.facts")
def facts() -> dict[str, int]:
    return {"rooms": 4}


@server.tool()
def draw() -> Image:
    return Image(data=PICTURE, format="png")


@server.tool()
def fail() -> str:
    raise ValueError("secret-host:5432")


@server.tool()
def refuse(text: str) -> CallToolResult:
    """An error whose details are structured alone; with `text` beside them if it is not empty."""
    content = [TextContent(type="text", text=text)] if text else []
    return CallToolResult(is_error=True, content=content, structured_content={"code": "RATE_LIMITED", "wait": 5})


@server.tool()
def measure() -> CallToolResult:
    """A structured result without a text."""
    return CallToolResult(content=[], structured_content={"rooms": 4})


@server.tool()
def slow(seconds: float) -> str:
    time.sleep(seconds)
    return "done"


@server.tool()
def flood() -> str:
    return "x" * 3_000_000


@server.tool()
def die() -> str:
    os._exit(3)


@server.tool()
def whoami(variable: str) -> str:
    """A variable of the process's environment, and which process it is."""
    return f"{os.getpid()}:{os.environ.get(variable, 'unset')}"


def main() -> None:
    way, *port = sys.argv[1:]
    if way == "stdio":
        server.run("stdio")
    else:
        server.run("streamable-http", port=int(port[0]), stateless_http=way == "stateless")


if __name__ == "__main__":
    main()
